"""Which objects make a project, in which order, and what is found in it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from qcrbox_registry.services.project_forest import category_of, projects_of
from qcrbox_registry.services.project_search import cell_in, hits
from qcrbox_registry.store.node_notes import Annotation
from qcrbox_registry.store.projects import CalculationRow, DatasetRow, FileRow, Rows

STRUCTURE = {"kind": "structure", "formula_sum": "C10 H10 F2 N4", "space_group_hm": "P 21/n"}
CELL = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), (5.1, 6.2, 7.3, 90.0, 95.0, 90.0), strict=True))
NIGGLI = {f"niggli_{name}": value for name, value in CELL.items()}


class Site:
    """Rows as the store would read them."""

    def __init__(self):
        self.rows = Rows()

    def data(self, name, at=0.0, kind="data", suffix=".cif", **more):
        index = STRUCTURE | CELL | NIGGLI if suffix == ".cif" else None
        file = FileRow(f"{name}-file", f"{name}{suffix}", name, index)
        self.rows.datasets[name] = DatasetRow(
            name, more.pop("owner", "ada"), name, kind, at, files=(file,), **more
        )
        self.rows.dataset_of[file.id] = name
        return file.id

    def run(self, name, *inputs, at=1.0, state="successful", output="new.cif", owner="ada", **more):
        result = f"{name}-out" if output else None
        files = ()
        if output:
            index = STRUCTURE if output.endswith(".cif") else None
            files = (FileRow(f"{name}-result", output, result, index),)
            self.rows.dataset_of[f"{name}-result"] = result
        known = {
            "title": name,
            "subject": "azu",
            "verdict": "",
            "application": "refine",
            "command": "refine_iam",
            "interactive": False,
            "is_doubtful": False,
        }
        self.rows.calculations[name] = CalculationRow(
            id=name,
            owner=owner,
            state=state,
            at=at,
            inputs=inputs,
            output_dataset_id=result,
            files=files,
            **{**known, **more},
        )
        return f"{name}-result"

    def projects(self):
        return {project.id: project for project in projects_of(self.rows)}

    def tree(self, project):
        return [(node.id, node.parent) for node in self.projects()[project].nodes]


@pytest.fixture
def site():
    return Site()


def test_a_calculation_belongs_to_the_project_of_its_main_input(site):
    azu, thpp = site.data("azu"), site.data("thpp")
    first = site.run("iam", azu, at=1)
    site.run("har", first, thpp, at=2)  # thpp beside it changes nothing
    assert site.tree("azu") == [("azu", None), ("iam", "azu"), ("har", "iam")]
    assert site.tree("thpp") == [("thpp", None)]
    assert site.projects()["azu"].nodes[2].beside == ["thpp"]


def test_alternatives_are_branches_in_the_order_of_time(site):
    azu = site.data("azu")
    first = site.run("iam", azu, at=1)
    site.run("twin", azu, at=3)
    site.run("har", first, at=4)
    assert site.tree("azu") == [("azu", None), ("iam", "azu"), ("har", "iam"), ("twin", "azu")]


def test_the_newest_model_is_the_last_successful_result_with_a_structure(site):
    azu = site.data("azu", at=9.0)
    assert site.projects()["azu"].newest_model.id == "azu"
    first = site.run("iam", azu, at=1)
    site.run("failed", first, at=5, state="failed", output="")
    site.run("cube", first, at=6, output="rho.cube")
    assert site.projects()["azu"].newest_model.id == "iam"


def test_reflections_used_beside_one_structure_belong_to_its_project(site):
    azu, hkl = site.data("azu"), site.data("azu-data", suffix=".hkl")
    assert set(site.projects()) == {"azu", "azu-data"}
    site.run("iam", azu, hkl)
    assert site.tree("azu") == [("azu", None), ("iam", "azu"), ("azu-data", None)]
    assert set(site.projects()) == {"azu"}


def test_reflections_used_in_two_projects_stay_by_themselves(site):
    hkl = site.data("common", suffix=".hkl")
    site.run("iam", site.data("azu"), hkl)
    site.run("other", site.data("thpp"), hkl)
    assert set(site.projects()) == {"azu", "thpp", "common"}


def test_a_moved_dataset_takes_its_calculations_along(site):
    site.data("azu")
    second = site.data("azu-2", annotation=Annotation(project_id="azu"))
    site.run("again", second)
    assert set(site.projects()) == {"azu"}
    assert ("again", "azu-2") in site.tree("azu")


def test_datasets_moved_into_each_other_make_no_circle(site):
    site.data("one", annotation=Annotation(project_id="two"))
    site.data("two", annotation=Annotation(project_id="one"))
    assert set(site.projects()) == {"one", "two"}


def test_each_person_has_a_project_on_an_example(site):
    example = site.data("thpp", kind="example", owner="refine")
    assert site.projects() == {}
    site.run("mine", example)
    site.run("hers", example, owner="bea")
    projects = site.projects()
    assert {(project.id, project.owner) for project in projects.values()} == {
        ("thpp@ada", "ada"),
        ("thpp@bea", "bea"),
    }
    assert [node.id for node in projects["thpp@bea"].nodes] == ["thpp", "hers"]


def test_what_was_made_from_deleted_data_stays_and_the_data_alone_do_not(site):
    azu = site.data("azu", deleted=True)
    assert site.projects() == {}
    site.run("iam", azu)
    assert site.tree("azu") == [("azu", None), ("iam", "azu")]


def test_a_calculation_without_a_visible_input_begins_a_project(site):
    site.run("iam", "hidden-file")
    first = site.run("build")
    site.run("next", first, at=2)
    assert site.tree("iam") == [("iam", None)]
    assert site.tree("build") == [("build", None), ("next", "build")]


def test_a_long_line_is_no_deep_recursion(site):
    file = site.data("azu")
    for number in range(3000):
        file = site.run(f"step-{number}", file, at=number + 1)
    assert len(site.projects()["azu"].nodes) == 3001


@pytest.mark.parametrize(
    ("more", "category"),
    [
        ({"verdict": "R1 0.0412"}, "refinement"),
        ({"command": "refine_har"}, "refinement"),
        ({"command": "solve"}, "model"),
        ({"command": "esp", "files": ()}, "surface"),
        ({"command": "dump", "files": (FileRow("f", "rho.cube", None),)}, "surface"),
        ({"command": "dump", "files": (FileRow("f", "table1.docx", None),)}, "report"),
        ({"command": "refine_iam", "interactive": True}, "session"),
        ({"command": "guess", "files": ()}, "calculation"),
    ],
)
def test_the_kind_of_a_step(site, more, category):
    site.run("x", command=more.pop("command", "guess"))
    assert category_of(replace(site.rows.calculations["x"], **more)) == category


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("har", ["har"]),
        ("azu.cif", ["azu"]),
        ("C10H10F2N4", ["azu", "iam", "har"]),
        ("refine_iam", ["iam", "har"]),
        ("p 21/n", ["azu", "iam", "har"]),
        ("gone wrong", ["iam"]),
        ("5.1(2) 6.2 7.3 90 95 90", ["azu"]),
        ("5.15, 6.2, 7.3, 90, 94, 90", ["azu"]),
        ("azu.cif gone wrong", []),  # together, but not at one node: the project fits
        ("", []),
    ],
)
def test_one_search_finds_title_file_formula_cell_command_and_note(site, text, found):
    first = site.run("iam", site.data("azu"), at=1, annotation=Annotation(note="Gone wrong at C3"))
    site.run("har", first, at=2)
    hit = hits(site.projects()["azu"], text, lambda cell: cell)
    assert [node.id for node in hit] == found


@pytest.mark.parametrize("text", ["nothing like it", "8 6.2 7.3 90 95 90", "C10H10"])
def test_a_project_that_does_not_fit_is_left_out(site, text):
    site.data("azu")
    assert hits(site.projects()["azu"], text, lambda cell: cell) is None


@pytest.mark.parametrize("text", ["5 6 7 90 90", "a b c 90 90 90", "5 6 7 90 90 190", "0 6 7 90 90 90"])
def test_what_is_no_cell_is_searched_as_text(text):
    assert cell_in(text) is None
