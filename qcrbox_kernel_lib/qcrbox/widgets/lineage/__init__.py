"""Interactive lineage: hover or arrow keys describe a node, Enter gives the code that opens or compares it."""

from __future__ import annotations

from typing import Any

from qcrbox.client.environment import is_notebook
from qcrbox.client.lineage import Lineage
from qcrbox.markup import publish
from qcrbox.widgets import bundle
from qcrbox.widgets.lineage.picture import lineage_svg, name_and_verdict, places
from qcrbox.widgets.lineage.words import words_of
from qcrbox.widgets.static_twin import StaticTwin, publish_widget

__all__ = ["display_lineage", "lineage_svg"]


def display_lineage(graph: Lineage, bundled: dict[str, Any]) -> None:
    """Show a graph here: its still form `bundled` (MIME type → data) first, the live one over it where there is one."""
    if not is_notebook() or not bundle.available("lineage"):
        publish(bundled)
        return
    twin = StaticTwin()
    twin.show(bundled)
    # Start-up time: anywidget is loaded when the first widget is shown.
    from qcrbox.widgets.lineage.widget import LineageWidget

    publish_widget(LineageWidget(graph=packed(graph), svg=lineage_svg(graph), twin=twin.mark))


def packed(graph: Lineage) -> dict[str, Any]:
    """Nodes with column, row, description and code, in the order of keyboard navigation."""
    nodes, edges, place = places(graph)
    labels = {node["id"]: str(node["label"]) for node in graph.nodes}
    told = [
        {
            "id": node["id"],
            "kind": node["kind"],
            "label": name_and_verdict(node)[0],
            "verdict": name_and_verdict(node)[1],
            "status": str((node.get("details") or {}).get("status") or ""),
            "doubtful": bool((node.get("details") or {}).get("doubtful")),
            "column": place[node["id"]][0],
            "row": place[node["id"]][1],
            "words": words_of(node, labels),
            "code": code_of(node),
        }
        for node in nodes
    ]
    told.sort(key=lambda node: (node["column"], node["row"]))
    return {"nodes": told, "edges": edges, "focus": graph.focus, "truncated": graph.truncated}


def code_of(node: dict[str, Any]) -> str:
    """The line that finds a node again."""
    if node["kind"] == "data_file":
        return f'qc.files["{node["id"]}"]'
    return f'qc.calculations["{node["id"]}"]' if node["kind"] == "calculation" else ""
