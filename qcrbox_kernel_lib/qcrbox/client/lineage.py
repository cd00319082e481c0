"""The graph of files and calculations that lead to an object, as the registry gives it."""

from __future__ import annotations

from typing import Any


class Lineage:
    """Nodes (files and calculations) and edges from source to target; `focus` is the id of what was asked for."""

    def __init__(self, payload: dict[str, Any], focus: str) -> None:
        self.focus = focus
        self.nodes: list[dict[str, Any]] = list(payload.get("nodes", ()))
        self.edges: list[dict[str, Any]] = list(payload.get("edges", ()))
        self.truncated = bool(payload.get("truncated"))

    def in_order(self) -> list[dict[str, Any]]:
        """The nodes, each after everything it was made from."""
        before: dict[str, set[str]] = {node["id"]: set() for node in self.nodes}
        for edge in self.edges:
            if edge["target"] in before and edge["source"] in before:
                before[edge["target"]].add(edge["source"])
        by_id = {node["id"]: node for node in self.nodes}
        ordered: list[dict[str, Any]] = []
        done: set[str] = set()
        while len(ordered) < len(by_id):
            ready = [i for i in by_id if i not in done and before[i] <= done]
            if not ready:  # a loop cannot come from the registry; do not hang on bad data
                ready = [i for i in by_id if i not in done]
            ordered += [by_id[i] for i in ready]
            done.update(ready)
        return ordered

    def sources_text(self, node: dict[str, Any]) -> str:
        """The labels of what a node was made from, separated by commas."""
        labels = {other["id"]: other["label"] for other in self.nodes}
        return ", ".join(labels.get(e["source"], "?") for e in self.edges if e["target"] == node["id"])

    def maker(self, file_id: str) -> str | None:
        """Id of the calculation that made a file; None for a file that was uploaded."""
        return next((edge["source"] for edge in self.edges if edge["target"] == file_id), None)
