"""The card of a calculation: state, progress, figures of every cycle, log, cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from qcrbox.client.environment import is_notebook
from qcrbox.contract.errors import QcError
from qcrbox.markup import publish
from qcrbox.widgets import bundle
from qcrbox.widgets.answering import answer_while_busy
from qcrbox.widgets.calculation_card.still import card_html
from qcrbox.widgets.painter import painter
from qcrbox.widgets.static_twin import StaticTwin, publish_widget

_LOG_CHARACTERS = 500_000  # of the end of a log, sent to the browser


@dataclass(frozen=True)
class CardSource:
    """Content and actions of a card as callables, so that nothing is read before the card is shown."""

    state: Callable[[], dict[str, Any]]
    text: Callable[[], str]
    log: Callable[[], str]
    cancel: Callable[[], object]
    on_change: Callable[[Callable[[], None]], None]


class Card:
    """One displayed card; painted from a background thread, kept as still HTML in the notebook."""

    def __init__(self, source: CardSource) -> None:
        self._source = source
        self._twin = StaticTwin()
        # Held while the card is painted, so that a state read earlier never replaces a later one.
        self._painting = threading.Lock()
        self._shows_end = bool(source.state()["final"])
        self._twin.show(self._still())
        self._widget = None if self._shows_end else self._make_widget()
        source.on_change(self._ask)
        if not self._shows_end:
            # The calculation may have ended while the widget was loaded, before its changes were observed.
            self._ask()

    def _make_widget(self) -> Any:
        if not (is_notebook() and bundle.available("calculation_card")):
            return None
        # Start-up time: anywidget is loaded when the first widget is shown.
        from qcrbox.widgets.calculation_card.widget import CardWidget

        widget = CardWidget(state=self._source.state(), twin=self._twin.mark)
        answer_while_busy(widget)
        widget.on_msg(self._heard)
        publish_widget(widget)
        return widget

    def _still(self) -> dict[str, Any]:
        return {"text/plain": self._source.text(), "text/html": card_html(self._source.state())}

    def _ask(self) -> None:
        painter.ask(id(self), self.paint)

    def paint(self) -> None:
        """Show the present state. The still card is replaced at the end, or each time when nothing else shows."""
        with self._painting:
            state = self._source.state()
            if self._widget is not None:
                self._widget.state = state
            if self._widget is None or state["final"]:
                self._twin.update(self._still())
            self._shows_end = bool(state["final"])
        if self._shows_end:
            painter.forget(id(self))

    def show_end(self) -> None:
        """Show the end now, in the calling thread, unless it is shown.

        A program that runs a notebook takes outputs only while a cell runs, so a cell that waits for the end must not
        return before the saved card shows it.
        """
        if not self._shows_end:
            self.paint()

    def _heard(self, _: Any, content: dict[str, Any], __: Any) -> None:
        try:
            if content.get("do") == "cancel":
                self._source.cancel()
            elif content.get("do") == "log" and self._widget is not None:
                self._widget.send({"log": self._source.log()[-_LOG_CHARACTERS:]})
        except QcError as error:
            if self._widget is not None:
                self._widget.send({"error": error.message})


def display_card(source: CardSource) -> Card | None:
    """Show a card here; every call shows a new one. None where a line of text is shown instead."""
    if not is_notebook():
        publish({"text/plain": source.text()})
        return None
    return Card(source)
