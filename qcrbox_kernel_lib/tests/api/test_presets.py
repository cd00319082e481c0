"""Presets of a command: checked, found again, never with files."""

from __future__ import annotations

import pytest
from qcrbox.client import preset_file
from qcrbox.client.parameters import Parameter
from qcrbox.contract.errors import NotFound, UserInputError


@pytest.fixture
def presets(refine_iam, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return refine_iam.presets


def test_values_are_kept_as_the_registry_takes_them(presets):
    presets.save(" quick ", ls_cycles="4", gridspacing="0.1", anharmonic="yes")
    assert presets["quick"] == {"ls_cycles": 4, "gridspacing": 0.1, "anharmonic": True}


def test_presets_are_a_mapping_for_calls(presets):
    presets.save("quick", ls_cycles=4)
    assert dict(**presets["quick"]) == {"ls_cycles": 4}
    assert (list(presets), len(presets), "quick" in presets, "slow" in presets) == (["quick"], 1, True, False)
    assert presets.get("slow") is None
    assert presets._ipython_key_completions_() == ["quick"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ls_cycels": 4}, "Did you mean 'ls_cycles'"),
        ({"ls_cycles": -1}, "ls_cycles must be"),
        ({"hkl": "a.hkl"}, "hkl is a file"),
        ({"input_cif": None}, "input_cif is a file"),
    ],
    ids=["slip", "wrong value", "file", "file that is none"],
)
def test_what_cannot_be_used_is_not_kept(presets, options, message):
    with pytest.raises(UserInputError, match=message):
        presets.save("quick", **options)
    assert not preset_file.path().exists()


@pytest.mark.parametrize("name", ["", "  ", "\n"])
def test_a_preset_needs_a_name(presets, name):
    with pytest.raises(UserInputError, match="needs a name"):
        presets.save(name)


def test_an_option_may_be_called_name(presets, refine_iam):
    refine_iam.parameters["name"] = Parameter("name", "str", required=False)
    try:
        assert presets.save("quick", name="x")["quick"] == {"name": "x"}
    finally:
        del refine_iam.parameters["name"]


def test_an_option_that_a_newer_version_lacks_is_passed_over(presets):
    preset_file.keep("refine.refine_iam", "old", {"gone": 1, "ls_cycles": 2})
    assert presets["old"] == {"ls_cycles": 2}


def test_an_unknown_preset_names_the_one_meant_or_all(presets):
    presets.save("quick", ls_cycles=1)
    with pytest.raises(NotFound, match=r"no preset 'quik'. Did you mean 'quick'"):
        presets["quik"]
    with pytest.raises(NotFound, match="There are: quick"):
        presets.delete("zzz")


def test_the_table_lists_them_and_says_how_to_begin(presets):
    assert 'presets.save("quick"' in repr(presets)
    presets.save("<b>", ls_cycles=1)
    assert presets.table().rows == [("<b>", "ls_cycles=1")]
    assert "<b>" not in presets._repr_mimebundle_()["text/html"]
