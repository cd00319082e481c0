"""Finding, changing and taking back what is stored."""

from __future__ import annotations

import inspect

import pytest
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import NotFound, UserInputError


def found(box, **what):
    return {dataset.name for dataset in box.search(**what)}


@pytest.fixture(scope="module")
def shelf(live_box, refined):
    """A refined model among the examples, with a name and a tag of its own."""
    refined.keep("shelf thpp", tags=["shelf"])
    return live_box


@pytest.mark.parametrize(
    ("what", "hits"),
    [
        ({"formula": "C17 H20 N4 O5"}, True),
        ({"formula": "C17 H20 N4 O6"}, False),
        ({"elements": ["O", "N"]}, True),
        ({"elements": ["Fe"]}, False),
        ({"elements": ["C", "H", "N", "O"], "only_elements": True}, True),
        ({"space_group": 19}, True),
        ({"space_group": "P 21 21 21"}, True),
        ({"space_group": 14}, False),
        ({"text": "cu3182"}, True),
        ({"text": "teapot"}, False),
        ({"R1_below": 0.05}, True),
        ({"R1_above": 0.05}, False),
        ({"R1_below": 0.05, "space_group": 19, "elements": ["N"]}, True),
        ({"R1_below": 0.05, "space_group": 14}, False),
    ],
    ids=str,
)
def test_structures_are_found_by_what_is_in_them(shelf, what, hits):
    assert ("cu3182" in found(shelf, **what)) is hits


def test_structures_are_found_by_tag_name_and_owner(shelf):
    assert found(shelf, tag="shelf") == {"shelf thpp"}
    assert found(shelf, name="shelf thpp") == {"shelf thpp"}
    assert "shelf thpp" in found(shelf, owner="local")
    assert found(shelf, owner="nobody-of-this-name") == set()
    assert found(shelf, tag="no-such-tag") == set()


def test_structures_are_found_by_cell_with_tolerance(shelf):
    cell = shelf.examples["thpp"].cell
    stretched = [p * (1.01 if i < 3 else 1) for i, p in enumerate(cell.parameters)]
    assert "shelf thpp" in found(shelf, cell=cell)
    assert "shelf thpp" in found(shelf, cell=stretched, tolerance=0.02)
    assert "shelf thpp" not in found(shelf, cell=stretched, tolerance=0.005)


def test_another_setting_of_the_same_cell_is_found(shelf):
    """The cell of P21/c instead of P21/n: c' = -a - c."""
    import numpy as np
    from qcrbox.crystallography.cell import UnitCell

    a, b, c = shelf.examples["thpp"].cell.orthogonalisation.T
    vectors = np.array([a, -b, -a - c])
    lengths = np.linalg.norm(vectors, axis=1)
    cosines = [vectors[i] @ vectors[j] / lengths[i] / lengths[j] for i, j in ((1, 2), (0, 2), (0, 1))]
    other = UnitCell.from_values([*lengths, *np.degrees(np.arccos(cosines))])
    assert "shelf thpp" in found(shelf, cell=other)


def test_options_of_the_search_are_in_its_signature_and_slips_are_named(shelf):
    assert {"formula", "cell", "tolerance", "space_group", "tag", "R1_below", "owner"} <= set(
        inspect.signature(shelf.search).parameters
    )
    with pytest.raises(UserInputError, match="Did you mean 'space_group'"):
        shelf.search(spacegroup=14)


@pytest.mark.slow
def test_search_result_is_a_table_and_an_input(shelf):
    hits = shelf.search(tag="shelf")
    assert "shelf thpp" in repr(hits)
    batch = shelf.map(shelf.qcrboxtools.symmetry_cards, hits)
    assert [one.result(120).files["symmetry.txt"].filename for one in batch] == ["symmetry.txt"]


# ---------------------------------------------------------------- taking back


@pytest.fixture
def store(registry_url):
    """A kernel of its own: what others did is none of its changes."""
    box = Box(RegistryClient(registry_url))
    yield box
    box.close()


