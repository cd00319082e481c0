"""Waiting in a terminal or a script: one line on stderr."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

from qcrbox.language import tr

if TYPE_CHECKING:
    from qcrbox.api.calculation import Calculation


class TextBar:
    """A progress line on stderr for scripts and terminals; in a file only the changes of step."""

    _WIDTH = 24

    def __init__(self, calculation: Calculation) -> None:
        self._calculation, self._last, self._drawn_at = calculation, "", 0.0
        self._terminal = sys.stderr.isatty()
        self.draw()

    def draw(self) -> None:
        live = self._calculation._live
        lost = self._calculation.box.feed.connection_in_words
        line = lost or live.line(self._calculation.name, self._calculation.short_id, width=self._WIDTH)
        if line == self._last or (
            self._terminal and time.monotonic() - self._drawn_at < 0.1 and not live.final
        ):
            return
        self._drawn_at = time.monotonic()
        if self._terminal:
            sys.stderr.write(f"\r\x1b[2K{line}")
        else:
            # No terminal: a line for each change of state, not one for each cycle.
            line = tr("Connection lost; it goes on.") if lost else live.queue_in_words or live.step
            line = line or tr(str(live.status))
            if line != self._last:
                sys.stderr.write(f"{self._calculation.name}: {line}\n")
        sys.stderr.flush()
        self._last = line

    def close(self) -> None:
        self.draw()
        if self._terminal:
            sys.stderr.write("\n")
