"""Restraints in SHELX words (DFIX, DANG, SADI, FLAT, SIMU, DELU, RIGU, ISOR), read by the parser of cctbx.

The lines are kept with the model; the restraints themselves are made from the atoms as they are when a
refinement begins, so edits and placed hydrogen atoms do not disturb them.
"""

from __future__ import annotations

import io
import re
from typing import Any

from iotbx.shelx import parse_smtbx_refinement_model
from iotbx.shelx.errors import error as ShelxError
from libtbx.utils import Sorry
from qcrbox.contract.errors import UserInputError

from qcrbox_refine.model import Model, element_symbol
from qcrbox_refine.shelx_cards import short_labels, symmetry_cards

NAMES = frozenset({"DFIX", "DANG", "SADI", "FLAT", "SIMU", "DELU", "RIGU", "ISOR"})


def parse_restraints(text: str | None) -> list[str]:
    """Lines of a user, separated by `;` or line ends. Raises UserInputError for words that are no restraint."""
    lines = [line.strip() for line in re.split(r"[;\n]", text or "") if line.strip()]
    for line in lines:
        if line.split()[0].upper()[:4] not in NAMES:
            raise UserInputError(
                f"{line.split()[0]} is no restraint known here.",
                where="restraints",
                why=f"Known are: {', '.join(sorted(NAMES))}.",
                next='For example restraints="DFIX 1.50 0.01 C6 C7B; SIMU 0.01 C7A C7B".',
            )
    return lines


def restraints_manager(model: Model) -> Any:
    """The smtbx manager for the model's restraint lines; None without any.

    Raises UserInputError naming the line that cannot be understood.
    """
    if not model.restraints:
        return None
    try:
        return _parsed(model, model.restraints)
    except (ShelxError, Sorry, RuntimeError, ValueError, KeyError, IndexError, AssertionError) as error:
        wrong = next(
            (line for line in model.restraints if not _is_understood(model, line)), model.restraints[0]
        )
        raise UserInputError(
            f"the restraint {wrong!r} cannot be understood.",
            where="restraints",
            why=str(error).strip().rstrip(".") + ".",
            next="Check its numbers and atom labels; symmetry images (EQIV) are not supported.",
        ) from error


def _is_understood(model: Model, line: str) -> bool:
    try:
        _parsed(model, [line])
    except (ShelxError, Sorry, RuntimeError, ValueError, KeyError, IndexError, AssertionError):
        return False
    return True


def _parsed(model: Model, lines: list[str]) -> Any:
    labels = [atom.label for atom in model.atoms]
    short = dict(zip((label.upper() for label in labels), short_labels(labels), strict=True))
    elements = sorted({element_symbol(atom.element) for atom in model.atoms})
    cell = model.symmetry.unit_cell().parameters()
    cards = [
        f"CELL {model.wavelength or 0.71073} " + " ".join(f"{x:.4f}" for x in cell),
        "ZERR 1 0 0 0 0 0 0",
        *symmetry_cards(model.symmetry.space_group()),
        "SFAC " + " ".join(elements),
        "UNIT " + " ".join("1" for _ in elements),
    ]
    for line in lines:
        words = [_label(word, short) for word in line.split()[1:]]
        cards += _wrapped([line.split()[0].upper(), *words])
    cards.append("FVAR 1.0")
    part = 0
    for atom, label in zip(model.atoms, short.values(), strict=True):
        if atom.part != part:
            cards.append(f"PART {atom.part}")
            part = atom.part
        site = " ".join(f"{x:.6f}" for x in atom.site)
        kind = elements.index(element_symbol(atom.element)) + 1
        u = "0.05" if atom.u_aniso is None else "0.05 0.05 =\n    0.05 0.0 0.0 0.0"
        cards.append(f"{label} {kind} {site} 11.0 {u}")
    text = "\n".join([*cards, "HKLF 4", "END", ""])
    return parse_smtbx_refinement_model(file=io.StringIO(text), strictly_shelxl=False).restraints_manager


def _label(word: str, short: dict[str, str]) -> str:
    if re.fullmatch(r"[-+.\d]+", word) or word in ("<", ">") or word.startswith("$"):
        return word
    if word.upper() not in short:
        raise ValueError(f"There is no atom {word}")
    return short[word.upper()]


def _wrapped(words: list[str]) -> list[str]:
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 70:
            lines.append(line + "=")
            line = "  "
        line += word + " "
    return [*lines, line.rstrip()]
