"""Compute a finer mesh of a Hirshfeld surface in a thread while the coarse one is displayed."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TypeGuard

from qcrbox.analysis.density.hirshfeld import HirshfeldSurface
from qcrbox.contract.errors import QcError

# Å between the points of the grid; triangles are half as wide. Beyond it no difference is seen at the size of a view.
FINE = 0.12
_log = logging.getLogger("qcrbox.widgets")


class Stopped(Exception):
    """No view displays the surface any more."""


class FinerMesh:
    """`drawn` is the surface until the finer one is there; then `show` is called, in the thread that computed it.

    The thread starts with the first viewer and stops with the last one. `viewers`: the number of viewers of the surface
    that it replaces, which do not report again.
    """

    def __init__(self, surface: HirshfeldSurface, show: Callable[[], None], viewers: int = 0) -> None:
        self.drawn, self._show = surface, show
        self.is_expected = True
        self._lock = threading.Lock()
        self._viewers = viewers
        self._stop = threading.Event()
        self.thread: threading.Thread | None = None
        with self._lock:
            self._follow_viewers()

    def watch(self, on: bool) -> None:
        """A viewer comes (on) or goes."""
        with self._lock:
            self._viewers = max(0, self._viewers + (1 if on else -1))
            self._follow_viewers()

    def _follow_viewers(self) -> None:
        if self._viewers == 0:
            self._stop.set()
        elif self.is_expected and (self.thread is None or self._stop.is_set()):
            self._stop = threading.Event()
            self.thread = threading.Thread(
                target=self._compute, args=(self._stop,), name="qcrbox-finer-mesh", daemon=True
            )
            self.thread.start()

    def close(self) -> int:
        """Stop for all viewers; returns how many there were."""
        with self._lock:
            viewers, self._viewers = self._viewers, 0
            self._stop.set()
            return viewers

    def _compute(self, stop: threading.Event) -> None:
        def check() -> None:
            if stop.is_set():
                raise Stopped

        finer = self.drawn
        try:
            finer = self.drawn.finer(FINE, check)
        except Stopped:
            return
        except QcError as error:
            _log.info("No finer mesh: %s", error)  # the grid would be too large; the coarse mesh stays
        except Exception:  # noqa: BLE001 - for example MemoryError; a view must not announce a mesh that never comes
            _log.exception("No finer mesh")
        with self._lock:
            if stop.is_set():
                return
            self.drawn, self.is_expected = finer, False
        self._show()


def can_be_finer(surface: object) -> TypeGuard[HirshfeldSurface]:
    """Whether a finer mesh would be seen."""
    return isinstance(surface, HirshfeldSurface) and surface.spacing > 1.1 * FINE
