"""Test suites of commands: reading, judging, reporting."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox_hub.apps import suite as suites
from qcrbox_hub.apps.judge import judge_cif, judge_status
from qcrbox_hub.apps.runner import CaseResult, junit_xml, report_lines
from qcrbox_hub.apps.suite import Expectation

CIF = b"""data_x
_cell_length_a 10.032(4)
_chemical_name_common 'a salt'
_exptl_crystal_density_diffrn ?
loop_
_atom_site_label
_atom_site_disorder_group
_atom_site_occupancy
C1 1 0.6
C1 2 0.4
O1 . 1
"""

SUITE = """\
application_slug: demo
application_version: 1.5-alpha
description: two ways in
test_cases:
  - name: numbers
    command_name: run
    input_parameters:
      - {name: structure, type: external_file, path: a.cif}
      - {name: settings, internal_file: {content: "x=1", upload_filename: settings.txt}}
      - {name: cycles, value: 4}
    expected_results:
      - {type: status, expected_value: successful}
      - {result_type: cif_value, cif_entry_name: _cell_length_a, test_type: within, expected_value: 10, allowed_deviation: 0.1}
      - result_type: cif_loop_value
        cif_entry_name: _atom_site_occupancy
        test_type: match
        expected_value: 0.4
        row_lookup:
          - {row_entry_name: _atom_site_label, row_entry_value: C1}
          - {row_entry_name: _atom_site_disorder_group, row_entry_value: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.cif").write_bytes(CIF)
    (tmp_path / "suite.yaml").write_text(SUITE)
    return tmp_path


def test_a_suite_is_read_with_its_three_kinds_of_input(folder: Path) -> None:
    loaded = suites.load(folder / "suite.yaml")
    assert (loaded.application_slug, loaded.application_version) == ("demo", "1.5-alpha")
    external, internal, plain = loaded.cases[0].inputs
    assert external.path == folder / "a.cif"
    assert external.upload_filename == "a.cif"
    assert (internal.text, internal.upload_filename) == ("x=1", "settings.txt")
    assert plain.value == 4
    assert loaded.cases[0].expected[2].rows == (
        ("_atom_site_label", "C1"),
        ("_atom_site_disorder_group", "2"),
    )


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("type: external_file, path: a.cif", "type: external_file, path: b.cif"), "'b.cif' is not there"),
        (("expected_value: successful", "expected_value: splendid"), "status 'splendid'"),
        (("test_type: within", "test_type: near"), "unknown test 'near'"),
        (("{name: cycles, value: 4}", "{value: 4}"), "has no `name`"),
        ((", allowed_deviation: 0.1", ""), "`within` needs"),
        (("command_name: run", "comand_name: run"), "needs `name` and `command_name`"),
        (
            ("command_name: run", "command_name: run\n    manual_precondtion: x"),
            "did you mean `manual_precondition`",
        ),
        (("allowed_deviation: 0.1", "allowed_deviation: much"), "allowed_deviation must be a number"),
        (("allowed_deviation: 0.1", "allowed_deviation: -1"), "no value lies within"),
        (("expected_value: 10, allowed_deviation: 0.1", "min: 3, max: 2"), "no value lies within"),
        (("expected_value: 10,", "expected_value: ten,"), "expected_value must be a number"),
        (("test_type: within", "test_type: within, allow_unkown: true"), "did you mean `allow_unknown`"),
        (("test_type: within", "test_type: within, allow_unknown: perhaps"), "must be true or false"),
        (("name: cycles, value: 4", "name: cycles, vale: 4"), "did you mean `value`"),
        (("{name: cycles, value: 4}", "{name: cycles}"), "neither `value` nor a file"),
        (
            ("upload_filename: settings.txt", "upload_name: settings.txt"),
            "needs its text and `upload_filename`",
        ),
        (("result_type: cif_value", "result_type: cif_valu"), "unknown kind of result"),
        (("result_type: cif_value,", "result_type: cif_loop_value,"), "needs row_lookup"),
        (("row_entry_value: C1", "row_value: C1"), "needs an item and a value"),
    ],
)
def test_a_fault_in_a_suite_is_named_with_its_line(folder: Path, change: tuple[str, str], told: str) -> None:
    (folder / "suite.yaml").write_text(SUITE.replace(*change))
    with pytest.raises(SpecError, match="fault") as caught:
        suites.load(folder / "suite.yaml")
    assert told in str(caught.value.details)
    assert "suite.yaml:5:" in str(caught.value.details)


