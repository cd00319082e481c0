from __future__ import annotations

import shutil

import pytest
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox_registry.launcher import catalogue as module
from qcrbox_registry.launcher.catalogue import Catalogue


@pytest.fixture
def folder(tmp_path, sample_folder):
    made = tmp_path / "applications" / "sample"
    shutil.copytree(sample_folder, made)
    return made


@pytest.mark.attack(17)
def test_what_is_approved_is_a_copy(tmp_path, folder):
    catalogue = Catalogue(tmp_path / "store")
    approved = catalogue.approve(folder)
    (folder / "sample_commands.py").write_text("raise SystemExit")
    assert "def no_op" in (approved.folder / "sample_commands.py").read_text()
    assert catalogue.get("sample", "1.0") == approved


@pytest.mark.attack(17)
def test_a_changed_folder_gets_a_copy_of_its_own(tmp_path, folder):
    catalogue = Catalogue(tmp_path / "store")
    first = catalogue.approve(folder)
    (folder / "sample_commands.py").write_text("x = 1\n")
    second = catalogue.approve(folder)
    assert first.folder != second.folder
    assert "def no_op" in (first.folder / "sample_commands.py").read_text()


def test_copies_of_earlier_starts_are_removed(tmp_path, folder):
    old = Catalogue(tmp_path / "store").approve(folder)
    (folder / "sample_commands.py").write_text("x = 1\n")
    catalogue = Catalogue(tmp_path / "store")
    new = catalogue.approve(folder)
    catalogue.prune()
    assert (old.folder.exists(), new.folder.exists()) == (False, True)


def test_the_same_folder_is_copied_once(tmp_path, folder):
    first = Catalogue(tmp_path / "store").approve(folder)
    assert Catalogue(tmp_path / "store").approve(folder) == first
    assert len(list((tmp_path / "store").iterdir())) == 1


def test_unknown_applications_are_refused(tmp_path):
    with pytest.raises(NotFound, match="no approved application nope 1"):
        Catalogue(tmp_path).get("nope", "1")


def test_a_faulty_application_is_left_out_with_its_reason(tmp_path, folder):
    bad = tmp_path / "applications" / "bad"
    bad.mkdir()
    (bad / "application.yaml").write_text("name: A\n")
    catalogue = Catalogue(tmp_path / "store")
    catalogue.approve_all([tmp_path / "applications"])
    assert [one.slug for one in catalogue] == ["sample"]
    assert "slug" in catalogue.problems[0] or "name" in catalogue.problems[0]


@pytest.mark.attack(17)
def test_links_that_lead_out_of_the_folder_are_not_copied(tmp_path, folder):
    secret = tmp_path / "secret"
    secret.write_text("s")
    (folder / "link").symlink_to(secret)
    assert not (Catalogue(tmp_path / "store").approve(folder).folder / "link").exists()


def test_a_huge_folder_is_refused(tmp_path, folder, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    with pytest.raises(UserInputError, match="larger than"):
        Catalogue(tmp_path / "store").approve(folder)


def test_a_folder_without_applications_is_named(tmp_path):
    catalogue = Catalogue(tmp_path / "store")
    catalogue.approve_all([tmp_path / "nothing"])
    assert catalogue.problems == [f"No application was found in {tmp_path / 'nothing'}. It does not exist."]


def test_an_older_application_is_approved_under_the_present_name_of_its_spec(tmp_path, folder):
    (folder / "application.yaml").rename(folder / "config_sample.yaml")
    catalogue = Catalogue(tmp_path / "store")
    catalogue.approve_all([folder.parent])
    approved = catalogue.get("sample", "1.0")
    assert catalogue.problems == []
    assert approved.spec.read_text() == (folder / "config_sample.yaml").read_text()
    assert (approved.folder / "config_sample.yaml").is_file()  # older glue reads it
