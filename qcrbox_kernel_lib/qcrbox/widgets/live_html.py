"""HTML output that is replaced in place: no script, so it works in every front end and stays in the notebook."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from qcrbox.widgets.static_twin import StaticTwin


class LiveHtml:
    """Shows `bundle()` now and again at every `paint()`."""

    def __init__(self, bundle: Callable[[], dict[str, Any]]) -> None:
        self._bundle, self._twin = bundle, StaticTwin()
        # Held while it is painted, so that a state read earlier never replaces a later one.
        self._painting = threading.Lock()
        self._twin.show(bundle())

    def paint(self) -> None:
        """Replace the output by the present state."""
        with self._painting:
            self._twin.update(self._bundle())
