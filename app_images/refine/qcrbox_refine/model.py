"""The structural model that is refined: atoms, cell, space group and what is known about the crystal."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace

from cctbx import adptbx, crystal, xray
from cctbx.eltbx import tiny_pse as periodic_table
from cctbx.eltbx import xray_scattering
from qcrbox.contract.errors import UserInputError

from qcrbox_refine.cif_text import CifBlock
from qcrbox_refine.progress import say
from qcrbox_refine.shelx_settings import ShelxSettings

Tensor = tuple[float, float, float, float, float, float]


@dataclass
class Atom:
    """One site of the asymmetric unit.

    site: fractional; occupancy: of the site as in CIF (not divided by the site multiplicity);
    u_iso in Å²; u_aniso: U11 U22 U33 U12 U13 U23 in Å² (CIF basis) or None;
    part: SHELX PART number, 0 = not disordered, negative = not bonded to its own images;
    assembly: letter of the disorder assembly or "".
    """

    label: str
    element: str
    site: tuple[float, float, float]
    occupancy: float = 1.0
    u_iso: float = 0.05
    u_aniso: Tensor | None = None
    part: int = 0
    assembly: str = ""
    riding: bool = False

    @property
    def is_hydrogen(self) -> bool:
        return self.element in ("H", "D", "T")


@dataclass
class Model:
    symmetry: crystal.symmetry
    atoms: list[Atom]
    wavelength: float | None = None
    cell_su: Tensor = (0.0,) * 6
    z: float | None = None
    formula: dict[str, float] = field(default_factory=dict)
    temperature_k: float | None = None
    weights: tuple[float, ...] | None = None
    unit_weights: bool = False
    extinction: float | None = None
    dispersion: dict[str, tuple[float, float]] = field(default_factory=dict)
    title: str = "refined"
    source: CifBlock | None = None
    notes: list[str] = field(default_factory=list)
    restraints: list[str] = field(default_factory=list)
    radiation: str = ""
    settings: ShelxSettings = field(default_factory=ShelxSettings)

    def note(self, text: str) -> None:
        """Something the user should know; printed once and kept for the result."""
        if text not in self.notes:
            self.notes.append(text)
            say(f"Note: {text}")

    def atom(self, label: str) -> Atom:
        """The atom of this label (case does not matter). Raises UserInputError naming near ones."""
        for atom in self.atoms:
            if atom.label.upper() == label.upper():
                return atom
        near = [a.label for a in self.atoms if a.label[:1].upper() == label[:1].upper()][:12]
        raise UserInputError(
            f"there is no atom {label}.",
            where="edits",
            why=f"Atoms that begin alike: {', '.join(near)}." if near else "",
            next="Give labels as they stand in the atom list.",
        )

    def index(self, atom: Atom) -> int:
        return next(i for i, other in enumerate(self.atoms) if other is atom)

    def copy(self) -> Model:
        return replace(self, atoms=[replace(atom) for atom in self.atoms], notes=list(self.notes))

    def structure(self) -> xray.structure:
        """The model as a cctbx structure, scatterers in the order of the atoms; scattering factors are set by `scattering`."""
        settings = crystal.special_position_settings(self.symmetry, min_distance_sym_equiv=0.2)
        structure = xray.structure(settings)
        cell = self.symmetry.unit_cell()
        for atom in self.atoms:
            u = atom.u_iso if atom.u_aniso is None else adptbx.u_cif_as_u_star(cell, atom.u_aniso)
            structure.add_scatterer(
                xray.scatterer(
                    label=atom.label,
                    scattering_type=atom.element,
                    site=atom.site,
                    occupancy=atom.occupancy,
                    u=u,
                )
            )
        return structure

    def absorb(self, structure: xray.structure) -> None:
        """Take refined coordinates, displacements and occupancies back into the atoms."""
        cell = self.symmetry.unit_cell()
        for atom, scatterer in zip(self.atoms, structure.scatterers(), strict=True):
            atom.site = tuple(scatterer.site)
            atom.occupancy = scatterer.occupancy
            if scatterer.flags.use_u_aniso():
                atom.u_aniso = tuple(adptbx.u_star_as_u_cif(cell, scatterer.u_star))
                atom.u_iso = adptbx.u_star_as_u_iso(cell, scatterer.u_star)
            else:
                atom.u_aniso, atom.u_iso = None, scatterer.u_iso

    def conformers(self) -> tuple[list[int], list[int]]:
        """Disorder group of each atom, and 1 where an atom must not bond to its own symmetry images."""
        return [abs(atom.part) for atom in self.atoms], [int(atom.part < 0) for atom in self.atoms]

    def cell_content(self) -> dict[str, float]:
        """Atoms of each element in the unit cell, by the model."""
        content: Counter[str] = Counter()
        for atom, scatterer in zip(self.atoms, self.structure().scatterers(), strict=True):
            content[element_symbol(atom.element)] += scatterer.multiplicity() * scatterer.occupancy
        return dict(content)


def scattering_type(symbol: str, label: str) -> str:
    """The name under which cctbx knows this scatterer (`Cl1-`, `C`, `D`).

    An ion without its own table counts as the neutral atom. Raises UserInputError for no element.
    """
    text = (symbol if symbol.strip() not in ("", "?", ".") else label).strip()
    match = re.match(r"^([A-Za-z]{1,2})(?:(\d*)([+-])(\d*))?", text)
    candidates: list[str] = []
    if match:
        letters, before, sign, after = match.groups()
        name = letters[0].upper() + letters[1:].lower()
        if sign:
            candidates.append(f"{name}{before or after or '1'}{sign}")
        candidates += [name, name[0]] if text is label.strip() else [name]
    for candidate in candidates:
        if candidate in ("D", "T"):
            return "H" if candidate == "T" else "D"
        found = xray_scattering.get_standard_label(candidate, exact=True, optional=True)
        if found:
            return found
    raise UserInputError(
        f"atom {label} has the type {symbol!r}, which is no element with scattering factors.",
        why="Dummy atoms and peaks (Q, X) cannot be refined.",
        next=f'Set its element with edits="element {label} C", or delete it with edits="delete {label}".',
    )


def element_symbol(scattering: str) -> str:
    """Chemical symbol of a scattering type: `Cl1-` is Cl."""
    return re.match(r"[A-Za-z]+", scattering).group(0)


def atomic_mass(element: str) -> float:
    return periodic_table.table("H" if element == "D" else element).weight() + (element == "D") * 1.006


def hill_formula(counts: dict[str, float]) -> str:
    """Sum formula with carbon first, then hydrogen, then the others by alphabet."""
    order = sorted(counts, key=lambda e: (e != "C", e not in ("H", "D"), e) if "C" in counts else (e,))
    shown = {e: f"{round(counts[e], 2):g}" for e in order if round(counts[e], 2) > 0}
    return " ".join(e if n == "1" else f"{e}{n}" for e, n in shown.items())
