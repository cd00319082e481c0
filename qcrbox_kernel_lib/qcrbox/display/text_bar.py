"""Waiting in a terminal or a script: one line on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from qcrbox.client.live import Live
from qcrbox.display.status_text import line_text, queue_text
from qcrbox.language import tr


class TextBar:
    """A progress line on stderr for terminals; where stderr is a file, one line for each change of state.

    `lost` gives the text about a lost connection, empty while there is one.
    """

    _WIDTH = 24

    def __init__(self, live: Live, name: str, short_id: str, lost: Callable[[], str]) -> None:
        self._live, self._name, self._short_id, self._lost = live, name, short_id, lost
        self._last, self._drawn_at = "", 0.0
        self._terminal = sys.stderr.isatty()
        self.draw()

    def draw(self) -> None:
        """Write the line if it has changed, at most ten times a second."""
        live, lost = self._live, self._lost()
        line = lost or line_text(live, self._name, self._short_id, width=self._WIDTH)
        if line == self._last or (
            self._terminal and time.monotonic() - self._drawn_at < 0.1 and not live.final
        ):
            return
        self._drawn_at = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{line}")
        else:
            line = tr("Connection lost; it goes on.") if lost else queue_text(live) or live.step
            line = line or tr(str(live.status))
            if line != self._last:
                sys.stderr.write(f"{self._name}: {line}\n")
        sys.stderr.flush()
        self._last = line

    def close(self) -> None:
        """Write the last state and end the line."""
        self.draw()
        if self._terminal:
            sys.stderr.write("\n")
