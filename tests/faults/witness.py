"""Writes down, inside a registry, each turn that the scheduler gives and each charge: what `fairness` judges.

One JSON object a line, written at once, so that kill -9 takes none of them away:
`{"life": pid, "half_life_s": …}` a registry began; `{"known": person, "use": …}` what a person had used when first spoken of;
`{"charge": person, "slot_s": …}`; `{"turn": person, "calculation": …, "waiting": [persons]}`. All with `at`, monotonic time, s.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from qcrbox_registry.scheduler.dispatch import Dispatcher
from qcrbox_registry.scheduler.fleet import Active, Agent


class Witness:
    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._known: set[int] = set()

    def watch(self, dispatcher: Dispatcher) -> None:
        """From now on, what this dispatcher does. To be called before its first turn."""
        self._world = dispatcher.state
        share, fleet = self._world.share, self._world.fleet
        self._charge, self._begin = share.charge, fleet.begin
        self._say(life=os.getpid(), half_life_s=self._world.settings.half_life_s)
        share.charge = self._charged  # type: ignore[method-assign]
        fleet.begin = self._begun  # type: ignore[method-assign]

    def _charged(self, owner_id: int, group_id: int | None, slot_s: float, now: float) -> None:
        self._know(owner_id)
        self._say(charge=owner_id, slot_s=slot_s)
        self._charge(owner_id, group_id, slot_s, now)

    def _begun(self, agent: Agent, active: Active) -> None:
        world = self._world
        waiting = {
            partition.owner_id
            for partition in world.backlog.partitions(agent.application_id)
            if world.may_run(partition.owner_id, partition.group_id)
        }
        for person in sorted(waiting | {active.owner_id}):
            self._know(person)
        self._say(turn=active.owner_id, calculation=active.calculation_id, waiting=sorted(waiting))
        self._begin(agent, active)

    def _know(self, person: int) -> None:
        if person not in self._known:
            self._known.add(person)
            use = self._world.share.use("person", person, self._world.clock.monotonic())
            self._say(known=person, use=use)

    def _say(self, **what: Any) -> None:
        line = json.dumps({**what, "at": self._world.clock.monotonic()}) + "\n"
        os.write(self._file, line.encode())
