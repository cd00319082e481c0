"""In a script, an error of ours that nobody caught is told as in a notebook: the script's own line and the words."""

from __future__ import annotations

import sys
from types import TracebackType

from qcrbox.contract.errors import QcError


def install() -> None:
    """Take the place of Python's own hook; one that somebody else has set is left alone."""
    if sys.excepthook is sys.__excepthook__:
        sys.excepthook = _tell


def _tell(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if not isinstance(error, QcError):
        sys.__excepthook__(kind, error, traceback)
        return
    error.__traceback__ = traceback
    sys.stderr.write("\n".join(error._render_traceback_()) + "\n")
