"""How an agent is configured, and what its programs see of that."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_agent.run.start_warden import program_environment
from qcrbox_agent.settings import read_settings

NEEDED = {
    "QCRBOX_AGENT_ID": "agent-1",
    "QCRBOX_NATS_URL": "nats://127.0.0.1:4222",
    "QCRBOX_ENROLMENT_FILE": "/run/enrolment",
    "QCRBOX_SPEC": "/opt/application/application.yaml",
    "QCRBOX_WORK_DIR": "/work",
}


@pytest.fixture
def environment(monkeypatch):
    for name in [name for name in os.environ if name.startswith("QCRBOX_")]:
        monkeypatch.delenv(name)
    for name, value in NEEDED.items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def test_the_environment_is_enough(environment):
    settings = read_settings([])
    assert settings.agent == "agent-1"
    assert settings.spec == Path("/opt/application/application.yaml")
    assert settings.folder == Path("/opt/application")
    assert settings.keep_failed_s == settings.orphaned_after_s == 0.0
    assert settings.sealed is False


def test_a_flag_wins_over_its_variable(environment):
    assert read_settings(["--agent-id", "agent-2", "--work-dir", "/tmp/w"]).agent == "agent-2"


@pytest.mark.parametrize("name", NEEDED)
def test_what_is_missing_is_named(environment, name):
    environment.delenv(name)
    with pytest.raises(UserInputError, match=name):
        read_settings([])


@pytest.mark.parametrize("name", NEEDED)
def test_an_empty_variable_is_missing(environment, name):
    environment.setenv(name, "")
    with pytest.raises(UserInputError, match=name):
        read_settings([])


def test_all_that_is_missing_is_named_at_once(environment):
    for name in NEEDED:
        environment.delenv(name)
    with pytest.raises(UserInputError) as refused:
        read_settings([])
    assert all(name in refused.value.message for name in NEEDED)


def test_paths_are_absolute_whatever_folder_a_program_changes_to(environment, tmp_path):
    environment.chdir(tmp_path)
    environment.setenv("QCRBOX_SPEC", "application.yaml")
    assert read_settings([]).spec == tmp_path / "application.yaml"


@pytest.mark.parametrize(("text", "sealed"), [("1", True), ("0", False), ("", False), ("yes", False)])
def test_sealed_is_one_or_not_at_all(environment, text, sealed):
    environment.setenv("QCRBOX_SEALED", text)
    assert read_settings([]).sealed is sealed


def test_times_are_numbers(environment):
    environment.setenv("QCRBOX_KEEP_FAILED_S", "3600")
    environment.setenv("QCRBOX_ORPHANED_AFTER_S", "0.5")
    settings = read_settings([])
    assert (settings.keep_failed_s, settings.orphaned_after_s) == (3600.0, 0.5)


def test_programs_see_none_of_the_agents_variables(environment, tmp_path):
    environment.setenv("OMP_NUM_THREADS", "2")
    seen = program_environment(tmp_path)
    assert [name for name in seen if name.startswith("QCRBOX_")] == []
    assert seen["OMP_NUM_THREADS"] == "2"


def test_programs_find_this_python_first_and_the_applications_folder_last(environment, tmp_path):
    environment.setenv("PATH", "/usr/bin:/bin")
    assert program_environment(tmp_path)["PATH"].split(os.pathsep) == [
        os.path.dirname(sys.executable),
        "/usr/bin",
        "/bin",
        str(tmp_path),
    ]


def test_programs_find_the_systems_without_a_path(environment, tmp_path):
    environment.delenv("PATH")
    assert os.defpath in program_environment(tmp_path)["PATH"]
