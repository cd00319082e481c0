"""Items of a CIF that make a model more than cell, symmetry and harmonic atoms: what does not read them must name them."""

from __future__ import annotations

import re

from qcrbox.cif import names
from qcrbox.cif.document import Block

# Patterns of names in lower case, with underscores only, matched from the start.
ANHARMONIC = r"_atom_site_(anharm|gc_|cumulant)|_atom_site_aniso_(c|d)_?\d{3}"
RESTRAINTS = r"_restr_|_qcrbox_(restr|constr)_"
TWINS = r"_twin_individual_"
VOIDS = r"_(smtbx_masks|platon_squeeze)_void_nr"
MASKS = rf"_shelx_fab_file|{VOIDS}"
MOMENTS = r"_atom_site_moment"
SCATTERING = r"_atom_type_scat_(cromer_mann|length_neutron)|_aspheric_ff"
# A powder pattern, or how it was measured and fitted.
POWDER = r"_pd_(meas|proc|calc|data|instr|spec|block|phase|prep)_"


def first_item(block: Block, pattern: str) -> str | None:
    """The first name of the block, as it is written, that matches and has a value; None without one.

    Names with `?` or `.` alone stand in templates of files that have none of it.
    """
    match = re.compile(pattern).match
    return next(
        (tag for tag in block.tags if match(names.key(tag).replace(".", "_")) and _has_value(block, tag)),
        None,
    )


def _has_value(block: Block, tag: str) -> bool:
    return any(raw not in ("?", ".") for raw in block.column(tag))
