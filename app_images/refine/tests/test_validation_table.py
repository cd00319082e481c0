"""The table of docs/validation.md: what agrees, what does not, what cannot be compared."""

import json
import re

import pytest
from qcrbox_refine.refinement import Options, refine_files, write_cif

from tools.validation import one
from tools.validation.sections import comparison, not_comparable, verdict


@pytest.fixture(scope="module")
def published(folder, tmp_path_factory):
    """A CIF with its reflections, as a refinement to convergence leaves it."""
    path = tmp_path_factory.mktemp("published") / "published.cif"
    data = folder / "tests" / "data"
    result = refine_files(str(data / "simulated.cif"), str(data / "simulated.hkl"), Options(cycles=20))
    assert result.fit.converged
    write_cif(result, path)
    return path


@pytest.fixture(scope="module")
def row(published):
    return json.loads(json.dumps(one.rows_of(published, None))) | {"name": "published"}


def test_a_converged_file_of_our_own_agrees_with_itself(row):
    assert verdict(row) == []
    assert not_comparable(row) == ""
    assert re.search(r"^\| published \|.*\| yes \|$", comparison([row]), re.MULTILINE)


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [("wr2", 0.2, "wR2"), ("r1", 0.2, "R1"), ("parameters", 3, "parameters")],
)
def test_what_differs_is_named(row, name, value, says):
    other = row | {"stated": row["stated"] | {name: value}}
    assert any(text.startswith(says) for text in verdict(other))
    assert "| no |" in comparison([other])


def test_a_file_that_is_not_converged_may_be_off_by_its_last_shift(row):
    off = row | {"position": row["position"] | {"largest": 3.0, "su_ratio": 1.3}}
    assert len(verdict(off)) == 2
    assert verdict(off | {"stated": row["stated"] | {"shift": 2.5}}) == []
    assert "last shift is 2.5 s.u." in comparison([off | {"stated": row["stated"] | {"shift": 2.5}}])


def test_part_of_the_data_is_not_comparable(row):
    few = row | {"stated": row["stated"] | {"reflections": 10 * row["found"]["reflections"]}}
    assert "not comparable" in not_comparable(few)
    assert "| not comparable |" in comparison([few])


def test_lines_are_cut_where_shelxl_cuts_them():
    wide = "   0   0   2     4713.47       80.22\n   0   0   4        0.79        0.00\n   0   0   0        0.00        0.00\n"
    rows = one.cut_at_columns(wide).splitlines()
    assert rows == [
        "   0   0   2  471.00    3.47",
        "   0   0   4    0.00    0.79",
        "   0   0   0    0.00    0.00",
    ]


def test_a_shelxl_file_with_wide_columns_has_a_second_row(published, tmp_path):
    text = published.read_text()
    head, _, rest = text.partition("_shelx_hkl_file")
    body = re.sub(
        r"^([ \d-]{12})(.{8})(.{8}).*$",
        lambda line: f"{line[1]}{float(line[2]):12.2f}{float(line[3]):12.2f}",
        rest,
        flags=re.MULTILINE,
    )
    wide = tmp_path / "wide.cif"
    head = re.sub(r"^_computing_structure_refinement.*$", "", head, flags=re.MULTILINE)
    wide.write_text(head + "_computing_structure_refinement 'SHELXL-2018/3'\n_shelx_hkl_file" + body)
    found = one.rows_of(wide, None)
    assert "see the row below" in not_comparable(found)
    assert found["cut"]["name"] == "wide, columns cut"
    assert found["cut"]["found"]["wr2"] != pytest.approx(found["found"]["wr2"], rel=0.01)
