"""How a program ended, and why an attempt is ended from outside."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from qcrbox.contract.states import State

_SIGNAL_WORDS = {
    signal.SIGKILL: "was killed by the system, most likely because it used more memory than allowed",
    signal.SIGSEGV: "crashed with a segmentation fault",
    signal.SIGABRT: "aborted itself",
    signal.SIGFPE: "crashed with an arithmetic fault",
    signal.SIGILL: "crashed with an illegal instruction",
    signal.SIGBUS: "crashed with a bus error",
    signal.SIGXCPU: "used more processor time than allowed",
    signal.SIGXFSZ: "wrote a larger file than allowed",
}


@dataclass
class Ended:
    """`returncode` as a shell shows it (128 + signal); `error` empty when it succeeded."""

    returncode: int | None = 0
    error: str = ""
    files: list[tuple[str, str]] = field(
        default_factory=list
    )  # (output name or "", path) a callable returned
    peak_rss_bytes: int = 0
    killed_by: int = 0


class ProgramFailed(Exception):
    """The program or a step of a session failed; `ended` says how, the text begins the message."""

    def __init__(self, ended: Ended, prefix: str = "") -> None:
        super().__init__(prefix + ended.error)
        self.ended = ended


@dataclass(frozen=True)
class Stop:
    """Why an attempt is ended from outside."""

    state: State  # CANCELLED, or FAILED for a limit
    reason: str
    grace_s: float = 5.0


def from_exit_code(code: int, peak_rss_bytes: int = 0) -> Ended:
    """`code` as subprocess gives it: negative for a signal."""
    if code == 0:
        return Ended(0, peak_rss_bytes=peak_rss_bytes)
    number = -code if code < 0 else (code - 128 if 128 < code < 128 + signal.NSIG else 0)
    if number:
        return Ended(128 + number, f"The program {signal_words(number)}.", [], peak_rss_bytes, number)
    reason = {
        126: "The program could not be executed (exit code 126).",
        127: "A command was not found (exit code 127).",
    }.get(code, f"The program ended with exit code {code}.")
    return Ended(code, reason, [], peak_rss_bytes)


def signal_words(number: int) -> str:
    """'crashed with a segmentation fault'"""
    if number in _SIGNAL_WORDS:
        return _SIGNAL_WORDS[signal.Signals(number)]
    try:
        name = signal.Signals(number).name
    except ValueError:
        name = f"signal {number}"
    return f"was ended by {name}"
