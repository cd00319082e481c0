"""Work in threads with the libraries that it needs, loaded once by one thread.

Two threads that import packages for the first time at the same time can meet in the middle: Python then gives one of them
a half-loaded module. A page asks for several parts of a file at once, so this happened with the first file of a server.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

# What the parts of a file are made with; a test compares this with the imports of this package.
LIBRARIES = (
    "qcrbox.cif",
    "qcrbox.cif.check",
    "qcrbox.cif.markup",
    "qcrbox.cif.quoting",
    "qcrbox.cif.document",
    "qcrbox.cif.names",
    "qcrbox.crystallography.structure",
    "qcrbox.crystallography.reflections",
    "qcrbox.crystallography.shelx.structure",
    "qcrbox.analysis.index",
    "qcrbox.analysis.validation",
    "qcrbox.analysis.density.cube",
    "qcrbox.analysis.density.maps",
    "qcrbox.widgets.bundle",
    "qcrbox.widgets.cif_text.item_words",
    "qcrbox.widgets.lineage",
    "qcrbox.widgets.structure_view",
    "qcrbox.widgets.structure_view.packing",
    "qcrbox.widgets.structure_view.still",
    "qcrbox.display.plots",
    "qcrbox.display.report",
    "qcrbox.display.summary",
    "qcrbox.client.lineage",
    "qcrbox.markup",
)
_lock = threading.Lock()
_loaded = threading.Event()


def load_libraries() -> None:
    """Import LIBRARIES; every other thread waits for the first one."""
    if _loaded.is_set():
        return
    with _lock:
        if not _loaded.is_set():
            for name in LIBRARIES:
                import_module(name)
            _loaded.set()


async def in_thread(work: Callable[[], Any], longest_s: float) -> Any:
    """What `work` gives, computed in a thread. Raises TimeoutError, and what `work` raises."""

    def run() -> Any:
        load_libraries()
        return work()

    return await asyncio.wait_for(asyncio.to_thread(run), longest_s)
