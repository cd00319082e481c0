"""What the checks of exercises read from a CIF: elements of sites, hydrogen atoms, alerts."""

from __future__ import annotations

from typing import Any

import numpy as np

from qcrbox.analysis.index import main_block
from qcrbox.analysis.validation import validate
from qcrbox.cif.reader import read
from qcrbox.contract.errors import CifError, QcError
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.structure import Structure

MOST_SITES = 20_000
MOST_ALERTS_NAMED = 5


def facts_of(content: bytes, filename: str = "") -> dict[str, Any]:
    """Plain values: `elements` (label → symbol), `occupancies` (label → occupancy), `hydrogens` (sum of occupancies of H and D in the asymmetric unit),
    `formula_has_hydrogen`, `alerts` (level → number), `first_alerts` (texts of level A, then B).

    Raises CifError when the file has no structure.
    """
    document = read(content, filename=filename, on_error="keep")
    block = main_block(document)
    if block is None:
        raise CifError("The file has no data block with a structure.", where=filename)
    structure = Structure.from_block(block)
    sites = structure.sites
    if len(sites) > MOST_SITES:
        raise CifError(f"The structure has more than {MOST_SITES} sites.", where=filename)
    stated = parse_formula(structure.formula_sum)
    validation = validate(block)
    serious = [alert for level in ("A", "B") for alert in validation.of_level(level)]
    # An occupancy that is not stated is 1.
    occupancies = np.nan_to_num(sites.occupancy, nan=1.0)
    hydrogens = float(occupancies[sites.is_hydrogen].sum())
    return {
        "elements": dict(zip(sites.label, sites.element, strict=True)),
        "occupancies": {
            label: round(float(value), 5) for label, value in zip(sites.label, occupancies, strict=True)
        },
        "hydrogens": round(hydrogens, 4),
        "formula_has_hydrogen": bool(stated.get("H") or stated.get("D")),
        "alerts": validation.counts,
        "first_alerts": [alert.text[:300] for alert in serious[:MOST_ALERTS_NAMED]],
    }


def facts_or_reason(content: bytes, filename: str = "") -> tuple[dict[str, Any] | None, str]:
    """The facts and "", or None and why there are none."""
    try:
        return facts_of(content, filename), ""
    except QcError as error:
        return None, error.message
