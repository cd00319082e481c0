"""`qcrbox apps` as it is typed: from a new folder to an approved image, and the suites of our own applications."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from xml.etree import ElementTree

import httpx
import pytest
from qcrbox_hub.apps.check import check
from qcrbox_hub.apps.platform import private_platform
from qcrbox_hub.cli import main

ROOT = Path(__file__).parents[3]


Apps = Callable[..., subprocess.CompletedProcess[str]]


def apps(*words: str | Path, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "qcrbox_hub", "apps", *map(str, words)]
    if data is not None:
        command += ["--data", str(data)]
    environment = os.environ | {"NO_COLOR": "1", "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=800)


@pytest.fixture
def apps_here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Apps:
    """As `apps`, in this process; the walk-through of an application runs `apps test` as a process."""

    def run(*words: str | Path) -> subprocess.CompletedProcess[str]:
        monkeypatch.setattr(sys, "argv", ["qcrbox", "apps", *map(str, words)])
        with pytest.raises(SystemExit) as ended:
            main()
        code = ended.value.code
        assert isinstance(code, int)
        return subprocess.CompletedProcess(words, code, *capfd.readouterr())

    return run


@pytest.fixture(scope="module")
def platform(scaffold: Path) -> Iterator[httpx.Client]:
    """What `apps test --manager process` starts for the new application. It offers ours as well."""
    with private_platform(scaffold, "process") as client:
        yield client


@pytest.fixture
def on_one_platform(monkeypatch: pytest.MonkeyPatch, platform: httpx.Client) -> None:
    """Suites run on `platform` instead of one each."""
    monkeypatch.setattr("qcrbox_hub.cli.apps.private_platform", lambda *_: nullcontext(platform))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data" / "run").mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture(scope="module")
def scaffold(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("new")
    done = apps("new", "two_sites", "--in", folder)
    assert done.returncode == 0, done.stderr
    return folder / "two_sites"


@pytest.mark.slow
def test_a_new_application_passes_check_as_it_is(scaffold: Path):
    done = apps("check", scaffold)
    assert done.returncode == 0, done.stdout
    assert "can be used" in done.stdout


@pytest.mark.docker
def test_a_new_application_passes_its_suite_in_its_container_and_is_let_in_and_out(
    scaffold: Path, data: Path
):
    report = data.parent / "report.xml"
    done = apps("test", scaffold, "--junit", report)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed, 0 failed, 0 left out" in done.stdout
    assert ElementTree.parse(report).getroot().get("tests") == "2"
    assert apps("approve", scaffold, data=data).returncode == 0
    (approved,) = json.loads((data / "approved_images.json").read_text())
    assert approved["slug"] == "two_sites"
    listed = json.loads(apps("list", "--json", "--applications", scaffold, data=data).stdout)
    assert {row["slug"]: row["approved"] for row in listed}["two_sites"] == "yes"
    assert apps("retire", scaffold, data=data).returncode == 0
    assert json.loads((data / "approved_images.json").read_text()) == []
    again = apps("retire", scaffold, data=data)
    assert again.returncode != 0
    assert "was not approved" in again.stderr


@pytest.mark.parametrize(
    ("slug", "cases"),
    [
        pytest.param("qcrboxtools", 19, marks=pytest.mark.docker),
        pytest.param("avogadro", 2, marks=pytest.mark.docker),
    ],
)
def test_our_own_applications_pass_their_suites_in_containers(tmp_path: Path, slug: str, cases: int):
    report = tmp_path / "report.xml"
    done = apps("test", ROOT / "app_images" / slug, "--manager", "docker", "--junit", report)
    all_passed(done, report, cases)


@pytest.mark.slow
@pytest.mark.usefixtures("on_one_platform")
@pytest.mark.parametrize(("slug", "cases"), [("refine", 9), ("shelxle", 4)])
def test_our_own_applications_pass_their_suites(apps_here: Apps, tmp_path: Path, slug: str, cases: int):
    if slug == "shelxle" and not all(map(shutil.which, ("shelxle", "Xtigervnc"))):
        pytest.skip("ShelXle or Xtigervnc is not installed")
    report = tmp_path / "report.xml"
    done = apps_here("test", ROOT / "app_images" / slug, "--manager", "process", "--junit", report)
    all_passed(done, report, cases)


def all_passed(done: subprocess.CompletedProcess[str], report: Path, cases: int) -> None:
    assert done.returncode == 0, done.stdout + done.stderr
    suite = ElementTree.parse(report).getroot()
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == (str(cases), "0", "0")


@pytest.mark.slow
@pytest.mark.usefixtures("on_one_platform")
def test_a_case_that_fails_is_reported_in_words_in_xml_and_in_the_exit_code(
    apps_here: Apps, tmp_path: Path, scaffold: Path
):
    folder = tmp_path / "two_sites"
    shutil.copytree(scaffold, folder)
    suite = folder / "tests" / "suite.yaml"
    text = suite.read_text()
    assert 'expected_value: "failed"' in text
    suite.write_text(
        text.replace('expected_value: "failed"', 'expected_value: "successful"')
        + '  - name: "needs a person"\n    command_name: "count_sites"\n    manual_precondition: "turn the key"\n'
        + '    expected_results: [{type: "status", expected_value: "successful"}]\n'
    )
    report = tmp_path / "report.xml"
    done = apps_here("test", folder, "--manager", "process", "--junit", report)
    assert done.returncode == 1
    assert "suite.yaml:14: a structure without atoms is refused" in done.stdout
    assert "expected: status is successful; found: failed" in done.stdout
    assert "1 passed, 1 failed, 1 left out" in done.stdout
    assert "left out: needs a person (by hand: turn the key)" in done.stdout
    found = {case.get("name"): [one.tag for one in case] for case in ElementTree.parse(report).getroot()}
    assert found == {
        "a structure is counted": [],
        "a structure without atoms is refused": ["failure"],
        "needs a person": ["skipped"],
    }


@pytest.mark.docker
def test_a_build_that_fails_shows_its_last_lines(tmp_path: Path, scaffold: Path):
    folder = tmp_path / "two_sites"
    shutil.copytree(scaffold, folder)
    (folder / "Dockerfile").write_text(
        "FROM qcrbox/base\nUSER root\nRUN echo a line before the end && echo no such compiler >&2 && exit 7\n"
    )
    done = apps("build", folder)
    assert done.returncode != 0
    assert "Building two_sites 0.1 failed" in done.stderr
    assert "a line before the end" in done.stderr
    assert "no such compiler" in done.stderr
    assert "Mend the Dockerfile" in done.stderr


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("call_pattern", "application.yaml:"),
        ("glue", "count_sites"),
        ("suite", "suite.yaml:"),
        ("dockerfile", "starts from neither"),
        ("example", "examples.yaml:3"),
    ],
)
def test_check_names_what_is_wrong_and_where(tmp_path: Path, scaffold: Path, fault: str, told: str):
    folder = tmp_path / "two_sites"
    shutil.copytree(scaffold, folder)
    spec = folder / "application.yaml"
    if fault == "call_pattern":
        spec.write_text(spec.read_text().replace('dtype: "str"', 'dtype: "QCrBox.nonsense"'))
    elif fault == "glue":
        (folder / "two_sites_commands.py").write_text("x = 1\n")
    elif fault == "suite":
        suite = folder / "tests" / "suite.yaml"
        suite.write_text(
            suite.read_text().replace('command_name: "count_sites"', 'command_name: "no_such"', 1)
        )
    elif fault == "dockerfile":
        (folder / "Dockerfile").write_text("FROM debian\n")
    else:
        (folder / "examples" / "example.cif").unlink()
    problems = check(folder).problems
    assert any(told in problem for problem in problems), problems


@pytest.mark.docker
def test_an_image_is_built_with_the_arguments_that_its_dockerfile_has(tmp_path: Path, scaffold: Path):
    folder = tmp_path / "two_sites"
    shutil.copytree(scaffold, folder)
    dockerfile = 'FROM qcrbox/base\nUSER root\nARG EXTRA=""\nRUN test "$EXTRA" = "two words"\nCOPY . /opt/application/\nUSER 10001:10001\n'
    (folder / "Dockerfile").write_text(dockerfile)
    without = apps("build", folder)
    assert "Building two_sites 0.1 failed" in without.stderr
    first = apps("build", folder, "--build-arg", "EXTRA=two words")
    assert first.returncode == 0, first.stderr
    again = apps("build", folder, "--build-arg", "EXTRA=two words")
    assert again.stdout == first.stdout
    assert "Building" not in again.stderr
    # Without the argument it would be another image, and not the one that is there.
    assert "Building two_sites 0.1 failed" in apps("build", folder).stderr
    unknown = apps("build", folder, "--build-arg", "PERIODIC=gpaw")
    assert unknown.returncode != 0
    assert "no argument PERIODIC" in unknown.stderr
    assert "It has EXTRA" in unknown.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("har", "--build-arg", "PERIODIC"), "is no NAME=VALUE"),
        (("har", "refine", "--build-arg", "A=b"), "for one application"),
        (("base", "--build-arg", "A=b"), "for one application"),
    ],
    ids=["no value", "two applications", "the base"],
)
def test_arguments_of_builds_are_checked_before_anything_is_built(
    apps_here: Apps, words: tuple[str, ...], said: str
):
    done = apps_here("build", *words)
    assert done.returncode != 0
    assert said in " ".join(done.stderr.split())
