"""Which walls stand between people on this machine: the strongest that there are, or what an administrator chose."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import qcrbox
from qcrbox.contract.errors import UserInputError
from qcrbox.sandbox import subordinate
from qcrbox.sandbox.probe import Sandboxes, probe

from qcrbox_hub.platform.data_folder import write_private
from qcrbox_hub.walls.daemon import Daemon

IMAGE = "qcrbox/person:latest"
VERSION_LABEL = "org.qcrbox.version"


class Walls(StrEnum):
    """What a person's Jupyter server runs in."""

    SWARM = "swarm"  # containers on the machines of a Docker Swarm
    DOCKER = "docker"  # containers of this machine's Docker daemon
    SANDBOX = "sandbox"  # Linux namespaces made by bubblewrap
    TRUSTED = "trusted"  # plain processes of the platform's user: no walls, by decision of an administrator
    ONE_PERSON = "one-person"  # plain processes, and therefore one person only

    @property
    def separate(self) -> bool:
        """Can one person's code not reach another's files?"""
        return self in (Walls.SWARM, Walls.DOCKER, Walls.SANDBOX)


@dataclass(frozen=True)
class Choice:
    """`what`: one sentence for people; `stronger`: what would be stronger and how to get it, "" for the best."""

    walls: Walls
    what: str
    stronger: str = ""
    sandboxes: Sandboxes | None = None

    def as_dict(self) -> dict[str, str]:
        """The choice as JSON for pages and the command line."""
        return {"walls": str(self.walls), "what": self.what, "stronger": self.stronger}


_WHAT = {
    Walls.SWARM: "Every person's Jupyter server runs in a container of a Docker Swarm.",
    Walls.DOCKER: "Every person's Jupyter server runs in its own container.",
    Walls.SANDBOX: "Every person's Jupyter server runs in its own sandbox.",
    Walls.TRUSTED: "There are no walls between people: everyone's code can read everyone's files and all secrets.",
    Walls.ONE_PERSON: "There are no walls between people, so the first administrator alone is served and sign-up is closed.",
}


def choose(
    wanted: str = "auto", *, everyone_trusted: bool = False, image: str = IMAGE, subordinate_ids: bool = True
) -> Choice:
    """The walls of this start.

    wanted: a member of `Walls`, or `auto` for the strongest. everyone_trusted: an administrator has confirmed that on a page.
    subordinate_ids: those of an ordinary user may be used; they are not for programs in containers.
    Raises UserInputError when what is wanted is not to be had.
    """
    if wanted == "auto":
        return _strongest(everyone_trusted, image, subordinate_ids)
    walls = Walls(wanted)
    if walls in (Walls.DOCKER, Walls.SWARM) and (reason := docker_lacks(image)):
        raise UserInputError(
            f"--spawner {walls} is not possible.",
            why=f"{reason[0]}.",
            next=reason[1],
        )
    sandboxes = None
    if walls is Walls.SANDBOX:
        sandboxes = probe(subordinate_ids=subordinate_ids)
        if not sandboxes.available:
            raise UserInputError(
                "--spawner sandbox is not possible.", why=f"{sandboxes.reason}.", next=sandboxes.advice
            )
    stronger = (
        "" if walls.separate else "Containers or sandboxes would be stronger: `qcrbox doctor` says how."
    )
    return Choice(walls, _what(walls, sandboxes), stronger, sandboxes)


def _strongest(everyone_trusted: bool, image: str, subordinate_ids: bool) -> Choice:
    lacking = docker_lacks(image)
    if lacking is None:
        return Choice(Walls.DOCKER, _WHAT[Walls.DOCKER])
    sandboxes = probe(subordinate_ids=subordinate_ids)
    if sandboxes.available:
        return Choice(
            Walls.SANDBOX, _what(Walls.SANDBOX, sandboxes), f"{lacking[0]}. {lacking[1]}", sandboxes
        )
    walls = Walls.TRUSTED if everyone_trusted else Walls.ONE_PERSON
    advice = f"No sandbox: {sandboxes.reason}. {sandboxes.advice} No containers: {lacking[0]}. {lacking[1]}"
    return Choice(walls, _WHAT[walls], advice.strip(), sandboxes)


def _what(walls: Walls, sandboxes: Sandboxes | None) -> str:
    if walls is not Walls.SANDBOX or sandboxes is None:
        return _WHAT[walls]
    notes = []
    if not sandboxes.own_user_ids:
        notes.append(f"all with the platform's own user id (for one each, {subordinate.ADVICE})")
    if sandboxes.limits == "none":
        notes.append("without limits of memory and processors (they need root or systemd)")
    return _WHAT[walls] if not notes else f"{_WHAT[walls][:-1]}, {' and '.join(notes)}."


# ---------------------------------------------------------------- Docker


def docker_lacks(image: str = IMAGE) -> tuple[str, str] | None:
    """Why containers are not to be had, and what to do; None when they are."""
    daemon = Daemon.found()
    if daemon is None:
        return (
            "DOCKER_HOST names another machine",
            "Containers of people run on this machine: unset DOCKER_HOST.",
        )
    if not daemon.socket.exists():
        return (
            "Docker is not installed",
            "Containers would be stronger: install Docker, then `qcrbox image build`.",
        )
    try:
        found = daemon.image(image)
    except OSError as error:
        return (
            f"The Docker daemon does not answer ({error.strerror or error})",
            "Containers would be stronger: start Docker and let this user use it, then `qcrbox image build`.",
        )
    if found is None:
        return f"There is no image {image}", "Containers would be stronger: run `qcrbox image build`."
    version = (found.get("Config", {}).get("Labels") or {}).get(VERSION_LABEL, qcrbox.__version__)
    if version != qcrbox.__version__:
        return (
            f"The image {image} is of QCrBox {version}",
            "Containers would be stronger: run `qcrbox image build`.",
        )
    return None


# ---------------------------------------------------------------- the administrator's decision


def trust_everyone(data: Path, by: str) -> None:
    """Record that everyone is trusted. Valid until the file is removed."""
    write_private(
        data / "hub" / "trust.json", json.dumps({"everyone_trusted": True, "by": by, "at": time.time()})
    )


def everyone_is_trusted(data: Path) -> bool:
    """Whether an administrator has confirmed that everyone on this platform is trusted."""
    try:
        return json.loads((data / "hub" / "trust.json").read_text()).get("everyone_trusted") is True
    except (OSError, ValueError, AttributeError):
        return False
