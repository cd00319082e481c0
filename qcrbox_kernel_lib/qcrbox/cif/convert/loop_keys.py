"""Which columns name a row of a category."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

# Full keys, so that two bonds between the same atoms but with different symmetry codes stay two.
# The second list may be missing in a file, which then means "." in each row.
_LABELS: Final = ("atom_site_label_1", "atom_site_label_2", "atom_site_label_3", "atom_site_label_4")
_SYMMETRY: Final = ("site_symmetry_1", "site_symmetry_2", "site_symmetry_3", "site_symmetry_4")
_HKL: Final = ("index_h", "index_k", "index_l")

KEYS: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "_atom_site": (("label",), ()),
    "_atom_site_aniso": (("label",), ()),
    "_atom_type": (("symbol",), ()),
    "_atom_type_scat": (("symbol",), ()),
    "_geom_bond": (_LABELS[:2], _SYMMETRY[:2]),
    "_geom_contact": (_LABELS[:2], _SYMMETRY[:2]),
    "_geom_angle": (_LABELS[:3], _SYMMETRY[:3]),
    "_geom_torsion": (_LABELS, _SYMMETRY),
    "_geom_hbond": (
        ("atom_site_label_d", "atom_site_label_h", "atom_site_label_a"),
        ("site_symmetry_d", "site_symmetry_h", "site_symmetry_a"),
    ),
    "_refln": (_HKL, ()),
    "_exptl_crystal_face": (_HKL, ()),
}
# Rows that are measurements: the same indices occur many times, so only the position names a row.
BY_POSITION: Final = ("_diffrn_refln",)

SYMMETRY_OPERATIONS: Final = "_space_group_symop"
# Tables that mean something only as a whole: half of one group and half of another would be no group, and form
# factors count by their place in a list.
AS_A_WHOLE: Final = (
    "_aspheric_ff",
    "_wfn_moiety",
    "_space_group_symop_ssg",
    "_space_group_symop_magn_operation",
    "_space_group_symop_magn_centering",
    "_space_group_symop_magn_ssg_operation",
    "_space_group_symop_magn_ssg_centering",
)

_GENERIC: Final = (
    re.compile(r".*\.id"),
    re.compile(r".*\.label(_\d+)?"),
    re.compile(r".*_refln\.index_[hkl]"),
    re.compile(r"_atom_type\.symbol"),
)


def common_key(category: str, first: Sequence[str], second: Sequence[str]) -> tuple[list[str], list[str]]:
    """Columns that name a row in both loops (unified names): those both need, and those either may lack.

    ([], []) when there are none. One key for a category, never two.
    """
    if category in AS_A_WHOLE:
        return [], []
    own, other = {tag.lower() for tag in first}, {tag.lower() for tag in second}
    if category in KEYS:
        needed, possible = ([f"{category}.{rest}" for rest in part] for part in KEYS[category])
        if all(tag in own and tag in other for tag in needed):
            return needed, [tag for tag in possible if tag in own or tag in other]
        return [], []
    for pattern in _GENERIC:
        key = [tag for tag in first if pattern.fullmatch(tag.lower())]
        if key and all(tag.lower() in other for tag in key):
            return [tag.lower() for tag in key], []
    return [], []
