"""Search for stored structures by content."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, overload

from qcrbox.api.datasets import Dataset, dataset_table
from qcrbox.contract.errors import UserInputError
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box

_OPTIONS = {
    "text": "text",
    "name": "name",
    "tag": "tag",
    "owner": "owner",
    "formula": "formula",
    "elements": "elements",
    "space_group": "space_group",
    "cell": "cell",
    "tolerance": "tolerance",
    "only_elements": "only_elements",
    "centring": "centring",
    "angle_tolerance": "angle_tolerance",
    "R1_below": "r1_below",
    "R1_above": "r1_above",
}


class Found:
    """The datasets found by a search; shown as a table."""

    def __init__(self, datasets: list[Dataset], asked: dict[str, Any]) -> None:
        self.datasets, self._asked = datasets, asked

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.datasets)

    def __len__(self) -> int:
        return len(self.datasets)

    def __contains__(self, name: object) -> bool:
        return any(dataset.name == name for dataset in self.datasets)

    @overload
    def __getitem__(self, index: int) -> Dataset: ...

    @overload
    def __getitem__(self, index: slice) -> list[Dataset]: ...

    def __getitem__(self, index: int | slice) -> Dataset | list[Dataset]:
        return self.datasets[index]

    def table(self) -> Table:
        """The datasets with formula, space group, R1, files and tags."""
        asked = ", ".join(f"{name}={value!r}" for name, value in self._asked.items())
        return dataset_table(
            self.datasets, f"{len(self)} found: {asked}", "No stored structure meets all conditions."
        )

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


def search(box: Box, **what: Any) -> Found:
    """The datasets that fit all options. Raises UserInputError for an unknown option."""
    unknown = [name for name in what if name not in _OPTIONS]
    if unknown:
        near = difflib.get_close_matches(unknown[0], _OPTIONS, 1, 0.5)
        hint = f"Did you mean {near[0]!r}?" if near else "It has: " + ", ".join(_OPTIONS) + "."
        raise UserInputError(f"search() has no option {unknown[0]!r}.", next=hint)
    query = {_OPTIONS[name]: _plain(name, value) for name, value in what.items()}
    records = box.client.listed("/api/search", "datasets", **query)
    return Found([Dataset(box, record) for record in records], what)


def _six_numbers(cell: Any) -> list[float]:
    given = cell.replace(",", " ").split() if isinstance(cell, str) else getattr(cell, "parameters", cell)
    try:
        numbers = [float(number) for number in given]
    except (TypeError, ValueError):
        numbers = []
    if len(numbers) != 6 or not all(map(math.isfinite, numbers)):
        raise UserInputError(f"cell must be a, b, c in Å and α, β, γ in °: six numbers; you gave {cell!r}.")
    return numbers


def _plain(name: str, value: Any) -> Any:
    if name == "cell":
        return ",".join(f"{number:.10g}" for number in _six_numbers(value))
    if isinstance(value, (list, tuple, set)):
        return ",".join(str(item) for item in value)
    return value
