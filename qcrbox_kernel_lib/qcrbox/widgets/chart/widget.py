"""The live half of a chart; imported only where anywidget is."""

from __future__ import annotations

import anywidget
import traitlets

from qcrbox.widgets import bundle


class ChartWidget(anywidget.AnyWidget):
    """`chart` is Chart.packed(), `alt` the chart in a sentence, `twin` the mark of the still picture it covers."""

    _esm = bundle.path("chart")
    chart = traitlets.Dict().tag(sync=True)
    alt = traitlets.Unicode().tag(sync=True)
    twin = traitlets.Unicode().tag(sync=True)
