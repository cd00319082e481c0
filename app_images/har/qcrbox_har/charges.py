"""Charge and spin of molecules: guessed from their bonds, from the moiety formula, or as the user says."""

from __future__ import annotations

import re
from collections import Counter

import networkx
import numpy as np
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.structure.elements import atomic_number, hill_order, is_metal
from qcrbox.language import minus

from qcrbox_har.molecules import Molecule, components

_GUESSED = "guessed from its bonds"
_GIVEN = "as given"
_VALENCE = {"H": 1, "B": 3, "C": 4, "Si": 4, "Ge": 4, "N": 3, "P": 3, "As": 3, "Sb": 3, "O": 2, "S": 2, "Se": 2, "Te": 2,
            "F": 1, "Cl": 1, "Br": 1, "I": 1}  # fmt: skip
# Ions whose bonds do not follow from whole valences, and common ones that save a search.
_IONS = {
    "N3": -1, "CNS": -1, "CNO": -1, "CN": -1, "NO3": -1, "NO2": -1, "CO3": -2, "CHO3": -1, "O4S": -2, "HO4S": -1,
    "O4P": -3, "HO4P": -2, "H2O4P": -1, "ClO4": -1, "ClO3": -1, "BF4": -1, "F6P": -1, "AsF6": -1, "F6Sb": -1,
    "F6Si": -2, "I3": -1, "I5": -1, "HF2": -1, "H3O": 1, "H4N": 1, "HO": -1, "H2O": 0, "O3S": -2, "IO4": -1, "IO3": -1,
    "BrO3": -1, "O2": 0, "N2": 0, "CO": 0, "CO2": 0, "C2N3": -1,
}  # fmt: skip
_OXIDATION = {"Zn": 2, "Cd": 2, "Hg": 2, "Cu": 2, "Ni": 2, "Co": 2, "Fe": 2, "Mn": 2, "Cr": 3, "V": 4, "Ti": 4, "Zr": 4, "Hf": 4,
              "Pd": 2, "Pt": 2, "Ag": 1, "Au": 1, "Al": 3, "Ga": 3, "In": 3, "Tl": 1, "Sn": 4, "Pb": 2, "Bi": 3, "Sc": 3, "Y": 3,
              "Ru": 2, "Rh": 3, "Ir": 3, "Os": 2, "Mo": 6, "W": 6, "Re": 7, "U": 6, "Th": 4, "Eu": 3}  # fmt: skip
_ALKALI, _ALKALINE_EARTH, _HALOGEN = (
    ("Li", "Na", "K", "Rb", "Cs"),
    ("Be", "Mg", "Ca", "Sr", "Ba"),
    ("F", "Cl", "Br", "I"),
)


def assign(
    molecules: list[Molecule], moiety: str = "", charges: str = "", multiplicities: str = ""
) -> list[str]:
    """Set charge and multiplicity of every molecule; returns doubts about them.

    moiety: `_chemical_formula_moiety`; charges, multiplicities: `1: +1; Cl: -1`, by number or formula. Raises
    UserInputError for names that fit no molecule, for odd electron counts, for metals with open shells whose
    multiplicity is not given, and where guessed charges leave the cell charged.
    """
    stated = moiety_charges(moiety)
    for molecule in molecules:
        guess = guess_charge(molecule)
        molecule.charge, molecule.charge_source = guess if guess is not None else 0, _GUESSED
        if molecule.formula in stated:
            molecule.charge, molecule.charge_source = stated[molecule.formula], "from the moiety formula"
    _neutralise_metals(molecules, stated)
    given = _parse(charges, "charges", molecules)
    for molecule in molecules:
        if molecule.number in given:
            molecule.charge, molecule.charge_source = given[molecule.number], _GIVEN
    spins = _parse(multiplicities, "multiplicities", molecules)
    for molecule in molecules:
        molecule.multiplicity = spins.get(molecule.number, 1)
        molecule.is_spin_declared = molecule.number in spins
        _check_spin(molecule, declared=molecule.is_spin_declared)
    return _of_the_cell(molecules)


