"""Atoms of a structure by label, with positions and displacement parameters."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

from qcrbox.cif.values import Number
from qcrbox.contract.errors import NotFound
from qcrbox.language import minus
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.crystallography.structure import Structure


class Atom:
    """One site of the asymmetric unit."""

    def __init__(self, structure: Structure, index: int) -> None:
        self._structure, self._index = structure, index

    @property
    def label(self) -> str:
        """Label of the site."""
        return str(self._structure.sites.label[self._index])

    @property
    def element(self) -> str:
        """Symbol of the element."""
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
        """Occupancy, 0 to 1."""
        return float(self._structure.sites.occupancy[self._index])

    def __repr__(self) -> str:
        place = ", ".join(_known(x) for x in self.xyz)
        return (
            f"<{self.label} ({self.element}) at {place}; Ueq {_known(self.u_eq, '.4f')} Å²; "
            f"occupancy {_known(self.occupancy, 'g')}>"
        )


def _known(value: Any, digits: str = "") -> str:
    """A number as text, `?` where it is not known."""
    number = float(value)
    return "?" if number != number else minus(f"{value:{digits}}" if digits else str(value))


class Atoms:
    """The atoms by label or number, `structure.atoms["C1"]`; shown as a table."""

    def __init__(self, structure: Structure) -> None:
        self._structure = structure

    @property
    def labels(self) -> list[str]:
        """Labels in file order."""
        return [str(label) for label in self._structure.sites.label]

    def __contains__(self, label: object) -> bool:
        return isinstance(label, str) and label.upper() in map(str.upper, self.labels)

    @overload
    def __getitem__(self, key: str | SupportsIndex) -> Atom: ...

    @overload
    def __getitem__(self, key: slice) -> list[Atom]: ...

    def __getitem__(self, key: str | SupportsIndex | slice) -> Atom | list[Atom]:
        """One by label, in any case, or by number; several by a slice."""
        if isinstance(key, slice):
            return [Atom(self._structure, index) for index in range(len(self))[key]]
        if not isinstance(key, str):
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
        """Label, element, fractional coordinates with s.u., U(eq) in Å² and occupancy."""
        rows = [
            (
                a.label,
                a.element,
                *(x if float(x) == float(x) else "?" for x in a.xyz),
                _known(a.u_eq, ".4f"),
                _known(a.occupancy, "g"),
            )
            for a in self
        ]
        return Table(("atom", "element", "x", "y", "z", "Ueq / Å²", "occupancy"), rows)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
