"""The live half of the card; imported only where anywidget is."""

from __future__ import annotations

import anywidget
import traitlets

from qcrbox.widgets import bundle


class CardWidget(anywidget.AnyWidget):
    """`state` is Calculation.snapshot(); `twin` the mark of the still card it covers."""

    _esm = bundle.path("calculation_card")
    state = traitlets.Dict().tag(sync=True)
    twin = traitlets.Unicode().tag(sync=True)
