"""A picture shown: the still one first, the live chart over it where there is one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from qcrbox.display import show
from qcrbox.widgets import bundle
from qcrbox.widgets.static_twin import StaticTwin, publish_widget

if TYPE_CHECKING:
    from qcrbox.display.history import Picture


def display_picture(picture: Picture) -> None:
    """Display it here."""
    from IPython.display import publish_display_data

    bundled = picture._repr_mimebundle_()
    if not show.is_notebook() or picture.chart is None or not bundle.available("chart"):
        publish_display_data(bundled)
        return
    twin = StaticTwin()
    # Without the bare PNG, which front ends prefer to the HTML that can be covered.
    twin.show({kind: bundled[kind] for kind in ("text/plain", "text/html")})
    from qcrbox.widgets.chart.widget import ChartWidget

    publish_widget(ChartWidget(chart=picture.chart.packed(), alt=picture.alt, twin=twin.mark))
