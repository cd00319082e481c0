"""Widgets that answer while a cell runs.

JupyterLab sends a widget's messages to a subshell of the kernel, so that buttons work during a long cell. ipykernel
sends them back to the shell that last wrote to the widget, which is the busy one: a Cancel button would wait for the
very thing it is to cancel. Our handlers are made for another thread, so we keep to what the front end chose.
"""

from __future__ import annotations

from typing import Any


def answer_while_busy(widget: Any) -> None:
    """Let messages of this widget be handled where the front end sent them. Nothing happens in older kernels."""
    comm: Any = getattr(widget, "comm", None)
    if hasattr(comm, "_reply_subshell_for"):
        comm._reply_subshell_for = lambda _data, chosen: chosen
