"""StructureView: a crystal structure as crystallographers draw it, in the notebook and on paper."""

from qcrbox.widgets.structure_view.options import Options
from qcrbox.widgets.structure_view.picture import Camera, svg
from qcrbox.widgets.structure_view.scene import Scene
from qcrbox.widgets.structure_view.view import StructureView

__all__ = ["Camera", "Options", "Scene", "StructureView", "svg"]
