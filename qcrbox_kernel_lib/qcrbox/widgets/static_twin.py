"""The still picture beside every widget.

A widget is two outputs: first a static one (HTML with a picture or table), then the live one, whose script hides
the first while it runs. A notebook opened without a kernel, next year or on a page that runs no scripts, shows
the static one, and its style hides the place where the live one is missing.
"""

from __future__ import annotations

import uuid
from typing import Any

from qcrbox.markup import publish

# What Lab leaves in the place of a widget without kernel: one line in an element without children.
_HIDE_BROKEN = (
    "<style>.jp-OutputArea-child:has(.qcrbox-static)+.jp-OutputArea-child"
    ">.jp-OutputArea-output.jupyter-widgets:not(:has(*)){display:none}</style>"
)


class StaticTwin:
    """A displayed output that can be changed later, and that its widget finds by `mark`."""

    def __init__(self) -> None:
        self.mark = f"qcrbox-static-{uuid.uuid4().hex[:12]}"
        self._display_id = uuid.uuid4().hex

    def show(self, bundle: dict[str, Any]) -> None:
        self._publish(bundle, update=False)

    def update(self, bundle: dict[str, Any]) -> None:
        """Replace what the notebook keeps."""
        self._publish(bundle, update=True)

    def _publish(self, bundle: dict[str, Any], *, update: bool) -> None:
        data = dict(bundle)
        if "text/html" in data:
            data["text/html"] = (
                f'<div class="qcrbox-static {self.mark}">{_HIDE_BROKEN}{data["text/html"]}</div>'
            )
        publish(data, transient={"display_id": self._display_id}, update=update)


def publish_widget(widget: Any) -> None:
    """The live output, with nothing in it that could stand beside the static one."""
    publish(
        {
            "text/plain": "",
            "application/vnd.jupyter.widget-view+json": {
                "version_major": 2,
                "version_minor": 0,
                "model_id": widget.model_id,
            },
        }
    )
