"""The strongest walls that a machine has, and what is said about them."""

from __future__ import annotations

from pathlib import Path

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox.sandbox.cgroups import Kind
from qcrbox.sandbox.probe import Sandboxes
from qcrbox_hub.walls import choice
from qcrbox_hub.walls.choice import Walls, choose, docker_lacks, everyone_is_trusted, trust_everyone

YES = Sandboxes(True, own_user_ids=True, limits=Kind.V2)
NO = Sandboxes(False, "bwrap is not installed", "apt-get install bubblewrap")


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch):
    """A machine with these walls."""

    def make(*, docker: bool, sandboxes: Sandboxes) -> None:
        lacks = None if docker else ("Docker is not installed", "install Docker")
        monkeypatch.setattr(choice, "docker_lacks", lambda image: lacks)
        monkeypatch.setattr(choice, "probe", lambda **_: sandboxes)

    return make


def test_containers_come_first(machine) -> None:
    machine(docker=True, sandboxes=YES)
    chosen = choose()
    assert chosen.walls is Walls.DOCKER
    assert chosen.stronger == ""


def test_sandboxes_come_second_and_say_what_would_be_stronger(machine) -> None:
    machine(docker=False, sandboxes=YES)
    chosen = choose()
    assert chosen.walls is Walls.SANDBOX
    assert "install Docker" in chosen.stronger
    assert chosen.what == "Every person's Jupyter server runs in its own sandbox."


def test_weaker_sandboxes_say_what_they_lack(machine) -> None:
    machine(docker=False, sandboxes=Sandboxes(True))
    what = choose().what
    assert "own user id" in what
    assert "without limits" in what


def test_without_walls_one_person_is_served(machine) -> None:
    machine(docker=False, sandboxes=NO)
    chosen = choose()
    assert chosen.walls is Walls.ONE_PERSON
    assert not chosen.walls.separate
    assert "bwrap is not installed" in chosen.stronger
    assert "sign-up is closed" in chosen.what


def test_trust_has_to_be_said(machine, tmp_path: Path) -> None:
    machine(docker=False, sandboxes=NO)
    (tmp_path / "hub").mkdir()
    assert not everyone_is_trusted(tmp_path)
    trust_everyone(tmp_path, "ada")
    assert everyone_is_trusted(tmp_path)
    chosen = choose(everyone_trusted=True)
    assert chosen.walls is Walls.TRUSTED
    assert "no walls" in chosen.what


def test_trust_takes_no_walls_away(machine) -> None:
    machine(docker=False, sandboxes=YES)
    assert choose(everyone_trusted=True).walls is Walls.SANDBOX


@pytest.mark.parametrize("text", ["", "[]", '{"everyone_trusted": "yes"}', "null"])
def test_damaged_note_is_no_trust(tmp_path: Path, text: str) -> None:
    (tmp_path / "hub").mkdir()
    (tmp_path / "hub" / "trust.json").write_text(text)
    assert not everyone_is_trusted(tmp_path)


def test_what_is_asked_for_and_not_there_is_an_error(machine) -> None:
    machine(docker=False, sandboxes=NO)
    with pytest.raises(UserInputError, match="bwrap is not installed"):
        choose("sandbox")
    with pytest.raises(UserInputError, match="Docker is not installed"):
        choose("docker")
    assert choose("trusted").walls is Walls.TRUSTED


def test_docker_that_is_away_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert docker_lacks() == (
        "Docker is not installed",
        "Containers would be stronger: install Docker, then `qcrbox image build`.",
    )
    (tmp_path / "dead.sock").touch()
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/dead.sock")
    reason = docker_lacks()
    assert reason is not None
    assert "does not answer" in reason[0]
    monkeypatch.setenv("DOCKER_HOST", "tcp://192.0.2.7:2375")
    reason = docker_lacks()
    assert reason is not None
    assert "another machine" in reason[0]


@pytest.mark.docker
def test_image_that_is_missing_is_said() -> None:
    reason = docker_lacks("qcrbox/there-is-no-such:image")
    assert reason is not None
    assert "There is no image" in reason[0]
