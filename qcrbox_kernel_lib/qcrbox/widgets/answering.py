"""Widgets that answer while a cell runs.

JupyterLab sends a widget's messages to a subshell of the kernel, so that buttons work during a long cell. ipykernel
redirects them to the shell that last wrote to the widget, which is the busy one: a Cancel button would wait for the
cell it is to cancel. The handlers of this package are thread-safe, so the choice of the front end is kept.
"""

from __future__ import annotations

from typing import Any


def answer_while_busy(widget: Any) -> None:
    """Let messages of this widget be handled where the front end sent them. Nothing happens in older kernels."""
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen
