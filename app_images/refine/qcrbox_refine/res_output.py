"""The refined model as a SHELX .res file that SHELXL, ShelXle, Olex2 and our own reader read back."""

from __future__ import annotations

import math
from collections.abc import Iterable

from qcrbox_refine.constraints import RidingGroup
from qcrbox_refine.correction_cards import correction_cards, dispersion_cards, weight_card
from qcrbox_refine.data_settings import data_cards
from qcrbox_refine.density import DifferenceMap, Peak
from qcrbox_refine.least_squares import Fit
from qcrbox_refine.model import Atom, element_symbol
from qcrbox_refine.scattering import Radiation, radiation_of
from qcrbox_refine.shelx_cards import short_labels, symmetry_cards
from qcrbox_refine.weighting import Weights


def res_text(
    fit: Fit,
    residual: DifferenceMap,
    peaks: Iterable[Peak] = (),
    cycles: int = 4,
    kept: list[str] | None = None,
    suggested: Weights | None = None,
) -> str:
    """Text of the .res file; Q peaks follow END as SHELXL writes them.

    kept: instructions of the user's own .ins file, written instead of our usual ones; suggested: the
    weights for the next refinement.
    """
    writer = _Writer(fit)
    last = fit.cycles[-1]
    lines = [
        *writer.header(cycles, kept),
        *writer.atoms(),
        fit.reflections.hklf,
        "",
        f"REM  {fit.model.title}",
        f"REM wR2 = {fit.wr2:.4f}, GooF = S = {fit.goof:.3f}, Restrained GooF = {fit.restrained_goof:.3f} for all data",
        f"REM R1 = {fit.r1_gt:.4f} for {fit.n_gt} Fo > 4sig(Fo) and {fit.r1_all:.4f} for all "
        f"{fit.reflections.unique.size()} data",
        f"REM {fit.n_parameters} parameters refined using {fit.n_restraints} restraints; max shift/su {last.max_shift_su:.3f}",
        "",
        "END",
        "",
        weight_card(suggested or fit.weights),
        "",
        f"REM Highest difference peak {residual.maximum:.3f}, deepest hole {residual.minimum:.3f}, "
        f"1-sigma level {residual.rms:.3f}",
    ]
    lines += [
        f"{peak.label:<4} 1 {peak.site[0]:8.4f} {peak.site[1]:8.4f} {peak.site[2]:8.4f} 11.00000 0.05 {peak.height:7.2f}"
        for peak in peaks
    ]
    return "\n".join(lines) + "\n"


class _Writer:
    def __init__(self, fit: Fit) -> None:
        self.fit = fit
        self.model = fit.model
        self.structure = fit.parametrisation.structure
        self.elements = self._elements()
        self.labels = short_labels([atom.label for atom in self.model.atoms])
        self.variables = {}
        for number, (first, second) in enumerate(fit.parametrisation.pairs, start=2):
            for i in first:
                self.variables[i] = number
            for i in second:
                self.variables[i] = -number
        self.part, self.lines = 0, []

    def _elements(self) -> list[str]:
        found = {element_symbol(atom.element) for atom in self.model.atoms}
        found |= set(self.model.formula)
        return sorted(found, key=lambda e: (e != "C", e != "H", e))

    def header(self, cycles: int, kept: list[str] | None = None) -> list[str]:
        model, fit = self.model, self.fit
        cell = model.symmetry.unit_cell().parameters()
        group = model.symmetry.space_group()
        kind = group.type()
        content = model.cell_content()
        z = model.z or max(s.multiplicity() for s in self.structure.scatterers())
        if model.formula:
            content = {element: count * z for element, count in model.formula.items()}
        lines = [
            f"TITL {model.title} in {kind.lookup_symbol()}",
            f"CELL {model.wavelength or 0.71073:.5f} " + " ".join(f"{x:.4f}" for x in cell),
            f"ZERR {z:g} " + " ".join(f"{x:.4f}" for x in model.cell_su),
            *symmetry_cards(group),
            *(["NEUT"] if radiation_of(model) is Radiation.NEUTRON else []),
            "SFAC " + " ".join(self.elements),
            "UNIT " + " ".join(f"{content.get(element, 0):g}" for element in self.elements),
        ]
        if model.temperature_k is not None:
            lines.append(f"TEMP {model.temperature_k - 273.15:.2f}")
        lines += [
            f"L.S. {cycles}",
            *(["BOND $H", "CONF", "FMAP 2", "PLAN 20", "ACTA"] if kept is None else kept),
        ]
        if kept is None:
            lines += [*dispersion_cards(fit), *data_cards(model.settings), *model.restraints]
        for shared in (
            fit.parametrisation.shared if not any("EXYZ" in line.upper() for line in kept or ()) else ()
        ):
            names = " ".join(self.labels[i] for i in shared)
            lines += [f"EXYZ {names}", f"EADP {names}"]
        for short, label in zip(self.labels, (atom.label for atom in model.atoms), strict=True):
            if short != label:
                lines.append(f"REM {short} is {label}")
        lines += correction_cards(fit)
        variables = [math.sqrt(fit.scale)]
        variables += [model.atoms[first[0]].occupancy for first, _ in fit.parametrisation.pairs]
        return [*lines, "FVAR " + " ".join(f"{value:.5f}" for value in variables)]

    def atoms(self) -> list[str]:
        """Each atom, then the hydrogen atoms that ride on it: AFIX refers to the atom before."""
        riding: dict[int, list[RidingGroup]] = {}
        for group in self.fit.parametrisation.riding:
            riding.setdefault(group.pivot, []).append(group)
        on_pivot = {i for groups in riding.values() for group in groups for i in group.hydrogen}
        for i, atom in enumerate(self.model.atoms):
            if i in on_pivot:
                continue
            self._atom(i, atom)
            for group in riding.get(i, ()):
                self._set_part(self.model.atoms[group.hydrogen[0]].part)
                self.lines.append(f"AFIX {group.afix:3d}")
                for h in group.hydrogen:
                    self._atom(h, self.model.atoms[h], -group.u_factor)
                self.lines.append("AFIX   0")
        self._set_part(0)
        return self.lines

    def _set_part(self, part: int) -> None:
        if part != self.part:
            self.lines.append(f"PART {part}")
            self.part = part

    def _atom(self, index: int, atom: Atom, u_factor: float | None = None) -> None:
        self._set_part(atom.part)
        kind = self.elements.index(element_symbol(atom.element)) + 1
        head = f"{self.labels[index]:<4} {kind:2d} " + " ".join(f"{x:10.6f}" for x in atom.site)
        head += f" {self._occupancy(index, atom):10.5f}"
        if u_factor is not None:
            self.lines.append(f"{head} {u_factor:8.5f}")
        elif atom.u_aniso is None:
            self.lines.append(f"{head} {atom.u_iso:8.5f}")
        else:
            u11, u22, u33, u12, u13, u23 = atom.u_aniso
            self.lines.append(f"{head} {u11:8.5f} {u22:8.5f} =")
            self.lines.append("    " + " ".join(f"{u:8.5f}" for u in (u33, u23, u13, u12)))

    def _occupancy(self, index: int, atom: Atom) -> float:
        """SHELX's: fixed 10 + s.o.f.; ±(10n + multiplicity) on free variable n; site multiplicity included."""
        weight = self.structure.scatterers()[index].weight_without_occupancy()
        variable = self.variables.get(index)
        if variable:
            return math.copysign(10 * abs(variable) + weight, variable)
        return 10 + atom.occupancy * weight
