"""What containers and services of people are made of, and that nothing a person sends changes it."""

from __future__ import annotations

import asyncio
import base64
import json
import subprocess
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import APIError, NotFound
from jupyterhub.spawner import SpawnException
from qcrbox_hub.accounts.numbers import Account
from qcrbox_hub.jupyterhub.spawners import swarm as swarm_module
from qcrbox_hub.jupyterhub.spawners.container import DockerPersonSpawner
from qcrbox_hub.jupyterhub.spawners.sandbox import SandboxSpawner
from qcrbox_hub.jupyterhub.spawners.swarm import SwarmPersonSpawner, privileges
from qcrbox_hub.walls.daemon import PLATFORM_LABEL

GIB = 1024**3


class _Person:
    """In place of the hub's database."""

    account = Account(7, "ada")
    properties: tuple[dict[str, Any], ...] = ()

    def group_properties(self) -> list[dict[str, Any]]:
        return list(self.properties)


class DockerOfAda(_Person, DockerPersonSpawner):
    pass


class SandboxOfAda(_Person, SandboxSpawner):
    """Its relay is a list of what is asked."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.asked: list[str] = []

    async def close_relay(self) -> None:
        self.asked.append("close")


class SwarmOfAda(_Person, SwarmPersonSpawner):
    """Its daemon is a list of what is asked."""

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self.asked: list[tuple[str, tuple[Any, ...], dict[str, Any]]] = []
        self.info = {"Swarm": {"ControlAvailable": True, "NodeID": "node-1"}}
        self.api = "1.41"
        self.removing: list[Exception | None] = [NotFound("none")]

    async def docker(self, method: str, *args: Any, **kwargs: Any) -> Any:
        self.asked.append((method, args, kwargs))
        if method == "remove_network" and self.removing and (problem := self.removing.pop(0)):
            raise problem
        return {
            "info": self.info,
            "version": {"ApiVersion": self.api},
            "create_network": {"Id": "net-1"},
        }.get(method)

    async def get_command(self) -> list[str]:
        return ["python", "server"]


def made(kind: type, **traits: Any) -> Any:
    options = {
        "mark": "m" * 16,
        "first_user_id": 1_890_000_000,
        "mem_limit": 2 * GIB,
        "cpu_limit": 1.5,
        "processes": 99,
    }
    spawner = kind(user=SimpleNamespace(name="ada"), **{**options, **traits})
    spawner._mounts = {"/homes/7-ada": ("/home/ada", False), "/sockets/in": ("/run/qcrbox/in", True)}
    return spawner


# ---------------------------------------------------------------- both


@pytest.mark.parametrize("kind", [DockerOfAda, SwarmOfAda])
def test_image_is_the_groups_or_the_common_one(kind: type) -> None:
    spawner = made(kind, images=["big:1", "other:2"])
    assert spawner.image_for_person() == "qcrbox/person:latest"
    spawner.properties = ({"internet": True}, {"image": "big:1"}, {"image": "other:2"})
    assert spawner.image_for_person() == "big:1"


@pytest.mark.attack(16)
@pytest.mark.parametrize(
    "wanted", ["evil:1", "big:1@sha256:0", "BIG:1", "registry.example.org/big:1", ["big:1"]]
)
def test_image_that_the_settings_do_not_list_is_refused(wanted: object) -> None:
    spawner = made(DockerOfAda, images=["big:1"])
    spawner.properties = ({"image": wanted},)
    with pytest.raises(SpawnException, match="not allowed"):
        spawner.image_for_person()


@pytest.mark.parametrize(
    ("everyone", "properties", "allowed"),
    [
        (False, (), False),
        (True, (), True),
        (False, ({"internet": True},), True),
        (False, ({"internet": False}, {"image": "x"}), False),
        (False, ({"internet": "yes"},), False),
        (False, ({"internet": 1},), False),
    ],
)
def test_internet_is_for_members_of_groups_that_may(
    everyone: bool, properties: tuple[dict[str, Any], ...], allowed: bool
) -> None:
    spawner = made(DockerOfAda, internet=everyone)
    spawner.properties = properties
    assert spawner.may_use_internet() is allowed


def test_people_have_user_ids_of_their_own() -> None:
    assert made(DockerOfAda).container_user == "1890000007:1890000007"


# ---------------------------------------------------------------- containers


def test_container_has_no_network_no_rights_and_limits() -> None:
    host = made(DockerOfAda)._host_config()
    assert (host["network_mode"], host["read_only"], host["cap_drop"]) == ("none", True, ["ALL"])
    assert (host["pids_limit"], host["memswap_limit"], host["restart_policy"]) == (
        99,
        2 * GIB,
        {"Name": "no"},
    )
    assert "no-new-privileges:true" in host["security_opt"]
    assert any(each.startswith("seccomp={") for each in host["security_opt"])
    assert host["binds"]["/sockets/in"] == {"bind": "/run/qcrbox/in", "mode": "ro"}
    assert "privileged" not in host
    assert not any("docker.sock" in outside for outside in host["binds"])


def test_without_limits_none_are_set() -> None:
    host = made(DockerOfAda, mem_limit=None, processes=0)._host_config()
    assert host["pids_limit"] is host["memswap_limit"] is None


@pytest.mark.attack(22)
def test_inspection_of_a_container_shows_no_token() -> None:
    given = made(DockerOfAda)._create_arguments()
    assert given["environment"] == {"HOME": "/home/ada"}
    assert given["labels"][PLATFORM_LABEL] == "m" * 16
    assert given["network_disabled"] is True


@pytest.mark.parametrize("name", ["{username}", "a{b", "{{}}"])
def test_braces_are_no_templates(name: str) -> None:
    assert made(DockerOfAda)._render_templates({"x": name}) == {"x": name}


# ---------------------------------------------------------------- services


def described(**changes: Any) -> SwarmOfAda:
    spawner = made(SwarmOfAda)
    for name, value in changes.items():
        setattr(spawner, name, value)
    asyncio.run(spawner._describe())
    return spawner


@pytest.mark.attack(23)
def test_service_has_a_network_that_leads_nowhere() -> None:
    spawner = described()
    (made_network,) = [(args, more) for method, args, more in spawner.asked if method == "create_network"]
    assert made_network[1]["internal"] is True
    assert made_network[1]["labels"][PLATFORM_LABEL] == "m" * 16
    assert spawner.network_name == "net-1"


@pytest.mark.attack(22)
def test_service_shows_no_token_and_has_no_rights() -> None:
    spec = described().extra_container_spec
    assert spec["env"] == {"HOME": "/home/ada"}
    assert (spec["read_only"], spec["cap_drop"], spec["user"]) == (True, ["ALL"], "1890000007:1890000007")
    assert (spec["command"], spec["args"]) == (["python", "server"], None), (
        "no entry point of an image goes first"
    )
    home, incoming, temporary = spec["mounts"]
    assert (home["ReadOnly"], incoming["ReadOnly"], temporary["Type"]) == (False, True, "tmpfs")


@pytest.mark.attack(24)
def test_service_has_limits_stays_here_and_is_not_restarted() -> None:
    spawner = described()
    task = spawner.extra_task_spec
    assert task["resources"]["Limits"] == {"NanoCPUs": 1_500_000_000, "MemoryBytes": 2 * GIB, "Pids": 99}
    assert task["restart_policy"]["Condition"] == "none"
    assert spawner.extra_placement_spec == {"constraints": ["node.id == node-1"]}
    assert task["log_driver"]["Options"]["max-size"]


def test_service_of_a_platform_without_limits_has_none() -> None:
    spawner = made(SwarmOfAda, mem_limit=None, cpu_limit=None, processes=0)
    assert "Limits" not in spawner._resources()


@pytest.mark.parametrize(("api", "given"), [("1.41", False), ("1.43", False), ("1.44", True), ("2.0", True)])
def test_new_daemons_get_the_filter_of_system_calls(api: str, given: bool) -> None:
    assert ("privileges" in described(api=api).extra_container_spec) is given


def test_filter_of_a_service_is_ours() -> None:
    given = privileges()
    assert given["NoNewPrivileges"] is True
    assert json.loads(base64.b64decode(given["Seccomp"]["Profile"]))["defaultAction"] == "SCMP_ACT_ERRNO"


def test_daemon_that_manages_no_swarm_is_said() -> None:
    with pytest.raises(SpawnException, match="docker swarm init"):
        described(info={"Swarm": {"ControlAvailable": False}})


def test_network_in_use_is_tried_again_until_it_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_module, "REMOVE_EVERY_S", 0)
    spawner = made(SwarmOfAda)
    spawner.removing = [APIError("in use"), APIError("in use"), None]
    asyncio.run(spawner._remove_network())
    assert [method for method, _, _ in spawner.asked] == ["remove_network"] * 3


def test_network_that_never_goes_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(swarm_module, "REMOVE_EVERY_S", 0)
    monkeypatch.setattr(swarm_module, "REMOVE_TRIES", 3)
    spawner = made(SwarmOfAda)
    spawner.removing = [APIError("in use")] * 9
    asyncio.run(spawner._remove_network())
    assert len(spawner.asked) == 3


def test_a_sandbox_that_was_stopped_leaves_no_relay_and_no_state() -> None:
    spawner = SandboxOfAda(mark="0123456789")
    process = subprocess.Popen(["sleep", "60"])
    spawner._process, spawner.pid = process, process.pid
    asyncio.run(spawner.stop(now=True))
    assert process.wait(5) == -9
    assert spawner.asked == ["close"]
    assert (spawner.pid, spawner._process) == (0, None)
