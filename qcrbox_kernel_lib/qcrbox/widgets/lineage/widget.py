"""The live half of a lineage graph; imported only where anywidget is."""

from __future__ import annotations

import anywidget
import traitlets

from qcrbox.widgets import bundle


class LineageWidget(anywidget.AnyWidget):
    """`graph` has nodes with places, edges and the focus; `svg` is the picture to save; `twin` the mark of the still one."""

    _esm = bundle.path("lineage")
    graph = traitlets.Dict().tag(sync=True)
    svg = traitlets.Unicode().tag(sync=True)
    twin = traitlets.Unicode().tag(sync=True)
