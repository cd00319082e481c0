"""Datasets: named files that belong together, found by name from any notebook."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api.files import content_of
from qcrbox.api.names import as_list, offered, quoted, require_name
from qcrbox.api.stored_crystal import StoredCrystal
from qcrbox.api.stored_files import CifFile, DataFile
from qcrbox.client.writing import write_new
from qcrbox.contract.errors import MissingItemsError, NotAllowed, NotFound, QcError, UserInputError
from qcrbox.display.project_tree import time_text
from qcrbox.display.summary import DatasetSummary, dataset_html, dataset_text, flags_of, items_of
from qcrbox.markup import Table, figure_symbol, space_group_symbol

if TYPE_CHECKING:
    from qcrbox.api.box import Box

_REFLECTIONS = (".hkl", ".fcf")
_ID = re.compile(r"(?:qcrbox_ds_0x)?[0-9a-f]{32}")


class Dataset(StoredCrystal):
    """One dataset. `.cif`, `.cell`, `.atoms`, `.view()`; items as `dataset["_cell_length_a"]`."""

    def __init__(self, box: Box, record: dict[str, Any], *, block: str | None = None) -> None:
        self.box, self.record, self.block_name = box, record, block
        self.id = str(record["qcrbox_dataset_id"])

    # ------------------------------------------------------------ what it is

    @property
    def name(self) -> str:
        """Name in the store; the first file name where it has none."""
        return str(self.record.get("name") or next(iter(self.files), self.id[-8:]))

    @property
    def description(self) -> str:
        """Description in the store."""
        return str(self.record.get("description") or "")

    @property
    def tags(self) -> list[str]:
        """Its tags."""
        return list(self.record.get("tags") or ())

    @property
    def kind(self) -> str:
        """data, output or example."""
        return str(self.record.get("kind") or "data")

    @property
    def is_doubtful(self) -> bool:
        """Whether it is a result with warnings, or one that has not converged."""
        return bool(self.record.get("doubtful"))

    @property
    def files(self) -> dict[str, DataFile]:
        """By file name."""
        return {
            name: self.box.files.made(record) for name, record in self.record.get("data_files", {}).items()
        }

    def _cifs(self) -> list[CifFile]:
        cifs = [file for file in self.files.values() if isinstance(file, CifFile)]
        return [file for file in cifs if Path(file.filename).suffix.lower() == ".cif"] or cifs

    @property
    def has_one_cif(self) -> bool:
        """True when `.cif` needs no choice of a file."""
        return len(self._cifs()) == 1

    @property
    def cif(self) -> CifFile:
        """Its CIF. Raises MissingItemsError when there is none, UserInputError when there are several."""
        plain = self._cifs()
        if not plain:
            raise MissingItemsError(
                f"{self.name!r} has no CIF.",
                why=f"It holds {', '.join(self.files) or 'no file'}.",
                next=f'Attach one: qc[{quoted(self.name)}].attach("file.cif").',
                items=["CIF"],
            )
        if len(plain) > 1:
            raise UserInputError(
                f"{self.name!r} holds {len(plain)} CIFs: {', '.join(f.filename for f in plain)}.",
                next=f"Choose: qc[{quoted(self.name)}].files[{quoted(plain[0].filename)}].",
            )
        if self.block_name is not None:
            return plain[0][self.block_name]
        return plain[0]

    @property
    def reflections(self) -> DataFile | None:
        """Its reflection file (.hkl first, then .fcf), None when there is none or more than one."""
        for suffix in _REFLECTIONS:
            found = [file for name, file in self.files.items() if name.lower().endswith(suffix)]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    @property
    def file(self) -> DataFile:
        """Its only file."""
        files = list(self.files.values())
        if len(files) == 1:
            return files[0]
        raise UserInputError(
            f"{self.name!r} holds {len(files)} files: {', '.join(self.files)}.",
            next=f'Choose: qc[{quoted(self.name)}].files["…"].',
        )

    @property
    def R1(self) -> float | None:
        """R1 as its CIF states it; None when it does not."""
        return self.cif.number("_refine_ls_R_factor_gt")

    @property
    def plots(self) -> Any:
        """Plots of model and data, as of a result."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.display.plots import Plots

        fcf = [
            f for f in self.files.values() if isinstance(f, CifFile) and f.filename.lower().endswith(".fcf")
        ]
        return Plots(self.cif, fcf[0] if fcf else None)

    @property
    def lineage(self) -> Any:
        """What it was made from and what was made from it."""
        return self.box.lineage_of(self)

    @property
    def history(self) -> Table:
        """Its versions, newest first: what was made from what, and when."""
        return self.box.history_of(self)

    def __getitem__(self, name: str) -> Any:
        """An item of the CIF (`_…`), or the dataset with a block chosen."""
        require_name(name, self._code())
        if name.startswith("_"):
            return self.cif[name]
        self.cif.document[name]
        return Dataset(self.box, self.record, block=name)

    def view(self, **options: Any) -> Any:
        """The structure, drawn. Options of qc.StructureView."""
        return self.cif.view(**options)

    # ------------------------------------------------------------ changing it

    def refresh(self) -> Dataset:
        """Read the record again."""
        self.record = self.box.client.get(f"/api/datasets/{self.id}")["datasets"][0]
        return self

    def attach(self, *sources: str | Path | bytes, filename: str | None = None) -> Dataset:
        """Add further files (reflections, for example)."""
        for source in sources:
            content, name = content_of(source if isinstance(source, bytes) else Path(source), filename)
            with self._in_words():
                payload = self.box.client.upload(f"/api/datasets/{self.id}/append", [(name, content)])
            attached = self.box.files.made(payload["appended_file"])
            self.box.changes.note(f"{name} was attached to {self.name!r}", attached.move_to_bin)
        return self.refresh()

    def change(self, **fields: Any) -> Dataset:
        """Change name=, description= or tags=."""
        if isinstance(fields.get("tags"), str):
            fields["tags"] = as_list(fields["tags"])
        before = {field: self.record.get(field) for field in fields}
        words = f"{', '.join(fields)} of {self.name!r} changed"
        with self._in_words():
            self.box.client.patch(f"/api/datasets/{self.id}", fields)
        self.box.changes.note(words, lambda: self.box.client.patch(f"/api/datasets/{self.id}", before))
        return self.refresh()

    def tag(self, *tags: str) -> Dataset:
        """Add tags."""
        return self.change(tags=sorted({*self.tags, *tags}))

    def untag(self, *tags: str) -> Dataset:
        """Remove tags."""
        return self.change(tags=sorted(set(self.tags) - set(tags)))

    def rename(self, name: str) -> Dataset:
        """Change its name."""
        return self.change(name=name)

    def share(self, with_: str, mode: str = "read") -> Dataset:
        """Let a group (or person) see it, mode "read", or add versions, mode "write"."""
        shares = self.box.shares
        with self._in_words():
            shares.share("dataset", self.id, with_, mode)
        words = f"{self.name!r} was shared with {with_}"
        self.box.changes.note(words, lambda: shares.unshare("dataset", self.id, with_))
        return self

    def unshare(self, with_: str) -> Dataset:
        """Take back the rights that a group or person was given."""
        shares = self.box.shares
        with self._in_words():
            modes = shares.unshare("dataset", self.id, with_)

        def back() -> None:
            for mode in modes:
                shares.share("dataset", self.id, with_, mode)

        self.box.changes.note(f"{self.name!r} is no longer shared with {with_}", back)
        return self

    def delete(self) -> None:
        """Put it in the bin; `.restore()` or `qc.undo()` brings it back."""
        with self._in_words():
            self._move_to_bin()
        self.box.changes.note(f"{self.name!r} was deleted", self.restore)

    def _move_to_bin(self) -> None:
        self.box.client.delete(f"/api/datasets/{self.id}")

    @contextlib.contextmanager
    def _in_words(self) -> Iterator[None]:
        """Explain a refusal of the registry: whose dataset it is, and that a copy can be changed."""
        try:
            yield
        except NotAllowed as refused:
            if self.kind == "example":
                whose, ask = "is an example that comes with the applications", "Work"
            else:
                group, owner = self.record.get("group"), self.record.get("owner")
                whose = f"belongs to {f'group {group}' if group else owner}"
                ask = f"Ask {'its managers' if group else owner}, or work"
            raise NotAllowed(
                f"{self.name!r} {whose}.",
                why=refused.what,
                next=f"{ask} on your own copy: qc[{quoted(self.name)}].copy({quoted(f'my {self.name}')}).",
                **refused.fields,
            ) from None

    def copy(self, name: str) -> Dataset:
        """Store the same files as a dataset that belongs to you."""
        with_names = [(file.filename, file.bytes) for file in self.files.values()]
        payload = self.box.client.upload("/api/datasets", with_names, {"name": name})
        made = Dataset(self.box, payload["datasets"][0])
        self.box.changes.note(f"{name!r} was stored", made._move_to_bin)
        return made

    def restore(self) -> Dataset:
        """Bring it back from the bin."""
        self.box.client.post(f"/api/datasets/{self.id}/restore")
        return self.refresh()

    def export(self, path: str | Path, *, names: str = "as written") -> Path:
        """All its files as one zip; CIFs of results with the names of their author, or `names="unified"` as stored."""
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif.convert.written_names import checked_names

        form = "original" if checked_names(names) == "unified" else "written"
        content = self.box.client.download(f"/api/datasets/{self.id}/download", format="zip", form=form)
        return write_new(Path(path), content)

    # ------------------------------------------------------------ as an argument

    def _data_file(self, *, cif: bool) -> DataFile:
        return self.cif if cif else self.file

    def _code(self) -> str:
        return f"{'qc.examples' if self.kind == 'example' else 'qc'}[{quoted(self.name)}]"

    def _lineage_subject(self) -> tuple[str, str]:
        has_cif = any(file.is_cif for file in self.files.values())
        return (self.cif if has_cif else next(iter(self.files.values())))._lineage_subject()

    # ------------------------------------------------------------ how it looks

    def _ipython_key_completions_(self) -> list[str]:
        return offered(lambda: self.cif.item_names if len(self.cif.blocks) == 1 else self.cif.blocks)

    def _summary(self) -> DatasetSummary:
        names = list(self.files)
        try:
            block = self.cif.block
        except QcError as error:
            return DatasetSummary(
                self.name, names, self.tags, [("note", error.message)], flags_of(None, names)
            )
        return DatasetSummary(self.name, names, self.tags, items_of(block), flags_of(block, names))

    def __repr__(self) -> str:
        return dataset_text(self._summary())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        summary = self._summary()
        return {"text/plain": dataset_text(summary), "text/html": dataset_html(summary)}


