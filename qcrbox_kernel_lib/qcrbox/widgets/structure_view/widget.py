"""The live half of StructureView; imported only where anywidget is."""

from __future__ import annotations

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

    def show_scene(self, scene: Scene, title: str) -> None:
        """Replace the scene."""
        self.scene = packed(scene, title)
