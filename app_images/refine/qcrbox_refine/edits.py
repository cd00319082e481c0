"""Changes to a model in words a crystallographer would use, one per line (or separated by `;`).

delete C3 H7*            take atoms out; * and ? stand for any letters
rename C3 N3             another label
element C3 N             another element (scattering type)
occupancy N3 1           of the site, between 0 and 1, for one or more atoms
part 1 C7A H7A*          disorder group; `part 1 A C7A` with its assembly; part 0 = ordered
aniso C* N*              anisotropic displacement parameters
iso H*                   isotropic
riding H*  |  free H*    how hydrogen atoms are refined
hydrogens C5 N1          add the hydrogen atoms that these atoms lack, riding
move C7B 0.40 0.69 0.22  another position (fractional)
add C8 C 0.1 0.2 0.3     a new atom: label, element, position
split C7 0.88            two alternatives C7A (0.88) and C7B, apart along the longest axis
split C7 0.88 at 0.40 0.69 0.22   the same with the position of the second
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable

import numpy as np
from cctbx import adptbx
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.progress import say

from qcrbox_refine.elements import scattering_type
from qcrbox_refine.hydrogens import CARRIERS
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.parameters import FREE, UNSTATED

_FARTHEST = 1000.0  # in cells; beyond it a number is no coordinate


def apply_edits(model: Model, text: str | None) -> list[str]:
    """Change the model in place; returns what was done, one sentence each.

    Raises UserInputError naming the line that cannot be understood, or an atom that is not there.
    """
    done = []
    for line in re.split(r"[;\n]", text or ""):
        words = line.replace("=", " ").replace(",", " ").split()
        if not words:
            continue
        verb = words[0].lower()
        action = _ACTIONS.get(verb)
        if action is None and "=" in line and len(words) == 2:
            action, words = _occupancy, ["occupancy", *words]
        if action is None:
            raise UserInputError(
                f"the edit {line.strip()!r} begins with an unknown word.",
                where="edits",
                why=f"Known are: {', '.join(_ACTIONS)}.",
                next='For example edits="delete C3; occupancy N3 1".',
            )
        _refuse_more_words(verb, words[1:], line.strip())
        try:
            done.append(action(model, words[1:]))
        except (IndexError, ValueError) as error:
            raise UserInputError(
                f"the edit {line.strip()!r} cannot be understood.",
                where="edits",
                why=str(error) if "could not convert" in str(error) else "Something is missing.",
                next=f"It must look like: {_usage(verb)}",
            ) from error
    for sentence in done:
        say(sentence)
    return done


# How many words an edit has that does not take any number of atoms.
_MOST_WORDS = {"rename": 2, "move": 4, "add": 5, "split": 5}


def _refuse_more_words(verb: str, words: list[str], line: str) -> None:
    """Words that nothing reads would be lost: a fourth coordinate, say, or the decimals of 0,5."""
    numbers = [word for word in words if verb != "split" or word.lower() != "at"]
    if len(numbers) > _MOST_WORDS.get(verb, len(numbers)):
        raise UserInputError(
            f"the edit {line!r} has more words than {verb} knows.",
            where="edits",
            why="A comma separates words: decimals need a point." if "," in line else "",
            next=f"It must look like: {_usage(verb)}",
        )


def _usage(verb: str) -> str:
    lines = [line.strip() for line in (__doc__ or "").splitlines() if line.strip().startswith(verb)]
    return " or ".join(re.split(r"\s{3,}", line)[0] for line in lines) or verb


def matching(model: Model, patterns: list[str]) -> list[Atom]:
    """Atoms whose labels match; a pattern that matches nothing raises UserInputError.

    A label that is itself written with `*` or `?` (C1* of a sugar) means that atom alone.
    """
    if not patterns:
        raise IndexError("no atom named")
    found: list[Atom] = []
    for pattern in patterns:
        hits = [a for a in model.atoms if a.label.upper() == pattern.upper()]
        hits = hits or [a for a in model.atoms if fnmatch.fnmatchcase(a.label.upper(), pattern.upper())]
        if not hits:
            model.atom(pattern)
        found += [atom for atom in hits if atom not in found]
    return found


def _names(atoms: list[Atom]) -> str:
    return ", ".join(atom.label for atom in atoms)


def _delete(model: Model, words: list[str]) -> str:
    gone = matching(model, words)
    model.remove(gone)
    return f"Deleted {_names(gone)}."


def _rename(model: Model, words: list[str]) -> str:
    old, new = words[0], words[1]
    atom = model.atom(old)
    _require_new(model, new, atom)
    model.rename(atom, new)
    return f"{old} is now {new}."


def _element(model: Model, words: list[str]) -> str:
    element = scattering_type(words[-1], words[-1])
    atoms = matching(model, words[:-1])
    for atom in atoms:
        was_hydrogen, atom.element = atom.is_hydrogen, element
        if was_hydrogen and not atom.is_hydrogen:
            # It would ride on at the distance of hydrogen.
            atom.release()
    return f"{_names(atoms)} refined as {element}."


def _occupancy(model: Model, words: list[str]) -> str:
    value = float(words[-1])
    if not 0 < value <= 1:
        raise UserInputError(
            f"an occupancy lies above 0 and not above 1; you gave {value:g}.",
            where="edits",
            next="Use delete to take an atom out.",
        )
    atoms = matching(model, words[:-1])
    for atom in atoms:
        atom.occupancy, atom.occupancy_coding = value, UNSTATED
        if value == 1:
            atom.part, atom.assembly = 0, ""
    return f"Occupancy of {_names(atoms)} set to {value:g}."


def _part(model: Model, words: list[str]) -> str:
    number = int(words[0])
    assembly = words[1] if re.fullmatch(r"[A-Z]", words[1]) and len(words) > 2 else ""
    atoms = matching(model, words[2:] if assembly else words[1:])
    for atom in atoms:
        # An ordered atom is in no assembly.
        atom.part, atom.assembly = number, (assembly or atom.assembly) if number else ""
    return f"{_names(atoms)} in part {number}."


def _with_partners(groups: list[list[Atom]], atoms: list[Atom]) -> list[Atom]:
    """These atoms, and those of `groups` that share a parameter with them: an edit applies to all of them."""
    found = list(atoms)
    for atom in found:
        for group in groups:
            if atom in group:
                found += [other for other in group if other not in found]
    return found


def _aniso(model: Model, words: list[str]) -> str:
    atoms = _with_partners(model.equal_displacements, matching(model, words))
    for atom in atoms:
        make_anisotropic(model, atom)
    return f"{_names(atoms)} anisotropic."


def make_anisotropic(model: Model, atom: Atom) -> None:
    """Give the atom a free tensor equal to its isotropic U (at least 0.005 Å²)."""
    if atom.u_aniso is None:
        atom.u_factor, atom.u_pivot, atom.u_coding = None, None, (FREE,) * 6
        cell = model.symmetry.unit_cell()
        atom.u_aniso = tuple(
            adptbx.u_star_as_u_cif(cell, adptbx.u_iso_as_u_star(cell, max(atom.u_iso, 0.005)))
        )


def _iso(model: Model, words: list[str]) -> str:
    atoms = _with_partners(model.equal_displacements, matching(model, words))
    for atom in atoms:
        make_isotropic(atom)
    return f"{_names(atoms)} isotropic."


def make_isotropic(atom: Atom) -> None:
    """Drop the atom's tensor; it is refined with a free isotropic U."""
    if atom.u_aniso is not None:
        atom.u_aniso, atom.u_coding = None, (FREE,) * 6


