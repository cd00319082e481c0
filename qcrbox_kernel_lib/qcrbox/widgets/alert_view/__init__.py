"""Alerts of the local checks beside the structure: a button shows the atoms of each alert."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qcrbox.analysis.validation import Alert
from qcrbox.client.environment import is_notebook
from qcrbox.crystallography.structure import Structure
from qcrbox.markup import Table, escape, publish
from qcrbox.widgets import bundle
from qcrbox.widgets.static_twin import StaticTwin, publish_widget
from qcrbox.widgets.structure_view import StructureView

_MOST = 60  # alerts with a button


class AlertView:
    """What `validate().view()` shows. `table` is the still form of the alerts, `notice` says what they are not."""

    def __init__(
        self, structure: Structure, alerts: Sequence[Alert], table: Table, *, notice: str, **options: Any
    ) -> None:
        self.alerts, self.table, self._notice = list(alerts), table, notice
        self.view = StructureView(structure, **options)

    def __repr__(self) -> str:
        return self.table.text()

    def _ipython_display_(self) -> None:
        if not is_notebook():
            publish({"text/plain": self.table.text()})
            return
        twin = StaticTwin()
        still = self.view.picture_html() + self.table.html()
        twin.show({"text/plain": self.table.text(), "text/html": still})
        if bundle.available("structure_view"):
            publish_widget(self._live(twin))

    def _live(self, twin: StaticTwin) -> Any:
        # Start-up time: ipywidgets is loaded when the first widget is shown.
        import ipywidgets as w

        picture = self.view.make_widget(twin)
        rows = [self._row(alert) for alert in self.alerts[:_MOST]]
        notice = w.HTML(f"<div style='opacity:.75'>{escape(self._notice)}</div>")
        alerts = w.VBox([*rows, notice], layout={"max_height": "24em", "overflow": "auto"})
        return w.VBox([picture, alerts])

    def _row(self, alert: Alert) -> Any:
        # Start-up time: as above.
        import ipywidgets as w

        button = w.Button(
            description="show", disabled=not alert.atoms, layout={"width": "5em", "flex": "none"}
        )
        button.tooltip = ", ".join(alert.atoms)
        button.on_click(lambda _: self.view.highlight(*alert.atoms))
        text = f"<b>{escape(alert.level)}</b> {escape(alert.text)} <i>{escape(alert.advice)}</i>"
        words = w.HTML(f"<div style='line-height:1.35;padding:3px 0'>{text}</div>")
        # Not to be squeezed by the height of the list: it scrolls.
        return w.HBox([button, words], layout={"flex": "none", "align_items": "center"})
