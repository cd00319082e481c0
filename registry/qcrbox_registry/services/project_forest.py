"""Projects from rows: which objects belong together, and which was made from which. Pure: no store, no HTTP.

The rule (docs/decisions/0084): a project begins with a dataset that no calculation made. A calculation belongs to the
project of its main input, the first file among its arguments; its result belongs to the calculation. A dataset without a
structure that was only used beside the main inputs of one project belongs to that project; a person may move a dataset.
An example is shared by everybody, so each person's work on it is a project by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from qcrbox_registry.store.projects import CalculationRow, DatasetRow, FileRow, Rows

CATEGORIES = ("data", "model", "refinement", "session", "surface", "report", "calculation")
_SURFACE_FILES = (".cube", ".glb", ".map", ".ccp4", ".ply")
_REPORT_FILES = (".docx", ".tex", ".html", ".pdf")
_BY_NAME = (
    (("refine", "least_squares"), "refinement"),
    (("hirshfeld", "surface", "density", "cube", "esp"), "surface"),
    (("report", "table", "validate", "check"), "report"),
)


@dataclass(slots=True)
class Node:
    """A dataset, or a calculation with its result. `parent`: id of the node it was made from; None: a beginning."""

    id: str
    row: DatasetRow | CalculationRow
    parent: str | None = None
    beside: list[str] = field(
        default_factory=list
    )  # ids of nodes whose files were used beside the main input

    @property
    def category(self) -> str:
        """What kind of step it is, one of `CATEGORIES`."""
        return category_of(self.row) if isinstance(self.row, CalculationRow) else "data"

    @property
    def files(self) -> list[FileRow]:
        """Its present files."""
        return list(self.row.files)

    @property
    def structures(self) -> list[FileRow]:
        """Its files that are structures."""
        return [file for file in self.row.files if file.is_structure]

    @property
    def is_model(self) -> bool:
        """Whether it is a finished model of the structure that a next step can begin with."""
        if isinstance(self.row, CalculationRow) and self.row.state != "successful":
            return False
        return bool(self.structures)


@dataclass(slots=True)
class Project:
    """What belongs to one crystal: nodes in the order of time, parents before what was made from them."""

    id: str
    root: Node
    nodes: list[Node] = field(default_factory=list)

    @property
    def newest_model(self) -> Node | None:
        """The newest node with a structure: refined models before data."""
        models = [node for node in self.nodes if node.is_model]
        made = [node for node in models if isinstance(node.row, CalculationRow)]
        return max(made or models, key=lambda node: node.row.at, default=None)

    def holds(self, object_id: str) -> bool:
        """Whether a dataset, or a calculation or its result, belongs to it."""
        return any(
            object_id in (node.id, getattr(node.row, "output_dataset_id", None)) for node in self.nodes
        )

    @property
    def changed_at(self) -> float:
        """When it last grew (Unix time, s)."""
        return max(node.row.at for node in self.nodes)

    @property
    def owner(self) -> str:
        """The person whose project it is: of an example, the one who works on it."""
        if isinstance(self.root.row, DatasetRow) and self.root.row.kind == "example":
            return next((node.row.owner for node in self.nodes if node is not self.root), self.root.row.owner)
        return self.root.row.owner


def refresh(project: Project, rows: Rows) -> None:
    """Give the nodes of a project the rows as they are now, after `projects.complete`."""
    for node in {id(node): node for node in (project.root, *project.nodes)}.values():
        calculation = rows.calculations.get(node.id)
        node.row = rows.datasets[node.id] if calculation is None else calculation


def project_id(root_id: str, owner: str = "") -> str:
    """The id of a project: that of its founding object; with the person, where the object is an example."""
    return f"{root_id}@{owner}" if owner else root_id


def split_id(text: str) -> tuple[str, str]:
    """The founding object of a project and the person; an empty text where the id names none."""
    root, _, owner = text.partition("@")
    return root, owner


def projects_of(rows: Rows) -> list[Project]:
    """Every project, the one that changed last first."""
    forest = _Forest(rows)
    found = {project.id: project for project in forest.build()}
    return sorted(found.values(), key=lambda project: (-project.changed_at, project.id))


class _Forest:
    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        # Output datasets stand for the calculation that made them.
        self._maker = {
            row.output_dataset_id: row.id for row in rows.calculations.values() if row.output_dataset_id
        }
        self._root_of: dict[str, str] = {}
        self._inputs_of: dict[str, tuple[str | None, list[str]]] = {}

    def build(self) -> Iterable[Project]:
        for row in self._rows.calculations.values():
            self._root(row.id)
        moved = self._moved()
        projects: dict[str, Project] = {}
        founders: list[Node] = []
        for dataset in self._rows.datasets.values():
            if dataset.kind != "example" and dataset.id not in moved:
                node = Node(dataset.id, dataset)
                projects[dataset.id] = Project(dataset.id, node, [node])
            elif dataset.kind != "example":
                founders.append(Node(dataset.id, dataset))
        for node in founders:
            projects[moved[node.id]].nodes.append(node)
        for row in sorted(self._rows.calculations.values(), key=lambda row: (row.at, row.id)):
            self._add(projects, row, moved)
        for project in projects.values():
            project.nodes = _parents_first(project.nodes)
        return [project for project in projects.values() if _is_shown(project)]

    def _add(self, projects: dict[str, Project], row: CalculationRow, moved: dict[str, str]) -> None:
        root = self._root_of[row.id]
        root = moved.get(root, root)
        dataset = self._rows.datasets.get(root)
        is_example = dataset is not None and dataset.kind == "example"
        key = project_id(root, row.owner if is_example else "")
        node = Node(row.id, row, self._parent(row), list(self._beside(row)))
        if key not in projects:
            if (
                dataset is None
            ):  # nothing went in, or what went in cannot be shown: the calculation is the beginning
                node.parent = None
                projects[key] = Project(key, node)
            else:
                founder = Node(dataset.id, dataset)
                projects[key] = Project(key, founder, [founder])
        projects[key].nodes.append(node)

    def _node_of(self, file_id: str) -> str | None:
        dataset = self._rows.dataset_of.get(file_id)
        if dataset is None:
            return None
        maker = self._maker.get(dataset)
        return maker if maker is not None else dataset if dataset in self._rows.datasets else None

    def _parent(self, row: CalculationRow) -> str | None:
        return self._inputs(row)[0]

    def _beside(self, row: CalculationRow) -> list[str]:
        return self._inputs(row)[1]

    def _inputs(self, row: CalculationRow) -> tuple[str | None, list[str]]:
        """The nodes of the main input and of the others."""
        known = self._inputs_of.get(row.id)
        if known is None:
            main, *others = map(self._node_of, row.inputs) if row.inputs else (None,)
            beside = dict.fromkeys(node for node in others if node is not None and node != main)
            known = self._inputs_of[row.id] = main, list(beside)
        return known

    def _root(self, calculation_id: str) -> str:
        """The id of what its line of main inputs begins with: a dataset, or a calculation without visible inputs."""
        path: list[str] = []
        at: str = calculation_id
        while at in self._rows.calculations and at not in self._root_of and at not in path:
            path.append(at)
            parent = self._parent(self._rows.calculations[at])
            if parent is None:
                break
            at = parent
        root = self._root_of.get(at, at)
        self._root_of |= dict.fromkeys(path, root)
        return root

    def _moved(self) -> dict[str, str]:
        """Dataset -> founding dataset of another project: by a person's choice, else because it was used only there."""
        mains: set[str] = set()
        beside: dict[str, set[str]] = {}
        for row in self._rows.calculations.values():
            root = self._root_of[row.id]
            mains.add(root)
            for node in self._beside(row):
                beside.setdefault(node, set()).add(root)
        wanted: dict[str, str] = {}
        for dataset in self._rows.datasets.values():
            chosen = dataset.annotation.project_id
            is_crystal = any(file.is_structure for file in dataset.files) or dataset.id in mains
            if chosen is None and not is_crystal and len(beside.get(dataset.id, ())) == 1:
                (chosen,) = beside[dataset.id]
            founder = self._rows.datasets.get(chosen or "")
            if founder is not None and founder.id != dataset.id and founder.kind == "data" == dataset.kind:
                wanted[dataset.id] = founder.id
        # Only into a project that was not moved itself: no circles, no chains.
        return {moved: founder for moved, founder in wanted.items() if founder not in wanted}


