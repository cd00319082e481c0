"""The view itself: options in, picture out; live where there is a browser, SVG where there is none."""

from __future__ import annotations

import base64
import threading
from pathlib import Path
from typing import Any

import numpy as np

from qcrbox.analysis.density.cube import Cube
from qcrbox.analysis.density.hirshfeld import HirshfeldSurface
from qcrbox.analysis.density.maps import DensityMap
from qcrbox.analysis.density.section import section
from qcrbox.analysis.density.surface import Surface
from qcrbox.client.environment import is_notebook
from qcrbox.client.writing import write_over
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.language import minus
from qcrbox.markup import Table, escape, publish
from qcrbox.widgets import bundle
from qcrbox.widgets.answering import answer_while_busy
from qcrbox.widgets.chart import Picture
from qcrbox.widgets.static_twin import StaticTwin, publish_widget
from qcrbox.widgets.structure_view.answers import answer_to
from qcrbox.widgets.structure_view.finer import FinerMesh, can_be_finer
from qcrbox.widgets.structure_view.options import Options
from qcrbox.widgets.structure_view.packing import packed_density, packed_surface
from qcrbox.widgets.structure_view.picture import DARK, LIGHT, Camera, svg
from qcrbox.widgets.structure_view.scene import Measurement, Scene
from qcrbox.widgets.structure_view.section_picture import section_picture

_MOST_PIXELS = 20_000  # of each side of a picture
_MOST_KEPT = 1000  # atoms up to which the still picture follows every turn of the live one
_TABLE_ROWS = 500  # of the table twin that is kept in the notebook


