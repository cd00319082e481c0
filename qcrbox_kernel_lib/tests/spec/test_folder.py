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


@pytest.mark.parametrize("name", ["application.yaml", "application.yml", "config_x.yaml", "config_x.yml"])
def test_every_name_of_a_spec_makes_a_folder_an_application(tmp_path, name):
    (tmp_path / name).write_text("")
    assert required_spec_of(tmp_path) == tmp_path / name


@pytest.mark.parametrize("name", ["config.yaml", "application.json", "Application.txt", "xconfig_a.yaml"])
def test_other_files_make_no_application(tmp_path, name):
    (tmp_path / name).write_text("")
    assert spec_of(tmp_path) is None
    assert find_folders([tmp_path]) == []


def test_a_folder_of_the_name_of_a_spec_is_no_spec(tmp_path):
    (tmp_path / "application.yaml").mkdir()
    assert spec_of(tmp_path) is None


def test_one_application_is_found_once_and_links_lead_to_it(tmp_path, application):
    link = tmp_path / "link"
    link.symlink_to(application)
    assert find_folders([application, link, application.parent]) == [application.resolve()]


def test_temporary_files_and_tests_are_not_part_of_an_application(application):
    for name in ("tests", "__pycache__", "node_modules", ".git", ".venv"):
        (application / name).mkdir()
        (application / name / "x.py").write_text("")
    (application / "data" / "tests").mkdir(parents=True)
    (application / "data" / "tests" / "y").write_text("")
    (application / "data" / "table.txt").write_text("")
    names = [name for name, _ in application_files(application)]
    assert names == ["application.yaml", "glue.py", "data/table.txt"]


def test_a_link_out_of_the_folder_is_not_followed(tmp_path, application):
    (tmp_path / "secret").write_text("s")
    (application / "stolen").symlink_to(tmp_path / "secret")
    (application / "own").symlink_to(application / "glue.py")
    assert [name for name, _ in application_files(application)] == ["application.yaml", "glue.py", "own"]


def included(application, text, encoding="utf-8"):
    (application / "include.txt").write_bytes(text.encode(encoding))
    return [name for name, _ in application_files(application)]


def test_files_and_folders_of_a_neighbour_are_borrowed_under_their_last_name(application):
    neighbour = application.parent / "neighbour"
    (neighbour / "kit" / "deep").mkdir(parents=True)
    (neighbour / "one.py").write_text("")
    (neighbour / "kit" / "deep" / "a.txt").write_text("")
    names = included(application, "# borrowed\n\n../neighbour/one.py  # a file\n../neighbour/kit\n")
    assert names == ["application.yaml", "glue.py", "include.txt", "one.py", "kit/deep/a.txt"]


def test_an_include_file_with_a_byte_order_mark_names_the_same_files(application):
    (application.parent / "one.py").write_text("")
    assert "one.py" in included(application, "../one.py\r\n", "utf-8-sig")


@pytest.mark.parametrize("entry", ["../absent.py", "/etc/passwd", "../../outside.txt", "nothing"])
def test_an_entry_that_cannot_be_included_is_named_with_its_line(tmp_path, application, entry):
    (tmp_path / "outside.txt").write_text("")
    with pytest.raises(SpecError, match="cannot be included") as caught:
        included(application, f"# first line\n{entry}\n")
    assert caught.value.where == "sample/include.txt:2"
    assert entry in caught.value.what
    assert caught.value.fields["line"] == 2


def test_an_include_file_of_another_encoding_is_named(application):
    """It ended the look through all applications with a Python error."""
    with pytest.raises(SpecError, match="not UTF-8 text") as caught:
        included(application, "../Müller.py\n", "latin-1")
    assert caught.value.where == "sample/include.txt"
