"""The structural model that is refined: atoms, cell, space group and what is known about the crystal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field, replace

from cctbx import adptbx, crystal, sgtbx, xray
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.progress import say
from qcrbox.crystallography.shelx import Instruction
from qcrbox.crystallography.structure.formula import formula_units

from qcrbox_refine.atom_types import AtomTypes
from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.elements import element_symbol
from qcrbox_refine.parameters import FREE, UNSTATED, Coding
from qcrbox_refine.shelx_settings import ShelxSettings

Tensor = tuple[float, float, float, float, float, float]
# Å; an atom of a CIF that is nearer to an image of itself lies on a special position.
_NEAR_ITS_IMAGE = 0.2
# Instructions whose words are elements, numbers or text, and never names of atoms: C of `DISP C` is the element.
_WITHOUT_ATOMS = frozenset({"REM", "TITL", "DISP", "LAUE", "EQIV", "BEDE", "SFAC"})
# n of AFIX mn: rides on an atom before it.
RIDING = frozenset({3, 4, 7, 8})
# n of AFIX mn: first atom of a rigid group, of a rigid group with a refined scale, and its other members.
RIGID_FIRST, RIGID_SCALED, RIGID_MEMBER = 6, 9, 5


@dataclass(eq=False)
class AfixGroup:
    """Atoms under one AFIX mn. distance: d in Å, None for the default; pivot: the atom that riding atoms ride on;
    first: the group that one of AFIX n = 5 belongs to; idealised: its geometry has been taken where it is taken once.
    """

    m: int
    n: int
    distance: float | None = None
    pivot: Atom | None = None
    first: AfixGroup | None = None
    idealised: bool = False

    @property
    def code(self) -> int:
        """The AFIX number mn."""
        return 10 * self.m + self.n

    @property
    def rides(self) -> bool:
        """Whether n makes the atoms of the group ride on their pivot."""
        return self.n in RIDING

    @property
    def rigid(self) -> AfixGroup | None:
        """The rigid group its atoms move with: itself, or the one that n = 5 carries on."""
        if self.n in (RIGID_FIRST, RIGID_SCALED):
            return self
        return self.first if self.n == RIGID_MEMBER else None


@dataclass(eq=False)
class Atom:
    """One site of the asymmetric unit.

    label: as in CIF, with the residue number (`C1_2`); site: fractional; occupancy: of the site as in CIF (not
    divided by the site multiplicity); u_iso in Å²; u_aniso: U11 U22 U33 U12 U13 U23 in Å² (CIF basis) or None;
    part: SHELX PART number, 0 = not disordered, negative = not bonded to its own images; assembly: letter of the
    disorder assembly or "".

    The codings say how each parameter is refined: three of the site; of the occupancy; six of U in the order of
    u_aniso, the first one of u_iso. u_factor: U(iso) is this times U(eq) of u_pivot. group: the AFIX group; riding
    without one: a hydrogen atom whose geometry follows from its surroundings; as_listed: the file has it riding, with a distance and a
    U of its own; u_stated: false where the input gives no displacement parameter. lacks_hydrogen: an edit asks for the hydrogen atoms that it lacks.
    special_within: it lies on a special position that is at most this far away (SPEC), Å; None: where an image of it is within 0.2 Å.
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
    residue: int = 0
    residue_class: str = ""
    site_coding: tuple[Coding, Coding, Coding] = (FREE, FREE, FREE)
    occupancy_coding: Coding = UNSTATED
    u_coding: tuple[Coding, ...] = (FREE,) * 6
    u_factor: float | None = None
    u_pivot: Atom | None = None
    group: AfixGroup | None = None
    as_listed: bool = False
    u_stated: bool = True
    lacks_hydrogen: bool = False
    special_within: float | None = None

    @property
    def is_hydrogen(self) -> bool:
        """Whether the atom is H, D or T."""
        return self.symbol in ("H", "D", "T")

    @property
    def symbol(self) -> str:
        """Chemical symbol: that of an ion is its element's."""
        return element_symbol(self.element)

    @property
    def name(self) -> str:
        """The label without the number of the residue."""
        return self.label.removesuffix(f"_{self.residue}") if self.residue else self.label

    def release(self) -> None:
        """Refine position and displacement freely, whatever they were tied to."""
        self.riding, self.as_listed, self.group = False, False, None
        self.u_factor, self.u_pivot = None, None
        self.site_coding, self.u_coding = (FREE, FREE, FREE), (FREE,) * 6


@dataclass(eq=False)
class Placed:
    """An instruction with its place: before an atom, or (None) before all atoms or after the last one."""

    instruction: Instruction
    before: Atom | None = None
    in_header: bool = True


