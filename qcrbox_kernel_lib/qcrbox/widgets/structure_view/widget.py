"""The live half of StructureView; imported only where anywidget is."""

from __future__ import annotations

from collections.abc import Callable

import anywidget
import traitlets

from qcrbox.widgets import bundle
from qcrbox.widgets.structure_view.packing import packed
from qcrbox.widgets.structure_view.scene import Scene


class StructureWidget(anywidget.AnyWidget):
    """`scene` holds arrays as bytes (see `packed`); `twin` is the mark of the still picture it covers."""

    _esm = bundle.path("structure_view")
    scene = traitlets.Dict().tag(sync=True)
    twin = traitlets.Unicode().tag(sync=True)
    density = traitlets.Dict().tag(sync=True)  # see `packed_density`; empty for none
    surface = traitlets.Dict().tag(sync=True)  # see `packed_surface`; empty for none
    link = traitlets.Unicode().tag(sync=True)  # views of one link are turned together

    # Called when the widget is closed.
    closing: Callable[[], object] | None = None

    def close(self) -> None:
        """Close the widget in all pages, and end what is computed for it."""
        if self.closing is not None:
            self.closing()
        super().close()

    def show_scene(self, scene: Scene, title: str) -> None:
        """Replace the scene."""
        self.scene = packed(scene, title)