def moiety_misfits(molecules: list[Molecule], moiety: str) -> list[str]:
    """A remark on parts of `_chemical_formula_moiety` that no molecule of the structure is; after `assign`.

    None where every charge is one that the user has given: nothing else was asked of the formula.
    """
    formulas = {molecule.formula for molecule in molecules}
    misfits = [
        f"{formula} {charge:+d}" if charge else formula
        for formula, charge in moiety_charges(moiety).items()
        if formula not in formulas
    ]
    if not misfits or all(molecule.charge_source == _GIVEN for molecule in molecules):
        return []
    charged = "; ".join(f"{m.name} {m.charge:+d} ({m.charge_source})" for m in molecules)
    return [
        f"The moiety formula names {', '.join(misfits)}, which no molecule of the structure is: it was not used for the "
        f"charges, which are {charged}. If one is wrong, correct _chemical_formula_moiety or give charges."
    ]


def assign_to_cell(cell: Molecule, multiplicities: str = "") -> None:
    """Set the multiplicity of all atoms of a unit cell together, which have no charge. Raises UserInputError as `assign` does.

    An odd number of electrons without spin is possible where bands are partly filled: in metals, and where it is declared.
    """
    spins = _parse(multiplicities, "multiplicities", [cell])
    cell.charge, cell.multiplicity, cell.is_spin_declared = 0, spins.get(1, 1), 1 in spins
    electrons = electron_count(cell)
    may_conduct = cell.is_spin_declared or all(is_metal(symbol) for symbol in cell.symbols)
    if not (_is_possible(electrons, cell.multiplicity) or (may_conduct and cell.multiplicity == 1)):
        raise UserInputError(
            f"the unit cell, {cell.formula}, has {electrons} electrons, which cannot have multiplicity {cell.multiplicity}.",
            where="multiplicities",
            why=""
            if spins
            else "Its shells are open, or hydrogen atoms or counter-ions are missing from the model.",
            next="Complete the model, or give the multiplicity of the cell: multiplicities='1: 2' for one unpaired electron in it, "
            "'1: 1' for a conductor without spins.",
        )
    open_metals = [] if spins else _open_metals(cell)
    if open_metals:
        raise UserInputError(
            f"the crystal has {', '.join(open_metals)}, whose d or f shell may be open.",
            where="multiplicities",
            why="A density with the wrong spin gives wrong form factors without any sign of it.",
            next="Declare the multiplicity of the unit cell, all spins parallel: multiplicities='1: 1' for none unpaired (most "
            "metals), '1: 5' for four electrons. Spins that alternate are not offered: take them as parallel.",
        )


def _of_the_cell(molecules: list[Molecule]) -> list[str]:
    """A doubt when the cell is not neutral. Raises UserInputError when that is so by a guess.

    Who states the charges may have left counter-ions out on purpose, as those of a solvent mask.
    """
    total = sum(m.charge * m.copies for m in molecules)
    if abs(total) < 0.3:
        return []
    names = "; ".join(f"{m.name} {m.charge:+d} ({m.charge_source})" for m in molecules)
    if any(m.charge_source == _GUESSED for m in molecules):
        raise UserInputError(
            f"the charges of the molecules add up to {minus(f'{total:+g}')} in the unit cell: {names}.",
            where="charges",
            why="A guess is wrong, hydrogen atoms are missing, or a counter-ion is not in the model. A wavefunction with the "
            "wrong charge gives wrong form factors without any sign of it.",
            next="Set them, for example charges='1: +1; 2: -1'. Where a counter-ion is not in the model, state the charges "
            "of all molecules as they are; the result then says that the cell is not neutral.",
        )
    return [
        f"The unit cell is not neutral: the charges of its molecules add up to {minus(f'{total:+g}')}: {names}. Counter-ions that are not "
        "in the model act on no wavefunction."
    ]


def guess_charge(molecule: Molecule) -> int | None:
    """Charge by completed valences; metals count with their usual oxidation state."""
    metals = {i for i, symbol in enumerate(molecule.symbols) if is_metal(symbol)}
    if not metals:
        return _piece_charge(molecule, list(range(len(molecule.symbols))), metals)
    total = sum(_metal_charge(molecule.symbols[i]) for i in metals)
    for piece in components(molecule, metals):
        total += _piece_charge(molecule, piece, metals)
    return total


def _metal_charge(symbol: str) -> int:
    if symbol in _ALKALI:
        return 1
    if symbol in _ALKALINE_EARTH:
        return 2
    return _OXIDATION.get(symbol, 3 if 57 <= atomic_number(symbol) <= 71 else 2)


def _formula(symbols: list[str]) -> str:
    counts = Counter(symbols)
    return "".join(e + (str(counts[e]) if counts[e] > 1 else "") for e in hill_order(sorted(counts)))


