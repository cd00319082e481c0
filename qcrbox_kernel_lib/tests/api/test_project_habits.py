"""Projects in lists and brackets, and what is said where there is none."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotFound, UserInputError

from .test_projects import node, project


@pytest.fixture
def projects(stored, server):
    def made(*names, nodes=(), **more):
        known = [project(name) | {"id": f"p{number}"} for number, name in enumerate(names)]
        server["GET /api/projects"] = {"projects": known, "total": len(known), "truncated": False, **more}
        for each in known:
            server[f"GET /api/projects/{each['id']}"] = {"project": each, "nodes": list(nodes)}
        return stored.projects

    return made


def test_whether_a_project_and_a_step_are_there(projects):
    found = projects("azu", nodes=[node("p0", kind="dataset"), node("iam", "p0")])
    assert "azu" in found
    assert "p0" in found
    assert "urea" not in found
    assert "iam" in found["azu"]
    assert "har" not in found["azu"]
    assert 0 not in found


@pytest.mark.parametrize("key", [0, None], ids=repr)
def test_what_is_no_name_is_refused(projects, key):
    found = projects("azu", nodes=[node("p0", kind="dataset")])
    for asked in (found, found["azu"]):
        with pytest.raises(UserInputError, match="by name"):
            asked[key]


def test_a_list_that_was_cut_says_so(projects):
    found = projects("azu", "urea", truncated=True).find()
    left_out = "The oldest calculations or datasets are left out."
    assert found.table().caption == left_out
    assert found.table(1).caption == f"The first 1 of 2; .table(None) has all. {left_out}"


def test_projects_come_page_by_page_each_once(stored, server):
    pages = [["azu", "urea"], ["urea", "thpp"]]
    server["GET /api/projects"] = [
        {"projects": [project(name) for name in names], "total": 3, "truncated": False, "next": after}
        for names, after in zip(pages, ("2", None), strict=True)
    ]
    assert [each.name for each in stored.projects.find("C")] == ["azu", "urea", "thpp"]
    asked = [request.query for request in server.sent("GET /api/projects")]
    assert [query.get("after") for query in asked] == [None, "2"]
    assert {query["text"] for query in asked} == {"C"}


def test_without_projects_the_error_says_how_to_begin_one(projects):
    with pytest.raises(NotFound, match=r"no project 'azu'. qc.add\(\) begins one"):
        projects()["azu"]


def test_a_result_stays_with_what_it_was_made_from(projects, stored, store):
    store.dataset("out", kind="output")
    with pytest.raises(UserInputError, match="'out' is a result: it stays with"):
        projects("azu", nodes=[node("p0", kind="dataset")])["azu"].add(stored["out"])


@pytest.mark.parametrize(
    ("holder", "back"),
    [("p1", "p1"), ("dataset-more", ""), ("dataset-more@2", ""), (None, "")],
    ids=["another project", "its own", "a branch of its own", "none"],
)
def test_a_moved_dataset_is_moved_back_by_undo(projects, stored, store, server, holder, back):
    store.dataset("more")
    server["PATCH /api/annotations/dataset/dataset-more"] = {}
    place = projects("azu", nodes=[node("p0", kind="dataset")])["azu"]
    held_by = [] if holder is None else [project("before") | {"id": holder}]
    server["GET /api/projects"] = {"projects": held_by, "total": len(held_by), "truncated": False}
    place.add(stored["more"])
    stored.undo()
    sent = [request.json for request in server.sent("PATCH /api/annotations/dataset/dataset-more")]
    assert sent == [{"project": "p0"}, {"project": back}]


def test_names_of_projects_are_escaped(projects):
    found = projects("<b>azu</b>", nodes=[node("p0", kind="dataset", title="<i>x</i>")])
    assert "<b>azu" not in found._repr_mimebundle_()["text/html"]
    assert "<i>x" not in found["<b>azu</b>"]._repr_mimebundle_()["text/html"]


def test_a_title_of_several_lines_stays_one_line_of_the_tree(projects):
    found = projects("azu", nodes=[node("p0", kind="dataset", title="a\nb", note="c\nd")])
    assert len(repr(found["azu"]).splitlines()) == 2
