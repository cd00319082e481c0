from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import pytest
from qcrbox_agent.run import callables
from qcrbox_agent.run.callables import BadReturn, annotated, call, find_callable, returned_files


@pytest.fixture
def folder(tmp_path, monkeypatch) -> str:
    (tmp_path / "configure_some-program.py").write_text(
        "def go(x):\n    return x\nclass C: pass\nvalue = 1\n"
    )
    (tmp_path / "plain_glue_of_test.py").write_text("def go(x):\n    return x\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    return str(tmp_path)


@pytest.mark.parametrize("name", ["configure_some-program", "plain_glue_of_test", "plain_glue_of_test.py"])
def test_modules_are_found_by_name_and_by_file(folder, name):
    assert find_callable(name, "go", folder)("a") == "a"


@pytest.mark.parametrize(
    ("module", "name", "error"),
    [
        ("no_such_module_here", "go", ModuleNotFoundError),
        ("no-such-module", "go", ModuleNotFoundError),
        ("plain_glue_of_test", "stop", AttributeError),
        ("configure_some-program", "C", TypeError),
        ("configure_some-program", "value", TypeError),
    ],
)
def test_what_is_no_function_is_refused(folder, module, name, error):
    with pytest.raises(error):
        find_callable(module, name, folder)


def test_arguments_are_converted_by_annotations():
    def function(
        path: Path,
        maybe: Path | None,
        number: float,
        whole: Annotated[int, "x"],
        text: str,
        both: str | Path,
        free,
    ):
        raise NotImplementedError

    given = {"path": "a", "maybe": None, "number": 3, "whole": 2.0, "text": 5, "both": "b", "free": "f"}
    made = annotated(function, given)
    assert made == {
        "path": Path("a"),
        "maybe": None,
        "number": 3.0,
        "whole": 2,
        "text": "5",
        "both": "b",
        "free": "f",
    }
    assert [type(value) for value in made.values()] == [type(Path()), type(None), float, int, str, str, str]


def test_coroutines_are_run_to_their_end():
    async def function(x: int) -> int:
        return x + 1

    assert call(function, {"x": 1}) == 2


@pytest.mark.parametrize(
    ("value", "files"),
    [
        (None, []),
        ("", []),
        ([], []),
        ("a.cif", [("", "a.cif")]),
        (Path("a.cif"), [("", "a.cif")]),
        (["a", Path("b")], [("", "a"), ("", "b")]),
        ({"out": "a", "other": Path("b")}, [("out", "a"), ("other", "b")]),
    ],
)
def test_what_a_callable_may_return(value, files):
    assert returned_files(value) == files


@pytest.mark.parametrize("value", [3, 1.5, True, b"bytes", object(), [1], {"a": 1}, {"a", "b"}])
def test_what_a_callable_may_not_return(value):
    with pytest.raises(BadReturn, match="must be str or Path"):
        returned_files(value)


def test_a_module_that_fails_can_be_tried_again(folder):
    path = Path(folder, "failing-module.py")
    path.write_text("raise RuntimeError('not yet')\n")
    with pytest.raises(RuntimeError):
        callables.find_module("failing-module", folder)
    path.write_text("x = 1\n")
    assert callables.find_module("failing-module", folder).x == 1


# ---------------------------------------------------------------- check of a spec against its modules

GLUE = """
def good(model, strength: float, out: str): ...
def lacks(model): ...
def wants(model, strength, out, more): ...
def other_type(model, strength: int, out): ...
def takes_all(**given): ...
"""


@pytest.fixture
def check(tmp_path):
    from qcrbox_agent.check import check_file

    def run(callable_name: str, module: str = "glue_of_check_test"):
        (tmp_path / "glue_of_check_test.py").write_text(GLUE)
        spec = tmp_path / "application.yaml"
        spec.write_text(
            textwrap.dedent(
                f"""
                name: A
                slug: a
                version: "1"
                qcrbox_yaml_spec_version: "0.1"
                commands:
                  - name: c
                    implemented_as: python_callable
                    import_path: {module}
                    callable_name: {callable_name}
                    parameters:
                      - {{name: model, dtype: QCrBox.cif_data_file}}
                      - {{name: strength, dtype: float}}
                    outputs:
                      - {{name: out, dtype: QCrBox.output_cif}}
                """
            )
        )
        return check_file(spec)

    return run


@pytest.mark.parametrize("name", ["good", "takes_all"])
def test_a_spec_that_fits_has_neither_problems_nor_notes(check, name):
    report = check(name)
    assert (report.problems, report.notes) == ([], [])


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("lacks", "has no parameter 'strength'"),
        ("wants", "needs 'more', which the spec does not give"),
        ("absent", "has no function 'absent'"),
    ],
)
def test_functions_that_do_not_fit_are_problems_with_a_line(check, name, problem):
    report = check(name)
    assert any(problem in text for text in report.problems)
    assert all(text.startswith("application.yaml:7:") for text in report.problems)


def test_a_module_that_cannot_be_imported_is_a_note(check):
    report = check("good", module="not_installed_where_the_spec_is_read")
    assert report.problems == []
    assert "cannot be imported" in report.notes[0]


def test_another_type_in_the_annotation_is_a_note(check):
    report = check("other_type")
    assert report.problems == []
    assert "'strength' is float in the spec and int in" in report.notes[0]


def test_problems_of_the_file_itself_come_first(tmp_path):
    from qcrbox_agent.check import check_file

    spec = tmp_path / "application.yaml"
    spec.write_text("name: A\n")
    assert check_file(spec).problems[0] == "application.yaml:1: 'slug' is missing or empty"
