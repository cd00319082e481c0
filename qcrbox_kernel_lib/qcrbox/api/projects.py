"""Projects: each structure with its history, as a tree of data, models, refinements, sessions, surfaces and reports."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from qcrbox.api.names import has_name, offered, quoted, require_name
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.display.project_tree import marks_of, state_of, time_text, tree_html, tree_text
from qcrbox.markup import Table, space_group_symbol

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box
    from qcrbox.api.calculation import Calculation
    from qcrbox.api.datasets import Dataset

_MOST_SHOWN = 200  # rows of the display; iterating and `.table(None)` have all


class Node:
    """One step of a project: a dataset, or a calculation with its result."""

    def __init__(self, box: Box, record: dict[str, Any]) -> None:
        self.box, self.record = box, record
        self.id = str(record["id"])

    @property
    def title(self) -> str:
        """Title of the calculation, or name of the dataset."""
        return str(self.record["title"])

    @property
    def kind(self) -> str:
        """data, model, refinement, session, surface, report or calculation."""
        return str(self.record["category"])

    @property
    def is_newest(self) -> bool:
        """Whether it is the newest model of its project."""
        return bool(self.record["newest"])

    @property
    def object(self) -> Calculation | Dataset:
        """The calculation, or the dataset."""
        if self.record["kind"] == "calculation":
            return self.box.calculations[self.id]
        return self.box.datasets.by_id(self.id)

    @property
    def result(self) -> Any:
        """The result of a calculation; of data the dataset. Raises what stopped the calculation."""
        found = self.object
        return found.result() if hasattr(found, "result") else found

    def start(self, command: Command, /, **options: Any) -> Calculation:
        """Start from here: run `command` with this node as its input."""
        started: Calculation = command(self.result, **options)
        return started

    # ------------------------------------------------------------ what a person adds

    @property
    def note(self) -> str:
        """Note of a person; set it to change it, "" removes it."""
        return str(self.record["note"])

    @note.setter
    def note(self, note: str) -> None:
        self._change(f"the note of {self.title!r}", note=note)

    @property
    def pinned(self) -> bool:
        """Whether it is pinned; set it to change that."""
        return bool(self.record["pinned"])

    @pinned.setter
    def pinned(self, pinned: bool) -> None:
        self._change(f"the pin of {self.title!r}", pinned=pinned)

    def _change(self, words: str, **values: Any) -> None:
        before = {name: self.record[name] for name in values}
        self._put(values)
        self.box.changes.note(words, lambda: self._put(before))

    def _put(self, values: dict[str, Any]) -> None:
        self.record |= self.box.client.patch(f"/api/annotations/{self.record['kind']}/{self.id}", values)

    def __repr__(self) -> str:
        sign, _ = state_of(self.record)
        return f"<{self.kind} {sign} {self.title}>".replace("  ", " ")


class Project:
    """One structure with its history. Shown as a tree; `.newest`, `.nodes`, `project["title"]`."""

    def __init__(self, box: Box, record: dict[str, Any], *, everybody: bool = False) -> None:
        self.box, self._record, self._everybody = box, record, everybody
        self.id = str(record["id"])

    @property
    def name(self) -> str:
        """Name of the dataset that it began with."""
        return str(self._record["name"])

    @property
    def nodes(self) -> list[Node]:
        """Every step as it is now, each after the one it was made from."""
        payload = self.box.client.get(f"/api/projects/{self.id}", mine=not self._everybody)
        self._record = payload["project"]
        return [Node(self.box, record) for record in payload["nodes"]]

    @property
    def root(self) -> Node:
        """What it began with."""
        return next(node for node in self.nodes if node.id == self.id.partition("@")[0])

    @property
    def newest(self) -> Node:
        """The newest model. Raises NotFound when no step has a structure."""
        for node in self.nodes:
            if node.is_newest:
                return node
        raise NotFound(
            f"The project {self.name!r} has no structure yet.", next="Run a refinement on its data."
        )

    @property
    def note(self) -> str:
        """Note on the project; set it to change it."""
        return self.root.note

    @note.setter
    def note(self, note: str) -> None:
        self.root.note = note

    @property
    def pinned(self) -> bool:
        """Pinned projects come first; set it to change that."""
        return self.root.pinned

    @pinned.setter
    def pinned(self, pinned: bool) -> None:
        self.root.pinned = pinned

    def add(self, dataset: Dataset) -> Project:
        """Move a dataset, with what was made from it, to this project; `qc.undo()` moves it back."""
        if dataset.kind != "data":
            raise UserInputError(
                f"{dataset.name!r} is a result: it stays with what it was made from.",
                next="Move the dataset that its calculation began with.",
            )
        before = {"project": self._place_of(dataset)}
        self.box.client.patch(f"/api/annotations/dataset/{dataset.id}", {"project": self.id})
        self.box.changes.note(
            f"{dataset.name!r} was moved to {self.name!r}",
            lambda: self.box.client.patch(f"/api/annotations/dataset/{dataset.id}", before),
        )
        return self

    def _place_of(self, dataset: Dataset) -> str:
        """Id of the project that data stand in; "" for data with a project of their own."""
        found = self.box.client.get("/api/projects", holds=dataset.id, mine=not self._everybody)["projects"]
        place = str(found[0]["id"]) if found else ""
        return "" if place == dataset.id or "@" in place else place

    def __getitem__(self, title: str) -> Node:
        """The step of this title or id (its end is enough). Raises NotFound, UserInputError for several."""
        require_name(title, f"qc.projects[{quoted(self.name)}]")
        nodes = self.nodes
        found = [n for n in nodes if n.title == title] or [n for n in nodes if n.id.endswith(title)]
        if len(found) > 1:
            raise UserInputError(
                f"{len(found)} steps of {self.name!r} are called {title!r}.",
                why="\n".join(f"{n.title} ({n.id[-4:]}, {time_text(n.record['at'])})" for n in found),
                next=f'Choose by the end of the id, for example ["{found[-1].id[-4:]}"].',
            )
        if not found:
            raise NotFound(f"{self.name!r} has no step {title!r}.", next="Show the project to see its steps.")
        return found[0]

    def __contains__(self, title: object) -> bool:
        return has_name(self, title)

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def table(self) -> Table:
        """The steps with kind, title, state and time."""
        rows = [
            (n.kind, n.title, state_of(n.record)[1], ", ".join(marks_of(n.record)), n.note)
            for n in self.nodes
        ]
        return Table(("kind", "title", "status", "marks", "note"), rows, title=self.name)

    def _facts(self) -> list[str]:
        facts = [self.name, self._record["formula"], space_group_symbol(self._record["space_group"])]
        return [fact for fact in facts if fact]

    def __repr__(self) -> str:
        return tree_text(self._facts(), [node.record for node in self.nodes])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        nodes = [node.record for node in self.nodes]
        facts = self._facts()
        return {"text/plain": tree_text(facts, nodes), "text/html": tree_html(facts, nodes)}


class Projects:
    """`qc.projects`: your structures with their histories; `qc.projects["thpp"]`, `qc.projects.find("C10 H10")`."""

    def __init__(self, box: Box) -> None:
        self._box = box

    def find(self, text: str = "", *, everybody: bool = False) -> Found:
        """All projects with these words in title, file name, formula, command or note, or with this cell.

        text: words, a formula, or a, b, c in Å and α, β, γ in °. everybody: other people's too, as far as you may see
        them.
        """
        pages = list(self._box.client.pages("/api/projects", "projects", text=text, mine=not everybody))
        # One that changes meanwhile may stand on two pages.
        found = {record["id"]: record for page in pages for record in page["projects"]}
        truncated = any(page["truncated"] for page in pages)
        return Found(self._box, list(found.values()), text, everybody=everybody, truncated=truncated)

    def __getitem__(self, name: str) -> Project:
        """The project of this name or id. Raises NotFound; UserInputError when several have it."""
        require_name(name, "qc.projects")
        found = list(self.find())
        fitting = [p for p in found if p.id == name] or [p for p in found if p.name == name]
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            names = ", ".join(sorted({project.name for project in found})[:20])
            raise NotFound(
                f"There is no project {name!r}.", next=f"Yours: {names}." if names else "qc.add() begins one."
            )
        raise UserInputError(
            f"{len(fitting)} projects are called {name!r}.",
            why="\n".join(project.id for project in fitting),
            next="Choose by the id, or rename one of their datasets.",
        )

    def __contains__(self, name: object) -> bool:
        return has_name(self, name)

    def __iter__(self) -> Iterator[Project]:
        return iter(self.find())

    def __len__(self) -> int:
        return len(self.find())

    def _ipython_key_completions_(self) -> list[str]:
        return offered(lambda: sorted({project.name for project in self.find()}))

    def __repr__(self) -> str:
        return repr(self.find())

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.find()._repr_mimebundle_(**more)


def _newest_words(node: dict[str, Any] | None) -> str:
    """Title of the newest model, with the sign of one that should be looked at first."""
    if node is None:
        return ""
    return f"⚠ {node['title']}" if node.get("doubtful") else str(node["title"])


class Found:
    """Projects that fit a search; `.hits` are the steps that fit."""

    def __init__(
        self, box: Box, records: list[dict[str, Any]], text: str, *, everybody: bool, truncated: bool
    ) -> None:
        self._records, self._text, self._truncated = records, text, truncated
        self.projects = [Project(box, record, everybody=everybody) for record in self._records]
        self.hits = [Node(box, hit) for record in self._records for hit in record["hits"]]

    def __iter__(self) -> Iterator[Project]:
        return iter(self.projects)

    def __len__(self) -> int:
        return len(self.projects)

    def __getitem__(self, number: int) -> Project:
        return self.projects[number]

    def table(self, n: int | None = _MOST_SHOWN) -> Table:
        """The first `n` projects, None: all, with formula, space group, newest model and number of steps."""
        rows = [
            (
                ("★ " if record["pinned"] else "") + record["name"],
                record["formula"],
                space_group_symbol(record["space_group"]),
                _newest_words(record["newest"]),
                sum(record["counts"].values()),
                time_text(record["changed_at"]),
            )
            for record in self._records[:n]
        ]
        remarks = [] if rows else ["None."]
        if len(rows) < len(self):
            remarks = [f"The first {len(rows)} of {len(self)}; .table(None) has all."]
        if self._truncated:
            remarks.append("The oldest calculations or datasets are left out.")
        title = f"Projects with {self._text!r}" if self._text else "Projects"
        heads = ("project", "formula", "space group", "newest model", "steps", "changed")
        return Table(heads, rows, title=title, caption=" ".join(remarks))

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **more: Any) -> dict[str, str]:
        return self.table()._repr_mimebundle_(**more)
