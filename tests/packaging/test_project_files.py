"""Files that tools and contributors read: hooks, workflow, change log, version."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import qcrbox
import yaml

ROOT = Path(__file__).resolve().parents[2]
SECTIONS = ["Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"]


def targets() -> set[str]:
    return set(re.findall(r"^([a-z][a-z-]*):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_pre_commit_accepts_its_configuration_and_fetches_nothing():
    file = ROOT / ".pre-commit-config.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "pre_commit", "validate-config", str(file)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stdout
    assert [repository["repo"] for repository in yaml.safe_load(file.read_text())["repos"]] == ["local"]


def test_the_workflow_calls_targets_of_the_makefile_only():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "checks.yml").read_text())
    commands = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert len(commands) >= 4
    assert {command.split()[0] for command in commands} == {"make"}
    assert {command.split()[1] for command in commands} <= targets()


def test_the_change_log_has_the_sections_of_keep_a_changelog():
    text = (ROOT / "CHANGELOG.md").read_text()
    releases = re.split(r"^## ", text, flags=re.MULTILINE)[1:]
    assert releases[0].startswith("[Unreleased]")
    for release in releases:
        head, *sections = re.split(r"^### ", release, flags=re.MULTILINE)
        assert "\n- " not in head, "an entry outside the sections"
        names = [section.split("\n", 1)[0] for section in sections]
        assert names == [name for name in SECTIONS if name in names]


def test_no_entry_is_in_the_change_log_twice():
    begins = re.findall(r"^- (.{40})", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert len(begins) == len(set(begins))


def test_the_version_stands_in_one_place():
    assert 'dynamic = ["version"]' in (ROOT / "pyproject.toml").read_text()
    for package in ("extension", "qcrbox_kernel_lib/js"):
        assert '"version": "0.0.0"' in (ROOT / package / "package.json").read_text()
    literal = re.compile(rf"__version__\s*=\s*[\"']{re.escape(qcrbox.__version__)}")
    rooms = (
        "qcrbox_kernel_lib/qcrbox",
        "registry/qcrbox_registry",
        "hub/qcrbox_hub",
        "extension/qcrbox_extension",
    )
    holders = [
        file for room in rooms for file in (ROOT / room).rglob("*.py") if literal.search(file.read_text())
    ]
    assert holders == [ROOT / "qcrbox_kernel_lib/qcrbox/__init__.py"]


@pytest.mark.parametrize(
    "name", ["SECURITY.md", "RELEASE.md", "CODE_OF_CONDUCT.md", "CONTRIBUTING.md", "LICENSE"]
)
def test_files_that_strangers_look_for_are_there(name):
    assert len((ROOT / name).read_text()) > 500
