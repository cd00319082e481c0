"""Kills, stops, fills and repeats at random, by a seed; then looks whether anything was lost.

`python -m tests.faults.chaos --seed 7 --minutes 10` (the long run); `run` is called by the short test.
The same seed gives the same faults in the same order and distance; how processes meet in between is the machine's.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.faults import invariants
from tests.faults.load import Ledger, crowd
from tests.faults.replay import Repeater
from tests.faults.stack import Stack
from tests.faults.stand_in_hub import PEOPLE, StandInHub

STORE_MB = 512


@dataclass
class Report:
    seed: int
    seconds: float = 0.0
    accepted: int = 0
    faults: Counter = field(default_factory=Counter)
    ends: Counter = field(default_factory=Counter)
    repeated_events: int = 0
    violations: list[str] = field(default_factory=list)
    recovery_s: float = 0.0
    losses: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def shown(self) -> str:
        return json.dumps(self.__dict__, indent=2, default=str)


class Chaos:
    def __init__(self, seed: int, folder: Path, *, pause_s: float = 0.3, with_disk: bool = False) -> None:
        self.random = random.Random(seed)
        self.report = Report(seed)
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir()
        self.with_disk = with_disk and _mount(self.data)
        self.hub = StandInHub()
        self.stack = Stack(self.data, self.hub.api_url)
        self.ledger = Ledger()
        self._pause_s = pause_s
        self._stop = threading.Event()
        self.keep = False
        self.only: dict[str, float] = {}  # name of a fault -> its weight; empty: all of them
        self.log: Callable[[str], None] = lambda text: None

    # ------------------------------------------------------------ faults

    def faults(self) -> list[tuple[str, float, Callable[[], None]]]:
        found: list[tuple[str, float, Callable[[], None]]] = [
            ("kill registry", 4, lambda: self._kill("registry")),
            ("kill nats", 3, lambda: self._kill("nats")),
            ("kill launcher", 2, lambda: self._kill("launcher")),
            ("kill agent", 5, self._kill_agent),
            ("stop registry", 1, lambda: self._freeze(self.stack.pid("registry"), 1, 4)),
            ("stop nats", 1, lambda: self._freeze(self.stack.pid("nats"), 1, 4)),
            ("stop agent", 2, self._freeze_agent),
            ("restart nats", 2, self._restart_nats),
            ("kill everything", 1, self._kill_all),
            ("clock jump", 2, self._clock_jump),
            ("repeat events", 4, lambda: self.repeater.repeat(self.random)),
        ]
        if self.with_disk:
            found.append(("disk full", 1.5, self._fill_disk))
        if self.only:
            return [(name, self.only[name], act) for name, _, act in found if name in self.only]
        return found

    def _kill(self, part: str) -> None:
        self.stack.signal(self.stack.pid(part), signal.SIGKILL)

    def _kill_all(self) -> None:
        for part in ("registry", "nats", "launcher"):
            self._kill(part)

    def _kill_agent(self) -> None:
        if pids := sorted(self.stack.agent_pids()):
            self.stack.signal(self.random.choice(pids), signal.SIGKILL)

    def _freeze(self, pid: int | None, least_s: float, most_s: float) -> None:
        seconds = self.random.uniform(least_s, most_s)
        if self.stack.signal(pid, signal.SIGSTOP):
            time.sleep(seconds)
            self.stack.signal(pid, signal.SIGCONT)

    def _freeze_agent(self) -> None:
        """Now and then for longer than an agent may be silent: then it comes back to find itself replaced."""
        seconds = self.random.choice([2.0, 2.0, 20.0])
        if pids := sorted(self.stack.agent_pids()):
            pid = self.random.choice(pids)
            if self.stack.signal(pid, signal.SIGSTOP):
                threading.Timer(seconds, self.stack.signal, (pid, signal.SIGCONT)).start()

    def _restart_nats(self) -> None:
        self.stack.signal(self.stack.pid("nats"), signal.SIGTERM)

    def _clock_jump(self) -> None:
        self.stack.clock_file.write_text(str(self.random.choice([-86400, -3600, -10, 0, 10, 3600, 86400])))

    def _fill_disk(self) -> None:
        ballast = self.data / "ballast"
        with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
            while True:
                file.write(b"\0" * (1 << 20))
        time.sleep(self.random.uniform(1, 4))
        ballast.unlink(missing_ok=True)

    # ------------------------------------------------------------ the run

    def run(
        self, seconds: float, *, gap_s: float = 3.0, patience_s: float = 180.0, kills: int | None = None
    ) -> Report:
        """Trouble for `seconds`, or `kills` times kill -9; then everything has `patience_s` to end."""
        began = time.monotonic()
        try:
            self.stack.start()
            self.repeater = Repeater(self.data, self.stack.ports["nats"])
            people = crowd(self.stack.url, self.report.seed, self.ledger, self._stop, self._pause_s)
            for person in people:
                person.start()
            self._until(self._first_end, 60, "no calculation ended at all")
            if kills is None:
                self._trouble(seconds, gap_s)
            else:
                self._kill_cycles(kills, gap_s)
            self._stop.set()
            for person in people:
                person.join(130)
            self._heal(patience_s)
            self._check()
        finally:
            self._stop.set()
            self._end()
        self.report.seconds = round(time.monotonic() - began, 1)
        return self.report

    def _trouble(self, seconds: float, gap_s: float) -> None:
        faults = self.faults()
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            time.sleep(self.random.uniform(0.3, 1.7) * gap_s)
            name, _, act = self.random.choices(faults, [weight for _, weight, _ in faults])[0]
            self.log(f"{name}; {len(self.ledger.accepted)} accepted")
            self.report.faults[name] += 1
            act()
            # The supervisor's delay: a part that died is not back at once.
            time.sleep(self.random.uniform(0.0, 0.5))
            self.stack.restart_dead()
            self._let_it_come_up()

    def _kill_cycles(self, kills: int, gap_s: float) -> None:
        """Only kill -9, at random moments, each followed by the supervisor's restart."""
        while sum(self.report.faults.values()) < kills:
            time.sleep(self.random.uniform(0.1, 1.9) * gap_s)
            part = self.random.choice(["registry", "registry", "nats", "nats", "launcher", "agent"])
            self.report.faults[f"kill {part}"] += 1
            self.log(f"kill {part}; {len(self.ledger.accepted)} accepted")
            if part == "agent":
                self._kill_agent()
            else:
                self._kill(part)
            time.sleep(self.random.uniform(0.0, 0.3))
            self.stack.restart_dead()
            self._let_it_come_up()

    def _let_it_come_up(self) -> None:
        """Every second fault meets a registry that works: on a slow machine it would else be killed before it can."""
        if sum(self.report.faults.values()) % 2 == 0:
            self._until(self._first_end, 60, "", fatal=False)

    def _heal(self, patience_s: float) -> None:
        """Everything up again; wait until all has ended."""
        healed = time.monotonic()

        def all_ended() -> bool:
            self.stack.restart_dead()
            return self._waiting() == 0

        self._until(all_ended, patience_s, "some calculations did not end", fatal=False)
        if self._waiting() != 0:
            self.stack.signal(self.stack.pid("registry"), signal.SIGUSR2)
            time.sleep(2)
        self.report.recovery_s = round(time.monotonic() - healed, 1)

    def _waiting(self) -> int:
        left = 0
        for owner in PEOPLE:
            mine = {one.calculation_id for one in self.ledger.accepted.values() if one.owner == owner}
            for state in ("submitted", "running"):
                found = self._get(owner, f"/api/calculations?status={state}&limit=1000")
                if found is None:
                    return -1
                left += sum(one["calculation_id"] in mine for one in found["payload"]["calculations"])
        return left

    def _first_end(self) -> bool:
        found = self._get(PEOPLE[0], "/api/calculations?status=successful&limit=1")
        return bool(found and found["payload"]["calculations"])

    def _get(self, owner: str, path: str) -> dict | None:
        with contextlib.suppress(httpx.HTTPError, ValueError):
            headers = {"Authorization": f"Bearer token-of-{owner}"}
            answer = httpx.get(self.stack.url + path, headers=headers, timeout=10, trust_env=False)
            return answer.json() if answer.status_code == 200 else None
        return None

    def _check(self) -> None:
        database = self.data / "qcrbox.sqlite"
        self.report.accepted = len(self.ledger.accepted)
        self.report.refused = self.ledger.refused
        self.report.repeated_events = self.repeater.repeated
        self._until(
            lambda: not invariants.agents_have_owners(database, self.stack.agent_pids()), 30, "", fatal=False
        )
        self.report.violations += [
            *invariants.each_ended_once(database, self.ledger),
            *invariants.ended_rightly(database, self.ledger),
            *invariants.hashes_match(self.stack.url, self.ledger),
            *invariants.agents_have_owners(database, self.stack.agent_pids()),
            *invariants.turns_were_fair(database, self.stack.turns_file),
        ]
        with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as connection:
            self.report.ends = Counter(
                dict(connection.execute("SELECT state, count(*) FROM calculations GROUP BY state"))
            )
            self.report.losses = connection.execute("SELECT total(losses) FROM calculations").fetchone()[0]
            sound = connection.execute("PRAGMA integrity_check").fetchone()[0]
        if sound != "ok":
            self.report.violations.append(f"the database is damaged: {sound}")

    def _end(self) -> None:
        if hasattr(self, "repeater"):
            self.repeater.close()
        left = self.stack.stop()
        if left:
            self.report.violations.append(f"agents were left when the platform had ended: {left}")
        self.hub.close()
        if self.with_disk:
            if self.report.violations or self.keep:  # what shows why would go with the small disk
                shutil.copytree(
                    self.data, self.folder / "kept", ignore=shutil.ignore_patterns("nats", "*.sock")
                )
            subprocess.run(["umount", "-l", str(self.data)], check=False)

    def _until(self, holds: Callable[[], bool], timeout_s: float, what: str, *, fatal: bool = True) -> None:
        deadline = time.monotonic() + timeout_s
        while not holds():
            if time.monotonic() > deadline:
                if fatal:
                    raise TimeoutError(what)
                return
            time.sleep(0.3)


