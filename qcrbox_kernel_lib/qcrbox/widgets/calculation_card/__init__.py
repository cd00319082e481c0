"""The card of a calculation: state, progress, figures of every cycle, log, cancel."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

from qcrbox.client.events import painter
from qcrbox.contract.errors import QcError
from qcrbox.display import show
from qcrbox.widgets import bundle
from qcrbox.widgets.answering import answer_while_busy
from qcrbox.widgets.calculation_card.still import card_html
from qcrbox.widgets.static_twin import StaticTwin, publish_widget

if TYPE_CHECKING:
    from qcrbox.api.calculations import Calculation

_cards: weakref.WeakKeyDictionary[Calculation, Card] = weakref.WeakKeyDictionary()


class Card:
    """One displayed card; painted from a background thread, kept as still HTML in the notebook."""

    def __init__(self, calculation: Calculation) -> None:
        self.calculation = calculation
        self._twin = StaticTwin()
        self._twin.show(self._still())
        self._widget = self._make_widget() if not calculation._live.final else None
        calculation.on_change(self._ask)

    def _make_widget(self) -> Any:
        if not (show.is_notebook() and bundle.available("calculation_card")):
            return None
        from qcrbox.widgets.calculation_card.widget import CardWidget

        widget = CardWidget(state=self.calculation.snapshot(), twin=self._twin.mark)
        answer_while_busy(widget)
        widget.on_msg(self._heard)
        publish_widget(widget)
        return widget

    def _still(self) -> dict[str, Any]:
        return {"text/plain": repr(self.calculation), "text/html": card_html(self.calculation.snapshot())}

    def _ask(self) -> None:
        painter.ask(id(self), self.paint)

    def paint(self) -> None:
        """Show the state of now. The still card is replaced at the end, or all along when nothing else shows."""
        state = self.calculation.snapshot()
        if self._widget is not None:
            self._widget.state = state
        if self._widget is None or state["final"]:
            self._twin.update(self._still())
        if state["final"]:
            painter.forget(id(self))

    def _heard(self, _: Any, content: dict[str, Any], __: Any) -> None:
        try:
            if content.get("do") == "cancel":
                self.calculation.cancel("cancelled in the notebook")
            elif content.get("do") == "log" and self._widget is not None:
                self._widget.send({"log": str(self.calculation.log)[-500_000:]})
        except QcError as error:
            if self._widget is not None:
                self._widget.send({"error": error.message})


def display_card(calculation: Calculation) -> None:
    """Show the card here. A second one of the same calculation is a card of its own."""
    if not show.is_notebook():
        from IPython.display import publish_display_data

        publish_display_data({"text/plain": repr(calculation)})
        return
    _cards[calculation] = Card(calculation)
