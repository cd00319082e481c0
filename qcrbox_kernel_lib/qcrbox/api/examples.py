"""Example datasets of the applications."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.datasets import Dataset
from qcrbox.api.names import has_name, offered, require_name
from qcrbox.contract.errors import NotFound
from qcrbox.markup import Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box


class Examples:
    """`qc.examples`: the read-only datasets that come with the applications."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def all(self) -> list[Dataset]:
        """All example datasets."""
        return self._box.datasets.all(500, kind="example")

    def of(self, application: Any) -> list[Dataset]:
        """The examples of one application."""
        return [dataset for dataset in self.all() if dataset.record.get("application") == application.slug]

    def __getitem__(self, name: str) -> Dataset:
        require_name(name, "qc.examples")
        datasets = self.all()
        for dataset in datasets:
            if dataset.name == name:
                return dataset
        known = [dataset.name for dataset in datasets]
        raise NotFound(f"There is no example {name!r}.", next=_instead_of(name, known))

    def __getattr__(self, name: str) -> Dataset:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except NotFound as error:
            raise AttributeError(str(error)) from None

    def __contains__(self, name: object) -> bool:
        return has_name(self, name)

    def __iter__(self) -> Iterator[Dataset]:
        return iter(self.all())

    def __len__(self) -> int:
        return len(self.all())

    def __dir__(self) -> list[str]:
        return ["all", "of", "table", *filter(str.isidentifier, offered(self._names))]

    def _ipython_key_completions_(self) -> list[str]:
        return offered(self._names)

    def _names(self) -> list[str]:
        return [dataset.name for dataset in self.all()]

    def __repr__(self) -> str:
        return self.table().text()

    def table(self) -> Table:
        """Name, application, files and description of each example."""
        rows = [
            (d.name, d.record.get("application") or "", ", ".join(d.files), d.description) for d in self.all()
        ]
        caption = "" if rows else "No application here ships examples."
        return Table(("name", "application", "files", "about"), rows, title="Examples", caption=caption)

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


def _instead_of(name: str, known: list[str]) -> str:
    if not known:
        return "There are none yet: they come with the applications, some seconds after the platform has started."
    near = difflib.get_close_matches(name, known, 1, 0.5)
    return f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(known)}."
