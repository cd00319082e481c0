"""Agents as services of a Docker Swarm: the same containers, on whichever machine of the swarm has room.

One service of one replica for each agent, never restarted by the swarm: the registry gives lost work to another
agent. Without `network`, services stay on the launcher's own machine and use the same two Unix sockets as
`DockerManager`; since a service cannot be without a network, each gets an internal one of its own, in which nobody
else is and which leads nowhere. With `network` (an overlay network that holds nothing but NATS and the
agents' routes of the registry) they may run on every machine that fits `constraints`; the token is then a swarm
secret, which lies in memory there.

Docker before 25 cannot tell services `no-new-privileges`, a seccomp profile of ours, nor the owner of a tmpfs: all
capabilities are dropped, so a set-uid program gains nothing, Docker's own profile holds, and the folders in memory are
writable by everybody in their container.
"""

from __future__ import annotations

import base64
import contextlib
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import docker
from docker.errors import APIError, NotFound
from docker.types import ContainerSpec, DriverConfig, Mount, Placement, Resources, RestartPolicy, TaskTemplate
from docker.types import SecretReference as Secret
from qcrbox.contract.messages import Limits
from traitlets import List, Unicode

from qcrbox_registry.launcher.managers.base import LOG_BYTES, AgentPlan, StartFailed
from qcrbox_registry.launcher.managers.docker import (
    LABEL,
    MB,
    MOST_LOG_LINES,
    SOCKETS_DIR,
    USER,
    DockerManager,
    declared_volumes,
)

_COMING = frozenset({"new", "pending", "assigned", "accepted", "preparing", "ready", "starting"})
START_S = 60.0
LOOK_S = 0.2  # polling interval while a service starts, which takes one to two seconds
PRIVILEGES_API = (1, 44)  # of Docker 25


def _knows_privileges(client: docker.DockerClient) -> bool:
    return tuple(map(int, client.version()["ApiVersion"].split("."))) >= PRIVILEGES_API


@dataclass(frozen=True)
class _Service:
    """What the rest of the manager asks of a container."""

    id: str
    status: str
    labels: dict[str, str]


