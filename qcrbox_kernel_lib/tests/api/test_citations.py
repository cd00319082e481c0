"""Programs to cite: by their lineage, whatever their commands are called and whether they are still installed."""

from __future__ import annotations

import pytest

from ..conftest import write_cif


@pytest.fixture
def citations(stored, store):
    """`citations(*calculations)`: the citations of a result that these (command, version) led to."""

    def cite(*made, doi=None):
        record = store.dataset("out", {"refined.cif": write_cif()}, kind="output")
        nodes = []
        for number, (command, version) in enumerate(made):
            store.calculation(f"c{number}", command_name=command, application_version=version, output_dataset_id=record["qcrbox_dataset_id"])  # fmt: skip
            nodes.append({"id": f"c{number}", "kind": "calculation", "label": command})
        nodes.append({"id": "file-refined.cif", "kind": "data_file", "label": "refined.cif"})
        store.server["GET /api/lineage/calculation/c0"] = {"nodes": nodes, "edges": []}
        application = stored.apps["refine"]
        application.record["doi"] = ["10.1/app"]
        for each in application:
            each.record["doi"] = {"solve-it": "10.1/solve", "refine_iam": None}[each.name]
        return stored.calculations["c0"].result().publish_cif()

    return cite


def test_a_command_whose_name_is_no_identifier_has_its_own_reference(citations):
    table = citations(("solve-it", "1.0")).citations
    assert table.rows == [("Refine", "1.0", "solve-it", "10.1/app, 10.1/solve")]


def test_a_program_that_ran_twice_is_cited_once_and_each_version_apart(citations):
    table = citations(("refine_iam", "1.0"), ("refine_iam", "1.0"), ("refine_iam", "0.9")).citations
    assert [row[:3] for row in table.rows] == [
        ("Refine", "1.0", "refine_iam"),
        ("refine", "0.9", "refine_iam"),
    ]


def test_a_program_that_is_not_installed_any_more_keeps_name_and_version(citations):
    assert citations(("refine_iam", "0.9")).citations.rows == [("refine", "0.9", "refine_iam", "")]


def test_references_stand_in_the_file(citations):
    text = str(citations(("refine_iam", "1.0"), ("solve-it", "1.0")).text)
    assert "_publ_section_references" in text
    assert "Refine 1.0, doi:10.1/app\n" in text
    assert "doi:10.1/app, 10.1/solve" in text