class Datasets:
    """`qc.datasets`: what is stored, newest first; by name or id."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def add(
        self,
        *sources: str | Path | bytes,
        name: str | None = None,
        tags: str | Sequence[str] | None = None,
        **fields: Any,
    ) -> Dataset:
        """Store files as one dataset. The first names it unless `name` does."""
        if not sources:
            raise UserInputError(
                "add() needs at least one file.", next='For example qc.add("a.cif", "a.hkl").'
            )
        read = [content_of(s if isinstance(s, bytes) else Path(s).expanduser(), None) for s in sources]
        about = {"name": name or Path(read[0][1]).stem, **fields}
        payload = self._box.client.upload(
            "/api/datasets",
            [(filename, content) for content, filename in read],
            {key: str(value) for key, value in about.items() if value is not None},
        )
        dataset = Dataset(self._box, payload["datasets"][0])
        if tags:
            self._box.client.patch(f"/api/datasets/{dataset.id}", {"tags": as_list(tags)})
            dataset.refresh()
        self._box.changes.note(f"{dataset.name!r} was stored", dataset._move_to_bin)
        return dataset

    def all(self, n: int | None = 100, **query: Any) -> list[Dataset]:
        """The newest `n` datasets, None: all; `query` goes to the registry (name=, tag=, kind=, deleted=)."""
        return [Dataset(self._box, record) for record in self._records(n, **query)]

    def _records(self, most: int | None = None, **query: Any) -> Iterator[dict[str, Any]]:
        return self._box.client.listed("/api/datasets", "datasets", most, **query)

    @property
    def bin(self) -> list[Dataset]:
        """What was deleted and can be brought back: `qc.datasets.bin[0].restore()`."""
        return self.all(None, deleted=True)

    def by_id(self, dataset_id: str) -> Dataset:
        """The dataset of this id. Raises NotFound."""
        return Dataset(self._box, self._box.client.get(f"/api/datasets/{dataset_id}")["datasets"][0])

    def __getitem__(self, name: str) -> Dataset:
        """The dataset of a name or id. Your own come before shared ones, these before examples.

        Raises NotFound, and UserInputError with a list when several have the name: none of them is chosen.
        """
        if _ID.fullmatch(require_name(name, "qc.datasets")):
            return self.by_id(name)
        hits = [dataset for dataset in self.all(None, name=name) if dataset.name == name]
        if len(hits) > 1:
            hits = self._nearest(hits)
        if len(hits) > 1:
            raise _several(name, hits)
        if hits:
            return hits[0]
        known = [dataset.name for dataset in self.all(200)]
        near = difflib.get_close_matches(name, known, 1, 0.5)
        raise NotFound(
            f"Nothing is stored under {name!r}.",
            next=f"Did you mean {near[0]!r}?"
            if near
            else "qc.datasets lists what there is; qc.add(…) stores.",
        )

    def _nearest(self, hits: list[Dataset]) -> list[Dataset]:
        """Those of one's own; without any the shared ones; without these the examples."""
        me = self._box.client.get("/api/me")["name"]
        data = [dataset for dataset in hits if dataset.kind != "example"]
        own = [dataset for dataset in data if dataset.record.get("owner") == me]
        return own or data or hits

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(dataset.name == name for dataset in self.all(None, name=name))

    def __iter__(self) -> Iterator[Dataset]:
        return (Dataset(self._box, record) for record in self._records())

    def __len__(self) -> int:
        return sum(1 for _ in self._records())

    def names(self) -> list[str]:
        """Names of the newest datasets, each once."""
        return list(dict.fromkeys(dataset.name for dataset in self.all(200)))

    def _ipython_key_completions_(self) -> list[str]:
        return offered(self.names)

    def table(self, n: int = 50, **query: Any) -> Table:
        """The newest `n` datasets as a table."""
        return dataset_table(self.all(n, **query), "Datasets")

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)


