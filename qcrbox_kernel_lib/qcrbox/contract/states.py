"""States of a calculation and the changes that are allowed, as data."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """States of the REST contract."""

    SUBMITTED = "submitted"
    RUNNING = "running"
    SUCCESSFUL = "successful"
    FAILED = "failed"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


# What people read of a state, the same word everywhere: docs/glossary.md.
_WORDS = {State.SUBMITTED: "queued", State.SUCCESSFUL: "done"}


def state_word(status: str) -> str:
    """The word for a state that people read: `successful` is "done", `submitted` is "queued"; others are their own."""
    return next((word for state, word in _WORDS.items() if state == status), str(status))


class Step(StrEnum):
    """Where in its life a calculation is; finer than the state, shown in `extra_info.step`."""

    QUEUED = "queued"
    STARTING = "starting"
    FETCHING = "fetching"
    CONVERTING = "converting"
    PREPARING = "preparing"
    RUNNING = "running"
    OPEN = "open"  # an interactive session that waits for its person
    FINALISING = "finalising"
    UPLOADING = "uploading"
    CANCELLING = "cancelling"
    DONE = "done"


FINAL = frozenset({State.SUCCESSFUL, State.FAILED, State.CANCELLED})

# RUNNING -> SUBMITTED is the lost agent: the calculation goes back into the queue with a higher attempt.
NEXT: dict[State, frozenset[State]] = {
    State.SUBMITTED: frozenset({State.RUNNING, State.CANCELLED, State.FAILED}),
    State.RUNNING: frozenset({State.SUBMITTED, State.SUCCESSFUL, State.FAILED, State.CANCELLED}),
    State.SUCCESSFUL: frozenset(),
    State.FAILED: frozenset(),
    State.CANCELLED: frozenset(),
    State.UNKNOWN: frozenset({State.SUBMITTED, State.FAILED}),
}


def may_become(old: State, new: State) -> bool:
    """True when a calculation in state `old` may go to `new`."""
    return new in NEXT[old]
