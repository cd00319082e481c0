"""Lineage drawn left to right: files as boxes, calculations as circles, state by shape, word and colour."""

from __future__ import annotations

from typing import Any

from qcrbox.client.lineage import Lineage
from qcrbox.markup import escape
from qcrbox.widgets.lineage.batches import collapsed
from qcrbox.widgets.lineage.words import words_of

_COLUMN, _ROW, _WIDTH, _HEIGHT = 190, 58, 150, 34
_LETTERS = 21
DOUBT = "⚠"
_MARK = {"successful": "✓", "failed": "✗", "cancelled": "⊘", "running": "▶", "submitted": "◷"}


def lineage_svg(graph: Lineage) -> str:
    """The graph as inline SVG; titles carry details for pointers and readers."""
    members, edges, place = places(graph)
    if not place:
        return "<p>No lineage.</p>"
    width = (max(x for x, _ in place.values()) + 1) * _COLUMN + 10
    height = (max(y for _, y in place.values()) + 1) * _ROW + 10
    centre = {
        node: (x * _COLUMN + _WIDTH / 2 + 8, y * _ROW + _HEIGHT / 2 + 8) for node, (x, y) in place.items()
    }
    lines = [_edge(centre[e["source"]], centre[e["target"]], e.get("role", "")) for e in edges if e["source"] in centre and e["target"] in centre]  # fmt: skip
    labels = {node["id"]: str(node["label"]) for node in graph.nodes}
    nodes = [
        _node(node, words_of(node, labels), *centre[node["id"]], node["id"] == graph.focus)
        for node in members
    ]
    about = f"{len(graph.nodes)} files and calculations, {len(graph.edges)} steps"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'role="img" style="max-width:100%;font:12px sans-serif"><title>Lineage</title><desc>{about}</desc>'
        f'<defs><marker id="qcrbox-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        f'<path d="M0 0L8 4L0 8z" fill="#777"/></marker></defs>{"".join(lines)}{"".join(nodes)}</svg>'
    )


def places(
    graph: Lineage,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]], dict[str, tuple[int, float]]]:
    """Nodes, edges (batches collapsed), and of each node its column and row.

    Column by generation, row by the mean of what came before: few crossings for the small graphs there are.
    """
    nodes, edges = collapsed(graph)
    before: dict[str, list[str]] = {node["id"]: [] for node in nodes}
    for edge in edges:
        if edge["target"] in before and edge["source"] in before:
            before[edge["target"]].append(edge["source"])
    column = _columns(before)
    place: dict[str, tuple[int, float]] = {}
    for number in range(max(column.values(), default=-1) + 1):
        members = [node for node in column if column[node] == number]
        wish = {
            node: sum(place[source][1] for source in before[node] if source in place)
            / max(1, len(before[node]))
            for node in members
        }
        for row, member in enumerate(sorted(members, key=lambda one: wish[one])):
            place[member] = (number, float(row))
    return nodes, edges, place


def _columns(before: dict[str, list[str]]) -> dict[str, int]:
    """One more than that of the last thing a node was made from."""
    column: dict[str, int] = {}
    while len(column) < len(before):
        ready = [n for n in before if n not in column and all(source in column for source in before[n])]
        # A loop cannot come from the registry; do not hang on bad data.
        for node in ready or [n for n in before if n not in column]:
            column[node] = max((column.get(source, -1) + 1 for source in before[node]), default=0)
    return column


def _edge(start: tuple[float, float], end: tuple[float, float], role: str) -> str:
    x1, y1, x2, y2 = start[0] + _WIDTH / 2, start[1], end[0] - _WIDTH / 2 - 3, end[1]
    middle = (x1 + x2) / 2
    return (
        f'<path d="M{x1:.0f} {y1:.0f}C{middle:.0f} {y1:.0f} {middle:.0f} {y2:.0f} {x2:.0f} {y2:.0f}" fill="none" '
        f'stroke="#777" marker-end="url(#qcrbox-arrow)"><title>{escape(role)}</title></path>'
    )


def _node(node: dict[str, Any], words: str, x: float, y: float, focus: bool) -> str:
    details = node.get("details") or {}
    status = str(details.get("status") or details.get("state") or "")
    name, verdict = name_and_verdict(node)
    short = name if len(name) <= _LETTERS else f"{name[: _LETTERS - 2]}…"
    weight = 2.4 if focus else 1.2
    if node["kind"] in ("calculation", "batch"):
        mark = DOUBT if details.get("doubtful") else _MARK.get(status, "")
        fill, stroke = ("#fff3dc", "#8a5a00") if details.get("doubtful") else ("#e8f0fb", "#0b62c4")
        dash = "" if status in ("", "successful") else ' stroke-dasharray="5 3"'
        shape = (
            f'<rect x="{x - _WIDTH / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'rx="{_HEIGHT / 2}" fill="{fill}" stroke="{stroke}" stroke-width="{weight}"{dash}/>'
        )
        text = f"{mark} {short}".strip()
    else:
        fill, stroke = ("#f2f2f2", "#999") if node["kind"] == "hidden" else ("#fffdf5", "#8a6100")
        shape = (
            f'<rect x="{x - _WIDTH / 2:.0f}" y="{y - _HEIGHT / 2:.0f}" width="{_WIDTH}" height="{_HEIGHT}" '
            f'rx="3" fill="{fill}" stroke="{stroke}" stroke-width="{weight}"/>'
        )
        text = short
    lines = [(y - 7, text), (y + 8, verdict)] if verdict else [(y, text)]
    written = "".join(
        f'<text x="{x:.0f}" y="{at:.0f}" text-anchor="middle" dominant-baseline="central" fill="#222">{escape(line)}</text>'
        for at, line in lines
    )
    return f"<g><title>{escape(words[:600])}</title>{shape}{written}</g>"


def name_and_verdict(node: dict[str, Any]) -> tuple[str, str]:
    """What a node is called, and how it ended (`R1 0.0412`), which its title ends with: each has a line of its own."""
    verdict = str((node.get("details") or {}).get("verdict") or "")
    return str(node["label"]).removesuffix(f" · {verdict}"), verdict