def _hydrogens(model: Model, words: list[str]) -> list[Atom]:
    """Hydrogen atoms among those that match. Raises UserInputError when there is none."""
    atoms = [atom for atom in matching(model, words) if atom.is_hydrogen]
    if not atoms:
        raise UserInputError(
            f"there is no hydrogen atom among {' '.join(words)}.",
            where="edits",
            next="riding and free say how hydrogen atoms are refined.",
        )
    return atoms


def _riding(model: Model, words: list[str]) -> str:
    atoms = _hydrogens(model, words)
    for atom in atoms:
        make_riding(atom)
    return f"{_names(atoms)} riding."


def _free(model: Model, words: list[str]) -> str:
    atoms = _hydrogens(model, words)
    for atom in atoms:
        atom.release()
    return f"{_names(atoms)} refined freely."


def _lacking_hydrogens(model: Model, words: list[str]) -> str:
    """Asked for here, placed when the difference density is known: torsions and N-H, O-H follow from it."""
    atoms = matching(model, words)
    other = [atom for atom in atoms if atom.element not in CARRIERS]
    if other:
        raise UserInputError(
            f"hydrogen atoms cannot be placed on {_names(other)}.",
            where="edits",
            why=f"Their geometry is known for {', '.join(CARRIERS)} only.",
            next="add H1 H x y z places a hydrogen atom by its coordinates.",
        )
    for atom in atoms:
        atom.lacks_hydrogen = True
    return f"Missing hydrogen atoms of {_names(atoms)} will be placed."


