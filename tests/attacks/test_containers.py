"""23 to 25: a hostile program in a real container, run by the platform as anybody's command is run."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from typing import Any

import psutil
import pytest
from qcrbox_registry.launcher.approvals import Approvals

from tests.attacks.conftest import Ground, harm_of, until

pytestmark = pytest.mark.docker


@pytest.fixture
def open_port() -> Iterator[int]:
    """A port of the host that is open on every address."""
    with socket.create_server(("0.0.0.0", 0)) as server:
        yield server.getsockname()[1]


def host_addresses() -> list[str]:
    found = [one.address for many in psutil.net_if_addrs().values() for one in many]
    return [address for address in found if "." in address and not address.startswith("127.")]


@pytest.mark.attack(23)
def test_23_a_program_reaches_no_hub_no_nats_no_docker_no_neighbour_no_metadata_and_no_internet(
    ground: Ground, open_port: int
) -> None:
    hub = int(ground.hub.api_url.split(":")[2].split("/")[0])
    ports = [open_port, hub, ground.port("nats"), ground.port("registry")]
    neighbour = ground.bob.running()
    tries = ground.ada.attempts("network", ports=ports, addresses=host_addresses())
    ground.bob.stop(neighbour)
    assert harm_of(tries, at_least=35) == []


@pytest.mark.attack(23)
@pytest.mark.attack(26)
def test_23_the_doors_lead_to_the_agents_routes_and_to_nothing_else(ground: Ground) -> None:
    foreign = ground.bob.running()
    tries = ground.ada.attempts("doors", calculation=foreign)
    ground.bob.stop(foreign)
    assert harm_of(tries, at_least=200) == []
    works = next(one for one in tries if "this shows that the door works" in one["try"])
    assert "101" in works["said"], works


@pytest.mark.attack(25)
def test_25_a_program_gets_no_right_it_was_not_given(ground: Ground) -> None:
    assert harm_of(ground.ada.attempts("escape"), at_least=60) == []


@pytest.mark.attack(25)
def test_25_nobody_in_a_container_is_root_outside(ground: Ground) -> None:
    calculation_id = ground.ada.running()
    container = ground.container_of(ground.agent_of(ground.ada, calculation_id))
    table = container.top(ps_args="-eo uid,gid,pid,comm")
    assert len(table["Processes"]) >= 3
    assert {tuple(row[:2]) for row in table["Processes"]} == {("10001", "10001")}
    ground.ada.stop(calculation_id)


@pytest.mark.attack(24)
@pytest.mark.parametrize("kind", ["processes", "memory", "disk", "files", "sockets", "log"])
def test_24_somebody_elses_work_starts_and_ends_beside_a_glutton(ground: Ground, kind: str) -> None:
    greedy = ground.ada.start("attempt", what="exhaust", about=f'{{"kind": "{kind}"}}')
    until(lambda: ground.ada.look(greedy)["status"] != "submitted")
    beside = ground.bob.run("say_words", bare="a", single="b", double="c", joined="d")
    assert beside["status"] == "successful"
    done = ground.ada.ended(greedy)
    if kind == "memory":
        assert done["status"] == "failed"
        assert "used more than the 512 MB of memory that were allowed" in done["error_msg"]
    elif kind == "log":
        assert done["status"] == "successful"
        assert len(ground.ada.output(greedy)) < 12_000_000
    else:
        lines = ground.ada.output(greedy).splitlines()
        assert lines, done
        assert not [line for line in lines if '"harm": true' in line]
    again = ground.ada.run("say_words", bare="a", single="b", double="c", joined="d")
    assert again["status"] == "successful", "and the glutton's own next command works"


@pytest.mark.attack(24)
def test_24_what_a_glutton_leaves_running_ends_with_its_calculation(ground: Ground) -> None:
    ground.ada.run("attempt", what="exhaust", about='{"kind": "processes"}')
    calculation_id = ground.ada.running()
    container = ground.container_of(ground.agent_of(ground.ada, calculation_id))
    assert len(container.top()["Processes"]) < 20
    ground.ada.stop(calculation_id)


@pytest.mark.attack(28)
def test_28_a_link_in_place_of_an_output_leads_nowhere(ground: Ground) -> None:
    for target in ("/run/qcrbox/token", "/etc/passwd", "/proc/self/environ", "/proc/1/environ", "../.."):
        done = ground.ada.run("link", target=target)
        assert done["status"] == "failed", target
        assert "did not produce its declared required output" in done["error_msg"]
        assert done["output_dataset_id"] is None


@pytest.mark.attack(23)
@pytest.mark.attack(25)
@pytest.mark.parametrize(
    ("what", "options", "wanted"),
    [
        ("network", {"network_mode": "bridge"}, {"a network card"}),
        (
            "escape",
            {"security_opt": ["seccomp=unconfined"]},
            {
                "ptrace a process of its own",
                "read another process's memory by a call",
                "a keyring",
                "run without a filter",
            },
        ),
    ],
)
def test_the_intruder_is_no_straw_man(
    ground: Ground, what: str, options: dict[str, Any], wanted: set[str]
) -> None:
    """With one protection taken away the same program does do harm. Neither root nor capabilities: it is not let loose."""
    image = Approvals(ground.data).image("intruder", "1.0")
    assert image is not None
    settings = {
        "network_mode": "none",
        "user": "10001:10001",
        "cap_drop": ["ALL"],
        "tmpfs": {"/run/qcrbox": ""},
    }
    said = ground.daemon.containers.run(
        image.image_id,
        ["/opt/application/intruder.py", what, json.dumps({"ports": [], "addresses": []})],
        entrypoint=["python3"],
        remove=True,
        **settings | options,
    )
    tries = [json.loads(line) for line in said.decode().splitlines()]
    assert wanted <= {one["try"] for one in tries if one["harm"]}
