"""Uncaught errors of this package in a script: shown as in a notebook, with the line of the script and the message."""

from __future__ import annotations

import sys
from types import TracebackType

from qcrbox.contract.errors import QcError


def install() -> None:
    """Replace Python's excepthook, unless another program has replaced it."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not isinstance(error, QcError):
        sys.__excepthook__(kind, error, traceback)
        return
    error.__traceback__ = traceback
    sys.stderr.write("\n".join(error._render_traceback_()) + "\n")
