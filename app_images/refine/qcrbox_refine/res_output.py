"""The refined model as a SHELX .res file that SHELXL, ShelXle, Olex2 and our own reader read back."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

from qcrbox.crystallography.shelx import Instruction
from qcrbox.crystallography.shelx.labels import shelx_labels
from qcrbox.crystallography.shelx.lines import wrapped
from qcrbox.crystallography.shelx.refinement_texts import DEFAULT, Weights, weight_card
from qcrbox.crystallography.shelx.scattering_card import scattering_card
from qcrbox.crystallography.shelx.symmetry_cards import cell_cards

from qcrbox_refine.correction_cards import correction_cards, data_cards
from qcrbox_refine.data_settings import all_cards
from qcrbox_refine.density import DifferenceMap, Peak
from qcrbox_refine.elements import element_symbol
from qcrbox_refine.fit import Fit
from qcrbox_refine.model import AfixGroup, Atom, Model
from qcrbox_refine.parameters import FREE, Coding, has_number, write_parameter
from qcrbox_refine.scattering import Radiation, card_numbers, stated_radiation
from qcrbox_refine.shelx_cards import symmetry_cards
from qcrbox_refine.shelx_settings import Hklf


def res_text(
    fit: Fit,
    residual: DifferenceMap,
    peaks: Iterable[Peak] = (),
    suggested: Weights | None = None,
    *,
    beside_its_data: bool = False,
) -> str:
    """Text of the .res file; Q peaks follow END as SHELXL writes them.

    suggested: the weights for the next refinement, those of the fit without. beside_its_data: for the reflection file as it
    is, with the HKLF of the input; otherwise for the reflections that the CIF gets, which may have been written anew.
    """
    data = fit.reflections
    own = _hklf(fit.model, grouped=data.grouped)
    hklf = own if beside_its_data else data.hklf
    scale = fit.scale * (1.0 if beside_its_data else data.hkl_scale)
    writer = ModelWriter(fit.model, rewritten=True)
    last = fit.cycles[-1]
    lines = [
        *writer.head(fit.cycles_allowed, data_cards(fit)),
        *correction_cards(fit),
        *writer.free_variables(math.sqrt(scale)),
        *writer.atoms(),
        hklf,
        *(
            []
            if hklf == own
            else [f"REM The reflections are those of _shelx_hkl_file in the CIF; the input had {own}."]
        ),
        "",
        f"REM  {fit.model.title}",
        f"REM wR2 = {fit.wr2:.4f}, GooF = S = {fit.goof:.3f}, Restrained GooF = {fit.restrained_goof:.3f} for all data",
        f"REM R1 = {fit.r1_gt:.4f} for {fit.n_gt} Fo > 4sig(Fo) and {fit.r1_all:.4f} for all "
        f"{fit.reflections.unique.size() + fit.reflections.suppressed} data",
        f"REM {fit.n_parameters} parameters {'refined' if fit.refined else 'not refined (0 cycles)'} using {fit.n_restraints} "
        f"restraints; max shift/su {last.max_shift_su:.3f}",
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


def model_text(model: Model) -> str:
    """A model that has not been refined as an .ins text, with the instructions it came with; 10 cycles where none are said."""
    writer = ModelWriter(model)
    # Instructions that were taken for the data alone stand nowhere among those of the model.
    of_data = [] if model.from_shelx else all_cards(model.settings)
    lines = [
        *writer.head(10 if model.settings.cycles is None else model.settings.cycles, of_data),
        weight_card(None if model.unit_weights else model.weights or DEFAULT),
        *writer.free_variables(1.0),
        *writer.atoms(),
        _hklf(model, grouped=False),
        "END",
    ]
    return "\n".join(lines) + "\n"


def _hklf(model: Model, *, grouped: bool) -> str:
    """The HKLF of the input, for reflections that have not been rewritten. grouped: overlapped, also where it says HKLF 4."""
    hklf = model.settings.hklf or Hklf()
    code = 5 if grouped and abs(hklf.code) == 4 else abs(hklf.code)
    words = ["HKLF", f"{code}", f"{hklf.scale:g}", *(f"{x:.6g}" for x in hklf.matrix)]
    words += [f"{hklf.weight:g}", f"{hklf.offset}"]
    # Other programs do not read the last two numbers; those at the end that have their default are left out.
    default = Hklf()
    if (hklf.weight, hklf.offset) == (default.weight, default.offset):
        words = words[:12]
        if hklf.matrix == default.matrix:
            words = words[: 2 if hklf.scale == default.scale else 3]
    return " ".join(words)


# Instructions that SHELXL wants before UNIT.
_BEFORE_UNIT = ("DISP", "LAUE")
# Instructions that a refinement rewrites with refined or applied values.
_REWRITTEN = frozenset(["DISP", "NEUT", "MERG", "OMIT", "SHEL", "TWIN", "BASF", "EXTI", "SWAT", "ABIN"])
_FAR = 4.5
# Groups of these m are ideal polygons and may be fitted again; others have been fitted once for all.
_POLYGONS = (5, 6, 7, 10, 11)


class ModelWriter:
    """Head and atoms of a SHELX text, with every instruction of the input that the model still has.

    rewritten: leave out those that a refinement rewrites.
    """

    def __init__(self, model: Model, *, rewritten: bool = False) -> None:
        self.model, self.rewritten = model, rewritten
        self.structure = model.structure()
        self.elements = self._elements()
        self.short = self._short_labels()
        self.lines: list[str] = []
        self.part, self.residue = 0, 0
        self.group: AfixGroup | None = None
        self.begun: set[int] = set()

    def _elements(self) -> list[str]:
        """Elements and ions: those of the file in their order, then those of the model.

        An element of the file that only ions of the model stand for is left out.
        """
        used = {atom.element for atom in self.model.atoms}
        symbols = {element_symbol(kind) for kind in used}
        order = [kind for kind in self.model.elements if kind in used or element_symbol(kind) not in symbols]
        found = used | {element for element in self.model.formula if element not in symbols}
        order += sorted(found - set(order), key=lambda e: (e != "C", e != "H", e))
        return order

    def _content(self) -> dict[str, float]:
        """Atoms of every kind in the cell: by the formula where there is one, shared among ions as the model has them."""
        model = self.model
        by_kind = model.cell_content(by_kind=True)
        if not model.formula:
            return by_kind
        z = model.formula_units()
        by_element = model.cell_content()
        content = {}
        for kind in self.elements:
            element = element_symbol(kind)
            share = by_kind.get(kind, 0.0) / by_element[element] if by_element.get(element) else 1.0
            content[kind] = model.formula.get(element, 0.0) * z * share
        return content

    def _short_labels(self) -> dict[int, str]:
        """Name of each atom for SHELX. Names are unique within a residue."""
        by_residue: dict[int, list[Atom]] = {}
        for atom in self.model.atoms:
            by_residue.setdefault(atom.residue, []).append(atom)
        short: dict[int, str] = {}
        for atoms in by_residue.values():
            names = shelx_labels([atom.name for atom in atoms])
            short |= {id(atom): name for atom, name in zip(atoms, names, strict=True)}
        return short

    def name(self, atom: Atom) -> str:
        """As instructions name it, with its residue."""
        short = self.short[id(atom)]
        return f"{short}_{atom.residue}" if atom.residue else short

    # Head

    def head(self, cycles: int, of_data: Iterable[str] = ()) -> list[str]:
        """Everything before WGHT and FVAR. of_data: rewritten instructions about the data."""
        model = self.model
        cell = model.symmetry.unit_cell().parameters()
        group = model.symmetry.space_group()
        content = self._content()
        z = model.formula_units()
        lines = [
            f"TITL {model.title} in {group.type().lookup_symbol()}",
            *cell_cards(model.wavelength or 0.0, cell, model.cell_su, z),
            *symmetry_cards(group),
            *(["NEUT"] if stated_radiation(model) is Radiation.NEUTRON else []),
            *self._scatterers(),
            *(line for line in of_data if line.startswith(_BEFORE_UNIT)),
            *self._kept(*_BEFORE_UNIT),
            *wrapped(["UNIT", *(f"{content.get(element, 0):g}" for element in self.elements)]),
        ]
        if model.riding_temperature_k is not None:
            lines.append(f"TEMP {model.riding_temperature_k - 273.15:.2f}")
        lines.append(f"L.S. {cycles}")
        if not model.from_shelx:
            lines += ["BOND $H", "CONF", "FMAP 2", "PLAN 20", "ACTA"]
        lines += [line for line in of_data if not line.startswith(_BEFORE_UNIT)]
        lines += self._kept()
        for word, groups in (("EXYZ", model.equal_sites), ("EADP", model.equal_displacements)):
            lines += [line for g in groups for line in wrapped([word, *map(self.name, g)])]
        lines += [
            f"REM {self.short[id(atom)]} is {atom.label}"
            for atom in model.atoms
            if self.short[id(atom)] != atom.name
        ]
        if stated_radiation(model) is Radiation.ELECTRON and not model.settings.scattering:
            lines.append(
                "REM These are electron data: SFAC names elements, for which SHELXL takes X-ray factors."
            )
        return lines

    def _scatterers(self) -> list[str]:
        """SFAC, in lines of their own for scattering factors in numbers."""
        lines: list[str] = []
        for numbers, group in itertools.groupby(
            self.elements, key=lambda kind: card_numbers(kind, self.model)
        ):
            kinds = list(group)
            lines += wrapped(["SFAC", *kinds]) if numbers is None else scattering_card(kinds[0], numbers)
        return lines

    def _kept(self, *names: str) -> list[str]:
        """Instructions of the head: those of these names, or all others without names."""
        return [
            line
            for placed in self.model.placed
            if placed.in_header
            and (
                placed.instruction.name in names
                if names
                else placed.instruction.name not in (*_BEFORE_UNIT, "NEUT")
            )
            for line in self._instruction(placed.instruction)
        ]

    def _instruction(self, instruction: Instruction) -> list[str]:
        """As it was written, with names of atoms as this text has them; lines of an included file stay there."""
        if instruction.file or (self.rewritten and instruction.name in _REWRITTEN):
            return []
        if instruction.name in ("REM", "TITL"):
            return [instruction.text]
        changed = {
            atom.label.upper(): self.name(atom)
            for atom in self.model.atoms
            if self.name(atom).upper() != atom.label.upper()
        }
        words = []
        for word in instruction.words:
            name, sign, symmetry = word.partition("_$")
            words.append(f"{changed.get(name.upper(), name)}{sign}{symmetry}")
        return wrapped([instruction.text.split()[0], *words])

    def free_variables(self, scale: float) -> list[str]:
        """The FVAR instruction: overall scale with at least five digits, then the free variables."""
        decimals = max(5, 5 - math.ceil(math.log10(scale))) if scale > 0 else 5
        variables = [f"{value:.5f}" for value in self.model.free_variables]
        return wrapped(["FVAR", f"{scale:.{min(decimals, 9)}f}", *variables])

    # Atoms

    def atoms(self) -> list[str]:
        """Atom lines with RESI, PART and AFIX, and the instructions that stand among them."""
        for atom in self._in_order():
            for placed in self.model.placed:
                if placed.before is atom and not placed.in_header:
                    if atom.group is not self.group:
                        self._close_group()
                    self.lines += self._instruction(placed.instruction)
            self._surround(atom)
            self._atom(atom)
        self._close_group()
        self._set_part(0)
        if self.residue:
            self.lines.append("RESI 0")
        for placed in self.model.placed:
            if placed.before is None and not placed.in_header:
                self.lines += self._instruction(placed.instruction)
        return self.lines

    def _in_order(self) -> list[Atom]:
        """Riding atoms right behind their pivot: AFIX refers to the atom before it."""
        behind: dict[int, list[Atom]] = {}
        for atom in self.model.atoms:
            if _pivot(atom) is not None:
                behind.setdefault(id(_pivot(atom)), []).append(atom)
        order: list[Atom] = []
        for atom in self.model.atoms:
            if _pivot(atom) is None:
                order += [atom, *behind.get(id(atom), [])]
        return order

    def _surround(self, atom: Atom) -> None:
        if atom.residue != self.residue:
            self._close_group()
            self.lines.append(f"RESI {atom.residue} {atom.residue_class}".rstrip())
            self.residue = atom.residue
        if atom.group is not self.group:
            if atom.group is None:
                self._close_group()
            self._set_part(atom.part)
            if atom.group is not None:
                self._open_group(atom.group)
        self._set_part(atom.part)

    def _open_group(self, group: AfixGroup) -> None:
        rigid = group.rigid
        m, n = group.m, group.n
        if rigid is not None:
            m = rigid.m if rigid.m in _POLYGONS else 0
            n = 5 if id(rigid) in self.begun else rigid.n
            self.begun.add(id(rigid))
        distance = f" {group.distance:.4f}" if group.distance else ""
        self.lines.append(f"AFIX {10 * m + n:3d}{distance}")
        self.group = group

    def _close_group(self) -> None:
        if self.group is not None:
            self.lines.append("AFIX   0")
            self.group = None

    def _set_part(self, part: int) -> None:
        if part != self.part:
            self.lines.append(f"PART {part}")
            self.part = part

    def _site_codings(self, atom: Atom) -> list[Coding]:
        """Codings of the coordinates; one that SHELX has no number for becomes free, with a warning."""
        for axis, coding in zip("xyz", atom.site_coding, strict=True):
            if not has_number(coding):
                self.model.warn(
                    f"{axis} of {atom.label} is {coding.offset:g} {coding.factor:+g} × free variable {coding.variable} (MOVE), "
                    "which SHELX has no number for: the .res file has it without the free variable."
                )
        return [coding if has_number(coding) else FREE for coding in atom.site_coding]

    def _atom(self, atom: Atom) -> None:
        index = self.model.index(atom)
        kind = self.elements.index(atom.element) + 1
        share = self.structure.scatterers()[index].weight_without_occupancy()
        moved = _cells_to_move(_pivot(atom) or atom)
        if any(moved):
            self.lines.append(
                f"REM {self.short[id(atom)]} is moved by {' '.join(f'{n:+d}' for n in moved)} cells"
            )
        site = [
            write_parameter(x + n, coding)
            for x, n, coding in zip(atom.site, moved, self._site_codings(atom), strict=True)
        ]
        occupancy = write_parameter(atom.occupancy * share, atom.occupancy_coding.scaled(share))
        head = f"{self.short[id(atom)]:<4} {kind:2d} {' '.join(f'{x:10.6f}' for x in site)} {occupancy:10.5f}"
        if atom.u_factor is not None:
            self.lines.append(f"{head} {-atom.u_factor:8.5f}")
        elif atom.u_aniso is None:
            self.lines.append(f"{head} {write_parameter(atom.u_iso, atom.u_coding[0]):8.5f}")
        else:
            written = [write_parameter(u, c) for u, c in zip(atom.u_aniso, atom.u_coding, strict=True)]
            u11, u22, u33, u12, u13, u23 = written
            self.lines.append(f"{head} {u11:8.5f} {u22:8.5f} =")
            self.lines.append("    " + " ".join(f"{u:8.5f}" for u in (u33, u23, u13, u12)))


def _cells_to_move(atom: Atom) -> list[int]:
    """Whole cells that bring a coordinate near 0: SHELX reads numbers from 5 on as codes, also behind the 10 of a fixed one.
    Riding atoms, half a cell away at most, move with their pivot.
    """
    return [
        -math.floor(x) if not coding.is_tied and abs(x) >= _FAR else 0
        for x, coding in zip(atom.site, atom.site_coding, strict=True)
    ]


def _pivot(atom: Atom) -> Atom | None:
    return atom.group.pivot if atom.group is not None and atom.group.rides else None
