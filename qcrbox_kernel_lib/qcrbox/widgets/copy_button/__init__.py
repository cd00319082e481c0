"""A button that copies a line of code; imported only where anywidget is."""

from __future__ import annotations

import anywidget
import traitlets

from qcrbox.widgets import bundle


class CopyButton(anywidget.AnyWidget):
    """Copies `text`; the button is disabled while it is empty."""

    _esm = bundle.path("copy_button")
    text = traitlets.Unicode().tag(sync=True)
    label = traitlets.Unicode("Copy as code").tag(sync=True)
