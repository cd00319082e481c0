"""Images that applications may run as: by their content alone, replaced as a whole, kept for this account."""

from __future__ import annotations

import json

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.launcher.approvals import Approvals, main

ONE, TWO = f"sha256:{'1' * 64}", f"sha256:{'2' * 64}"


@pytest.fixture
def approvals(tmp_path):
    return Approvals(tmp_path)


def test_nothing_is_approved_in_a_new_folder(approvals):
    assert approvals.all() == []
    assert approvals.image("refine", "1") is None
    assert not approvals.retire("refine", "1")


def test_an_approval_holds_for_its_version_until_another_takes_its_place(approvals, tmp_path):
    approvals.approve("refine", "1", ONE, image_name="lab/refine:1", by="root")
    approvals.approve("refine", "2", ONE)
    approvals.approve("refine", "1", TWO)
    found = Approvals(tmp_path)
    assert (found.image("refine", "1").image_id, found.image("refine", "2").image_id) == (TWO, ONE)
    assert found.image("refine", "3") is None
    assert len(found.all()) == 2


@pytest.mark.attack(11)
@pytest.mark.parametrize(
    "image",
    ["lab/refine:1", "latest", "", "sha256:", f"sha256:{'1' * 63}", f"sha256:{'1' * 65}", f"sha256:{'G' * 64}",
     f"sha256:{'A' * 64}", f"{ONE}\n", f" {ONE}", f"lab/refine@{ONE}"],
)  # fmt: skip
def test_a_name_that_could_mean_another_image_tomorrow_is_refused(approvals, image):
    with pytest.raises(UserInputError, match="is not the id of an image") as refused:
        approvals.approve("refine", "1", image)
    assert "docker image inspect" in refused.value.next
    assert approvals.all() == []


def test_a_retired_image_is_gone_and_the_others_stay(approvals):
    approvals.approve("refine", "1", ONE)
    approvals.approve("har", "1", TWO)
    assert approvals.retire("refine", "1")
    assert [each.slug for each in approvals.all()] == ["har"]


def test_no_other_account_changes_the_list(approvals):
    approvals.approve("refine", "1", ONE)
    assert approvals.path.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in approvals.path.parent.iterdir()] == ["approved_images.json"], (
        "no draft is left"
    )


def test_the_command_line_approves_lists_and_retires(tmp_path, capsys):
    data = ["--data", str(tmp_path)]
    assert main([*data, "--by", "root", "approve", "refine", "1", ONE]) == 0
    assert main([*data, "list"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["slug"], listed["image_id"], listed["approved_by"]) == ("refine", ONE, "root")
    assert main([*data, "retire", "refine", "1"]) == 0
    assert main([*data, "retire", "refine", "1"]) == 3
    assert main([*data, "approve", "refine", "1", "latest"]) == 2
    assert "is not the id of an image" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["approve", "refine", "1"], ["retire", "refine"], ["approve"]])
def test_what_is_missing_on_the_command_line_is_named(tmp_path, capsys, words):
    with pytest.raises(SystemExit):
        main(["--data", str(tmp_path), *words])
    assert "needs SLUG VERSION" in capsys.readouterr().err
