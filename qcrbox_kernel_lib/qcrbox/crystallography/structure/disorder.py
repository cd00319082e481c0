"""Disorder: which sites are alternatives of each other, and choosing one of them.

An assembly holds groups of which only one is there at a time. Negative groups (SHELX's PART -1) are
disordered about a special position: their own symmetry images are alternatives too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from qcrbox.contract.errors import UserInputError

if TYPE_CHECKING:
    from qcrbox.crystallography.structure.sites import Sites

Mask = NDArray[np.bool_]
Indices = NDArray[np.int64]


def alternatives(sites: Sites, first: Indices, second: Indices, same_image: Mask) -> Mask:
    """True where two atoms are never there together, so are neither bonded nor in contact.

    first, second: (m,) sites; same_image: (m,) whether both are the same symmetry image.
    """
    group_1, group_2 = sites.group[first], sites.group[second]
    number = sites.assembly_number
    one_assembly = number[first] == number[second]
    other_group = (group_1 != 0) & (group_2 != 0) & (group_1 != group_2)
    own_image = (group_1 < 0) & (group_1 == group_2) & ~same_image
    return one_assembly & (other_group | own_image)


def groups_by_occupancy(sites: Sites) -> dict[str, list[int]]:
    """For each assembly its groups, the most occupied first."""
    found: dict[str, list[int]] = {}
    for assembly in dict.fromkeys(sites.assembly):
        member = np.array([name == assembly for name in sites.assembly]) & (sites.group != 0)
        groups = sorted(set(sites.group[member].tolist()), key=abs)
        if groups:
            mean = {
                group: float(np.nanmean(sites.occupancy[member & (sites.group == group)])) for group in groups
            }
            found[assembly] = sorted(groups, key=lambda group: -mean[group])
    return found


def choose(sites: Sites, disorder: str | Mapping[str, int]) -> Mask:
    """Which sites (n,) to show.

    disorder: `all`, `major`, `minor` (everything but the major groups of assemblies), or a mapping
    assembly -> group. Sites outside disorder are always chosen.
    """
    if disorder == "all":
        return np.ones(len(sites), dtype=bool)
    groups = groups_by_occupancy(sites)
    if isinstance(disorder, Mapping):
        for assembly, group in disorder.items():
            if assembly not in groups or group not in groups[assembly]:
                raise UserInputError(
                    f"There is no disorder group {group} in assembly '{assembly or '.'}'.",
                    next=f"Known: {groups or 'no disorder'}.",
                )
        wanted = {assembly: {group} for assembly, group in disorder.items()}
        default = {assembly: set(names) for assembly, names in groups.items()}
        chosen = {**default, **wanted}
    elif disorder == "major":
        chosen = {assembly: {names[0]} for assembly, names in groups.items()}
    elif disorder == "minor":
        chosen = {assembly: set(names[1:]) or set(names) for assembly, names in groups.items()}
    else:
        raise UserInputError(
            f"'{disorder}' is no choice of disorder.",
            next="Use 'all', 'major', 'minor' or {assembly: group}.",
        )
    return np.array(
        [
            group == 0 or group in chosen.get(assembly, ())
            for assembly, group in zip(sites.assembly, sites.group.tolist(), strict=True)
        ],
        dtype=bool,
    )


def is_minor(sites: Sites) -> Mask:
    """Sites (n,) of every group but the most occupied one of its assembly."""
    groups = groups_by_occupancy(sites)
    return np.array(
        [
            group != 0 and group != groups[assembly][0]
            for assembly, group in zip(sites.assembly, sites.group.tolist(), strict=True)
        ],
        dtype=bool,
    )
