"""Projects: what belongs to one crystal."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from qcrbox.contract.models.base import Model


class ProjectFile(Model):
    """A file of a node of a project."""

    qcrbox_file_id: str
    filename: str


class ProjectNode(Model):
    """A dataset, or a calculation with its result, as a node of a project's tree."""

    kind: Literal["dataset", "calculation"]
    id: str
    category: Literal["data", "model", "refinement", "session", "surface", "report", "calculation"]
    parent: str | None  # the node it was made from; null: a beginning
    beside: list[str]  # nodes whose files were used beside the main input
    title: str
    verdict: str
    status: str  # state of a calculation; "" for a dataset
    doubtful: bool  # finished with warnings, or not converged
    command: str  # application.command
    owner: str
    at: str
    note: str
    pinned: bool
    newest: bool  # the newest model of the project
    dataset_id: str | None  # of a calculation: its result
    structure: str | None  # data file of its structure
    files: list[ProjectFile]
    r1: float | None = None


class Project(Model):
    """What belongs to one crystal, in short."""

    id: str
    name: str
    owner: str
    note: str
    pinned: bool
    formula: str
    space_group: str
    cell: list[float | None]  # a, b, c in Å, α, β, γ in °; empty when unknown
    # The same with their s.u.; empty for files that were indexed without.
    cell_text: list[str] = Field(default=[])
    changed_at: str
    counts: dict[str, int]  # category of nodes -> how many
    running: int  # calculations that have not ended
    newest: ProjectNode | None  # the newest model
    hits: list[ProjectNode]  # nodes that fit the search


class Projects(Model):
    """Projects that fit a search."""

    projects: list[Project]
    total: int
    truncated: bool = False  # the oldest calculations or datasets are left out
    next: str | None = None  # `after` of the next page; null: this was the last one


class ProjectTree(Model):
    """A project with its nodes, each after its parent."""

    project: Project
    nodes: list[ProjectNode]


class Annotation(Model):
    """What a person added to a dataset or calculation."""

    note: str
    pinned: bool
    project: str | None = None
