"""When homes are measured, and which servers are ended."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest
from qcrbox_hub.jupyterhub.home_watch import (
    LOW_BYTES,
    MEASURE_EVERY_S,
    NOTICE_BYTES,
    WRITTEN_BYTES,
    HomeWatch,
    free_bytes_at,
    free_bytes_of,
)
from qcrbox_hub.walls.home_limits import GIB, HomeLimits

FREE = 100 * GIB


@dataclass(eq=False)
class Server:
    home_label: str
    home_limit_bytes: int = 2 * GIB
    problem: Exception | None = None
    ended: list[str] = field(default_factory=list)

    async def end_for_full_home(self, why: str) -> None:
        if self.problem:
            raise self.problem
        self.ended.append(why)


@dataclass
class Machine:
    """A disk, a clock and the sizes of homes."""

    free: int = FREE
    free_of_files: int = 10 * FREE
    now: float = 1000.0
    takes_s: float = 0.0
    sizes: dict[str, int] = field(default_factory=dict)
    measured: list[list[str]] = field(default_factory=list)

    async def measure(self, root: Path, labels: list[str]) -> dict[str, int]:
        self.measured.append(labels)
        self.now += self.takes_s
        return {label: self.sizes[label] for label in labels if label in self.sizes}

    def watch(self, *servers: Server) -> HomeWatch:
        made = HomeWatch(
            Path("/homes"),
            HomeLimits(lambda: self.now),
            self.measure,
            lambda _: (self.free, self.free_of_files),
            lambda: self.now,
        )
        for server in servers:
            made.add(server)
        return made


@pytest.fixture
def machine() -> Machine:
    return Machine(sizes={"1-ada": GIB, "2-bob": GIB})


def look(watch: HomeWatch) -> None:
    asyncio.run(watch.look())


def test_nothing_is_measured_without_running_servers(machine: Machine) -> None:
    look(machine.watch())
    assert machine.measured == []


def test_homes_are_measured_once_a_minute_while_little_is_written(machine: Machine) -> None:
    watch = machine.watch(Server("1-ada"), Server("2-bob"))
    for _ in range(3):
        look(watch)
        machine.now += 2
    assert machine.measured == [["1-ada", "2-bob"]]
    machine.now += MEASURE_EVERY_S
    look(watch)
    assert len(machine.measured) == 2


def test_homes_are_measured_at_once_when_much_was_written(machine: Machine) -> None:
    watch = machine.watch(Server("1-ada"))
    look(watch)
    machine.now += 2
    machine.free -= WRITTEN_BYTES
    look(watch)
    assert len(machine.measured) == 2


@pytest.mark.parametrize("written", ["free", "free_of_files"])
def test_what_was_written_is_seen_on_a_disk_with_room_for_fewer_files_than_bytes(
    machine: Machine, written: str
) -> None:
    """An ext4 disk as it is made by default is one while more than a quarter of it is free."""
    machine.free_of_files = FREE // 2
    watch = machine.watch(Server("1-ada"))
    look(watch)
    machine.now += 2
    setattr(machine, written, getattr(machine, written) - WRITTEN_BYTES)
    look(watch)
    assert len(machine.measured) == 2


def test_measuring_takes_a_quarter_of_the_time_at_most(machine: Machine) -> None:
    machine.takes_s = 10
    watch = machine.watch(Server("1-ada"))
    look(watch)
    machine.free -= WRITTEN_BYTES
    machine.now += 29
    look(watch)
    assert len(machine.measured) == 1
    machine.now += 1
    look(watch)
    assert len(machine.measured) == 2


@pytest.mark.attack(12)
def test_server_whose_home_is_over_its_limit_is_ended_and_the_others_are_not(machine: Machine) -> None:
    ada, other, bob = Server("1-ada"), Server("1-ada"), Server("2-bob")
    machine.sizes["1-ada"] = 3 * GIB
    watch = machine.watch(ada, other, bob)
    look(watch)
    assert "its limit is 2.00 GiB" in ada.ended[0]
    assert other.ended, "a second server writes to the same home"
    assert bob.ended == []
    assert watch.limits.notice("1-ada")


def test_home_that_cannot_be_measured_ends_nothing(machine: Machine) -> None:
    ada = Server("1-ada")
    machine.sizes.clear()
    look(machine.watch(ada))
    assert ada.ended == []


def test_server_that_cannot_be_ended_does_not_stop_the_watch(machine: Machine) -> None:
    ada, bob = Server("1-ada", problem=OSError("the daemon is away")), Server("2-bob")
    machine.sizes = {"1-ada": 3 * GIB, "2-bob": 3 * GIB}
    look(machine.watch(ada, bob))
    assert bob.ended


def test_ended_server_is_watched_no_more(machine: Machine) -> None:
    ada = Server("1-ada")
    watch = machine.watch(ada)
    watch.remove(ada)
    watch.remove(ada)
    look(watch)
    assert machine.measured == []


def test_home_without_a_limit_is_left_alone_while_the_disk_has_room(machine: Machine) -> None:
    machine.sizes["1-ada"] = 10**15
    ada = Server("1-ada", home_limit_bytes=0)
    look(machine.watch(ada))
    assert machine.measured == []
    assert ada.ended == []


@pytest.mark.attack(24)
def test_server_that_fills_the_disk_is_ended_where_there_is_no_limit(machine: Machine) -> None:
    ada, bob = Server("1-ada", home_limit_bytes=0), Server("2-bob", home_limit_bytes=0)
    watch = machine.watch(ada, bob)
    machine.free = NOTICE_BYTES - 1
    look(watch)
    machine.now += 2
    machine.free = LOW_BYTES - 1
    machine.sizes["2-bob"] += 3 * GIB
    look(watch)
    assert "nearly full" in bob.ended[0]
    assert ada.ended == []


def test_disk_that_others_fill_ends_no_server(machine: Machine) -> None:
    ada = Server("1-ada", home_limit_bytes=0)
    watch = machine.watch(ada)
    machine.free = LOW_BYTES - 1
    for _ in range(3):
        look(watch)
        machine.now += 2
    assert ada.ended == []


def test_free_space_is_that_of_the_disk_the_homes_will_be_on(tmp_path: Path) -> None:
    assert min(free_bytes_at(tmp_path / "homes")) > 0


@pytest.mark.attack(24)
@pytest.mark.parametrize(
    ("files", "files_free", "expected"),
    [
        (1_000_000, 900_000, (FREE, 900_000 * 4096)),
        (1_000_000, 10, (FREE, 40_960)),
        (0, 0, (FREE,)),
        (10**9, 10**9, (FREE, 10**9 * 4096)),
    ],
    ids=["fewer files than space", "files run out", "no fixed number of files", "files enough"],
)
def test_disk_is_full_when_no_more_files_can_be_made(
    files: int, files_free: int, expected: tuple[int, ...]
) -> None:
    found = SimpleNamespace(f_bavail=FREE // 4096, f_frsize=4096, f_files=files, f_favail=files_free)
    assert free_bytes_of(found) == expected
