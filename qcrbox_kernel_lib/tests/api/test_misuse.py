"""What is given by mistake is refused in words before anything is sent."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError

from ..conftest import write_cif


@pytest.fixture
def box(stored, store):
    record = store.dataset("azu", {"azu.cif": write_cif()})
    store.calculation("0aa1", output_dataset_id=record["qcrbox_dataset_id"])
    return stored


MISUSES = {
    "lineage of a name": (lambda qc: qc.lineage_of("azu"), r'A str has no lineage. Give a dataset.*qc.lineage_of\(qc\["name"\]\)'),
    "history of a name": (lambda qc: qc.history_of("azu"), "A str has no lineage"),
    "difference of names": (lambda qc: qc.diff("azu", "azu"), "A str is not a CIF"),
    "s.u. as a word": (lambda qc: qc.diff(qc["azu"], qc["azu"], su="three"), "su must be a number of 0 or more; you gave 'three'"),
    "negative s.u.": (lambda qc: qc.compare(qc["azu"], qc["azu"], su=-1), "su must be a number of 0 or more"),
    "name of a command": (lambda qc: qc.map("refine", [qc["azu"]]), "map.. runs a command; you gave 'refine'"),
    "no inputs": (lambda qc: qc.map(qc.refine.refine_iam, None), "takes a list of inputs; you gave None"),
    "need as a number": (lambda qc: qc.find(5), "need must be text; you gave 5"),
    "exercise as a number": (lambda qc: qc.exercise(5), "name must be text; you gave 5"),
    "item by a number": (lambda qc: qc["azu"][0], r'qc\["azu"\]\[…\] is asked for by name; you gave 0. For example qc\["azu"\]\["name"\]'),
    "command by a number": (lambda qc: qc.refine[0], r"qc.refine\[…\] is asked for by name"),
    "report of a name": (lambda qc: qc.calculations["0aa1"].result().report(models=["azu"]), "A str is not a CIF"),
    "report of nothing": (lambda qc: qc.calculations["0aa1"].result().report(models=[]), "at least one model"),
    "layer as a number": (lambda qc: qc["azu"].plots.layer(5), "5 is no layer"),
}  # fmt: skip


@pytest.mark.parametrize("case", MISUSES)
def test_a_mistake_is_said(box, case):
    act, message = MISUSES[case]
    with pytest.raises(UserInputError, match=message):
        act(box)


def test_files_that_cannot_be_written_are_named(box, tmp_path):
    result = box.calculations["0aa1"].result()
    for act in (
        lambda: result.report(str(tmp_path / "nowhere" / "a.html")),
        lambda: box.stubs(tmp_path / "nowhere" / "a.pyi"),
        lambda: box["azu"].view().save(tmp_path / "nowhere" / "a.svg"),
    ):
        with pytest.raises(
            UserInputError, match=r"nowhere.*cannot be written. \(No such file or directory\)"
        ):
            act()
