"""A person's Jupyter server as a service of a Docker Swarm, on this machine: its sockets are here.

A swarm puts a service without a network into the daemon's common one. So each gets an internal network of its own,
which leads nowhere. Docker before 25 can give services neither `no-new-privileges` nor our filter of system calls: all
capabilities are dropped, so a set-uid program gains nothing, and Docker's own filter holds.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any

from docker.errors import APIError, NotFound
from docker.types import DriverConfig, Mount, Resources, RestartPolicy
from dockerspawner import SwarmSpawner
from jupyterhub.spawner import SpawnException
from qcrbox.sandbox import seccomp

from qcrbox_hub.jupyterhub.spawners.container import LOG_BYTES, STOP_S, ContainerServer

PRIVILEGES_API = (1, 44)  # of Docker 25
# A network is in use until the last container of its service is gone.
REMOVE_TRIES, REMOVE_EVERY_S = 50, 0.2


class SwarmPersonSpawner(ContainerServer, SwarmSpawner):
    """One service for each server."""

    async def start(self) -> tuple[str, int]:
        """Open the relay and start the service; returns the relay's address and port."""
        port = await self.prepare()
        try:
            await self._describe()
            await super().start()
        except BaseException:
            await self._forget()
            raise
        self.seal_when_up()
        return ("127.0.0.1", port)

    async def get_ip_and_port(self) -> tuple[str, int]:
        """The relay's address; the service's network leads nowhere."""
        return ("127.0.0.1", self.port)

    async def stop(self, now: bool = False) -> None:
        """Stop the service and close its relay."""
        await super().stop(now)
        await self._forget()

    # ------------------------------------------------------------ the service

    async def _describe(self) -> None:
        """What the service is made of. Raises SpawnException where this daemon manages no swarm."""
        swarm = (await self.docker("info"))["Swarm"]
        if not swarm.get("ControlAvailable"):
            raise SpawnException(
                "This machine's Docker daemon manages no swarm. An administrator can make it do so: docker swarm init.",
                reason="swarm",
            )
        version = (await self.docker("version"))["ApiVersion"]
        self.network_name = await self._sealed_network()
        self.extra_container_spec = {
            **self._container_spec(),
            "command": await self.get_command(),
            "args": None,
        }
        if tuple(map(int, version.split("."))) >= PRIVILEGES_API:
            self.extra_container_spec["privileges"] = privileges()
        self.extra_task_spec = {
            "resources": self._resources(),
            # The hub restarts servers; a swarm would also start those again that were ended on purpose.
            "restart_policy": RestartPolicy(condition="none"),
            "log_driver": DriverConfig("json-file", {"max-size": str(LOG_BYTES), "max-file": "1"}),
        }
        self.extra_placement_spec = {"constraints": [f"node.id == {swarm['NodeID']}"]}
        self.extra_create_kwargs = {"labels": self.labels()}

    def _container_spec(self) -> dict[str, Any]:
        return {
            "user": self.container_user,
            # The rest lies in a file: anyone who may look at a service sees its environment.
            "env": {"HOME": self.inside_home},
            "workdir": self.inside_home,
            "hostname": "qcrbox",
            "labels": self.labels(),
            "read_only": True,
            "init": True,
            "cap_drop": ["ALL"],
            "healthcheck": {"test": ["NONE"]},
            "stop_signal": "SIGTERM",
            "stop_grace_period": STOP_S * 10**9,
            "mounts": [
                *(
                    Mount(inside, outside, type="bind", read_only=read_only)
                    for outside, (inside, read_only) in self._mounts.items()
                ),
                Mount("/tmp", None, type="tmpfs", tmpfs_size=self.shared_temporary_bytes, tmpfs_mode=0o1777),
            ],
        }

    def _resources(self) -> Resources:
        resources = Resources(
            cpu_limit=int(self.cpu_limit * 1e9) if self.cpu_limit else None,
            mem_limit=int(self.mem_limit or 0) or None,
        )
        if self.processes:
            # Docker's library does not know this limit.
            resources.setdefault("Limits", {})["Pids"] = self.processes
        return resources

    async def _sealed_network(self) -> str:
        await self._remove_network()
        made = await self.docker(
            "create_network", self.service_name, driver="overlay", internal=True, labels=self.labels()
        )
        return str(made["Id"])

    async def _remove_network(self) -> None:
        for _ in range(REMOVE_TRIES):
            try:
                await self.docker("remove_network", self.service_name)
            except NotFound:
                return
            except APIError:
                await asyncio.sleep(REMOVE_EVERY_S)
            else:
                return

    async def _forget(self) -> None:
        await self.close_relay()
        with contextlib.suppress(APIError):
            await self._remove_network()


def privileges() -> dict[str, Any]:
    """Our filter of system calls and `no-new-privileges`, in the form of a service."""
    profile = base64.b64encode(seccomp.text().encode()).decode()
    return {"NoNewPrivileges": True, "Seccomp": {"Mode": "custom", "Profile": profile}}
