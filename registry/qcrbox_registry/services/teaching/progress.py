"""How far a student is: the state of each task from calculations and answers, and who is stuck."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from qcrbox.contract.states import FINAL, State
from qcrbox.contract.teaching import QUANTITIES, Task, TaskState

from qcrbox_registry.services.teaching import checks
from qcrbox_registry.services.teaching.checks import Evidence, Result

STUCK_S = 600.0
# A student without any sign for this long has left and is not stuck.
AWAY_S = 3600.0
READING = "The result is being checked."
ANSWERED = "Answered from the store: a copy of the same calculation's result."
SETTLED = frozenset({TaskState.DONE, TaskState.HANDED_IN})
_TYPED = str.maketrans("\u2212\u2013⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹", "--" + "-+0123456789", "\u2009\u202f")
# Value, s.u., power of ten, spread; then a unit, which begins with no digit or sign that would belong to the number.
_TYPED_NUMBER = re.compile(
    r"(?P<number>[+-]?(?:\d{1,3}(?:\s\d{3})+|\d+)(?:[.,]\d*)?|[+-]?[.,]\d+)\s*(?:\(\d+[.,]?\d*\))?"
    r"(?:\s*[eE](?P<power>[+-]?\d{1,4})|\s*[x×*·⋅]\s*10\s*\^?\s*(?P<ten>[+-]?\d{1,4}))?"
    r"\s*(?:(?:±|\+/-|\+-)\s*\d+[.,]?\d*\s*)?(?P<unit>[^\s\d.,:;'_/x×*·⋅^+(){}=<>|&#!?~-]\S*(?:\s.*)?)?",
    re.DOTALL,
)
# Units that measure the same, by their size in the first one. Other units are not looked at: one has many spellings.
_LENGTHS = {"Å": 1.0, "\u212b": 1.0, "A": 1.0, "pm": 0.01, "nm": 10.0}
_SHARES = {"": 1.0, "%": 0.01, "‰": 0.001}


@dataclass(frozen=True, slots=True)
class Work:
    """A calculation of a student in an exercise. Times: Unix time, s."""

    id: str
    application: str
    command: str
    arguments: Mapping[str, Any]
    state: str
    submitted_at: float
    finished_at: float | None = None
    error: str = ""
    evidence: Evidence = field(default_factory=lambda: Evidence({}))
    answered: bool = False  # from the store, by a copy of an earlier result


@dataclass(frozen=True, slots=True)
class Answer:
    """What a student typed for a task."""

    value: str
    at: float


@dataclass(frozen=True, slots=True)
class Progress:
    """State of a task. value: the figure that the band is about. at: when it became so."""

    task_id: str
    state: TaskState
    words: str = ""
    value: float | None = None
    calculation_id: str | None = None
    at: float | None = None
    results: tuple[Result, ...] = ()


@dataclass(frozen=True, slots=True)
class Presence:
    """When a student began and last did something."""

    opened_at: float | None
    last_active_at: float | None


def matches(task: Task, work: Work) -> bool:
    """Whether a calculation is of the command of the task, with the parameters that it must have."""
    if task.command:
        application, _, command = task.command.rpartition(".")
        if command != work.command or (application and application != work.application):
            return False
    return all(_equal(work.arguments.get(name), wanted) for name, wanted in task.parameters.items())


def _equal(given: Any, wanted: Any) -> bool:
    if isinstance(given, str) and isinstance(wanted, str):
        return " ".join(given.split()).casefold() == " ".join(wanted.split()).casefold()
    if isinstance(given, bool) or isinstance(wanted, bool):
        return given is wanted
    if isinstance(given, int | float) and isinstance(wanted, int | float):
        return math.isclose(given, wanted, rel_tol=1e-9, abs_tol=1e-12)
    return bool(given == wanted)


def of_task(task: Task, works: Iterable[Work], answer: Answer | None) -> Progress:
    """The state of a task. The best calculation counts, so that a later attempt never takes away what was reached."""
    if task.kind == "calculation":
        return _of_calculations(task, [work for work in works if matches(task, work)])
    if answer is None or not answer.value.strip():
        return Progress(task.id, TaskState.NOT_BEGUN)
    if task.is_marked_by_a_person:
        return Progress(task.id, TaskState.HANDED_IN, "Handed in.", at=answer.at)
    return _of_value(task, answer) if task.kind == "value" else _of_answer(task, answer)


def _of_calculations(task: Task, works: Sequence[Work]) -> Progress:
    if not works:
        return Progress(task.id, TaskState.NOT_BEGUN)
    judged = [_judge(task, work) for work in sorted(works, key=lambda work: (work.submitted_at, work.id))]
    for state in (TaskState.DONE, TaskState.RUNNING):
        found = [progress for progress in judged if progress.state is state]
        if found:
            return found[0] if state is TaskState.DONE else found[-1]
    return judged[-1]


def _judge(task: Task, work: Work) -> Progress:
    known = Progress(task.id, TaskState.RUNNING, calculation_id=work.id, at=work.submitted_at)
    if work.state not in FINAL:
        return replace(known, words="Waiting." if work.state == State.SUBMITTED else "Running.")
    known = replace(known, at=work.finished_at or work.submitted_at)
    if work.state != State.SUCCESSFUL:
        words = work.error.strip().splitlines()[0][:300] if work.error.strip() else f"Ended as {work.state}."
        return replace(known, state=TaskState.FAILED, words=words)
    if checks.lacks_reading(task, work.evidence):
        # Nothing is wrong with it yet: a student would begin to change what is right.
        return replace(known, words=READING)
    value = checks.figure(work.evidence.figures, task.quantity)
    results = tuple(checks.run(check, work.evidence) for check in task.checks)
    in_band, words = _in_band(task, value)
    passed = in_band and all(result.passed for result in results)
    wrong = [result.words for result in results if not result.passed]
    return replace(
        known,
        state=TaskState.DONE if passed else TaskState.OUT_OF_BAND,
        words=" ".join([words, *wrong, *([ANSWERED] if work.answered else [])]).strip(),
        value=value,
        results=results,
    )


def _in_band(task: Task, value: float | None) -> tuple[bool, str]:
    if task.band is None:
        return True, ""
    name = QUANTITIES.get(task.quantity, task.quantity)
    if value is None:
        return False, f"The result states no {name}."
    inside = task.band.contains(value)
    return inside, f"{name} is {value:g}{'' if inside else f'; the target is {task.band}'}."


def number_in(text: str) -> float | None:
    """A number as people type it, before its unit; None for what is none as a whole.

    Accepted: a decimal comma, a true minus, groups of three digits (1 234.5), an s.u. in brackets, powers of ten
    (1.2e-3, 1.2(3)e-3, 1.2·10⁻³, 1.2 x 10^-3), ± with a number, "≈" or "=" before it and a full stop behind it.
    """
    found = _number_and_unit(text)
    return found and found[0]


def _number_and_unit(text: str) -> tuple[float, str] | None:
    match = _TYPED_NUMBER.fullmatch(text.translate(_TYPED).strip().lstrip("≈~=").rstrip(".").strip())
    if match is None:
        return None
    digits = re.sub(r"\s", "", match["number"]).replace(",", ".")
    value = float(f"{digits}e{match['power'] or match['ten'] or 0}")
    return (value, (match["unit"] or "").strip()) if math.isfinite(value) else None


def _readings(value: float, typed: str, unit: str) -> list[float]:
    """The values, in the unit of the task, that a number typed with a unit may stand for. typed: "" as the task's unit.

    "11.4 %" where the task names no unit: the lecturer may have meant 11.4 or 0.114.
    """
    for sizes in (_LENGTHS, _SHARES):
        if typed and typed in sizes and unit in sizes:
            converted = value * sizes[typed] / sizes[unit]
            return [converted] if unit else [value, converted]
    return [value]


def _of_value(task: Task, answer: Answer) -> Progress:
    assert task.target is not None
    typed = _number_and_unit(answer.value)
    if typed is None:
        return Progress(task.id, TaskState.OUT_OF_BAND, "This is not a number.", at=answer.at)
    readings = _readings(*typed, task.unit.strip())
    # A tolerance of 0.001 must accept 0.043 for 0.042, whatever binary fractions make of it.
    most = task.tolerance + 1e-9 * max(1.0, abs(task.target))
    value = min(readings, key=lambda reading: abs(reading - (task.target or 0.0)))
    if abs(value - task.target) <= most:
        return Progress(task.id, TaskState.DONE, "", value, at=answer.at)
    words = f"Not within the tolerance{f'; the number is wanted in {task.unit}' if task.unit else ''}."
    return Progress(task.id, TaskState.OUT_OF_BAND, words, value, at=answer.at)


def _of_answer(task: Task, answer: Answer) -> Progress:
    given = " ".join(answer.value.split()).casefold()
    right = given in {" ".join(accepted.split()).casefold() for accepted in task.accepted}
    state = TaskState.DONE if right else TaskState.OUT_OF_BAND
    return Progress(task.id, state, "" if right else "Not the expected answer.", at=answer.at)


def of_student(
    tasks: Sequence[Task],
    works: Sequence[Work],
    answers: Mapping[str, Answer],
    presence: Presence,
    now: float,
) -> list[Progress]:
    """The states of all tasks. The first unfinished one is `stuck` after ten minutes without an advance."""
    found = [of_task(task, works, answers.get(task.id)) for task in tasks]
    place = next((i for i, each in enumerate(found) if each.state not in SETTLED), None)
    if place is None or not is_stuck(found, presence, now):
        return found
    current = found[place]
    advanced = last_advance(found, presence)
    assert advanced is not None
    minutes = int((now - advanced) // 60)
    words = f"No advance for {minutes} min. {current.words}".strip()
    found[place] = replace(current, state=TaskState.STUCK, words=words)
    return found


def last_advance(found: Sequence[Progress], presence: Presence) -> float | None:
    """When the student began, or last finished a task."""
    moments = [each.at for each in found if each.state in SETTLED and each.at is not None]
    if presence.opened_at is not None:
        moments.append(presence.opened_at)
    return max(moments, default=None)


def is_stuck(found: Sequence[Progress], presence: Presence, now: float) -> bool:
    """Began, is still there, waits for no calculation, and has not finished a task for ten minutes."""
    if presence.opened_at is None or any(each.state is TaskState.RUNNING for each in found):
        return False
    if all(each.state in SETTLED for each in found):
        return False
    advanced = last_advance(found, presence)
    seen = presence.last_active_at or presence.opened_at
    return advanced is not None and now - advanced > STUCK_S and now - seen < AWAY_S
