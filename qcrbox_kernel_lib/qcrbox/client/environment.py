"""The environment of this Python process: notebook kernel, terminal, or neither."""

from __future__ import annotations

import sys
from typing import TextIO


def is_notebook() -> bool:
    """True in a kernel, where rich output is shown. Does not import IPython."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def words_to_user() -> TextIO:
    """Where a word to the user goes that is no error: stdout in a notebook, which shows stderr on red; else stderr."""
    return sys.stdout if is_notebook() else sys.stderr


def is_attended() -> bool:
    """True when a person sees what is written to them: in a notebook or a terminal."""
    return is_notebook() or sys.stderr.isatty()