def _piece_charge(molecule: Molecule, piece: list[int], metals: set[int]) -> int:
    symbols = [molecule.symbols[i] for i in piece]
    formula = _formula(symbols)
    if len(piece) > 1 and formula in _IONS and len(piece) <= 7:
        return _IONS[formula]
    if len(piece) == 1:
        symbol = symbols[0]
        return (
            -1
            if symbol in (*_HALOGEN, "H") and (symbol != "H" or metals)
            else -2
            if symbol in ("O", "S") and metals
            else 0
        )
    return _by_valences(molecule, piece)


def _by_valences(molecule: Molecule, piece: list[int]) -> int:
    """Pair free valences into multiple bonds, as many as fit; what stays unpaired is a charge.

    Four-bonded N, three-bonded O and N beside a lone O carry +1; three-bonded N may give its lone pair to an
    unsaturated carbon that would stay unpaired (guanidinium, imidazolium). Unpaired O, S, N and C carry -1.
    """
    neighbours: dict[int, list[int]] = {i: [] for i in piece}
    for i, j in molecule.bonds.tolist():
        if i in neighbours and j in neighbours:
            neighbours[i].append(j)
            neighbours[j].append(i)
    charge = 0
    free: dict[int, int] = {}
    donors = []
    for i in piece:
        valence, own, donor = _valence(molecule, i, neighbours)
        charge += own
        free[i] = max(valence - len(neighbours[i]), 0)
        if donor:
            donors.append(i)
    graph = networkx.Graph()
    for i in piece:
        for j in neighbours[i]:
            if i < j:
                for a in range(free[i]):
                    for b in range(free[j]):
                        graph.add_edge((i, a), (j, b), weight=100)
    for i in donors:
        for j in neighbours[i]:
            for b in range(free[j]):
                graph.add_edge((i, "pair"), (j, b), weight=30 if molecule.symbols[j] == "C" else 1)
    paired = {node for edge in networkx.max_weight_matching(graph) for node in edge}
    used = {node[0] for node in paired if node[1] == "pair"}
    charge += len(used)
    for i in piece:
        unpaired = free[i] - sum((i, a) in paired for a in range(free[i]))
        if unpaired and molecule.symbols[i] in ("O", "S", "Se", "Te", "N", "C", "P"):
            charge -= unpaired
    return charge


def _valence(molecule: Molecule, i: int, neighbours: dict[int, list[int]]) -> tuple[int, int, bool]:
    """Bonds the atom makes, its formal charge, and whether its lone pair may make one more."""
    symbol, n = molecule.symbols[i], len(neighbours[i])
    lone = [j for j in neighbours[i] if molecule.symbols[j] in ("O", "S", "Se") and len(neighbours[j]) == 1]
    if symbol == "B" and n >= 4:
        return n, -1, False
    if symbol == "N":
        if n >= 4:
            return 4, 1, False
        if n == 3 and lone:
            return 4, 1, False
        return 3, 0, n == 3
    if symbol in ("P", "As", "Sb"):
        if n == 6:
            return 6, -1, False
        if n == 4:
            return (
                (5, 0, False)
                if lone or any(molecule.symbols[j] == "N" and len(neighbours[j]) <= 2 for j in neighbours[i])
                else (4, 1, False)
            )
        return (n if n > 3 else 3), 0, False
    if symbol == "O":
        return (3, 1, False) if n == 3 else (2, 0, False)
    if symbol in ("S", "Se", "Te"):
        if n >= 4:
            return 6, 0, False
        if n == 3:
            return (4, 0, False) if lone else (3, 1, False)
        return 2, 0, False
    if symbol in ("Cl", "Br", "I"):
        if n == 1:
            return 1, 0, False
        if n == 2 and not lone:
            return 2, -1 if symbol == "I" else 1, False
        return {2: 3, 3: 5}.get(n, 7), 0, False
    return _VALENCE.get(symbol, n), 0, False


def moiety_charges(text: str) -> dict[str, int]:
    """`C3 H8 N O2 +, 0.5(O4 S 2-)` as {formula: charge} of its charged and neutral parts."""
    found = {}
    for part in re.split(r",", text or ""):
        inner = re.sub(r"^\s*\d*\.?\d*\s*\(", "", part).rstrip(" )\n'")
        match = re.search(r"(?:^|\s)(\d*)([+-])(\d*)\s*$", inner)
        charge = 0
        if match:
            size = int(match.group(1) or match.group(3) or 1)
            charge = size if match.group(2) == "+" else -size
            inner = inner[: match.start()]
        symbols: list[str] = []
        for element, count in re.findall(r"([A-Z][a-z]?)(\d*)(?=\s|$|[A-Z])", inner.strip()):
            symbols += ["H" if element == "D" else element] * int(count or 1)
        if symbols:
            found[_formula(symbols)] = charge
    return found


