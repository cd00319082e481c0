"""The lineage of files and calculations: ancestors and descendants by one recursive query."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store import titles
from qcrbox_registry.store.records import parts
from qcrbox_registry.store.tables import (
    calculation_inputs,
    calculation_outputs,
    calculations,
    data_files,
    datasets,
)

MOST_NODES = 2000
DEEPEST = 100
MOST_ORIGINS = 50
_HIDDEN = "not visible to you"


@dataclass(slots=True)
class Graph:
    """Files and calculations as nodes with the edges between them; `truncated` if there were too many."""

    nodes: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class _Side:
    """One direction: which table leads from a file to a calculation, and which from there to the next file."""

    near: sa.Table
    near_role: str
    far: sa.Table
    far_role: str


_BACK = _Side(calculation_outputs, "name", calculation_inputs, "parameter")
_FORWARD = _Side(calculation_inputs, "parameter", calculation_outputs, "name")


def _walk(
    conn: Connection, start: Sequence[str], side: _Side, depth: int, *, of_calculation: bool
) -> list[sa.Row[Any]]:
    """Rows of near file, calculation, far file and generation, nearest first.

    One recursive term with indexed joins, so both databases walk from the start only. A calculation as the start has
    no near file; a calculation without files on the far side gives a row without a far file.
    """
    near, far = side.near, side.far

    def columns(generation: sa.ColumnElement[int]) -> list[sa.ColumnElement[Any]]:
        return [
            near.c.data_file_id.label("near"),
            near.c[side.near_role].label("near_role"),
            near.c.calculation_id.label("calculation"),
            far.c[side.far_role].label("far_role"),
            far.c.data_file_id.label("far"),
            generation.label("generation"),
        ]

    if of_calculation:
        base = sa.select(
            sa.cast(sa.null(), near.c.data_file_id.type).label("near"),
            sa.cast(sa.null(), sa.String).label("near_role"),
            far.c.calculation_id.label("calculation"),
            far.c[side.far_role].label("far_role"),
            far.c.data_file_id.label("far"),
            sa.literal(1).label("generation"),
        ).where(far.c.calculation_id.in_(list(start)))
    else:
        base = (
            sa.select(*columns(sa.literal(1)))
            .select_from(near.outerjoin(far, far.c.calculation_id == near.c.calculation_id))
            .where(near.c.data_file_id.in_(list(start)))
        )
    walk = base.cte("walk", recursive=True)
    step = (
        sa.select(*columns(walk.c.generation + 1))
        .select_from(
            walk.join(near, near.c.data_file_id == walk.c.far).outerjoin(
                far, far.c.calculation_id == near.c.calculation_id
            )
        )
        .where(walk.c.generation < depth)
    )
    # UNION without ALL: what two paths of one length reach is walked on once.
    walk = walk.union(step)
    return list(conn.execute(sa.select(walk).order_by(walk.c.generation).limit(4 * MOST_NODES)))


@dataclass(frozen=True, slots=True)
class Walk:
    """What part of the graph is asked for: `depth` calculations in each direction that is walked."""

    depth: int
    of_calculation: bool = False  # the start is a calculation, not files
    forward: bool = True
    back: bool = True


@dataclass(frozen=True, slots=True)
class Visible:
    """Conditions for the rows that are described; all other nodes are shown without content."""

    data_files: sa.ColumnElement[bool]
    calculations: sa.ColumnElement[bool]


def of(conn: Connection, start: Sequence[str], walk: Walk, visible: Visible) -> Graph:
    """The graph around `start`: ids of files or, `walk.of_calculation`, of one calculation."""
    edges: dict[tuple[str, str, str], None] = {}
    distances: dict[str, int] = dict.fromkeys(start, 0)
    for wanted, side, sign in ((walk.back, _BACK, -1), (walk.forward, _FORWARD, 1)):
        if not wanted:
            continue
        depth = min(walk.depth, DEEPEST)
        for row in _walk(conn, start, side, depth, of_calculation=walk.of_calculation):
            distances.setdefault(row.calculation, sign * (2 * row.generation - 1))
            for file, role, is_far in ((row.near, row.near_role, False), (row.far, row.far_role, True)):
                if file is None:
                    continue
                distances.setdefault(file, sign * 2 * row.generation)
                to_calculation = is_far == (side is _BACK)
                ends = (file, row.calculation) if to_calculation else (row.calculation, file)
                edges[(*ends, role or "")] = None
    return _graph(conn, visible, distances, list(edges))


def origins(
    conn: Connection, data_file_id: str, filetype: str, visible: sa.ColumnElement[bool], largest: int
) -> list[tuple[str, str]] | None:
    """(SHA-256, file name) of the files of a type that no calculation made and that this file descends from.

    Nearest first, only those that `visible` lets through and that have at most `largest` bytes; None when the file itself is no output of a calculation.
    """
    rows = _walk(conn, [data_file_id], _BACK, DEEPEST, of_calculation=False)
    if not rows:
        return None
    made = {row.near for row in rows}
    far = sorted((row.generation, row.far_role, row.far) for row in rows if row.far and row.far not in made)
    ids = list(dict.fromkeys(file for _, _, file in far))[:MOST_ORIGINS]
    query = sa.select(data_files).where(
        data_files.c.id.in_(ids), data_files.c.filetype == filetype, data_files.c.size <= largest, visible
    )
    found = {row.id: (row.sha256, row.filename) for row in conn.execute(query)}
    return [found[file] for file in ids if file in found]


def _graph(
    conn: Connection, visible: Visible, distances: dict[str, int], edges: list[tuple[str, str, str]]
) -> Graph:
    graph = Graph(truncated=len(distances) > MOST_NODES)
    ids = sorted(distances, key=lambda node: abs(distances[node]))[:MOST_NODES]
    known = _described(conn, visible, ids)
    shown_as = {node: node if node in known else f"hidden-{i}" for i, node in enumerate(ids)}
    for node in sorted(ids, key=lambda i: (distances[i], i)):
        about = known.get(node) or {"kind": "hidden", "label": _HIDDEN, "details": {}}
        graph.nodes.append({"id": shown_as[node], "depth": distances[node], **about})
    for source, target, role in edges:
        if source in shown_as and target in shown_as:
            seen = source in known or target in known
            graph.edges.append(
                {"source": shown_as[source], "target": shown_as[target], "role": role if seen else ""}
            )
    return graph


def _described(conn: Connection, visible: Visible, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    known: dict[str, dict[str, Any]] = {}
    for part in parts(ids):
        known |= _described_files(conn, visible, part) | _described_calculations(conn, visible, part)
    return known


def _described_files(conn: Connection, visible: Visible, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    query = (
        sa.select(data_files, datasets.c.name.label("dataset_name"))
        .outerjoin(datasets, datasets.c.id == data_files.c.dataset_id)
        .where(data_files.c.id.in_(ids), visible.data_files)
    )
    return {
        row.id: {
            "kind": "data_file",
            "label": row.filename,
            "details": {
                "dataset_id": row.dataset_id,
                "dataset": row.dataset_name,
                "filetype": row.filetype,
                "deleted": row.deleted_at is not None,
            },
        }
        for row in conn.execute(query)
    }


def _described_calculations(
    conn: Connection, visible: Visible, ids: Sequence[str]
) -> dict[str, dict[str, Any]]:
    query = sa.select(calculations).where(calculations.c.id.in_(ids), visible.calculations)
    return {
        row.id: {
            "kind": "calculation",
            "label": titles.title_of(row),
            "details": {
                "application_slug": row.application_slug,
                "application_version": row.application_version,
                "command_name": row.command_name,
                "arguments": row.arguments,
                "status": row.state,
                "verdict": row.verdict or "",
                "doubtful": titles.is_doubtful(row.state, row.verdict or "", row.warnings),
                "finished_at": row.finished_at,
            },
        }
        for row in conn.execute(query)
    }
