from __future__ import annotations

import pytest
from qcrbox.contract.errors import SpecError
from qcrbox.spec import folder as module
from qcrbox.spec.folder import application_files, find_folders, nothing_found, required_spec_of, spec_of


@pytest.fixture
def application(tmp_path):
    made = tmp_path / "all" / "sample"
    made.mkdir(parents=True)
    (made / "application.yaml").write_text("name: A\n")
    (made / "glue.py").write_text("")
    return made


@pytest.fixture
def older(tmp_path):
    made = tmp_path / "all" / "older"
    made.mkdir(parents=True)
    (made / "config_older.yaml").write_text("name: B\n")
    (made / "configure_older.py").write_text("")
    return made


def test_folders_are_found_themselves_and_one_below(tmp_path, application, older):
    assert find_folders([application]) == [application.resolve()]
    assert find_folders([application.parent, older]) == [older.resolve(), application.resolve()]
    assert find_folders([tmp_path / "nothing"]) == []


def test_a_folder_of_older_applications_is_told_from_an_older_application(tmp_path, older):
    assert find_folders([older]) == find_folders([older.parent]) == [older.resolve()]


def test_the_present_name_counts_before_older_ones(application):
    (application / "config_old.yaml").write_text("")
    assert spec_of(application).name == "application.yaml"


def test_several_older_specs_in_one_folder_are_refused(older):
    (older / "config_other.yml").write_text("")
    assert find_folders([older.parent]) == [older.resolve()]
    with pytest.raises(SpecError, match="several applications in one folder") as caught:
        spec_of(older)
    assert "config_older.yaml, config_other.yml" in caught.value.message


def test_a_folder_without_spec_says_what_was_looked_for(tmp_path):
    with pytest.raises(SpecError, match=r"application.yaml, or config_<slug>.yaml"):
        required_spec_of(tmp_path)
    assert nothing_found(tmp_path).endswith(f"has {module.WANTED}.")
    assert nothing_found(tmp_path / "x").endswith("It does not exist.")


def test_the_files_of_an_application(application):
    assert [name for name, _ in application_files(application)] == ["application.yaml", "glue.py"]


def test_an_older_spec_has_the_present_name_too(older):
    files = dict(application_files(older))
    assert sorted(files) == ["application.yaml", "config_older.yaml", "configure_older.py"]
    assert files["application.yaml"] == files["config_older.yaml"]
