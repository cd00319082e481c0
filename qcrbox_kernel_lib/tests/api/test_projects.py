"""`qc.projects`: found by name, shown as a tree, changed and taken back; and the whole way on a real registry."""

from __future__ import annotations

import pytest
from qcrbox.api.box import Box
from qcrbox.api.datasets import Dataset
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import NotFound, UserInputError


def node(name, parent=None, **more):
    known = {"kind": "calculation", "category": "refinement", "title": name, "at": "2026-11-29T18:24:00Z"}
    marks = {"note": "", "pinned": False, "newest": False, "doubtful": False, "status": "successful"}
    return {"id": name, "parent": parent, **known, **marks, **more}


def project(name, **more):
    known = {
        "formula": "C10 H10",
        "space_group": "P 21/n",
        "changed_at": "2026-11-29T18:24:00Z",
        "newest": None,
    }
    return {
        "id": f"id-{name}",
        "name": name,
        "pinned": False,
        "counts": {"data": 1},
        "hits": [],
        **known,
        **more,
    }


class Registry:
    """Answers with these projects and nodes, and remembers what was asked."""

    url = "http://127.0.0.1:9"
    pages = RegistryClient.pages

    def __init__(self, projects, nodes=(), most=1000):
        self.projects, self.nodes, self.most, self.asked = projects, nodes, most, []

    def get(self, path, **query):
        self.asked.append((path, query))
        if path == "/api/projects":
            first = int(query.get("after") or 0)
            page = self.projects[first : first + self.most]
            last = first + len(page)
            following = str(last) if last < len(self.projects) else None
            return {
                "projects": page,
                "total": len(self.projects),
                "truncated": False,
                "next": following,
            }
        return {"project": self.projects[0], "nodes": [dict(node) for node in self.nodes]}

    def patch(self, path, body):
        self.asked.append((path, body))
        return body


NODES = (
    node("id-azu", kind="dataset", category="data", status=""),
    node("iam", "id-azu"),
    node("har", "iam", newest=True, note="good"),
)


@pytest.fixture
def azu():
    return Box(Registry([project("azu")], NODES))


def test_a_project_is_found_by_name_and_shown_as_a_tree(azu):
    found = azu.projects["azu"]
    assert repr(found).splitlines()[0] == "azu · C10 H10 · P 21/n"
    assert found.newest.title == "har"
    assert [step.title for step in found] == ["id-azu", "iam", "har"]
    assert found["ar"].id == "har"  # the end of an id is enough


def test_a_name_that_fits_several_chooses_none():
    box = Box(Registry([project("azu"), project("azu", id="other")]))
    with pytest.raises(UserInputError, match="2 projects are called 'azu'") as raised:
        box.projects["azu"]
    assert "other" in str(raised.value)
    assert box.projects["other"].id == "other"


@pytest.mark.parametrize("step", ["none", "twice"])
def test_a_step_that_is_not_one_is_refused(step):
    nodes = (*NODES, node("a1", "iam", title="twice"), node("a2", "iam", title="twice"))
    found = Box(Registry([project("azu")], nodes)).projects["azu"]
    with pytest.raises((NotFound, UserInputError)):
        found[step]


def test_an_unknown_project_says_which_there_are(azu):
    with pytest.raises(NotFound, match="azu"):
        azu.projects["thpp"]


def test_notes_and_pins_are_stored_and_taken_back(azu):
    step = azu.projects["azu"]["har"]
    step.note = "better"
    assert step.note == "better"
    azu.undo()
    step.pinned = True
    assert [
        body for path, body in azu.client.asked if path.startswith("/api/annotations/calculation/har")
    ] == [
        {"note": "better"},
        {"note": "good"},
        {"pinned": True},
    ]


@pytest.mark.parametrize(
    ("stood_in", "back"),
    [("id-other", "id-other"), ("ds-1", ""), ("example@ada", "")],
    ids=["another project", "its own", "an example"],
)
def test_data_that_are_moved_go_back_to_where_they_stood(azu, stood_in, back):
    target = azu.projects["azu"]
    azu.client.projects = [project("before", id=stood_in)]
    data = Dataset(azu, {"qcrbox_dataset_id": "ds-1", "name": "hkl", "kind": "data", "data_files": {}})
    target.add(data)
    azu.undo()
    sent = [body for path, body in azu.client.asked if path == "/api/annotations/dataset/ds-1"]
    assert sent == [{"project": "id-azu"}, {"project": back}]


def test_only_ones_own_projects_are_asked_for_unless_everybody_is(azu):
    azu.projects.find("twin law")
    azu.projects.find(everybody=True)
    assert [query["mine"] for _, query in azu.client.asked] == [True, False]


def test_every_project_is_listed_however_many_pages_there_are():
    projects = [project(f"p{number}") for number in range(7)]
    # The last of the first page is the first of the second: it changed between the two questions.
    box = Box(Registry([*projects[:3], projects[2], *projects[3:]], most=3))
    assert [found.name for found in box.projects] == [f"p{number}" for number in range(7)]
    assert len(box.projects) == 7
    assert box.projects["p6"].id == "id-p6"


def test_a_long_list_shows_its_first_rows_and_says_how_to_have_all():
    found = Box(Registry([project(f"p{number}") for number in range(3)])).projects.find()
    assert "The first 2 of 3; .table(None) has all." in found.table(2).text()
    assert len(found.table(None)) == 3


def test_a_project_without_a_structure_says_what_next():
    found = Box(Registry([project("azu")], NODES[:1])).projects["azu"]
    with pytest.raises(NotFound, match="no structure yet"):
        _ = found.newest


@pytest.mark.slow
def test_files_refinement_next_step_and_search_on_a_registry(live_box, refined):
    example = next(p for p in live_box.projects if p.name == "thpp")
    assert refined.calculation.id in {step.id for step in example}
    step = example[refined.calculation.id]
    assert step.kind == "refinement"
    assert step.result.cif.bytes == refined.cif.bytes
    again = step.start(live_box.refine.refine_iam, cycles=1, weighting="keep")
    again.result(120)
    assert [node.record["parent"] for node in example if node.id == again.id] == [refined.calculation.id]
    assert example.newest.id == again.id
    assert again.id in {hit.id for hit in live_box.projects.find("refine_iam").hits}
    cell = " ".join(f"{x:.2f}" for x in refined.cell.parameters)
    assert example.id in {found.id for found in live_box.projects.find(cell)}
