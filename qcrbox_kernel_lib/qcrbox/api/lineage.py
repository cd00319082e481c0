"""Lineage: the graph of files and calculations behind an object, as picture, table, and script that replays it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api.stored import Stored
from qcrbox.client.lineage import Lineage
from qcrbox.client.writing import write_over
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.python_names import identifier
from qcrbox.contract.states import State
from qcrbox.display.project_tree import time_text
from qcrbox.markup import Code, Table

if TYPE_CHECKING:
    from qcrbox.api.box import Box
    from qcrbox.api.datasets import Dataset


class LineageGraph(Lineage):
    """Nodes (files and calculations) and edges, ancestors first. `.script()` replays it."""

    def __init__(self, box: Box, payload: dict[str, Any], focus: str) -> None:
        super().__init__(payload, focus)
        self.box = box

    @classmethod
    def of(cls, box: Box, what: Any) -> LineageGraph:
        """The lineage of a file, dataset, result or calculation."""
        if not isinstance(what, Stored):
            raise UserInputError(
                f"A {type(what).__name__} has no lineage.",
                next='Give a dataset, a file, a result or a calculation: qc.lineage_of(qc["name"]).',
            )
        kind, object_id = what._lineage_subject()
        return cls(box, box.client.get(f"/api/lineage/{kind}/{object_id}"), object_id)

    def table(self) -> Table:
        """Files and calculations, each with what it was made from."""
        rows = [
            (node["kind"].replace("_", " "), node["label"], self.sources_text(node))
            for node in self.in_order()
        ]
        return Table(("what", "name", "made from"), rows, title="Lineage")

    # ------------------------------------------------------------ replay

    def script(self, path: str | Path | None = None) -> Code | Path:
        """Python that makes the same files again from the same stored inputs; written to `path` if given."""
        names: dict[str, str] = {}
        lines = ["import qcrbox as qc", ""]
        for node in self.in_order():
            if node["kind"] == "data_file" and not self.maker(node["id"]):
                names[node["id"]] = self._name("file", names)
                lines.append(f"{names[node['id']]} = qc.files[{node['id']!r}]  # {_one_line(node['label'])}")
            elif node["kind"] == "calculation":
                lines += self._calculation_lines(node, names)
        text = "\n".join(lines) + "\n"
        if path is None:
            return Code(text)
        return write_over(Path(path), text)

    def _calculation_lines(self, node: dict[str, Any], names: dict[str, str]) -> list[str]:
        payload = self.box.calculations.read(node["id"])
        if payload.get("status") in (State.FAILED, State.CANCELLED):
            return []  # it made nothing, and would end the script
        arguments = []
        for name, value in (payload.get("command_arguments") or {}).items():
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
        application, command = identifier(payload["application_slug"]), identifier(payload["command_name"])
        head = f"# {_one_line(payload['application_slug'])} {_one_line(payload['application_version'])}"
        return [head, f"{result} = qc.{application}.{command}.run({', '.join(arguments)})"]

    def _output(self, result: str, file_id: str) -> str:
        node = next((node for node in self.nodes if node["id"] == file_id), None)
        return f"{result}.files[{node['label'] if node else file_id!r}]" if node is None else (
            f"{result}.files[{node['label']!r}]"
        )  # fmt: skip

    @staticmethod
    def _name(stem: str, names: dict[str, str]) -> str:
        return f"{stem}{sum(name.startswith(stem) and '.' not in name for name in names.values()) + 1}"

    # ------------------------------------------------------------ how it looks

    def svg(self) -> str:
        """The graph as SVG text."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets.lineage.picture import lineage_svg

        return lineage_svg(self)

    def __repr__(self) -> str:
        return self.table().text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        table = self.table()
        details = f"<details><summary>as a table</summary>{table.html()}</details>"
        return {"text/plain": table.text(), "text/html": f"<div>{self.svg()}{details}</div>"}

    def _ipython_display_(self) -> None:
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets.lineage import display_lineage

        display_lineage(self, self._repr_mimebundle_())


def history(box: Box, dataset: Dataset) -> Table:
    """The versions of a dataset's CIF, newest first."""
    graph = LineageGraph.of(box, dataset)
    rows = []
    for node in reversed(graph.in_order()):
        if node["kind"] == "data_file":
            rows.append((node["label"], _stored_at(box, node["id"]), graph.sources_text(node), node["id"]))
    return Table(("file", "stored", "made by", "id"), rows, title=f"History of {dataset.name}")


def _stored_at(box: Box, file_id: str) -> str:
    try:
        return time_text(box.files[file_id].record.get("created_at"))
    except NotFound:
        return ""  # deleted since


def _one_line(text: Any) -> str:
    return " ".join(str(text).split())