class SwarmManager(DockerManager):
    """One service for each agent."""

    name: ClassVar[str] = "swarm"

    network = Unicode(
        "", help="Overlay network to NATS and the registry; empty: this machine only, without a network."
    ).tag(config=True)
    agents_nats_url = Unicode("", help="With `network`: where agents find NATS in it.").tag(config=True)
    constraints = List(
        Unicode(), help="Where agents may run, e.g. node.labels.qcrbox == yes (with `network`)."
    ).tag(config=True)

    async def setup(self) -> None:
        """Connect to the Docker daemon; raises if it is no manager of a swarm."""
        self._client = None
        # Raises where this daemon is no manager of a swarm: nothing could be started.
        self._node = await self._call(self._own_node)
        self._knows_privileges = await self._call(_knows_privileges)
        await super().setup()

    @staticmethod
    def _own_node(client: docker.DockerClient) -> str:
        swarm = client.info()["Swarm"]
        if not swarm.get("ControlAvailable"):
            raise StartFailed(
                "This Docker daemon is not a manager of a swarm.",
                next="Make it one (`docker swarm init`), or use the docker manager.",
            )
        return swarm["NodeID"]

    # ------------------------------------------------------------ starting

    def _create_and_start(
        self, client: docker.DockerClient, image: str, plan: AgentPlan, folder: Path
    ) -> str:
        secret = self._secret(client, plan) if self.network else None
        network = self.network or self._sealed_network(client, plan)
        try:
            made = client.api.create_service(
                self._task(image, plan, folder, secret, declared_volumes(client, image)),
                name=self._name(plan.agent),
                labels=self._labels(plan),
                mode={"Replicated": {"Replicas": 1}},
                networks=[network],
            )
        except APIError as problem:
            self._forget_belongings(client, plan.agent)
            raise StartFailed(
                f"The swarm refused the service: {problem.explanation or problem}."
            ) from problem
        try:
            self._wait_until_it_runs(client, made["ID"])
        except StartFailed:
            self._remove_container(client, made["ID"])
            raise
        return made["ID"]

    def _name(self, agent: str) -> str:
        return f"qcrbox-{self.platform[:6]}-{agent}"[:63]

    def _task(
        self, image: str, plan: AgentPlan, folder: Path, secret: Secret | None, volumes: Sequence[str]
    ) -> TaskTemplate:
        mounts = [] if self.network else [Mount(SOCKETS_DIR, str(folder), type="bind", read_only=True)]
        environment = self._environment(plan)
        if self.network:
            del environment["QCRBOX_NATS_SOCKET"], environment["QCRBOX_REGISTRY_SOCKET"]
            environment["QCRBOX_NATS_URL"] = self.agents_nats_url or self.nats_url
        container = ContainerSpec(
            image,
            hostname="application",
            user=USER,
            env=environment,
            labels=self._labels(plan),
            mounts=[*mounts, *self._in_memory(plan.limits, volumes)],
            secrets=[secret] if secret else None,
            read_only=True,
            init=True,
            cap_drop=["ALL"],
            stop_grace_period=10 * 10**9,
        )
        container.update(self._privileges())
        here = [f"node.id == {self._node}"]
        return TaskTemplate(
            container,
            resources=self._resources(plan.limits),
            restart_policy=RestartPolicy(condition="none"),
            placement=Placement(constraints=list(self.constraints) if self.network else here),
            log_driver=DriverConfig("json-file", {"max-size": str(self.log_bytes), "max-file": "1"}),
        )

    def _privileges(self) -> dict[str, Any]:
        if not self._knows_privileges:
            return {}
        profile = base64.b64encode(self._seccomp().encode()).decode()
        return {
            "Privileges": {
                "NoNewPrivileges": True,
                "Seccomp": {"Mode": "custom", "Profile": profile},
            }
        }

    def _in_memory(self, limits: Limits, volumes: Sequence[str]) -> list[Mount]:
        memory = min(limits.memory_bytes or self.memory_bytes, self.most_memory_bytes)
        work = min(limits.disk_bytes or self.disk_bytes, memory // 2)
        sizes = {"/tmp": 256 * MB, "/home/qcrbox": 256 * MB, "/work": work} | dict.fromkeys(volumes, 16 * MB)
        return [
            Mount(path, None, type="tmpfs", tmpfs_size=size, tmpfs_mode=0o1777)
            for path, size in sizes.items()
        ]

    def _resources(self, limits: Limits) -> Resources:
        cpus = min(limits.cpus or self.cpus, self.most_cpus)
        resources = Resources(
            cpu_limit=int(cpus * 1e9),
            mem_limit=min(limits.memory_bytes or self.memory_bytes, self.most_memory_bytes),
        )
        resources["Limits"]["Pids"] = min(limits.pids or self.pids, 4096)
        return resources

    def _secret(self, client: docker.DockerClient, plan: AgentPlan) -> Secret:
        made = client.api.create_secret(self._name(plan.agent), plan.token.encode(), self._labels(plan))
        uid, gid = USER.split(":")
        return Secret(
            made["ID"], self._name(plan.agent), filename=f"{SOCKETS_DIR}/token", uid=uid, gid=gid, mode=0o400
        )

    def _sealed_network(self, client: docker.DockerClient, plan: AgentPlan) -> str:
        name = self._name(plan.agent)
        try:
            return client.networks.create(name, driver="overlay", internal=True, labels=self._labels(plan)).id
        except APIError as problem:
            raise StartFailed(f"The swarm refused a network: {problem.explanation or problem}.") from problem

    def _forget_belongings(self, client: docker.DockerClient, agent: str) -> None:
        """The secret or the network of an agent; a network is in use until the last of its containers is gone."""
        for _ in range(100):
            try:
                if self.network:
                    client.api.remove_secret(self._name(agent))
                else:
                    client.api.remove_network(self._name(agent))
            except NotFound:
                return
            except APIError:
                time.sleep(0.1)

    def _wait_until_it_runs(self, client: docker.DockerClient, service: str) -> None:
        deadline = time.monotonic() + START_S
        while (task := self._last_task(client, service)) is None or task["Status"]["State"] in _COMING:
            if time.monotonic() > deadline:
                why = (task or {}).get("Status", {}).get("Err") or "no machine of the swarm takes it"
                raise StartFailed("The service did not start.", why=f"{why}.")
            time.sleep(LOOK_S)
        if task["Status"]["State"] in ("rejected", "orphaned"):
            raise StartFailed(f"The swarm could not start the container: {task['Status'].get('Err', '')}.")

    # ------------------------------------------------------------ looking and ending

    @staticmethod
    def _last_task(client: docker.DockerClient, service: str) -> dict[str, Any] | None:
        tasks = client.api.tasks({"service": service})
        return max(tasks, key=lambda task: task["CreatedAt"], default=None)

    def _state(self, client: docker.DockerClient, handle: str) -> dict[str, Any] | None:
        try:
            client.api.inspect_service(handle)
        except NotFound:
            return None
        task = self._last_task(client, handle)
        if task is None or task["Status"]["State"] in _COMING | {"running"}:
            return {"Status": "running", "Memory": 0}
        inside = task["Status"].get("ContainerStatus") or {}
        state = {"Status": "exited", "ExitCode": inside.get("ExitCode"), "Memory": 0}
        # The swarm does not report why; the daemon of this machine does, for its own containers.
        with contextlib.suppress(APIError):
            found = client.api.inspect_container(inside.get("ContainerID") or "-")
            state |= found["State"] | {"Memory": found["HostConfig"]["Memory"]}
        return state

    @staticmethod
    def _log_of(client: docker.DockerClient, handle: str) -> str:
        try:
            parts = client.api.service_logs(handle, stdout=True, stderr=True, tail=MOST_LOG_LINES)
            return b"".join(parts)[-LOG_BYTES:].decode(errors="replace")
        except (NotFound, APIError):
            return ""

    @staticmethod
    def _ask_to_end(client: docker.DockerClient, handle: str, grace_s: float) -> None:
        label = f"com.docker.swarm.service.id={handle}"
        with contextlib.suppress(APIError):
            for container in client.containers.list(filters={"label": label}, ignore_removed=True):
                container.stop(timeout=max(0, round(grace_s)))

    def _remove_container(self, client: docker.DockerClient, handle: str) -> str | None:
        try:
            labels = client.api.inspect_service(handle)["Spec"]["Labels"]
            client.api.remove_service(handle)
        except NotFound:
            return None
        agent = labels.get(f"{LABEL}.agent")
        # The swarm forgets a service at once and ends its container later; nothing of it may be left.
        label = f"com.docker.swarm.service.id={handle}"
        for container in client.containers.list(all=True, filters={"label": label}, ignore_removed=True):
            with contextlib.suppress(APIError):
                container.remove(force=True, v=True)
        self._forget_belongings(client, agent or "")
        return agent

    def _containers(self, client: docker.DockerClient) -> list[Any]:
        labels = [f"{LABEL}.platform={self.platform}", f"{LABEL}.launcher={self.launcher}"]
        found = []
        for service in client.api.services({"label": labels}):
            state = self._state(client, service["ID"])
            if state is not None:
                found.append(_Service(service["ID"], state["Status"], service["Spec"]["Labels"]))
        return found
