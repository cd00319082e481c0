"""Where this Python runs: in the kernel of a notebook, in a terminal, or unattended."""

from __future__ import annotations

import sys


def is_notebook() -> bool:
    """True in a kernel, where rich output is shown; no import of IPython for asking."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell is not None and hasattr(shell, "kernel")


def is_attended() -> bool:
    """True when a person sees what is written to stderr: in a notebook or a terminal."""
    return is_notebook() or sys.stderr.isatty()
