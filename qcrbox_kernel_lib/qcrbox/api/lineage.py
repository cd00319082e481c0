"""Where a file comes from: the graph of files and calculations, drawn, listed, and as a script that replays it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import NotFound
from qcrbox.display import show
from qcrbox.spec.python_names import identifier

if TYPE_CHECKING:
    from qcrbox.api.box import Box
    from qcrbox.api.datasets import Dataset


class LineageGraph:
    """Nodes (files and calculations) and edges, ancestors first. `.script()` replays it."""

    def __init__(self, box: Box, said: dict[str, Any], focus: str) -> None:
        self.box, self.focus = box, focus
        self.nodes: list[dict[str, Any]] = list(said.get("nodes", ()))
        self.edges: list[dict[str, Any]] = list(said.get("edges", ()))
        self.truncated = bool(said.get("truncated"))

    @classmethod
    def of(cls, box: Box, what: Any) -> LineageGraph:
        kind, object_id = _subject(what)
        return cls(box, box.client.get(f"/api/lineage/{kind}/{object_id}"), object_id)

    def table(self) -> show.Table:
        rows = [
            (node["kind"].replace("_", " "), node["label"], _made_from(self, node))
            for node in self._in_order()
        ]
        return show.Table(("what", "name", "made from"), rows, title="Lineage")

    def _in_order(self) -> list[dict[str, Any]]:
        """Every node after all it was made from."""
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

    # ------------------------------------------------------------ replay

    def script(self, path: str | Path | None = None) -> show.Code | Path:
        """Python that makes the same files again from the same stored inputs; written to `path` if given."""
        names: dict[str, str] = {}
        lines = ["import qcrbox as qc", ""]
        for node in self._in_order():
            if node["kind"] == "data_file" and not self._maker(node["id"]):
                names[node["id"]] = self._name("file", names)
                lines.append(f"{names[node['id']]} = qc.files[{node['id']!r}]  # {_one_line(node['label'])}")
            elif node["kind"] == "calculation":
                lines += self._calculation_lines(node, names)
        text = "\n".join(lines) + "\n"
        if path is None:
            return show.Code(text)
        Path(path).write_text(text)
        return Path(path)

    def _calculation_lines(self, node: dict[str, Any], names: dict[str, str]) -> list[str]:
        said = self.box.calculations.read(node["id"])
        arguments = []
        for name, value in (said.get("command_arguments") or {}).items():
            if isinstance(value, dict) and "data_file_id" in value:
                shown = names.get(value["data_file_id"], f"qc.files[{value['data_file_id']!r}]")
            else:
                shown = repr(value)
            arguments.append(f"{identifier(name)}={shown}")
        result = self._name("result", names)
        names[node["id"]] = result
        for edge in self.edges:
            if edge["source"] == node["id"]:
                names[edge["target"]] = self._output(result, edge["target"])
        application, command = identifier(said["application_slug"]), identifier(said["command_name"])
        head = f"# {_one_line(said['application_slug'])} {_one_line(said['application_version'])}"
        return [head, f"{result} = qc.{application}.{command}.run({', '.join(arguments)})"]

    def _output(self, result: str, file_id: str) -> str:
        node = next((node for node in self.nodes if node["id"] == file_id), None)
        return f"{result}.files[{node['label'] if node else file_id!r}]" if node is None else (
            f"{result}.files[{node['label']!r}]"
        )  # fmt: skip

    def _maker(self, file_id: str) -> str | None:
        return next((edge["source"] for edge in self.edges if edge["target"] == file_id), None)

    @staticmethod
    def _name(stem: str, names: dict[str, str]) -> str:
        return f"{stem}{sum(name.startswith(stem) and '.' not in name for name in names.values()) + 1}"

    # ------------------------------------------------------------ how it looks

    def svg(self) -> str:
        from qcrbox.widgets.lineage.picture import lineage_svg

        return lineage_svg(self)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        table = self.table()
        details = f"<details><summary>as a table</summary>{table.html()}</details>"
        return {"text/plain": table.text(), "text/html": f"<div>{self.svg()}{details}</div>"}

    def _ipython_display_(self) -> None:
        from qcrbox.widgets.lineage import display_lineage

        display_lineage(self)


def history(box: Box, dataset: Dataset) -> show.Table:
    """The versions of a dataset's CIF, newest first."""
    graph = LineageGraph.of(box, dataset)
    rows = []
    for node in reversed(graph._in_order()):
        if node["kind"] == "data_file":
            rows.append((node["label"], _stored_at(box, node["id"]), _made_from(graph, node), node["id"]))
    return show.Table(("file", "stored", "made by", "id"), rows, title=f"History of {dataset.name}")


def _stored_at(box: Box, file_id: str) -> str:
    try:
        return str(box.files[file_id].said.get("created_at") or "")[:16].replace("T", " ")
    except NotFound:
        return ""  # deleted since


def _made_from(graph: LineageGraph, node: dict[str, Any]) -> str:
    labels = {one["id"]: one["label"] for one in graph.nodes}
    return ", ".join(labels.get(e["source"], "?") for e in graph.edges if e["target"] == node["id"])


def _subject(what: Any) -> tuple[str, str]:
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.datasets import Dataset
    from qcrbox.api.results import Result

    if isinstance(what, Calculation):
        return "calculation", what.id
    if isinstance(what, Result):
        return "calculation", what.calculation.id
    if isinstance(what, Dataset):
        file = what.cif if any(f.is_cif for f in what.files.values()) else next(iter(what.files.values()))
        return "data_file", file.id
    return "data_file", what.id


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())
