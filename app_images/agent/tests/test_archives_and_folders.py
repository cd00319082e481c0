from __future__ import annotations

import io
import os
import tarfile
import zipfile

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_agent import archives
from qcrbox_agent.workdir import WorkFolders, free_name


def zip_of(path, files):
    with zipfile.ZipFile(path, "w") as made:
        for name, content in files.items():
            made.writestr(name, content)
    return path


def tar_of(path, files, kind=tarfile.REGTYPE, link=""):
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.size = kind, link, 0 if link else len(content)
            made.addfile(entry, io.BytesIO(content))
    return path


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_archives_are_unpacked(tmp_path, make):
    archives.unpack(make(tmp_path / "a", {"x.txt": b"1", "sub/y.txt": b"2"}), tmp_path / "out")
    assert (tmp_path / "out" / "sub" / "y.txt").read_bytes() == b"2"


@pytest.mark.attack(10)
@pytest.mark.parametrize("make", [zip_of, tar_of])
@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil", "..\\evil", "C:evil"])
def test_paths_out_of_the_folder_are_refused(tmp_path, make, name):
    with pytest.raises(UserInputError, match="outside its folder"):
        archives.unpack(make(tmp_path / "a", {name: b"1"}), tmp_path / "out")
    assert not (tmp_path / "evil").exists()


@pytest.mark.attack(10)
@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
def test_links_are_refused(tmp_path, kind):
    with pytest.raises(UserInputError, match="link or device"):
        archives.unpack(tar_of(tmp_path / "a", {"x": b""}, kind, "/etc/passwd"), tmp_path / "out")


@pytest.mark.attack(10)
def test_links_in_a_zip_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as made:
        entry = zipfile.ZipInfo("x")
        entry.external_attr = 0o120777 << 16
        made.writestr(entry, "/etc/passwd")
    with pytest.raises(UserInputError, match="holds a link"):
        archives.unpack(tmp_path / "a", tmp_path / "out")


@pytest.mark.attack(12)
def test_bombs_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("zeros", bytes(60_000_000))
    with pytest.raises(UserInputError, match="too large when unpacked"):
        archives.unpack(tmp_path / "a", tmp_path / "out")


@pytest.mark.parametrize("content", [b"", b"text", b"PK\x03\x04broken"])
def test_what_is_no_archive_is_refused(tmp_path, content):
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(UserInputError):
        archives.unpack(tmp_path / "a", tmp_path / "out")


def test_free_names_are_numbered_and_safe(tmp_path):
    (tmp_path / "a.cif").touch()
    (tmp_path / "a-2.cif").touch()
    assert free_name(tmp_path, "a.cif").name == "a-3.cif"
    assert free_name(tmp_path, "../../b.cif").parent == tmp_path
    assert free_name(tmp_path, "..").name == "file"


def test_an_empty_folder_is_used_again_by_its_owner_only(tmp_path):
    folders = WorkFolders(tmp_path)
    first = folders.make("anna")
    folders.remove(first, "anna")
    assert folders.make("anna") == first
    folders.remove(first, "anna")
    assert folders.make("bert") != first
    assert not first.exists()


@pytest.mark.parametrize("spoil", [lambda f: (f / "x").touch(), lambda f: f.chmod(0o777)])
def test_a_folder_that_was_used_is_removed(tmp_path, spoil):
    folders = WorkFolders(tmp_path)
    first = folders.make("anna")
    spoil(first)
    folders.remove(first, "anna")
    assert not first.exists()


def test_a_folder_without_rights_is_removed_too(tmp_path):
    folders = WorkFolders(tmp_path)
    first = folders.make("anna")
    (first / "sub").mkdir()
    (first / "sub" / "x").touch()
    (first / "sub").chmod(0o000)
    folders.remove(first, "anna")
    assert not first.exists()


def test_folders_of_failed_calculations_stay_for_a_time(tmp_path):
    folders = WorkFolders(tmp_path, keep_failed_s=100)
    first = folders.make("anna")
    (first / "log").touch()
    folders.remove(first, "anna", failed=True)
    now = os.stat(tmp_path / f"{first.name}.failed").st_mtime
    folders.sweep(now + 50)
    assert (first / "log").exists()
    folders.sweep(now + 101)
    assert list(tmp_path.iterdir()) == []


def test_an_input_never_gets_the_name_of_an_output(tmp_path):
    """Else a program that writes nothing would have its input taken for what it produced."""
    assert free_name(tmp_path, "refined.cif", {"refined.cif"}).name == "refined-2.cif"
    (tmp_path / "refined-2.cif").touch()
    assert free_name(tmp_path, "refined.cif", {"refined.cif"}).name == "refined-3.cif"
    assert free_name(tmp_path, "other.cif", {"refined.cif"}).name == "other.cif"
