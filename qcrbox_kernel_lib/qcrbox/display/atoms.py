"""Atoms of a structure by label: positions, displacement parameters and neighbours as crystallographers write them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.cif.values import Number
from qcrbox.contract.errors import NotFound
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.crystallography.structure import Structure


class Atom:
    """One site of the asymmetric unit."""

    def __init__(self, structure: Structure, index: int) -> None:
        self._structure, self._index = structure, index

    @property
    def label(self) -> str:
        return str(self._structure.sites.label[self._index])

    @property
    def element(self) -> str:
        return str(self._structure.sites.element[self._index])

    @property
    def xyz(self) -> tuple[Any, ...]:
        """Fractional coordinates with s.u."""
        sites = self._structure.sites
        pairs = zip(sites.fract[self._index], sites.fract_su[self._index], strict=True)
        return tuple(Number.of(round(float(x), 6), None if not su > 0 else float(su)) for x, su in pairs)

    @property
    def u(self) -> Any:
        """U(ij) of CIF in Å² as a (3, 3) array, or U(iso)."""
        sites = self._structure.sites
        tensor = sites.u_cif[self._index]
        return float(sites.u_iso[self._index]) if bool((tensor != tensor).any()) else tensor

    @property
    def u_eq(self) -> float:
        """Equivalent isotropic displacement parameter in Å²."""
        return float(self._structure.u_equivalent[self._index])

    @property
    def occupancy(self) -> float:
        return float(self._structure.sites.occupancy[self._index])

    def __repr__(self) -> str:
        place = ", ".join(str(x) for x in self.xyz)
        return f"<{self.label} ({self.element}) at {place}; Ueq {self.u_eq:.4f} Å²; occupancy {self.occupancy:g}>"


class Atoms:
    """`structure.atoms["C1"]`, and a table of all."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure

    @property
    def labels(self) -> list[str]:
        return [str(label) for label in self._structure.sites.label]

    def __getitem__(self, key: str | int) -> Atom:
        if isinstance(key, int):
            return Atom(self._structure, range(len(self))[key])
        labels = self.labels
        if key in labels:
            return Atom(self._structure, labels.index(key))
        upper = [label.upper() for label in labels]
        if key.upper() in upper:
            return Atom(self._structure, upper.index(key.upper()))
        near = difflib.get_close_matches(key, labels, 1, 0.5)
        raise NotFound(f"There is no atom {key!r}.", next=f"Did you mean {near[0]!r}?" if near else "")

    def __iter__(self) -> Iterator[Atom]:
        return (Atom(self._structure, index) for index in range(len(self)))

    def __len__(self) -> int:
        return len(self._structure.sites)

    def _ipython_key_completions_(self) -> list[str]:
        return self.labels

    def table(self) -> Table:
        rows = [(a.label, a.element, *a.xyz, f"{a.u_eq:.4f}", f"{a.occupancy:g}") for a in self]
        return Table(("atom", "element", "x", "y", "z", "Ueq / Å²", "occupancy"), rows)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
