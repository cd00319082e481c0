"""Densities that a calculation wrote as cube files."""

from __future__ import annotations

import builtins
from collections.abc import Mapping
from typing import Protocol

from qcrbox.analysis.density.cube import Cube, read_cube
from qcrbox.contract.errors import NotFound

# In e Å⁻³: shows bonds and lone pairs of a deformation density, and what is left in a residual one.
SHOWN_AT = {"deformation": 0.3}
SHOWN_AT_OTHERWISE = 0.1


class HasBytes(Protocol):
    """A file whose content can be had."""

    @property
    def bytes(self) -> builtins.bytes:
        """The content."""
        ...


def cube_of(files: Mapping[str, HasBytes], name: str) -> Cube:
    """The cube file `name` (with or without .cube); in e/Å³ where its title says that it is in e/bohr³.

    Raises NotFound naming the cube files there are.
    """
    filename = name if name.endswith(".cube") else f"{name}.cube"
    if filename not in files:
        known = [each.removesuffix(".cube") for each in files if each.endswith(".cube")]
        raise NotFound(
            f"There is no density {name!r}.",
            next=f"Densities of this result: {', '.join(known)}."
            if known
            else "This result has no cube files.",
        )
    cube = read_cube(files[filename].bytes)
    return cube.per_cubic_angstrom() if "e/bohr" in cube.title.lower().replace("³", "^3") else cube