def _several(name: str, found: list[Dataset]) -> UserInputError:
    def line(dataset: Dataset) -> str:
        stored = time_text(dataset.record.get("created_at"))
        return (
            f'{stored}, {dataset.record.get("owner") or ""}, {", ".join(dataset.files)}: qc["{dataset.id}"]'
        )

    return UserInputError(
        f"{len(found)} datasets are named {name!r}.",
        why="\n".join(line(dataset) for dataset in found),
        next="Choose one by its id as above, or rename those you want to tell apart: .rename(…).",
    )


def dataset_table(
    datasets: list[Dataset], title: str, when_empty: str = "Nothing here yet: qc.add(…) stores."
) -> Table:
    """Name, formula, space group, R1, files, tags, owner and time of storing of each dataset."""
    rows = []
    for dataset in datasets:
        indices = (file.record.get("index") for file in dataset.files.values())
        index = next((index for index in indices if index), None) or {}
        rows.append(
            (
                f"⚠ {dataset.name}" if dataset.is_doubtful else dataset.name,
                index.get("formula_sum") or "",
                space_group_symbol(index.get("space_group_hm") or ""),
                index.get("r1"),
                ", ".join(dataset.files),
                ", ".join(dataset.tags),
                dataset.record.get("owner") or "",
                time_text(dataset.record.get("created_at")),
            )
        )
    heads = ("name", "formula", "space group", figure_symbol("R1"), "files", "tags", "owner", "stored")
    return Table(heads, rows, title=title, caption="" if rows else when_empty)
