"""Instructions about the data hold even where those about the atoms do not fit, or stand beside the reflections."""

from __future__ import annotations

import re
from dataclasses import fields

from qcrbox.contract.errors import CifError, UserInputError
from qcrbox.crystallography.shelx import read_instructions
from qcrbox.crystallography.shelx.lines import wrapped

from qcrbox_refine.cif_block import CifBlock
from qcrbox_refine.model import Model
from qcrbox_refine.shelx_settings import Hklf, ShelxSettings

ITEMS = ("_shelx_res_file", "_iucr_refine_instructions_details")
# What the measurement is, by the field of ShelxSettings; the rest of the instructions is about the model.
_ABOUT_DATA = {
    "hklf": "HKLF",
    "twin": "TWIN",
    "basf": "BASF",
    "merg": "MERG",
    "omit": "OMIT",
    "omitted": "OMIT h k l",
    "resolution": "SHEL",
    "extinction": "EXTI",
    "solvent": "SWAT",
    "fab": "ABIN",
    "neutron": "NEUT",
}


def adopt_data_settings(model: Model, block: CifBlock, origin: str) -> None:
    """Take HKLF, TWIN, BASF and their like from the SHELX text of a block, when the model has followed no instructions."""
    text = block.text(*ITEMS)
    if (
        model.settings.hklf is not None
        or not text
        or not re.search(r"^HKLF\b", text, re.MULTILINE | re.IGNORECASE)
    ):
        return
    try:
        found = read_instructions(text)
    except CifError as error:
        # They may speak of a twin: without them the result might be another one.
        raise UserInputError(
            f"the SHELX instructions of the file cannot be read: {error.what}",
            where=f"{origin} {error.where}".strip(),
            next=error.next,
            line=error.line,
        ) from error
    stated = ShelxSettings.of(found.instructions, found.ending, origin)
    empty = ShelxSettings()
    names = [f.name for f in fields(stated) if f.name in _ABOUT_DATA]
    taken = [name for name in names if getattr(stated, name) != getattr(empty, name)]
    for name in taken:
        setattr(model.settings, name, getattr(stated, name))
    said = [_ABOUT_DATA[name] for name in taken if name != "hklf" or stated.hklf != Hklf()]
    if said:
        model.note(f"Instructions about the data in {origin} hold: {', '.join(said)}.")


def limit_cards(settings: ShelxSettings) -> list[str]:
    """MERG, OMIT and SHEL as they stand."""
    lines = []
    if settings.merg is not None:
        lines.append(f"MERG {settings.merg}")
    if settings.omit is not None:
        lines.append(f"OMIT {settings.omit.s:g} {settings.omit.two_theta:g}")
    lines += [f"OMIT {index[0]} {index[1]} {index[2]}" for index in settings.omitted]
    if settings.resolution is not None:
        d_max, d_min = settings.resolution
        lines.append(f"SHEL {min(d_max, 999.0):g} {d_min:g}")
    return lines


def twin_card(settings: ShelxSettings) -> list[str]:
    """The TWIN instruction as a list of at most one line; empty without a twin."""
    if settings.twin is None:
        return []
    return [f"TWIN {' '.join(f'{x:g}' for x in settings.twin.matrix)} {settings.twin.n}"]


def all_cards(settings: ShelxSettings) -> list[str]:
    """Every instruction about the data but NEUT and HKLF, which have places of their own."""
    lines = [*limit_cards(settings), *twin_card(settings)]
    if settings.basf:
        lines += wrapped(["BASF", *(f"{(10 if b.fixed else 0) + b.value:.5f}" for b in settings.basf)])
    if settings.extinction is not None:
        lines.append(f"EXTI {settings.extinction:.6f}")
    if settings.solvent is not None:
        lines.append(f"SWAT {settings.solvent[0]:.5f} {settings.solvent[1]:.5f}")
    if settings.fab is not None:
        lines.append(f"ABIN {settings.fab[0]:g} {settings.fab[1]:g}")
    return lines
