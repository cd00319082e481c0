"""`qcrbox apps new` writes what its neighbours accept."""

from __future__ import annotations

from pathlib import Path

import pytest
import qcrbox.spec
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_hub.apps import scaffold, suite


@pytest.mark.parametrize("slug", ["lattice_smoother", "crysalis-pro", "X9"])
def test_a_new_application_has_a_spec_and_a_suite_without_faults(tmp_path: Path, slug: str) -> None:
    folder = scaffold.create(tmp_path, slug)
    application = qcrbox.spec.load(folder / "application.yaml")
    assert application.slug == slug
    assert [command.name for command in application.commands] == ["count_sites"]
    assert not application.notes
    assert suite.load(folder / "tests/suite.yaml").application_slug == slug


@pytest.mark.parametrize(
    "slug", ["", "../up", "a b", "9lives", "a" * 80, "naïve", "cif", "display", "read-cube"]
)
def test_a_name_that_cannot_be_a_folder_and_a_slug_is_refused(tmp_path: Path, slug: str) -> None:
    with pytest.raises(UserInputError, match="cannot be the name"):
        scaffold.create(tmp_path, slug)
    assert not list(tmp_path.iterdir())


def test_an_existing_folder_is_left_alone(tmp_path: Path) -> None:
    scaffold.create(tmp_path, "mine")
    with pytest.raises(Conflict, match="is there already"):
        scaffold.create(tmp_path, "mine")
