"""Densities and surfaces for the notebook: those of qcrbox.analysis with tables, pictures and views."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from qcrbox.analysis.density import hirshfeld as hirshfeld_surfaces
from qcrbox.analysis.density import maps
from qcrbox.analysis.density.peaks import find_peaks
from qcrbox.analysis.density.section import section
from qcrbox.client.environment import is_notebook
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure import Structure
from qcrbox.display.fingerprint import fingerprint_picture
from qcrbox.display.peaks import Peaks
from qcrbox.display.plots import Plots
from qcrbox.markup import Table, publish
from qcrbox.widgets.chart import Picture
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view.section_picture import section_picture


@dataclass(frozen=True, repr=False)
class DensityMap(maps.DensityMap):
    """A density on a grid over one cell, in e/Å³, with its peaks and sections."""

    def peaks(self, most: int = 20, least_sigma: float = 3.0) -> Peaks:
        """The highest peaks and deepest holes with the nearest atoms; each unique one once."""
        return Peaks(find_peaks(self, most, least_sigma))

    def section(self, *labels: str, step: float | None = None) -> Picture:
        """Contours in the plane of three or more atoms, by label; step in e/Å³, default 1 σ from 2 σ on."""
        atoms = self.structure.atoms
        unknown = [label for label in labels if label not in atoms.label]
        if unknown:
            raise UserInputError(f"There is no atom {unknown[0]!r}.")
        rows = [atoms.label.index(label) for label in labels]
        return section_picture(section(self, atoms.cartesian[rows], atoms.cartesian, atoms.label), step)


@dataclass(frozen=True, repr=False)
class HirshfeldSurface(hirshfeld_surfaces.HirshfeldSurface):
    """A Hirshfeld surface with its table of contacts, its fingerprint and its view, which a notebook shows at once."""

    @property
    def contacts(self) -> Table:
        """Per cent of the area by pair of elements, both directions apart and together."""
        return Table(
            ("contact", "both ways / %", "inside…outside / %"),
            [(share.name, f"{share.both:.1f}", f"{share.there:.1f}") for share in self.contact_shares],
            title="Shares of the Hirshfeld surface",
            caption=f"{self.area:.1f} Å², {self.volume:.1f} Å³. {self.hydrogens}",
        )

    def fingerprint(self) -> Picture:
        """d(e) against d(i) by share of surface area."""
        return fingerprint_picture(self)

    def view(self, of: str = "dnorm", *, neighbours: str | int = "none", **options: Any) -> StructureView:
        """The surface in the structure view, with its fingerprint beside it.

        neighbours: "none", "all" molecules that meet the surface, or the number of one in `.neighbours`.
        """
        options.setdefault("disorder", "major")
        view = StructureView(self.structure, **options).show_surface(self, of)
        return view if neighbours == "none" else view.show_neighbours(neighbours)

    def _ipython_display_(self) -> None:
        if is_notebook():
            self.view()._ipython_display_()
        publish(self._repr_mimebundle_())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        """The shares of contacts; in a notebook the view stands above them."""
        return {"text/plain": repr(self), "text/html": self.contacts.html()}


def difference_density(plots: Plots) -> DensityMap:
    """Fo − Fc in e/Å³ over one cell, with peaks and sections. Raises MissingItemsError when there are no calculated values."""
    return DensityMap(**_fields(plots.difference_density()))


def hirshfeld(
    source: Any,
    *,
    atom: str | None = None,
    spacing: float = 0.2,
    hydrogens: str = "as given",
    disorder: str | Mapping[str, int] = "major",
) -> HirshfeldSurface:
    """The Hirshfeld surface of one molecule in its crystal.

    source: a Structure or anything with `.structure`. atom: a label in the molecule wanted (default: the largest).
    spacing: of the grid, Å; triangles are half as wide. hydrogens: "as given", or "neutron" for X–H set to mean neutron lengths (B, C, N, O).
    disorder: the parts that are there; the crystal around is taken in the same parts, fully occupied.
    Raises UserInputError for networks without molecules, elements beyond xenon and hydrogen that is wholly missing.
    """
    structure = source if isinstance(source, Structure) else getattr(source, "structure", None)
    if structure is None:
        raise UserInputError(
            f"A {type(source).__name__} has no structure.",
            next="Give a dataset, a result, a CIF or a structure.",
        )
    return HirshfeldSurface(
        **_fields(
            hirshfeld_surfaces.hirshfeld(
                structure, atom=atom, spacing=spacing, hydrogens=hydrogens, disorder=disorder
            )
        )
    )


def _fields(plain: Any) -> dict[str, Any]:
    return {field.name: getattr(plain, field.name) for field in fields(plain)}
