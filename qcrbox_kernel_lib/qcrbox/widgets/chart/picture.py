"""A plot with its sentence: a still image first, the live chart over it where there is one."""

from __future__ import annotations

import base64
import io
from typing import Any

from qcrbox.client.environment import is_notebook
from qcrbox.markup import escape, publish
from qcrbox.widgets import bundle
from qcrbox.widgets.chart.figure import drawn
from qcrbox.widgets.chart.model import Chart
from qcrbox.widgets.static_twin import StaticTwin, publish_widget


class Picture:
    """A plot with a sentence for screen readers. `.figure` (matplotlib), `.save(path)`.

    In the notebook a picture made `of` a chart is read with the pointer; saved notebooks keep the still image.
    """

    def __init__(self, figure: Any, alt: str) -> None:
        self._figure, self.alt = figure, alt
        self.chart: Chart | None = None

    @classmethod
    def of(cls, chart: Chart, alt: str) -> Picture:
        """A picture of a chart; `alt` is the sentence for screen readers."""
        made = cls(None, alt)
        made.chart = chart
        return made

    @property
    def figure(self) -> Any:
        """The matplotlib figure."""
        if self._figure is None and self.chart is not None:
            self._figure = drawn(self.chart)
        return self._figure

    def save(self, path: str, *, dpi: int = 300) -> str:
        """Write the figure in the format of the suffix (.png, .svg, .pdf); returns the path."""
        self.figure.savefig(path, dpi=dpi)
        return path

    def image(self, kind: str = "png") -> bytes:
        """The figure as the bytes of an image file."""
        out = io.BytesIO()
        self.figure.savefig(out, format=kind, dpi=110)
        return out.getvalue()

    def __repr__(self) -> str:
        return f"<Picture: {self.alt}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        data = base64.b64encode(self.image("png")).decode()
        picture = f'<img alt="{escape(self.alt)}" src="data:image/png;base64,{data}" style="max-width:100%">'
        return {"text/plain": repr(self), "image/png": data, "text/html": picture}

    def _ipython_display_(self) -> None:
        bundled = self._repr_mimebundle_()
        if not is_notebook() or self.chart is None or not bundle.available("chart"):
            publish(bundled)
            return
        twin = StaticTwin()
        # Without the bare PNG, which front ends prefer to the HTML that can be covered.
        twin.show({kind: bundled[kind] for kind in ("text/plain", "text/html")})
        # Start-up time: anywidget is loaded when the first widget is shown.
        from qcrbox.widgets.chart.widget import ChartWidget

        publish_widget(ChartWidget(chart=self.chart.packed(), alt=self.alt, twin=twin.mark))