def _neutralise_metals(molecules: list[Molecule], stated: dict[str, int]) -> None:
    """One kind of metal complex whose charge was guessed takes what the others leave over."""
    total = sum(m.charge * m.copies for m in molecules)
    complexes = [m for m in molecules if any(is_metal(s) for s in m.symbols) and m.formula not in stated]
    if len(complexes) > 1:
        # Bare ions have the least to say about their charge.
        complexes = [m for m in complexes if len(m.symbols) == 1]
    if abs(total) < 0.3 or len(complexes) != 1:
        return
    change = -total / complexes[0].copies
    if abs(change - round(change)) < 0.05 and abs(change) <= 3:
        complexes[0].charge += round(change)
        complexes[0].charge_source = "what the other ions leave over"


def _parse(text: str, parameter: str, molecules: list[Molecule]) -> dict[int, int]:
    found: dict[int, int] = {}
    for part in re.split(r"[;,\n]", text or ""):
        if not part.strip():
            continue
        match = re.fullmatch(r"\s*([A-Za-z0-9 ]+?)\s*[:=]\s*([+-]?\d+)([+-]?)\s*", part)
        names = "; ".join(m.name for m in molecules)
        if match is None:
            raise UserInputError(
                f"{part.strip()!r} is no pair of molecule and number.",
                where=parameter,
                next=f"Write for example '1: +1'. The molecules: {names}.",
            )
        name, value = (
            match.group(1).replace(" ", ""),
            int(match.group(2)) * (-1 if match.group(3) == "-" else 1),
        )
        chosen = [m.number for m in molecules if name in (str(m.number), m.formula)]
        if not chosen:
            raise UserInputError(
                f"there is no molecule {name}.", where=parameter, next=f"The molecules: {names}."
            )
        found |= dict.fromkeys(chosen, value)
    return found


def _is_possible(electrons: int, multiplicity: int) -> bool:
    """Whether so many electrons can have a multiplicity; there has to be an electron."""
    return multiplicity >= 1 and max(multiplicity - 1, 1) <= electrons and (electrons - multiplicity) % 2 == 1


def _check_spin(molecule: Molecule, declared: bool) -> None:
    electrons = electron_count(molecule)
    if not _is_possible(electrons, molecule.multiplicity):
        raise UserInputError(
            f"molecule {molecule.name} with charge {molecule.charge:+d} ({molecule.charge_source}) has {electrons} "
            f"electrons, which cannot have multiplicity {molecule.multiplicity}.",
            where="charges, multiplicities",
            why=""
            if declared
            else "Its shells are open, or the charge is wrong, or hydrogen atoms are missing.",
            next=f"Give the charge with charges='{molecule.number}: +1', or the spin with "
            f"multiplicities='{molecule.number}: 2'.",
        )
    open_metals = [] if declared else _open_metals(molecule)
    if open_metals:
        raise UserInputError(
            f"molecule {molecule.name} has {', '.join(open_metals)}, whose d or f shell may be open.",
            where="multiplicities",
            why="A wavefunction with the wrong spin gives wrong form factors without any sign of it.",
            next=f"Declare it: multiplicities='{molecule.number}: 1' for low spin, '{molecule.number}: 5' for four "
            "unpaired electrons.",
        )


def _open_metals(molecule: Molecule) -> list[str]:
    """Metals of the d and f block whose usual ion is neither d0, d10 nor square-planar d8."""
    closed = {"Zn", "Cd", "Hg", "Ag", "Pd", "Pt", "Sc", "Y", "La", "Lu", "Ti", "Zr", "Hf", "Rh", "Ir", "Au"}
    return sorted(
        {
            s
            for s in molecule.symbols
            if is_metal(s) and s not in closed
            and (21 <= atomic_number(s) <= 29 or 39 <= atomic_number(s) <= 47 or 57 <= atomic_number(s) <= 79 or atomic_number(s) > 88)
        }
    )  # fmt: skip


def electron_count(molecule: Molecule) -> int:
    """Number of electrons: the sum of the atomic numbers minus the charge."""
    return int(np.sum([atomic_number(s) for s in molecule.symbols])) - molecule.charge