@dataclass(frozen=True)
class HydrogenRequest:
    """HFIX mn for one atom. u: as written (-1.2 rides, 21 a free variable), None for the default; distance in Å."""

    label: str
    code: int
    u: float | None = None
    distance: float | None = None


@dataclass(frozen=True)
class LeftOut:
    """Something of the input that is not applied, and why."""

    text: str
    why: str


@dataclass
class Model:
    """free_variables: FVAR from the second on (`variables` has all of them); placed: instructions of the input that
    are neither atoms nor rewritten, in order; equal_sites, equal_displacements: atoms that share them (EXYZ, EADP);
    hydrogen_requests: of HFIX; types: of the `_atom_type` loop; left_out: what the
    input says and the refinement does not apply; elements: of SFAC, ions too, in its order; from_shelx: SHELX instructions rule
    the model.
    """

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
    types: AtomTypes = field(default_factory=AtomTypes)
    title: str = "refined"
    source: CifBlock | None = None
    notes: list[str] = field(default_factory=list)
    kinds: dict[str, str] = field(default_factory=dict)  # of notes: "warning" or "not_applied"
    radiation: str = ""
    settings: ShelxSettings = field(default_factory=ShelxSettings)
    free_variables: list[float] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    equal_sites: list[list[Atom]] = field(default_factory=list)
    equal_displacements: list[list[Atom]] = field(default_factory=list)
    hydrogen_requests: list[HydrogenRequest] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)
    elements: list[str] = field(default_factory=list)
    from_shelx: bool = False

    @property
    def riding_temperature_k(self) -> float | None:
        """What X-H distances are for: TEMP of SHELX instructions (None: its 20 °C), else the temperature of the measurement."""
        return self.settings.temperature_k if self.from_shelx else self.temperature_k

    @property
    def variables(self) -> list[float]:
        """FVAR with a scale factor of 1 in front, so that free variable n stands at n - 1."""
        return [1.0, *self.free_variables]

    def note(self, text: str) -> None:
        """What was assumed or done, for information; printed once and kept for the result."""
        self._keep(text, "note", f"Note: {text}")

    def warn(self, text: str) -> None:
        """A reason to look at the result before it is used; the calculation is shown in amber."""
        self._keep(text, "warning", f"Warning: {text}")

    def not_applied(self, text: str) -> None:
        """Something of the input, or an option, that the result does without: a sentence that says what and why."""
        self._keep(text, "not_applied", text)

    def _keep(self, text: str, kind: str, line: str) -> None:
        if text not in self.notes:
            self.notes.append(text)
            say(line)
        if kind != "note":
            self.kinds[text] = kind

    def leave_out(self, text: str, why: str) -> None:
        """Something of the input that is not applied; printed once and kept for the result and the CIF.

        why: words that become a sentence, as those of an error do.
        """
        entry = LeftOut(" ".join(text.split()), sentence(why))
        if entry not in self.left_out:
            self.left_out.append(entry)
            say(f"Not applied: {entry.text} ({entry.why.rstrip('.')})")

    def remarks(self) -> list[str]:
        """Notes, and what is not applied, for the CIF and the result card."""
        return [*self.notes, *(f"Not applied: {entry.text} ({entry.why})" for entry in self.left_out)]

    def remarks_by_kind(self) -> list[tuple[str, str]]:
        """The remarks as (kind, text); kinds are "warning", "note" and "not_applied"."""
        left_out = [("not_applied", f"{entry.text} ({entry.why.rstrip('.')})") for entry in self.left_out]
        return [*((self.kinds.get(text, "note"), text) for text in self.notes), *left_out]

    def remove(self, gone: list[Atom]) -> None:
        """Take atoms out; what they carried or were tied to is set free or given to the next one."""
        going = {id(atom) for atom in gone}
        kept = [atom for atom in self.atoms if id(atom) not in going]
        following: dict[int, Atom | None] = {}
        next_kept: Atom | None = None
        for atom in reversed(self.atoms):
            following[id(atom)] = next_kept
            next_kept = next_kept if id(atom) in going else atom
        for placed in self.placed:
            if placed.before is not None and id(placed.before) in going:
                placed.before = following[id(placed.before)]
        for atom in kept:
            if atom.group is not None and atom.group.pivot is not None and id(atom.group.pivot) in going:
                atom.group = None
            if atom.u_pivot is not None and id(atom.u_pivot) in going:
                atom.u_factor, atom.u_pivot = None, None
        self.untie(gone)
        self.atoms = kept

    def untie(self, atoms: list[Atom]) -> None:
        """Take atoms out of what they share with others (EXYZ, EADP)."""
        going = {id(atom) for atom in atoms}
        for groups in (self.equal_sites, self.equal_displacements):
            groups[:] = [[atom for atom in group if id(atom) not in going] for group in groups]
            groups[:] = [group for group in groups if len(group) > 1]

    def rename(self, atom: Atom, label: str) -> None:
        """Another label, in the instructions that name the atom too."""
        old, old_name = atom.label, atom.name
        atom.label = label
        for placed in self.placed:
            instruction = placed.instruction
            if instruction.name in _WITHOUT_ATOMS:
                continue
            names = {old.upper(): label}
            # A name without a residue means one of the residue of the instruction.
            if (instruction.residue or "0") == str(atom.residue):
                names[old_name.upper()] = atom.name
            elif not atom.residue:
                names = {}
            words = tuple(_renamed(word, names) for word in instruction.words)
            if words != instruction.words:
                head = instruction.text.split()[0]
                placed.instruction = replace(instruction, words=words, text=" ".join([head, *words]))

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
        """Position of this very atom in the list; atoms are compared by identity."""
        return next(i for i, other in enumerate(self.atoms) if other is atom)

    def copy(self) -> Model:
        """A model whose atoms, free variables and notes can be changed without changing this one."""
        own = (self.atoms, self.placed, self.equal_sites, self.equal_displacements)
        atoms, placed, sites, displacements = deepcopy(own)
        return replace(
            self,
            atoms=atoms,
            placed=placed,
            equal_sites=sites,
            equal_displacements=displacements,
            notes=list(self.notes),
            kinds=dict(self.kinds),
            free_variables=list(self.free_variables),
            left_out=list(self.left_out),
        )

    def structure(self) -> xray.structure:
        """The model as a cctbx structure, scatterers in the order of the atoms; `scattering` sets their factors."""
        settings = crystal.special_position_settings(self.symmetry, min_distance_sym_equiv=_NEAR_ITS_IMAGE)
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
                ),
                site_symmetry_ops=self._site_symmetry(atom),
            )
        return structure

    def _site_symmetry(self, atom: Atom) -> sgtbx.site_symmetry | None:
        """Site symmetry by PART and SPEC; None: cctbx decides by the settings of the structure."""
        cell, group, within = self.symmetry.unit_cell(), self.symmetry.space_group(), atom.special_within
        # A negative PART has no special positions: the atom is disordered about them.
        if atom.part >= 0:
            if within is None:
                return None
            # cctbx decides by the distance to the nearest image, which is 2 (centre, mirror plane, twofold axis), √3, √2 or
            # 1 (threefold, fourfold, sixfold axis) times the distance to the symmetry element.
            for ratio in (2.0, 3**0.5, 2**0.5, 1.0):
                found = sgtbx.site_symmetry(cell, group, atom.site, ratio * max(within, 0.0))
                if found.distance_moved() <= within:
                    return found
        return sgtbx.site_symmetry(cell, group, (0.1234, 0.2357, 0.3579), 0.0)

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

    def conformers(self) -> list[int]:
        """A number for the disorder group of each atom, 0 for none; PART -1 and PART 1 are different groups."""
        parts = sorted({atom.part for atom in self.atoms if atom.part})
        return [parts.index(atom.part) + 1 if atom.part else 0 for atom in self.atoms]

    def formula_units(self) -> float:
        """Z: as stated, else how often the formula is in the cell, else the largest multiplicity of an atom (all on a mirror: half)."""
        if self.z:
            return self.z
        ratio = formula_units(self.formula, self.cell_content())
        if self.formula and round(ratio) >= 1 and abs(ratio - round(ratio)) < 0.1 * ratio:
            return round(ratio)
        return max(scatterer.multiplicity() for scatterer in self.structure().scatterers())

    def cell_content(self, *, by_kind: bool = False) -> dict[str, float]:
        """Atoms of each element in the unit cell, by the model. by_kind: ions apart from their element."""
        content: Counter[str] = Counter()
        for atom, scatterer in zip(self.atoms, self.structure().scatterers(), strict=True):
            kind = atom.element if by_kind else element_symbol(atom.element)
            content[kind] += scatterer.multiplicity() * scatterer.occupancy
        return dict(content)


def _renamed(word: str, names: Mapping[str, str]) -> str:
    """A word of an instruction with the new name of an atom, by its name in capitals; its symmetry (`_$1`) stays."""
    name, sign, symmetry = word.partition("_$")
    return f"{names.get(name.upper(), name)}{sign}{symmetry}"


def sentence(words: str) -> str:
    """The words with a capital letter and a full stop, as `there is no atom C9` of an error; "" stays."""
    words = words.strip().rstrip(".")
    return f"{words[:1].upper()}{words[1:]}." if words else ""
