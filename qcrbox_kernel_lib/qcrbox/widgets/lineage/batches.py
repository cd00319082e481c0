"""Many calculations of one kind on the same inputs, shown as one."""

from __future__ import annotations

from typing import Any

from qcrbox.client.lineage import Lineage

_MOST_ALONE = 3  # as many are still drawn one by one


def collapsed(graph: Lineage) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Nodes and edges with each batch as one node of kind "batch".

    A batch is more than three calculations of one name made from the same files, none of which the focus comes from.
    """
    nodes = {node["id"]: node for node in graph.nodes}
    edges = [e for e in graph.edges if e["source"] in nodes and e["target"] in nodes]
    kept = _ancestors(graph.focus, edges)
    groups: dict[tuple[str, frozenset[str]], list[str]] = {}
    for node in graph.nodes:
        if node["kind"] == "calculation" and node["id"] not in kept:
            sources = frozenset(e["source"] for e in edges if e["target"] == node["id"])
            if sources:
                groups.setdefault((node["label"], sources), []).append(node["id"])
    for (label, sources), members in groups.items():
        if len(members) > _MOST_ALONE:
            gone = set(members) | _only_from(set(members), edges)
            if gone & kept:
                continue
            batch = f"batch-{members[0]}"
            nodes = {i: node for i, node in nodes.items() if i not in gone}
            edges = [e for e in edges if e["source"] not in gone and e["target"] not in gone]
            details = {"calculations": len(members), "files": len(gone) - len(members)}
            nodes[batch] = {
                "kind": "batch",
                "id": batch,
                "label": f"{len(members)} × {label}",
                "details": details,
            }
            edges += [
                {"source": source, "target": batch, "role": ""} for source in sources if source in nodes
            ]
    return list(nodes.values()), edges


def _ancestors(focus: str, edges: list[dict[str, Any]]) -> set[str]:
    found, new = {focus}, {focus}
    while new:
        new = {e["source"] for e in edges if e["target"] in new} - found
        found |= new
    return found


def _only_from(members: set[str], edges: list[dict[str, Any]]) -> set[str]:
    """What was made of the members and of nothing else."""
    found: set[str] = set()
    while True:
        origin: dict[str, set[str]] = {}
        for e in edges:
            origin.setdefault(e["target"], set()).add(e["source"])
        new = {
            node
            for node, sources in origin.items()
            if sources <= members | found and node not in found and node not in members
        }
        if not new:
            return found
        found |= new