def _mount(folder: Path) -> bool:
    """A small disk of its own for the data folder; needs root on Linux."""
    if os.geteuid() != 0:
        return False
    size = f"size={STORE_MB}m"
    return (
        subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(folder)], check=False).returncode
        == 0
    )


def _weights(text: str) -> dict[str, float]:
    pairs = [part.partition(":") for part in text.split(",")]
    return {name.strip(): float(weight or 1) for name, _, weight in pairs}


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--gap", type=float, default=3.0, help="mean seconds between faults")
    parser.add_argument("--kills", type=int, help="instead: this many times kill -9 and nothing else")
    parser.add_argument("--keep", action="store_true", help="keep the folder with all logs")
    parser.add_argument("--no-disk", action="store_true", help="leave full disks away")
    parser.add_argument(
        "--only",
        type=_weights,
        default={},
        metavar="NAME[:WEIGHT],…",
        help="only these faults, e.g. 'disk full:3,kill agent'",
    )
    given = parser.parse_args(argv)
    folder = Path(tempfile.mkdtemp(prefix="qcrbox-chaos-"))
    chaos = Chaos(given.seed, folder, with_disk=not given.no_disk)
    chaos.only, chaos.keep = given.only, given.keep
    if unknown := given.only.keys() - {name for name, _, _ in chaos.faults()}:
        chaos._end()
        parser.error(f"there is no fault named {', '.join(sorted(unknown))} (full disks need root on Linux)")
    began = time.monotonic()
    chaos.log = lambda text: print(f"{time.monotonic() - began:7.1f} s  {text}", flush=True)
    report = chaos.run(given.minutes * 60, gap_s=given.gap, kills=given.kills)
    print(report.shown())
    if report.violations or given.keep:
        print(f"logs: {folder}")
    else:
        subprocess.run(["rm", "-rf", str(folder)], check=False)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