@pytest.mark.parametrize(
    ("expectation", "holds"),
    [
        (Expectation("cif_value", "_cell_length_a", "match", "10.032(4)"), True),
        (Expectation("cif_value", "_cell.length_a", "match", 10.032), True),
        (Expectation("cif_value", "_cell_length_a", "match", 10.03), False),
        (Expectation("cif_value", "_cell_length_a", "non-match", 9), True),
        (Expectation("cif_value", "_cell_length_a", "within", 10, deviation=0.01), False),
        (Expectation("cif_value", "_cell_length_a", "within", minimum=10, maximum=11), True),
        (Expectation("cif_value", "_chemical_name_common", "match", "a salt"), True),
        (Expectation("cif_value", "_chemical_name_common", "contain", "salt"), True),
        (Expectation("cif_value", "_exptl_crystal_density_diffrn", "present"), False),
        (Expectation("cif_value", "_exptl_crystal_density_diffrn", "present", allow_unknown=True), True),
        (Expectation("cif_value", "_cell_volume", "missing"), True),
        (Expectation("cif_value", "_cell_volume", "non-match", 3), False),
        (
            Expectation(
                "cif_loop_value", "_atom_site_occupancy", "match", 1, rows=(("_atom_site_label", "O1"),)
            ),
            True,
        ),
        (
            Expectation(
                "cif_loop_value", "_atom_site_occupancy", "match", 1, rows=(("_atom_site_label", "C1"),)
            ),
            False,
        ),
        (
            Expectation(
                "cif_loop_value", "_atom_site_occupancy", "missing", rows=(("_atom_site_label", "N9"),)
            ),
            True,
        ),
    ],
    ids=str,
)
def test_an_output_is_judged_item_by_item(expectation: Expectation, holds: bool) -> None:
    assert judge_cif(expectation, CIF).passed is holds


def test_a_warning_is_successful_and_a_failure_is_neither() -> None:
    assert judge_status(Expectation("status", expected="warning"), "successful", ["not converged"]).passed
    assert judge_status(Expectation("status", expected="successful"), "successful", ["not converged"]).passed
    assert not judge_status(Expectation("status", expected="warning"), "successful", []).passed
    assert not judge_status(Expectation("status", expected="successful"), "failed", []).passed


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "holds no mapping"),
        ("- a\n- b\n", "holds no mapping"),
        ("application_slug: demo\n", "`application_version` is missing"),
        ("application_slug: demo\napplication_version: 1\ntest_cases: many\n", "`test_cases` must be a list"),
        (
            "application_slug: demo\napplication_version: 1\ntest_cases: [4]\n",
            "needs `name` and `command_name`",
        ),
        ("a: [1\n", "Not a YAML file"),
        (
            "application_slug: demo\naplication_version: 1\ntest_cases: []\n",
            "did you mean `application_version`",
        ),
    ],
)
def test_what_is_no_suite_is_refused_in_words(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "suite.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        suites.load(tmp_path / "suite.yaml")
    assert told in str(caught.value.details) + caught.value.message


def test_reports_name_the_case_what_was_expected_and_what_was_found(folder: Path) -> None:
    loaded = suites.load(folder / "suite.yaml")
    wrong = Expectation("cif_value", "_cell_length_a", "match", 9)
    result = CaseResult(loaded.cases[0], [judge_cif(wrong, CIF)], log="bell \x07 and text")
    text = "\n".join(report_lines(loaded, [result]))
    assert "suite.yaml:5: numbers" in text
    assert "_cell_length_a is 9; found: 10.032(4)" in text
    assert "0 passed, 1 failed, 0 left out" in text
    parsed = ElementTree.fromstring(junit_xml(loaded, [result]))
    assert parsed.get("failures") == "1"
    assert "found 10.032(4)" in parsed.find("testcase/failure").get("message")  # type: ignore[union-attr]