def test_changes_are_taken_back_the_last_first(store):
    stored = store.add(b"data_x\n_cell_length_a 5\n", name="to undo", tags=["one"])
    stored.tag("two")
    stored.rename("renamed")
    stored.attach(b"  0   0   1    1.00    0.10\n", filename="more.hkl")
    stored.delete()
    assert str(store.undo()) == "Taken back: 'renamed' was deleted."
    assert set(store["renamed"].files) == {"data.cif", "more.hkl"}
    store.undo()
    assert set(store["renamed"].files) == {"data.cif"}
    store.undo()
    assert store["to undo"].tags == ["one", "two"]
    store.undo()
    assert store["to undo"].tags == ["one"]
    store.undo()
    with pytest.raises(NotFound):
        store["to undo"]
    with pytest.raises(UserInputError, match="nothing to undo"):
        store.undo()


def test_changes_that_can_be_taken_back_are_listed(store):
    store.add(b"data_x\n_cell_length_a 5\n", name="listed").tag("seen")
    assert store.changes.table()["change"] == ["tags of 'listed' changed", "'listed' was stored"]


def test_versions_of_a_result_lead_back_to_what_was_put_in(refined):
    rows = refined.dataset.history.rows
    files = [row[0] for row in rows]
    assert files.index("refined.cif") < files.index("thpp.cif")
    own = refined.dataset.files["refined.cif"].id
    assert next(row[2] for row in rows if row[3] == own) == refined.title


# ---------------------------------------------------------------- presets


@pytest.fixture
def presets(live_box, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return live_box.refine.refine_iam.presets


@pytest.mark.slow
def test_preset_is_kept_for_the_next_kernel_and_used_in_call_and_form(live_box, presets, registry_url):
    presets.save("quick look", cycles=0, weighting="keep")
    fresh = Box(RegistryClient(registry_url))
    command = fresh.refine.refine_iam
    assert dict(command.presets) == {"quick look": {"cycles": 0, "weighting": "keep"}}
    by_call = command(fresh.examples["thpp"], **command.presets["quick look"])
    by_form = command.form(fresh.examples["thpp"], preset="quick look").run()
    assert by_call.arguments["cycles"] == by_form.arguments["cycles"] == 0
    assert by_call.result(120).R1 == by_form.result(120).R1
    fresh.close()


def test_preset_is_checked_when_it_is_made(presets):
    with pytest.raises(UserInputError, match="Did you mean 'cycles'"):
        presets.save("wrong", cycle=1)
    with pytest.raises(UserInputError, match="whole number"):
        presets.save("wrong", cycles="many")
    with pytest.raises(UserInputError, match="structure is a file"):
        presets.save("wrong", structure="azu")
    assert len(presets) == 0


def test_unknown_preset_is_answered_with_the_one_meant_and_can_be_deleted(presets):
    presets.save("quick", cycles=1)
    with pytest.raises(NotFound, match="Did you mean 'quick'"):
        presets["quik"]
    assert presets._ipython_key_completions_() == ["quick"]
    presets.delete("quick")
    assert "None yet" in repr(presets)


def test_a_name_that_several_datasets_have_chooses_none_and_lists_them(live_box):
    first, second = (live_box.add(b"data_a\n_cell_length_a 1\n", name="twin name") for _ in range(2))
    with pytest.raises(UserInputError) as refused:
        live_box["twin name"]
    text = str(refused.value)
    assert "2 datasets are named 'twin name'" in text
    assert f'qc["{first.id}"]' in text
    assert f'qc["{second.id}"]' in text
    assert live_box[second.id].id == second.id
    second.rename("other twin")
    assert live_box["twin name"].id == first.id


def test_a_result_is_renamed_in_store_calculations_and_lineage(live_box):
    result = live_box.refine.edit_model(live_box.examples["thpp"], edits="aniso C1").result(120)
    assert result.title.startswith("thpp · model edited")
    result.title = "thpp with C1 anisotropic"
    assert live_box["thpp with C1 anisotropic"].id == result.dataset.id
    assert live_box.calculations["thpp with C1 anisotropic"].id == result.calculation.id
    assert "thpp with C1 anisotropic" in repr(live_box.calculations)
    assert "thpp with C1 anisotropic" in repr(result.lineage)
    assert "thpp with C1 anisotropic" in repr(result)
    live_box.undo()
    assert result.title.startswith("thpp · model edited")