def make_riding(atom: Atom) -> None:
    """Ride with the geometry its surroundings ask for; an atom that rides already keeps its own."""
    if not atom.riding:
        atom.release()
        atom.riding, atom.u_aniso = True, None


def _move(model: Model, words: list[str]) -> str:
    atoms = _with_partners(model.equal_sites, [model.atom(words[0])])
    site = _position(words[1:])
    for atom in atoms:
        atom.site, atom.site_coding = site, (FREE, FREE, FREE)
    return f"{_names(atoms)} moved."


def _position(words: list[str]) -> tuple[float, float, float]:
    """Fractional coordinates of three words. Raises ValueError, IndexError."""
    x, y, z = float(words[0]), float(words[1]), float(words[2])
    if not all(abs(value) < _FARTHEST for value in (x, y, z)):
        raise ValueError(f"could not convert {' '.join(words[:3])}: these are no fractional coordinates")
    return x, y, z


def _require_new(model: Model, label: str, but: Atom | None = None) -> None:
    """Raises UserInputError when another atom has this label."""
    if any(other is not but and other.label.upper() == label.upper() for other in model.atoms):
        raise UserInputError(
            f"there is already an atom {label}.", where="edits", next="Choose another label."
        )


def _add(model: Model, words: list[str]) -> str:
    label, symbol = words[0], words[1]
    _require_new(model, label)
    site = _position(words[2:])
    model.atoms.append(Atom(label, scattering_type(symbol, label), site, u_iso=0.03))
    return f"{label} added."


def _split(model: Model, words: list[str]) -> str:
    atom, share = model.atom(words[0]), float(words[1])
    if not 0 < share < 1:
        raise ValueError("could not convert the share: it lies between 0 and 1")
    suffix = f"_{atom.residue}" if atom.residue else ""
    first_label, second_label = (f"{atom.name}{letter}{suffix}" for letter in "AB")
    for label in (first_label, second_label):
        _require_new(model, label)
    second = Atom(
        label=second_label,
        element=atom.element,
        site=atom.site,
        occupancy=atom.occupancy * (1 - share),
        u_iso=atom.u_iso,
        part=2,
        residue=atom.residue,
        residue_class=atom.residue_class,
    )
    used = {other.assembly for other in model.atoms}
    letter = next(letter for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZ" if letter not in used)
    if len(words) > 2:
        numbers = [word for word in words[2:] if word.lower() != "at"]
        second.site = _position(numbers)
    else:
        atom.site, second.site = _apart(model, atom)
    old = atom.label
    model.untie([atom])
    atom.occupancy, atom.part = atom.occupancy * share, 1
    model.rename(atom, first_label)
    atom.assembly = second.assembly = letter
    atom.occupancy_coding = UNSTATED
    make_isotropic(atom)
    model.atoms.insert(model.index(atom) + 1, second)
    return f"{old} split into {atom.label} ({share:g}) and {second.label}."


def _apart(model: Model, atom: Atom) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Two positions 0.7 Å apart, along the longest axis of the displacement ellipsoid."""
    cell = model.symmetry.unit_cell()
    if atom.u_aniso is None:
        axis = np.array([1.0, 0.0, 0.0])
    else:
        u = adptbx.u_cif_as_u_cart(cell, atom.u_aniso)
        matrix = np.array([[u[0], u[3], u[4]], [u[3], u[1], u[5]], [u[4], u[5], u[2]]])
        axis = np.linalg.eigh(matrix)[1][:, -1]
    centre = np.array(cell.orthogonalize(atom.site))
    return tuple(tuple(cell.fractionalize(tuple(centre + sign * 0.35 * axis))) for sign in (1, -1))


_ACTIONS: dict[str, Callable[[Model, list[str]], str]] = {
    "delete": _delete,
    "rename": _rename,
    "element": _element,
    "occupancy": _occupancy,
    "part": _part,
    "aniso": _aniso,
    "iso": _iso,
    "riding": _riding,
    "free": _free,
    "hydrogens": _lacking_hydrogens,
    "move": _move,
    "add": _add,
    "split": _split,
}