def _is_shown(project: Project) -> bool:
    """A dataset that is deleted, hidden or an example founds a project only by what was made from it."""
    row = project.root.row
    alone = len(project.nodes) == 1
    return not (alone and isinstance(row, DatasetRow) and (row.deleted or not row.visible))


def _parents_first(nodes: list[Node]) -> list[Node]:
    """In the order of a tree: every node after its parent, siblings by time. A parent of another project is none here."""
    known = {node.id for node in nodes}
    children: dict[str | None, list[Node]] = {}
    for node in nodes:
        if node.parent not in known:
            node.parent = None
        children.setdefault(node.parent, []).append(node)
    ordered: list[Node] = []
    # Data stand before calculations without an input; below a node the oldest is first.
    waiting = sorted(children.get(None, ()), key=_by_time, reverse=True)
    while waiting:
        node = waiting.pop()
        ordered.append(node)
        waiting += sorted(children.get(node.id, ()), key=_by_time, reverse=True)
    return ordered


def _by_time(node: Node) -> tuple[bool, float, str]:
    return (isinstance(node.row, CalculationRow), node.row.at, node.id)


def category_of(row: CalculationRow) -> str:
    """What kind of step a calculation is: by what came out, else by the name of its command."""
    if row.interactive:
        return "session"
    by_name = next(
        (category for words, category in _BY_NAME if any(word in row.command.lower() for word in words)), ""
    )
    names = [file.filename.lower() for file in row.files]
    if any(file.is_structure for file in row.files):
        return "refinement" if by_name == "refinement" or row.verdict.startswith("R1") else "model"
    if any(name.endswith(_SURFACE_FILES) for name in names):
        return "surface"
    if any(name.endswith(_REPORT_FILES) for name in names):
        return "report"
    return by_name or "calculation"
