"""Two views under one camera, side by side."""

from __future__ import annotations

from typing import Any

from qcrbox.markup import escape
from qcrbox.widgets import bundle
from qcrbox.widgets.static_twin import StaticTwin, publish_widget


def show_pair(views: list[Any], link: str) -> None:
    """Display the views; turning one turns the other. `link` names the pair in the browser."""
    twin = StaticTwin()
    pictures = "".join(
        f'<figure style="margin:0;flex:1 1 360px"><figcaption>{escape(view.title)}</figcaption>'
        f"{view.picture_html()}</figure>"
        for view in views
    )
    text = "\n".join(repr(view) for view in views)
    twin.show(
        {
            "text/plain": text,
            "text/html": f'<div style="display:flex;flex-wrap:wrap;gap:8px">{pictures}</div>',
        }
    )
    if not bundle.available("structure_view"):
        return
    # Start-up time: ipywidgets is loaded when the first widget is shown.
    import ipywidgets

    widgets = [view.make_widget(twin, link) for view in views]
    columns = [
        ipywidgets.VBox(
            [ipywidgets.Label(view.title), widget], layout={"flex": "1 1 360px", "min_width": "320px"}
        )
        for view, widget in zip(views, widgets, strict=True)
    ]
    publish_widget(ipywidgets.HBox(columns, layout={"flex_flow": "row wrap"}))
