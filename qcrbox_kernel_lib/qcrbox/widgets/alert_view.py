"""Alerts beside the structure: each button shows the atoms it speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcrbox.display import show
from qcrbox.widgets import bundle
from qcrbox.widgets.static_twin import StaticTwin, publish_widget
from qcrbox.widgets.structure_view import StructureView

if TYPE_CHECKING:
    from qcrbox.api.checking import Checked

_MOST = 60


class AlertView:
    """What `validate().view()` shows."""

    def __init__(self, checked: Checked, **options: Any) -> None:
        self.checked = checked
        self.view = StructureView(checked.cif.structure, title=checked.cif.filename, **options)

    def __repr__(self) -> str:
        return repr(self.checked)

    def _ipython_display_(self) -> None:
        from IPython.display import publish_display_data

        table = self.checked.table
        if not show.is_notebook():
            publish_display_data({"text/plain": table.text()})
            return
        twin = StaticTwin()
        twin.show({"text/plain": table.text(), "text/html": self.view._picture_html() + table.html()})
        if not bundle.available("structure_view"):
            return
        import ipywidgets as w

        picture = self.view._make_widget(twin)
        rows = []
        for alert in self.checked.alerts[:_MOST]:
            button = w.Button(
                description="show", disabled=not alert.atoms, layout={"width": "5em", "flex": "none"}
            )
            button.tooltip = ", ".join(alert.atoms)
            button.on_click(lambda _, atoms=alert.atoms: self.view.highlight(*atoms))
            text = f"<b>{show.escape(alert.level)}</b> {show.escape(alert.text)} <i>{show.escape(alert.advice)}</i>"
            words = w.HTML(f"<div style='line-height:1.35;padding:3px 0'>{text}</div>")
            # Not to be squeezed by the height of the list: it scrolls.
            rows.append(w.HBox([button, words], layout={"flex": "none", "align_items": "center"}))
        notice = w.HTML(f"<div style='opacity:.75'>{show.escape(self.checked.validation.notice)}</div>")
        alerts = w.VBox([*rows, notice], layout={"max_height": "24em", "overflow": "auto"})
        publish_widget(w.VBox([picture, alerts]))
