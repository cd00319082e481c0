"""Projects: each structure with its history, as a tree; notes, pins and moved datasets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.models import iso

from qcrbox_registry.access import audit
from qcrbox_registry.access.reach import reach
from qcrbox_registry.access.rights import Actor
from qcrbox_registry.services import authorized, project_search
from qcrbox_registry.services.context import Context, Json
from qcrbox_registry.services.project_forest import Node, Project, projects_of, refresh, split_id
from qcrbox_registry.services.reduced_cell import niggli
from qcrbox_registry.services.texts import LONGEST_DESCRIPTION, checked_text
from qcrbox_registry.store import events, node_notes, projects
from qcrbox_registry.store.audit import record
from qcrbox_registry.store.engine import Connection
from qcrbox_registry.store.projects import CalculationRow, DatasetRow, Rows
from qcrbox_registry.store.visibility import condition

MOST_HITS = 50
_CELL = ("a", "b", "c", "alpha", "beta", "gamma")


@dataclass(frozen=True, slots=True)
class ProjectQuery:
    """Which projects are asked for.

    text: words, a formula or a unit cell. holds: id of a dataset or calculation; only the project that has it.
    after: `next` of the page before.
    """

    text: str = ""
    holds: str = ""
    limit: int = 200
    after: str = ""
    mine: bool = False


@dataclass(frozen=True, slots=True)
class Annotate:
    """What to change at a node; None leaves it. `project`: id of another project, "" for the dataset's own place."""

    note: str | None = None
    pinned: bool | None = None
    project: str | None = None


