"""A connected registry: the object behind `import qcrbox as qc`, and what `qc.connect(url)` returns."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from qcrbox.api.applications import Applications, Command
from qcrbox.api.batch import Batch
from qcrbox.api.calculations import Calculations
from qcrbox.api.comparison import Comparison
from qcrbox.api.courses import Courses
from qcrbox.api.datasets import Dataset, Datasets
from qcrbox.api.difference import difference
from qcrbox.api.examples import Examples
from qcrbox.api.exercises import Exercise, find_exercise
from qcrbox.api.files import Files
from qcrbox.api.lineage import LineageGraph, history
from qcrbox.api.names import offered, require_name, unknown_name
from qcrbox.api.projects import Projects
from qcrbox.api.search import Found, search
from qcrbox.api.sessions import Sessions
from qcrbox.api.shares import Shares
from qcrbox.api.stubs import stubs
from qcrbox.api.undo import Undo
from qcrbox.client.environment import words_to_user
from qcrbox.client.events import EventFeed
from qcrbox.client.writing import write_over
from qcrbox.contract.python_names import is_private
from qcrbox.markup import Code, Table, Text, escape

if TYPE_CHECKING:
    from qcrbox.client.http import RegistryClient


class Box:
    """Applications as attributes, datasets by name: `box.refine.refine_iam(box["azu"])`."""

    # Finds the box of this process for a pickle from a registry's address; set by the connection, which makes boxes.
    found_at: ClassVar[Callable[[str], Box] | None] = None

    def __init__(self, client: RegistryClient, *, source: str = "") -> None:
        self.client, self.source = client, source
        self.feed = EventFeed(client)
        self.apps = Applications(self)
        self.calculations = Calculations(self)
        self.datasets = Datasets(self)
        self.examples = Examples(self)
        self.files = Files(self)
        self.projects = Projects(self)
        self.changes = Undo()
        self._said: set[str] = set()

    def close(self) -> None:
        """End the background connection; the box may not be used afterwards."""
        self.feed.close()
        self.client.close()

    @property
    def url(self) -> str:
        """Address of the registry."""
        return self.client.url

    @cached_property
    def sessions(self) -> Sessions:
        """Programs with a window that are open."""
        return Sessions(self)

    @cached_property
    def shares(self) -> Shares:
        """Rights that were given to others."""
        return Shares(self)

    # ------------------------------------------------------------ teaching

    @cached_property
    def courses(self) -> Courses:
        """Your courses with their exercises."""
        return Courses(self)

    def exercise(self, name: str = "") -> Exercise:
        """The exercise of a title or id; without one, that of the folder this notebook is in.

        Raises NotFound, and UserInputError when several have the title.
        """
        return find_exercise(self, name)

    # ------------------------------------------------------------ files

    def add(
        self,
        *sources: str | Path | bytes,
        name: str | None = None,
        tags: str | Sequence[str] | None = None,
        group: str | None = None,
        description: str | None = None,
    ) -> Dataset:
        """Store files that belong together under a name (default: that of the first file)."""
        return self.datasets.add(*sources, name=name, tags=tags, group=group, description=description)

    def __getitem__(self, name: str) -> Dataset:
        """The dataset stored under `name`."""
        return self.datasets[require_name(name, "qc")]

    # No sequence of its datasets: Python would ask for self[0], self[1] and so on.
    __iter__ = None

    def __contains__(self, name: object) -> bool:
        return name in self.datasets

    def _ipython_key_completions_(self) -> list[str]:
        return offered(self.datasets.names)

    def undo(self) -> Text:
        """Take back the last change this kernel made in the store: a deletion, a name, tags, a share, an upload."""
        return self.changes.last()

    # ------------------------------------------------------------ finding

    def find(self, need: str) -> Table:
        """Commands by purpose: `qc.find("hirshfeld")`."""
        return self.apps.find(need)

    def search(  # noqa: PLR0913 - criteria of the search, by name
        self,
        text: str | None = None,
        *,
        name: str | None = None,
        tag: str | None = None,
        owner: str | None = None,
        formula: str | None = None,
        elements: Sequence[str] | str | None = None,
        only_elements: bool | None = None,
        space_group: int | str | None = None,
        cell: Any = None,
        tolerance: float | None = None,
        angle_tolerance: float | None = None,
        centring: str | None = None,
        R1_below: float | None = None,
        R1_above: float | None = None,
        **unknown: Any,
    ) -> Found:
        """Datasets whose structure meets all given conditions, as a table.

        text: words in name, description, file names, formula or tags. elements: all of them are there
        (`only_elements`: and no others). space_group: number or H-M symbol. cell: a, b, c in Å and α, β, γ in °, or
        another structure's `.cell`; compared reduced, lengths within `tolerance` (relative, 0.02), angles within
        `angle_tolerance` (2°), `centring` being that of the six numbers.
        """
        asked = {
            "text": text, "name": name, "tag": tag, "owner": owner, "formula": formula, "elements": elements,
            "only_elements": only_elements, "space_group": space_group, "cell": cell, "tolerance": tolerance,
            "angle_tolerance": angle_tolerance, "centring": centring, "R1_below": R1_below, "R1_above": R1_above,
        }  # fmt: skip
        return search(
            self, **{option: value for option, value in asked.items() if value is not None}, **unknown
        )

    # ------------------------------------------------------------ many at once

    def map(self, command: Command, inputs: Iterable[Any], /, **options: Any) -> Batch:
        """Run `command` on every input. A failure of one does not stop the others."""
        return Batch.start(self, command, inputs, options)

    # ------------------------------------------------------------ two at once

    def compare(self, *models: Any, **options: Any) -> Any:
        """Two models side by side: figures, shifts in units of s.u., and both structures with one camera."""
        return Comparison(*models, **options)

    def diff(self, one: Any, other: Any, **options: Any) -> Any:
        """What differs between two CIFs: mode="crystallographic" (default), "semantic" or "text"."""
        return difference(one, other, **options)

    # ------------------------------------------------------------ where things come from

    def lineage_of(self, what: Any) -> LineageGraph:
        """What a file, dataset, result or calculation was made from, and what was made of it."""
        return LineageGraph.of(self, what)

    def history_of(self, dataset: Dataset) -> Table:
        """The versions of a dataset's CIF, newest first."""
        return history(self, dataset)

    # ------------------------------------------------------------ the installation

    @property
    def me(self) -> Table:
        """Your name, groups and roles at the registry."""
        payload = self.client.get("/api/me")
        rows = [("name", payload["name"]), ("groups", ", ".join(payload["groups"]) or "none")]
        rows += [(role.replace("_", " "), ", ".join(groups)) for role, groups in payload["roles"].items()]
        return Table(("", "you"), rows, title=f"You at {self.url}")

    def doctor(self) -> Table:
        """Check connection, versions of kernel and front end, and the widgets; each fault with its remedy."""
        # Start-up time: the checks load importlib.metadata and what they look for.
        from qcrbox.api.diagnosis import diagnose

        return diagnose(self)

    def stubs(self, path: str | Path | None = None) -> Any:
        """Type stubs (.pyi) of the connected applications, for editors; written to `path` if given."""
        text = stubs(self.apps)
        if path is None:
            return Code(text)
        return write_over(Path(path), text)

    def say_once(self, key: str, text: str) -> None:
        """Tell the user something, once per key."""
        if key not in self._said:
            self._said.add(key)
            words_to_user().write(f"{text}\n")

    # ------------------------------------------------------------ applications as attributes

    def __getattr__(self, name: str) -> Any:
        if is_private(name):
            raise AttributeError(name)
        found = self.apps.find_by_name(name)
        if found is None:
            self.apps.refresh()
            found = self.apps.find_by_name(name)
        if found is not None:
            return found
        known = [*self.apps.newest(), *_OWN]
        raise unknown_name(
            f"There is no application {name!r} here.", name, known, "qc.apps lists the applications."
        )

    def __dir__(self) -> list[str]:
        return sorted({*_OWN, *offered(self.apps.newest)})

    # ------------------------------------------------------------ copies

    def __copy__(self) -> Box:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Box:
        return self  # one connection, shared by all that was found through it

    def __reduce__(self) -> tuple[Any, ...]:
        # Without the token: whoever reads the pickle uses the connection of that process.
        if Box.found_at is None:
            raise TypeError("a box that qc.connect did not make cannot be pickled")
        return Box.found_at, (self.url,)

    def __repr__(self) -> str:
        return f"<QCrBox at {self.url}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": f"<code>{escape(repr(self))}</code>"}


_OWN = (
    "add",
    "apps",
    "calculations",
    "compare",
    "courses",
    "datasets",
    "diff",
    "doctor",
    "examples",
    "exercise",
    "files",
    "find",
    "map",
    "me",
    "projects",
    "search",
    "sessions",
    "shares",
    "stubs",
    "undo",
)