class StructureView:
    """A structure, drawn. Options: see `qcrbox.widgets.structure_view.Options`.

    `source` is a Structure, or anything with `.structure` (dataset, result, CIF). In the notebook it turns,
    grows, measures and takes keys (press ? in it); `.svg()` and `.save("x.svg")` need no browser. What its button
    Edit changed stands in `.edits` (`qc.refine.refine_iam(result, edits=view.edits)`), the chosen labels in `.selected`.
    """

    def __init__(self, source: Any, *, title: str = "", **options: Any) -> None:
        structure = source if isinstance(source, Structure) else getattr(source, "structure", None)
        if structure is None:
            raise UserInputError(
                f"A {type(source).__name__} has no structure to show.",
                next='Give a dataset, a result or a CIF: qc.StructureView(qc["azu"]).',
            )
        self.structure: Structure = structure
        self.title = title
        self.options = Options.of(options)
        self.scene = Scene(structure, self.options)
        self.measurements: list[Measurement] = []
        self._camera: Camera | None = None
        self._widget: Any = None
        self._twin: StaticTwin | None = None
        self.density: DensityMap | Cube | None = None
        self._level = 3.0
        self.surface: Surface | None = None
        self._finer: FinerMesh | None = None
        # The finer mesh is sent from its own thread: what is sent last must be what was set last.
        self._sending = threading.RLock()
        self._property = ""
        self._neighbours: str | int = "none"
        self.selected: tuple[str, ...] = ()
        self.edits = ""

    # ------------------------------------------------------------ changing it

    def set(self, **options: Any) -> StructureView:
        """Change options of a shown view."""
        self.options = self.options.changed(**options)
        self._neighbours = "none"
        self._show_scene(Scene(self.structure, self.options))
        return self

    def grow(self, mode: str = "bond") -> StructureView:
        """Show more around the present atoms: "bond", "molecule", "contacts" or "radius"."""
        self._show_scene(self.scene.grown_from_here(mode))
        return self

    def _show_scene(self, scene: Scene) -> None:
        self.scene = scene
        self.measurements = []
        if self._widget is not None:
            self._widget.show_scene(scene, self.title)
            self._send_density()
            self._send_surface()
        self._keep()

    def show_density(
        self, density: DensityMap | Cube | None, level: float = 3.0, *, at: float | None = None
    ) -> StructureView:
        """Draw a density at ± `level` σ, or ± `at` in its unit; a map around the atoms shown, a cube as it is. None takes it away.

        A cube must be in e/Å³ or of an orbital (`cube.to_draw()`) and on the Cartesian axes of the structure.
        """
        if density is not None and not isinstance(density, (DensityMap, Cube)):
            raise UserInputError(
                f"A {type(density).__name__} is no density.",
                next="result.difference_density() and result.cube(name) are.",
            )
        if density is not None and density.kind == "cube":
            raise UserInputError(
                "A cube file does not state its unit, and the view shows e Å⁻³.",
                next="For a density in e/bohr³, or an orbital: view.show_density(cube.to_draw()).",
            )
        asked = level if at is None else at
        if (
            not isinstance(asked, (int, float, np.number))
            or not 0 < abs(asked) < np.inf
            or (at is None and level < 0)
        ):
            raise UserInputError(f"The level of a density must be a number above 0; you gave {asked!r}.")
        if density is not None and at is not None:
            level = abs(at) / (density.sigma or 1.0)
        self.density, self._level = density, level
        self._send_density()
        self._keep()
        return self

    def show_surface(self, surface: Surface | None, of: str = "dnorm") -> StructureView:
        """Draw a surface coloured by one of its properties, in fixed and printed ranges; None takes it away."""
        if surface is not None and not isinstance(surface, Surface):
            raise UserInputError(
                f"A {type(surface).__name__} is no surface.", next="qc.hirshfeld(…) makes one."
            )
        if surface is not None:
            surface.scale_of(of)
        with self._sending:
            if surface is not self.surface:
                # Pages that look at a mesh go on looking at the next one, and do not say so again.
                viewers = self._stop_refining()
                self.surface = surface
                self._finer = (
                    FinerMesh(surface, self._send_surface, viewers) if can_be_finer(surface) else None
                )
            self._property = of
            self._send_surface()
        return self

    def _stop_refining(self) -> int:
        return self._finer.close() if self._finer is not None else 0

    def show_neighbours(self, which: str | int = "all") -> StructureView:
        """Beside a Hirshfeld surface: "all" molecules that meet it, one by its number (0 the largest share), or "none"."""
        if not isinstance(self.surface, HirshfeldSurface):
            raise UserInputError(
                "Neighbours are shown beside a Hirshfeld surface.", next="qc.hirshfeld(…).view()."
            )
        known = self.surface.neighbours
        if which not in ("all", "none") and (not isinstance(which, int) or not 0 <= which < len(known)):
            raise UserInputError(
                f"There is no neighbour {which!r}.", next=f"'all', 'none', or 0 to {len(known) - 1}."
            )
        atoms = self.surface.molecule
        for neighbour in known if which == "all" else [] if which == "none" else [known[int(which)]]:
            atoms = atoms.joined(neighbour.atoms)
        self._neighbours = which
        self._show_scene(Scene(self.structure, self.options, atoms))
        return self

    def _send_surface(self) -> None:
        if self._widget is None:
            return
        with self._sending:
            if self.surface is None:
                self._widget.surface = {}
                return
            drawn = self._finer.drawn if self._finer is not None else self.surface
            packed = packed_surface(drawn, self._property, self.scene, self._neighbours)
            self._widget.surface = packed | {"finer": self._finer is not None and self._finer.is_expected}

    def _send_density(self) -> None:
        if self._widget is None:
            return
        if self.density is None:
            self._widget.density = {}
            return
        self._widget.density = packed_density(self.density, self.scene, self._level)

    def highlight(self, *labels: str) -> StructureView:
        """Mark the atoms of these labels in the live view; without labels, none.

        Raises UserInputError for a label that the structure has not.
        """
        known = {*self.scene.labels, *self.structure.sites.label}
        for label in labels:
            if label not in known:
                raise UserInputError(f"There is no atom {label!r}.")
        rows = [row for row, label in enumerate(self.scene.labels) if label in labels]
        if self._widget is not None:
            self._widget.send({"highlight": rows})
        return self

    # ------------------------------------------------------------ asking it

    def measure(self, *labels: str) -> str:
        """Distance, angle or torsion of two to four atoms by label (the first of that label shown)."""
        found = self.scene.measure(self._rows(labels))
        if found is None:
            raise UserInputError(
                "Two, three or four different atoms can be measured; three in a row of a torsion may not lie on a line."
            )
        return found.sentence

    def plane(self, *labels: str) -> str:
        """The least-squares plane of three or more atoms and how far each lies from it, with s.u."""
        found = self.scene.plane(self._rows(labels))
        if found is None:
            raise UserInputError("A plane needs three or more different atoms that do not lie on a line.")
        return found.sentence

    def _rows(self, labels: tuple[str, ...]) -> list[int]:
        for label in labels:
            if label not in self.scene.labels:
                raise UserInputError(f"There is no atom {label!r} in the view.")
        return [self.scene.labels.index(label) for label in labels]

    @property
    def table(self) -> Table:
        """The atoms shown, as a table: the twin of the picture."""
        return Table(self.scene.TABLE_HEADS, self.scene.table_rows(), title=self.title)

    def section(self, *labels: str, step: float | None = None) -> Picture:
        """The density that is shown, in the plane of three or more atoms; step between contours in e/Å³."""
        if self.density is None:
            raise UserInputError("No density is shown.", next="view.show_density(…) shows one.")
        return self.cut(self._rows(labels), step)

    def cut(self, rows: list[int], step: float | None = None) -> Picture:
        """The density that is shown, in the plane of the atoms of these rows."""
        assert self.density is not None
        places = self.scene.atoms.cartesian
        return section_picture(section(self.density, places[rows], places, self.scene.labels), step)

    # ------------------------------------------------------------ pictures

    def svg(self, *, width: int = 760, height: int = 520, dark: bool = False) -> str:
        """The picture as SVG text, from where the live view looks (or the `along` direction); on white, or dark."""
        for side in (width, height):
            if not isinstance(side, (int, float)) or not 0 < side <= _MOST_PIXELS:
                raise UserInputError(
                    f"A picture has 1 to {_MOST_PIXELS:,} pixels on each side; you gave {side!r}."
                )
        return svg(self.scene, self._camera, width=width, height=height, paper=DARK if dark else LIGHT)

    def save(self, path: str | Path, *, width: int = 760, height: int = 520) -> Path:
        """Write an SVG. A PNG at 300 dpi is saved with the button (or key X) of the live view."""
        target = Path(path)
        if target.suffix.lower() != ".svg":
            raise UserInputError(
                f"{target.name}: from Python a view is saved as .svg.",
                next="PNG: the save button of the view.",
            )
        return write_over(target, self.svg(width=width, height=height))

    # ------------------------------------------------------------ showing

    def _density_words(self) -> str:
        d = self.density
        assert d is not None
        what = d.kind if d.kind == "orbital" else f"{d.kind} density"
        return (
            f"{what}, in the live view only: "
            + minus(f"highest {d.maximum:+.2f}, deepest {d.minimum:+.2f} ")
            + f"{d.unit}, σ {d.sigma:.3f}."
        )

    def picture_html(self) -> str:
        """The still picture as an HTML image, with the summary as its alternative text."""
        picture = base64.b64encode(self.svg().encode()).decode()
        return (
            f'<img alt="{escape(self.scene.summary())}" src="data:image/svg+xml;base64,{picture}" '
            f'style="max-width:100%;background:#fff">'
        )

    def _still(self) -> dict[str, Any]:
        rows = self.scene.table_rows()
        table = Table(self.scene.TABLE_HEADS, rows[:_TABLE_ROWS]).html()
        more = f"<p>{len(rows) - _TABLE_ROWS} more</p>" if len(rows) > _TABLE_ROWS else ""
        warnings = "".join(f"<div>⚠ {escape(warning)}</div>" for warning in self.scene.warnings)
        if self.density is not None:
            warnings += f"<div>{escape(self._density_words())}</div>"
        html = (
            f"{self.picture_html()}{warnings}"
            f"<details><summary>Atoms as a table</summary>{table}{more}</details>"
        )
        return {"text/plain": f"{self!r}", "text/html": html}

    def _ipython_display_(self) -> None:
        if not is_notebook():
            publish({"text/plain": repr(self)})
            return
        twin = self._twin = StaticTwin()
        twin.show(self._still())
        if not bundle.available("structure_view"):
            return
        publish_widget(self.make_widget(twin))

    def make_widget(self, twin: StaticTwin, link: str = "") -> Any:
        """The live widget, covering the still picture `twin`; views of one `link` turn together."""
        # Start-up time: anywidget is loaded when the first widget is shown.
        from qcrbox.widgets.structure_view.widget import StructureWidget

        widget = StructureWidget(twin=twin.mark, link=link)
        answer_while_busy(widget)
        widget.closing = self._stop_refining
        self.attach(widget)
        widget.on_msg(lambda widget, content, _: self.hear(widget, content))
        return widget

    def attach(self, widget: Any) -> None:
        """Draw in this widget: `show_scene(scene, title)`, `density`, `surface`, `send(message)`."""
        self._widget = widget
        widget.show_scene(self.scene, self.title)
        self._send_density()
        self._send_surface()

    def _keep(self) -> None:
        """Let the notebook keep the picture as it is seen now."""
        if self._twin is not None and len(self.scene) <= _MOST_KEPT:
            self._twin.update(self._still())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return self._still()

    def __repr__(self) -> str:
        warnings = "".join(f"\n⚠ {warning}" for warning in self.scene.warnings)
        return f"<StructureView of {self.scene.summary()}>{warnings}"

    # ------------------------------------------------------------ what the browser says

    def hear(self, widget: Any, content: dict[str, Any]) -> None:
        """Answer a message of the browser through `widget`; what cannot be answered is answered by the reason."""
        answer = answer_to(self, content)
        if answer is not None:
            widget.send({"re": content.get("id"), **answer})

    def follow_camera(self, camera: Camera) -> None:
        """Draw still pictures from where the live view looks."""
        self._camera = camera
        self._keep()

    def follow_options(self, options: dict[str, Any]) -> None:
        """Draw still pictures with options that the browser applies alone: no arrays need to travel."""
        self.options = self.options.changed(**options)
        self.scene = Scene(self.structure, self.options, self.scene.atoms)
        self._keep()

    def watch_surface(self, on: bool) -> None:
        """A page begins, or ends, to display the surface."""
        if self._finer is not None:
            self._finer.watch(on)