class ProjectService:
    """Projects that a person may see."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def page(self, actor: Actor, asked: ProjectQuery) -> Json:
        """Projects that fit a query, pinned ones first, then the one that changed last. Raises UserInputError."""
        after = _place_from(asked.after)

        def read(conn: Connection) -> Json:
            # Only a search looks into everything; without one, the projects of the page are read in full.
            is_search = bool(asked.text.split())
            rows = _rows(conn, actor, mine=asked.mine, whole=is_search)
            found = _found(rows, asked)
            left = found if after is None else [pair for pair in found if _place(pair[0]) > after]
            page = left[: asked.limit]
            if not is_search:
                _complete(conn, rows, [project for project, _ in page])
            return {
                "projects": [_summary(project, hit) for project, hit in page],
                "total": len(found),
                "truncated": rows.truncated,
                "next": _place_text(_place(page[-1][0])) if len(left) > len(page) else None,
            }

        return await self._context.db.read(read)

    async def get(self, actor: Actor, project_id: str, *, mine: bool) -> Json:
        """A project with all its nodes. Raises NotFound."""

        def read(conn: Connection) -> Json:
            rows = _rows(conn, actor, mine=mine, whole=False)
            project = _find(rows, project_id)
            _complete(conn, rows, [project])
            newest = project.newest_model
            nodes = [_node(node, node is newest) for node in project.nodes]
            return {"project": _summary(project, []), "nodes": nodes}

        return await self._context.db.read(read)

    async def annotate(self, actor: Actor, kind: str, object_id: str, asked: Annotate) -> Json:
        """Set note, pin or project of a dataset or calculation. Raises NotFound, NotAllowed, UserInputError."""
        values: dict[str, Any] = {}
        if asked.note is not None:
            values["note"] = checked_text(asked.note, "note", LONGEST_DESCRIPTION)
        if asked.pinned is not None:
            values["pinned"] = asked.pinned
        if asked.project is not None and kind != "dataset":
            raise UserInputError(
                "Only a dataset can be moved to another project.", next="Move its first input."
            )
        now = time.time()

        def write(conn: Connection) -> tuple[list[events.Event], node_notes.Annotation]:
            row = (
                authorized.dataset(conn, actor, "tag", object_id)
                if kind == "dataset"
                else authorized.calculation(conn, actor, "tag", object_id)
            )
            if asked.project is not None:
                values["project_id"] = _target(conn, actor, row.id, asked.project)
            node_notes.change(conn, node_notes.Annotated(kind, row.id, actor.person_id, now), values)
            record(
                conn,
                [audit.entry(actor, "annotate", now, kind=kind, object_id=row.id, fields=sorted(values))],
            )
            about = events.about("project", row, now, "changed")
            after = node_notes.of(conn, kind, [row.id])[row.id]
            return list(events.write(conn, [about])), after

        changed, after = await self._context.db.write(write)
        self._context.publish(changed)
        return {"note": after.note, "pinned": after.pinned, "project": after.project_id}


# What orders projects: pinned ones first, then by the time of the last change, newest first; ids decide between equals.
_Place = tuple[bool, float, str]


def _place(project: Project) -> _Place:
    return (not project.root.row.annotation.pinned, -project.changed_at, project.id)


def _place_text(place: _Place) -> str:
    return f"{int(place[0])}:{-place[1]!r}:{place[2]}"


def _place_from(text: str) -> _Place | None:
    """The place that `next` of a page names; None at the beginning. Raises UserInputError."""
    if not text:
        return None
    unpinned, _, rest = text.partition(":")
    changed_at, _, project_id = rest.partition(":")
    try:
        return (bool(int(unpinned)), -float(changed_at), project_id)
    except ValueError:
        raise UserInputError(
            f"There is no page of projects after {text[:100]!r}.", next="Send `next` of the page before."
        ) from None


def _found(rows: Rows, asked: ProjectQuery) -> list[tuple[Project, list[Node]]]:
    """The projects that fit, in their order, each with the nodes that fit the text."""
    found: list[tuple[Project, list[Node]]] = []
    for project in projects_of(rows):
        if asked.holds and not project.holds(asked.holds):
            continue
        hit = project_search.hits(project, asked.text, niggli)
        if hit is not None:
            found.append((project, hit))
    return sorted(found, key=lambda pair: _place(pair[0]))


def _rows(conn: Connection, actor: Actor, *, mine: bool, whole: bool) -> Rows:
    now = time.time()
    return projects.read(
        conn,
        condition(reach(actor, "dataset", mine=mine), now),
        condition(reach(actor, "calculation", mine=mine), now),
        whole=whole,
    )


def _complete(conn: Connection, rows: Rows, shown: Sequence[Project]) -> None:
    """Read what showing these projects needs."""
    projects.complete(conn, rows, [node.id for project in shown for node in (project.root, *project.nodes)])
    for project in shown:
        refresh(project, rows)


def _find(rows: Rows, project_id: str) -> Project:
    for project in projects_of(rows):
        if project.id == project_id:
            return project
    raise NotFound(
        f"There is no project {project_id[:200]!r}.", next="Its data may have been deleted or moved."
    )


def _target(conn: Connection, actor: Actor, dataset_id: str, project: str) -> str | None:
    """The founding dataset of the project that a dataset is moved to. Raises NotFound, UserInputError."""
    if not project:
        return None
    root, owner = split_id(project)
    if owner:
        raise UserInputError(
            "Data cannot be moved to the project of an example.", next="Choose another project."
        )
    founder = authorized.dataset(conn, actor, "tag", root)
    if founder.id == dataset_id:
        return None
    if founder.kind != "data":
        raise UserInputError("A project begins with data, not with a result.", next="Choose another project.")
    return founder.id


# ---------------------------------------------------------------- as JSON


def _summary(project: Project, hit: list[Node]) -> Json:
    newest = project.newest_model
    index = _index(newest) or _index(project.root) or {}
    counts: dict[str, int] = {}
    for node in project.nodes:
        counts[node.category] = counts.get(node.category, 0) + 1
    return {
        "id": project.id,
        "name": _name(project),
        "owner": project.owner,
        "note": project.root.row.annotation.note,
        "pinned": project.root.row.annotation.pinned,
        "formula": str(index.get("formula_moiety") or index.get("formula_sum") or ""),
        "space_group": str(index.get("space_group_hm") or ""),
        "cell": [index.get(name) for name in _CELL] if index.get("a") else [],
        "cell_text": index.get("cell_text") or [],
        "changed_at": iso(project.changed_at),
        "counts": counts,
        "running": sum(
            isinstance(node.row, CalculationRow) and node.row.state in ("submitted", "running")
            for node in project.nodes
        ),
        "newest": None if newest is None else _node(newest, is_newest=True),
        "hits": [_node(node, node is newest) for node in hit[:MOST_HITS]],
    }


def _name(project: Project) -> str:
    row = project.root.row
    if isinstance(row, CalculationRow):
        return row.subject or row.title
    if row.name and row.visible:
        return row.name
    made = next((node.row for node in project.nodes if isinstance(node.row, CalculationRow)), None)
    return made.subject if made is not None else ""


def _index(node: Node | None) -> Any:
    return next((file.index for file in node.structures if file.index), None) if node else None


def _node(node: Node, is_newest: bool) -> Json:
    row, index = node.row, _index(node) or {}
    is_calculation = isinstance(row, CalculationRow)
    shown: Json = {
        "id": node.id,
        "kind": "calculation" if is_calculation else "dataset",
        "category": node.category,
        "parent": node.parent,
        "beside": node.beside,
        "owner": row.owner,
        "at": iso(row.at),
        "note": row.annotation.note,
        "pinned": row.annotation.pinned,
        "newest": is_newest,
        "files": [{"qcrbox_file_id": file.id, "filename": file.filename} for file in row.files],
        "structure": next((file.id for file in node.structures), None),
        "r1": index.get("r1"),
    }
    if isinstance(row, CalculationRow):
        return shown | {
            "title": row.title,
            "verdict": row.verdict,
            "status": row.state,
            "doubtful": row.is_doubtful,
            "command": f"{row.application}.{row.command}",
            "dataset_id": row.output_dataset_id,
        }
    return shown | _dataset(row)


def _dataset(row: DatasetRow) -> Json:
    title = row.name if row.visible else "not visible to you"
    return {
        "title": title,
        "verdict": "deleted" if row.deleted else "",
        "status": "",
        "doubtful": False,
        "command": "",
        "dataset_id": row.id,
    }
