"""The first page: who and what runs, what fails since when, which walls stand."""

from __future__ import annotations

import asyncio
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import QcError
from tornado import web

from qcrbox_hub.admin.directory import Directory
from qcrbox_hub.admin.page import AdminPage
from qcrbox_hub.admin.sections import Power, sections_of


@dataclass(frozen=True)
class Machine:
    """The machine of the platform. Sizes in bytes; `load` of one minute; `memory` 0 where the system does not say."""

    processors: int
    load: float
    memory: int
    memory_used: int
    disk: int
    disk_used: int
    disk_free: int


def measure_machine(data: Path, meminfo: Path = Path("/proc/meminfo")) -> Machine:
    """Figures of this moment. `data`: the data folder, whose disk is measured."""
    memory = memory_used = 0
    try:
        values = {
            name: int(rest.split()[0]) * 1024
            for name, _, rest in (line.partition(":") for line in meminfo.read_text().splitlines())
        }
        memory, memory_used = values["MemTotal"], values["MemTotal"] - values["MemAvailable"]
    except (OSError, KeyError, ValueError, IndexError):
        pass  # the system has no such file; the page shows no memory
    disk = shutil.disk_usage(data)
    return Machine(
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        os.getloadavg()[0],
        memory,
        memory_used,
        disk.total,
        disk.total - disk.free,
        disk.free,
    )


# Managers of launchers whose agents are containers.
CONTAINER_MANAGERS = ("docker", "swarm")


class Overview(AdminPage):
    """Managers and application administrators are led to the first section that is theirs."""

    path = ""
    powers = frozenset(Power)

    @web.authenticated
    async def get(self) -> None:
        """Show what runs and what fails; lead others to their own first section."""
        if not self.is_administrator:
            self.redirect(f"{self.root}{sections_of(self.held)[0].path}")
            return
        checks, work, holds = await self._platform()
        people = Directory(self.db, self.authenticator).figures()
        await self.show_page(
            "overview.html",
            checks=checks,
            work=work,
            holds=holds,
            people=people,
            containers=self._containers(people["servers"], work),
            machine=measure_machine(Path(self.authenticator.data)),
            walls_what=self.authenticator.walls_what or "Not known.",
            walls_stronger=self.authenticator.walls_stronger,
        )

    def _containers(self, servers: int, work: dict[str, Any] | None) -> dict[str, int] | None:
        """How many containers the platform runs: people's servers and agents. None while the registry is away."""
        if work is None:
            return None
        of_people = servers if self.settings["qcrbox_servers_in_containers"] else 0
        return {"servers": of_people, "agents": work["agents_in_containers"]}

    async def _platform(self) -> tuple[list[dict[str, Any]], dict[str, Any] | None, list[dict[str, Any]]]:
        """Checks that fail, figures of the work (None while the registry is away), and holds."""
        try:
            ready, (status, placed) = await asyncio.gather(
                self.registry.readiness(), self.registry.get_all("/api/status", "/api/holds")
            )
            holds = placed["holds"]
        except QcError as error:
            return [{"name": "registry", "essential": True, "since": None, "fault": error.message}], None, []
        since = ready.get("since", {})
        checks = [
            {"name": name, "essential": essential, "since": since.get(name), "fault": fault}
            for essential, faults in ((True, ready["missing"]), (False, ready["notes"]))
            for name, fault in faults.items()
        ]
        in_containers = {
            each["launcher"] for each in status["launchers"] if each["manager"] in CONTAINER_MANAGERS
        }
        work = {
            "agents_in_containers": sum(
                1 for agent in status["agents"] if agent["launcher"] in in_containers
            ),
            "waiting": status["waiting"],
            "running": status["running"],
            "agents": len(status["agents"]),
            "launchers": sum(1 for launcher in status["launchers"] if launcher["answers"]),
            "all_launchers": len(status["launchers"]),
            "sessions": status["sessions"],
        }
        return checks, work, [hold | {"words": words_of_hold(hold)} for hold in holds]


def words_of_hold(hold: dict[str, Any]) -> str:
    """What is held, in words."""
    if hold["kind"] == "site":
        return "The whole site"
    return f"{hold['kind'].capitalize()} {hold['name']}"
