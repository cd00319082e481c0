"""Results: figures from the CIF, else from the program; files, warnings and what they are called."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import MissingItemsError, NotFound, UserInputError

from ..conftest import write_cif

FIGURES = """
_refine_ls_R_factor_gt 0.0412
_refine_ls_wR_factor_ref 0.1034
_refine_ls_goodness_of_fit_ref 1.05
_refine_ls_shift/su_max 0.001
"""
HISTORY = [{"cycle": 1, "R1": 0.09, "wR2": 0.2, "S": 2.0}, {"cycle": 2, "R1": 0.05, "wR2": 0.11, "S": 1.5}]


@pytest.fixture
def result_of(stored, store):
    """`result_of({"refined.cif": …}, **record)`: the result of a calculation with these outputs."""

    def make(files=None, **more):
        if files is not None:
            record = store.dataset("out", files, kind="output")
            more["output_dataset_id"] = record["qcrbox_dataset_id"]
        store.calculation("0aa1", **more)
        return stored.calculations["0aa1"].result()

    return make


def test_figures_are_those_of_the_cif(result_of):
    result = result_of({"refined.cif": write_cif(more=FIGURES)}, progress={"history": HISTORY})
    assert (result.R1, result.wR2, result.goof, result.shift_su) == (0.0412, 0.1034, 1.05, 0.001)
    assert result.R1_before == 0.09


def test_figures_that_the_cif_lacks_are_the_last_ones_reported(result_of):
    result = result_of({"refined.cif": write_cif()}, progress={"history": HISTORY})
    assert (result.R1, result.wR2, result.goof, result.shift_su) == (0.05, 0.11, 1.5, None)


@pytest.mark.parametrize(
    "content",
    [write_cif() + write_cif().replace("data_made", "data_other"), "no cif", "", "loop_\n_a\n"],
    ids=["two blocks", "no CIF", "empty", "cut short"],
)
def test_a_result_is_shown_whatever_its_cif_is(result_of, content):
    result = result_of({"refined.cif": content}, progress={"history": HISTORY})
    assert "R1 0.0500" in repr(result).replace("0.0900 → ", "")
    assert "refined.cif" in result._repr_mimebundle_()["text/html"]


def test_figures_before_and_after_are_shown_where_they_differ(result_of):
    result = result_of({"refined.cif": write_cif(more=FIGURES)}, progress={"history": HISTORY})
    assert dict(result._figures()) == {
        "R1": "0.0900 → 0.0412",
        "wR2": "0.2000 → 0.1034",
        "S": "2.000 → 1.050",
        "max shift/s.u.": "0.001",
    }


def test_a_result_without_files_says_so(result_of):
    result = result_of()
    assert result.files == {}
    for ask in ("dataset", "file"):
        with pytest.raises(NotFound, match="refine_iam gave no files"):
            getattr(result, ask)
    with pytest.raises(UserInputError, match=r"gave no CIF. Its files: none"):
        _ = result.cif
    assert "no figures; files: none" in repr(result)


def test_structure_factors_are_not_its_cif(result_of):
    result = result_of({"refined.fcf": "data_f\n", "refined.cif": write_cif()})
    assert result.cif.filename == "refined.cif"
    assert result.file.filename == "refined.fcf"


def test_an_item_is_there_or_not(result_of):
    result = result_of({"refined.cif": write_cif(more=FIGURES)})
    assert float(result["_refine_ls_R_factor_gt"]) == 0.0412
    assert "_refine_ls_R_factor_gt" in result
    assert "_refine_ls_R_factor_all" not in result
    with pytest.raises(TypeError, match="not iterable"):
        iter(result)


@pytest.mark.parametrize(
    ("metrics", "warnings", "expected"),
    [
        ({"converged": 0, "max_shift_su": 2.5}, [], ['Finished, but not converged: max shift/s.u. 2.50. Result kept, marked "not converged".']),
        ({"converged": 0}, [], ['Finished, but not converged. Result kept, marked "not converged".']),
        ({"converged": 0}, ["It did not converge."], ["It did not converge."]),
        ({"converged": 1}, [], []),
    ],
    ids=["with a shift", "without", "said by the program", "converged"],
)  # fmt: skip
def test_what_did_not_converge_says_so_once(result_of, metrics, warnings, expected):
    result = result_of({"refined.cif": write_cif()}, progress={"history": [metrics]}, warnings=warnings)
    assert result.warnings == expected


def test_the_program_may_name_the_parameter_that_did_not_converge(result_of):
    said = "\n;\nFinished, but not converged: z of C1 moved by 2.50 s.u.\nOther.\n;\n"
    result = result_of(
        {"refined.cif": write_cif(more=f"_refine_special_details{said}")},
        progress={"history": [{"converged": 0}]},
    )
    assert result.warnings == ["Finished, but not converged: z of C1 moved by 2.50 s.u."]


def test_warnings_notes_and_what_was_not_applied_are_apart_and_escaped(result_of):
    remarks = [{"kind": "note", "text": "<i>assumed</i>"}, {"kind": "not_applied", "text": "<i>DFIX</i>"}]
    result = result_of({"refined.cif": write_cif()}, warnings=["<i>look</i>"], remarks=remarks)
    assert (result.warnings, result.notes, result.not_applied) == (
        ["<i>look</i>"],
        ["<i>assumed</i>"],
        ["<i>DFIX</i>"],
    )
    assert "<i>" not in result._repr_mimebundle_()["text/html"]
    assert "⚠ <i>look</i>" in repr(result)


def test_the_export_has_the_files_that_are_asked_for(result_of, tmp_path):
    hkl = "   1   0   0    1.00    0.10\r\n   0   0   0    0.00    0.00\r\n"
    result = result_of({"refined.cif": write_cif(), "refined.hkl": hkl})
    text = result.export(tmp_path / "a.cif", embed="hkl").read_text()
    assert "_shelx_hkl_file" in text
    assert "   1   0   0    1.00    0.10\n   0   0   0" in text


@pytest.mark.parametrize(
    ("embed", "kind", "message"),
    [
        ("res", MissingItemsError, "no .res file to embed"),
        (["ins"], UserInputError, "embed knows hkl, res, fcf; you gave 'ins'"),
    ],
)
def test_what_cannot_be_embedded_is_refused_and_writes_nothing(result_of, tmp_path, embed, kind, message):
    with pytest.raises(kind, match=message):
        result_of({"refined.cif": write_cif()}).export(tmp_path / "a.cif", embed=embed)
    assert not (tmp_path / "a.cif").exists()


def test_an_export_overwrites_nothing(result_of, tmp_path):
    (tmp_path / "a.cif").write_text("mine")
    with pytest.raises(UserInputError, match="exists already"):
        result_of({"refined.cif": write_cif()}).export(tmp_path / "a.cif")
    assert (tmp_path / "a.cif").read_text() == "mine"


def test_the_code_finds_the_result_again(result_of, stored):
    result = result_of({"refined.cif": write_cif()})
    assert eval(result._code(), {"qc": stored}).calculation is result.calculation


def test_a_cube_that_is_not_there_names_those_that_are(result_of):
    result = result_of({"refined.cif": write_cif(), "deformation.cube": ""})
    with pytest.raises(NotFound, match="Densities of this result: deformation"):
        result.cube("residual")
