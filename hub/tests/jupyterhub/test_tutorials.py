"""Tutorial notebooks come into a home folder without touching a person's work."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox_hub.jupyterhub.tutorials import RECORD, offer_tutorials


@pytest.fixture
def shipped(tmp_path: Path) -> Path:
    source = tmp_path / "shipped"
    (source / "data").mkdir(parents=True)
    (source / "01_first.ipynb").write_text("first edition")
    (source / "data" / "a.cif").write_text("data_a")
    (source / ".ipynb_checkpoints").mkdir()
    (source / ".ipynb_checkpoints" / "x.ipynb").write_text("")
    return source


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home" / "notebooks"


def test_everything_comes_the_first_time(shipped: Path, home: Path) -> None:
    assert offer_tutorials(shipped, home) == ["01_first.ipynb", "data/a.cif"]
    assert (home / "01_first.ipynb").read_text() == "first edition"


def test_changed_notebook_is_kept_and_untouched_one_is_renewed(shipped: Path, home: Path) -> None:
    offer_tutorials(shipped, home)
    (home / "01_first.ipynb").write_text("my own notes")
    (shipped / "01_first.ipynb").write_text("second edition")
    (shipped / "data" / "a.cif").write_text("data_b")
    assert offer_tutorials(shipped, home) == ["data/a.cif"]
    assert (home / "01_first.ipynb").read_text() == "my own notes"


def test_deleted_notebook_stays_deleted(shipped: Path, home: Path) -> None:
    offer_tutorials(shipped, home)
    (home / "01_first.ipynb").unlink()
    (shipped / "01_first.ipynb").write_text("second edition")
    assert offer_tutorials(shipped, home) == []


def test_persons_own_file_of_the_same_name_is_kept(shipped: Path, home: Path) -> None:
    home.mkdir(parents=True)
    (home / "01_first.ipynb").write_text("mine")
    offer_tutorials(shipped, home)
    assert (home / "01_first.ipynb").read_text() == "mine"


def test_no_tutorials_is_no_error(tmp_path: Path, home: Path) -> None:
    assert offer_tutorials(tmp_path / "nothing", home) == []


@pytest.mark.parametrize(
    "content",
    ["[]", "null", '"x"', "5", "{", "", "\x00", "[" * 100_000, '{"01_first.ipynb": 5}'],
    ids=["list", "null", "text", "number", "broken", "empty", "null byte", "deep", "no hash"],
)
def test_record_that_a_person_damaged_keeps_no_server_from_starting(
    shipped: Path, home: Path, content: str
) -> None:
    home.mkdir(parents=True)
    (home / RECORD).write_text(content)
    (home / "01_first.ipynb").write_text("my work")
    offer_tutorials(shipped, home)
    assert (home / "01_first.ipynb").read_text() == "my work"
