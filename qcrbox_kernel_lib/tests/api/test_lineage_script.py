"""The script that makes files again: Python whatever the names, without what made nothing."""

from __future__ import annotations

import ast

import pytest
from qcrbox.api.lineage import LineageGraph

from .records import calculation_record, file_record


def node(name, kind="data_file", label=None):
    return {"id": name, "kind": kind, "label": label or name, "details": {}}


@pytest.fixture
def graph_of(stored, store):
    """`graph_of(nodes, edges)`: calculations are nodes whose name begins with c."""

    def make(nodes, edges, **records):
        for name in nodes:
            if isinstance(name, str) and name.startswith("c"):
                store.calculation(name, **records.get(name, {}))
        known = [
            node(n, "calculation" if n.startswith("c") else "data_file") if isinstance(n, str) else n
            for n in nodes
        ]
        return LineageGraph(
            stored, {"nodes": known, "edges": [{"source": s, "target": t} for s, t in edges]}, "f1"
        )

    return make


def ran(script, files):
    """What a script asks for: (kind, name, arguments) in their order."""
    calls = []

    class Result:
        def __init__(self, number):
            self.files = {name: f"{number}/{name}" for name in files}

    class Asked:
        def __init__(self, path=()):
            self.path = path
            self.files = {name: name for name in files}

        def __getattr__(self, name):
            return Asked((*self.path, name))

        def __call__(self, **arguments):
            calls.append((".".join(self.path), arguments))
            return Result(len(calls))

    names = {"qc": Asked()}
    exec(script.replace("import qcrbox as qc\n", ""), names)
    return calls


def test_each_step_takes_what_the_one_before_made(graph_of):
    first = {"command_arguments": {"input_cif": {"data_file_id": "f1"}, "cycles": 3}}
    second = {"command_arguments": {"input_cif": {"data_file_id": "f2"}, "name": "a'b"}}
    graph = graph_of(
        ["f1", "c1", "f2", "c2"], [("f1", "c1"), ("c1", "f2"), ("f2", "c2")], c1=first, c2=second
    )
    assert ran(str(graph.script()), ["f1", "f2"]) == [
        ("refine.refine_iam.run", {"input_cif": "f1", "cycles": 3}),
        ("refine.refine_iam.run", {"input_cif": "1/f2", "name": "a'b"}),
    ]


@pytest.mark.parametrize("status", ["failed", "cancelled"])
def test_what_made_nothing_is_not_run_again(graph_of, status):
    """It would raise and end the script before what follows."""
    graph = graph_of(["f1", "c1", "c2"], [("f1", "c1"), ("f1", "c2")], c1={"status": status})
    assert str(graph.script()).count(".run(") == 1


@pytest.mark.parametrize("label", ["x\nimport os", "a # b", "'; quit()", 'a"""b', "\\", "ä"])
def test_no_label_becomes_code(graph_of, label):
    graph = graph_of([node("f1", label=label), "c1", node("f2", label=label), "c2"], [("f1", "c1"), ("c1", "f2"), ("f2", "c2")], c2={"command_arguments": {"input_cif": {"data_file_id": "f2"}}})  # fmt: skip
    tree = ast.parse(str(graph.script()))
    assert [type(each).__name__ for each in tree.body] == ["Import", "Assign", "Assign", "Assign"]


def test_a_file_of_elsewhere_is_asked_for_by_its_id(graph_of):
    graph = graph_of(["c1"], [], c1={"command_arguments": {"input_cif": {"data_file_id": "gone"}}})
    assert "input_cif=qc.files['gone']" in str(graph.script())


def test_names_that_are_no_identifiers_are_written_as_python_has_them(graph_of):
    graph = graph_of(["c1"], [], c1={"application_slug": "my-app", "command_name": "solve-it"})
    assert "qc.my_app.solve_it.run()" in str(graph.script())


def test_the_script_is_written_in_utf_8(graph_of, tmp_path):
    path = graph_of([node("f1", label="ä–Å")], []).script(tmp_path / "redo.py")
    assert "ä–Å" in path.read_text(encoding="utf-8")


def test_the_table_says_what_each_was_made_from(graph_of):
    table = graph_of(["f2", "c1", "f1"], [("f1", "c1"), ("c1", "f2")]).table()
    assert table.rows == [("data file", "f1", ""), ("calculation", "c1", "f1"), ("data file", "f2", "c1")]


def test_versions_of_a_dataset_have_the_time_of_the_reader_and_those_deleted_none(stored, store):
    store.dataset("azu", {"f1": "", "f2": ""})
    for name in ("f1",):
        store.server[f"GET /api/data-files/{name}"] = {"data_files": [file_record(name, qcrbox_file_id=name)]}
    store.server["GET /api/lineage/data_file/file-f1"] = {
        "nodes": [node("f1"), node("f2"), node("c1", "calculation")],
        "edges": [{"source": "f1", "target": "c1"}, {"source": "c1", "target": "f2"}],
    }
    table = stored["azu"].history
    assert [row[0] for row in table.rows] == ["f2", "f1"]
    assert table["stored"][0] == ""
    assert "datetime='2026-11-29T12:30:00Z'" in table.html()
    assert table["made by"] == ["c1", ""]


def test_a_record_of_a_calculation_has_the_version_in_the_script(graph_of):
    version = calculation_record("c1")["application_version"]
    assert f"# refine {version}" in str(graph_of(["c1"], []).script())
