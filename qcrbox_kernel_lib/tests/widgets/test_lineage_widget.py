"""Lineage walked by keys, opened, compared and saved; batches drawn as one."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

import pytest
from qcrbox.client.lineage import Lineage
from qcrbox.widgets.lineage import lineage_svg, packed


def file(name, **details):
    return {"kind": "data_file", "id": name, "label": name, "depth": 0, "details": details}


def calculation(name, **arguments):
    about = {"application_slug": "refine", "application_version": "1.0", "command_name": "refine_iam"}
    details = {**about, "status": "successful", "arguments": arguments}
    return {"kind": "calculation", "id": name, "label": "refine refine_iam", "depth": 0, "details": details}


def edge(source, target):
    return {"source": source, "target": target, "role": ""}


@pytest.fixture
def graph():
    nodes = [
        file("a.cif", dataset="azu"),
        calculation("c1", structure={"data_file_id": "a.cif"}, cycles=20),
        file("b.cif"),
        {"kind": "hidden", "id": "h", "label": "something <b>hidden</b>", "depth": 0},
    ]
    edges = [edge("a.cif", "c1"), edge("c1", "b.cif"), edge("b.cif", "h")]
    return Lineage({"nodes": nodes, "edges": edges}, "b.cif")


def test_words_name_command_options_and_files_by_name(graph):
    words = {node["id"]: node["words"] for node in packed(graph)["nodes"]}
    assert (
        words["c1"]
        == "calculation refine refine_iam, done: refine 1.0 refine_iam(structure=a.cif, cycles=20)"
    )
    assert words["a.cif"] == "file a.cif of azu"


def test_picture_is_well_formed_whatever_the_labels(graph):
    svg = lineage_svg(graph)
    assert "<b>" not in svg
    assert ElementTree.fromstring(svg) is not None


def test_batch_is_one_node_but_for_the_one_looked_at():
    nodes, edges = [file("in.cif")], []
    for n in range(6):
        nodes += [calculation(f"c{n}"), file(f"out{n}.cif")]
        edges += [edge("in.cif", f"c{n}"), edge(f"c{n}", f"out{n}.cif")]
    graph = Lineage({"nodes": nodes, "edges": edges}, "out2.cif")
    shown = packed(graph)
    assert [node["id"] for node in shown["nodes"]] == ["in.cif", "c2", "batch-c0", "out2.cif"]
    batch = next(node for node in shown["nodes"] if node["kind"] == "batch")
    assert batch["words"] == "5 × refine refine_iam, 5 files made"
    assert {(e["source"], e["target"]) for e in shown["edges"]} >= {
        ("in.cif", "batch-c0"),
        ("c2", "out2.cif"),
    }


@pytest.mark.browser
def test_arrows_walk_and_chosen_files_are_compared(rendered, graph):
    page = rendered("lineage", {"graph": packed(graph), "svg": lineage_svg(graph)})
    page.locator('[role="treeitem"]').first.focus()
    said, code = page.locator(".qcl-says"), page.locator(".qcl code")
    assert said.inner_text() == "file a.cif of azu"
    page.keyboard.press("Enter")
    assert code.inner_text() == 'qc.files["a.cif"]'
    page.keyboard.press("ArrowRight")
    assert "cycles=20" in said.inner_text()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    assert code.inner_text() == 'qc.diff(qc.files["a.cif"], qc.files["b.cif"])'
    page.keyboard.press("ArrowLeft")
    assert page.evaluate("document.activeElement.getAttribute('aria-label')").startswith("calculation")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save SVG").click()
    assert ElementTree.parse(saved.value.path()).getroot().tag.endswith("svg")


def test_a_calculation_has_its_verdict_on_a_line_of_its_own():
    title = "azu · HAR B3LYP/def2-TZVP with dispersion · R1 0.0412"
    run = calculation("c1")
    run = {**run, "label": title, "details": {**run["details"], "verdict": "R1 0.0412"}}
    graph = Lineage({"nodes": [file("a.cif"), run], "edges": [edge("a.cif", "c1")]}, "c1")
    drawn = ElementTree.fromstring(lineage_svg(graph))
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts == ["a.cif", "✓ azu · HAR B3LYP/def…", "R1 0.0412"]
    titles = [each.text or "" for each in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert any(title in said for said in titles)
    (packed_run,) = [node for node in packed(graph)["nodes"] if node["id"] == "c1"]
    assert (packed_run["label"], packed_run["verdict"]) == (title.removesuffix(" · R1 0.0412"), "R1 0.0412")


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("R1 0.0412, not converged", "done, not converged"), ("R1 0.0412", "done, with warnings")],
)
def test_a_calculation_that_should_be_looked_at_first_is_marked_and_says_why(verdict, words):
    run = calculation("c1")
    run = {**run, "details": {**run["details"], "verdict": verdict, "doubtful": True}}
    graph = Lineage({"nodes": [run], "edges": []}, "c1")
    drawn = ElementTree.fromstring(lineage_svg(graph))
    texts = [each.text or "" for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert texts[0].startswith("⚠")
    (node,) = packed(graph)["nodes"]
    assert node["doubtful"]
    assert words in node["words"]
