"""Agents as sandboxed containers of one Docker daemon.

The create call is built here alone, from the launcher's own approved entry: a request names an application, an
agent and limits, and nothing in it can add a mount, a capability, a device, a network or an image. Containers
have no network; their doors are two Unix sockets (see `qcrbox/sandbox/relay.py` and docs/decisions/0004).
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import docker
import requests
from docker.errors import APIError, DockerException, ImageNotFound, NotFound
from qcrbox.contract.messages import Limits
from qcrbox.sandbox import seccomp
from traitlets import Float, Int, Unicode

from qcrbox_registry.launcher.approvals import Approvals
from qcrbox_registry.launcher.catalogue import ApprovedApplication
from qcrbox_registry.launcher.managers.base import (
    LOG_BYTES,
    AgentPlan,
    Ended,
    FoundAgent,
    Manager,
    Progress,
    StartFailed,
)
from qcrbox_registry.launcher.socket_mounts import CONTAINER_GID, CONTAINER_UID, SocketMounts

T = TypeVar("T")

LABEL = "org.qcrbox"
USER = f"{CONTAINER_UID}:{CONTAINER_GID}"
SOCKETS_DIR = "/run/qcrbox"  # where a container finds its sockets and its token
MOST_LOG_LINES = 200
MB, GB = 10**6, 10**9
_ALIVE = frozenset({"running", "restarting", "paused"})
_GONE = (requests.exceptions.ConnectionError, requests.exceptions.Timeout)


class DaemonAway(StartFailed):
    """The Docker daemon does not answer; it may be restarting."""

    kind = "daemon_away"


class DockerManager(Manager):
    """One container for each agent."""

    name: ClassVar[str] = "docker"

    memory_bytes = Int(2 * GB, help="Memory of a container, swap included, unless the agent needs less.").tag(
        config=True
    )
    cpus = Float(1.0, help="Processors of a container, unless the agent needs less.").tag(config=True)
    pids = Int(512, help="Processes and threads of a container.").tag(config=True)
    disk_bytes = Int(
        1 * GB, help="Size of the working directory. It lies in memory and counts as memory."
    ).tag(config=True)
    most_memory_bytes = Int(16 * GB, help="Upper limit of memory for any container.").tag(config=True)
    most_cpus = Float(8.0, help="Upper limit of processors for any container.").tag(config=True)
    open_files = Int(4096, help="Open files and sockets of a container's process.").tag(config=True)
    log_bytes = Int(5 * MB, help="What Docker keeps of a container's own output.").tag(config=True)
    orphaned_after_s = Float(
        900.0, help="An idle container whose NATS is away so long ends itself, s; 0: never."
    ).tag(config=True)
    seccomp_file = Unicode(
        "", help="A seccomp profile in Docker's form to use instead of ours (qcrbox/sandbox/seccomp.py)."
    ).tag(config=True)
    daemon_url = Unicode("", help="Where the daemon listens; empty: DOCKER_HOST, else its usual socket.").tag(
        config=True
    )
    daemon_patience_s = Float(
        600.0, help="A start waits so long for a daemon that does not answer before it fails, s."
    ).tag(config=True)
    api_timeout_s = Int(30, help="How long an answer of the Docker daemon may take, s.").tag(config=True)

    # ------------------------------------------------------------ life

    async def setup(self) -> None:
        """Read the approvals and serve the sockets of containers that run already."""
        self.platform = hashlib.sha256(os.path.realpath(self.data).encode()).hexdigest()[:16]
        self.approvals = Approvals(Path(self.data))
        self._agents: dict[str, str] = {}  # handle -> agent
        self._client: docker.DockerClient | None = None
        self.mounts = SocketMounts(Path(self.data), self.platform)
        found = await self.list()
        for agent in found:
            await self.mounts.open(agent.agent, self.nats_url)
        await self._remove_ended()
        self.mounts.keep_only({agent.agent for agent in found})

    async def cleanup(self) -> None:
        """Close the sockets; the containers keep running."""
        await self.mounts.close()

    async def end_platform(self) -> None:
        """Containers hold no lifeline: they are removed when the platform ends."""
        with contextlib.suppress(StartFailed):
            containers = await self._call(self._containers)
            await asyncio.gather(*(self._remove(container.id) for container in containers))
        self.mounts.remove_all()

    # ------------------------------------------------------------ starting

    async def prepare(self, application: ApprovedApplication, progress: Progress) -> None:
        """Find the image. While the daemon is away this waits, and who waits for it reads why."""
        deadline = time.monotonic() + self.daemon_patience_s
        while True:
            try:
                await self._call(self._image_of, application)
                return
            except DaemonAway as away:
                if time.monotonic() > deadline:
                    raise
                progress(f"{away.what} What needs it waits until it is back.")
            await asyncio.sleep(self.poll_interval_s)

    async def missing(self, application: ApprovedApplication) -> dict[str, str]:
        """An image that is not approved or not here. A daemon that is away says nothing about images."""
        try:
            await self._call(self._image_of, application)
        except DaemonAway:
            return {}
        except StartFailed as problem:
            return {"": problem.message}
        return {}

    def _image_of(self, client: docker.DockerClient, application: ApprovedApplication) -> str:
        name = f"{application.slug} {application.version}"
        approval = self.approvals.image(application.slug, application.version)
        if approval is None:
            raise StartFailed(
                f"{name} has no approved image.",
                next=f"An administrator builds and approves it: qcrbox apps build {application.slug}; "
                f"qcrbox apps approve {application.slug}.",
            )
        try:
            # By id, never by tag: a tag can be moved after the approval.
            return client.images.get(approval.image_id).id
        except ImageNotFound:
            raise StartFailed(
                f"The approved image of {name} is not on this machine.",
                where=approval.image_id[:19],
                next=f"Build it again (qcrbox apps build {application.slug}) and approve what was built.",
            ) from None

    async def start(self, plan: AgentPlan) -> str:
        """Start a container for the agent; returns its id. Raises StartFailed without an approved image."""
        image = await self._call(self._image_of, plan.application)
        folder = await self.mounts.make(plan.agent, plan.token, self.nats_url)
        try:
            handle = await self._call(self._create_and_start, image, plan, folder)
        except BaseException:
            await self.mounts.remove(plan.agent)
            raise
        self._agents[handle] = plan.agent
        return handle

    def _create_and_start(
        self, client: docker.DockerClient, image: str, plan: AgentPlan, folder: Path
    ) -> str:
        api = client.api
        host = api.create_host_config(
            **self._host_config(plan.limits, folder, declared_volumes(client, image))
        )
        try:
            made = api.create_container(
                image,
                name=f"qcrbox-{self.platform[:6]}-{plan.agent}",
                host_config=host,
                user=USER,
                environment=self._environment(plan),
                labels=self._labels(plan),
                hostname="application",
                networking_config=None,
                network_disabled=True,
                # An image may say how it is looked after and stopped; here that is the launcher's business.
                healthcheck={"test": ["NONE"]},
                stop_signal="SIGTERM",
                stdin_open=False,
                tty=False,
            )
        except ImageNotFound as problem:
            raise StartFailed(
                f"The image of {plan.application.slug} is gone: {problem.explanation}."
            ) from problem
        except APIError as problem:
            raise StartFailed(f"Docker refused the container: {problem.explanation or problem}.") from problem
        try:
            api.start(made["Id"])
        except APIError as problem:
            with contextlib.suppress(APIError):
                api.remove_container(made["Id"], force=True)
            raise StartFailed(f"The container did not start: {problem.explanation or problem}.") from problem
        return made["Id"]

    def _host_config(self, limits: Limits, folder: Path, volumes: Sequence[str] = ()) -> dict[str, Any]:
        memory = min(limits.memory_bytes or self.memory_bytes, self.most_memory_bytes)
        cpus = min(limits.cpus or self.cpus, self.most_cpus, float(os.cpu_count() or 1))
        # The working directory lies in memory: a full one must leave the program room to say so.
        work = min(limits.disk_bytes or self.disk_bytes, memory // 2)
        owner = "uid=10001,gid=10001,mode=0700,nosuid,nodev"
        small = f"size={16 * MB},nr_inodes=1k,{owner}"
        return {
            "read_only": True,
            "tmpfs": {
                # Else Docker would put a folder on the disk there, writable and without a limit.
                **dict.fromkeys(volumes, small),
                "/tmp": f"size={256 * MB},nr_inodes=50k,mode=1777,nosuid,nodev",
                "/home/qcrbox": f"size={256 * MB},nr_inodes=50k,{owner}",
                "/work": f"size={work},nr_inodes=200k,exec,{owner}",
            },
            "binds": {str(folder): {"bind": SOCKETS_DIR, "mode": "ro"}},
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true", f"seccomp={self._seccomp()}"],
            "network_mode": "none",
            "ipc_mode": "private",
            "pids_limit": min(limits.pids or self.pids, 4096),
            "mem_limit": memory,
            "memswap_limit": memory,
            "nano_cpus": int(cpus * 1e9),
            "init": True,
            "shm_size": 128 * MB,
            "ulimits": [
                docker.types.Ulimit(name="nofile", soft=self.open_files, hard=self.open_files),
                docker.types.Ulimit(name="core", soft=0, hard=0),
            ],
            "log_config": docker.types.LogConfig(
                type="json-file", config={"max-size": str(self.log_bytes), "max-file": "1"}
            ),
            "restart_policy": {"Name": "no"},
        }

    def _seccomp(self) -> str:
        """The profile's text. Raises StartFailed when the site's own cannot be read: never without one."""
        if not self.seccomp_file:
            return seccomp.text()
        try:
            return json.dumps(json.loads(Path(self.seccomp_file).read_text()))
        except (OSError, ValueError) as error:
            raise StartFailed(
                "The seccomp profile cannot be read.", where=self.seccomp_file, why=f"{error}."
            ) from error

    def _environment(self, plan: AgentPlan) -> dict[str, str]:
        threads = str(max(1, round(min(plan.limits.cpus or self.cpus, self.most_cpus))))
        return {
            "QCRBOX_AGENT_ID": plan.agent,
            "QCRBOX_LAUNCHER": plan.launcher,
            "QCRBOX_ENROLMENT_FILE": f"{SOCKETS_DIR}/token",
            "QCRBOX_NATS_SOCKET": f"{SOCKETS_DIR}/nats.sock",
            "QCRBOX_REGISTRY_SOCKET": f"{SOCKETS_DIR}/registry.sock",
            "QCRBOX_NATS_URL": "nats://127.0.0.1",
            "QCRBOX_ORPHANED_AFTER_S": str(self.orphaned_after_s),
            "QCRBOX_SEALED": "1",
            "OMP_NUM_THREADS": threads,
            "OPENBLAS_NUM_THREADS": threads,
        }

    def _labels(self, plan: AgentPlan) -> dict[str, str]:
        return {
            f"{LABEL}.platform": self.platform,
            f"{LABEL}.data": os.path.realpath(self.data),  # for people who look at `docker ps`
            f"{LABEL}.launcher": self.launcher,
            f"{LABEL}.agent": plan.agent,
            f"{LABEL}.slug": plan.application.slug,
            f"{LABEL}.version": plan.application.version,
            f"{LABEL}.started_at": f"{time.time():.3f}",
        }

    # ------------------------------------------------------------ looking and ending

    async def poll(self, handle: str) -> Ended | None:
        """None while the container runs, otherwise how it ended."""
        try:
            state = await self._call(self._state, handle)
        except StartFailed:
            # The daemon is away; whether the container lives is not known, so it has not ended.
            return None
        if state is None:
            if agent := self._agents.pop(handle, None):
                await self.mounts.remove(agent)
            return Ended(reason="its container is gone")
        if state["Status"] == "created" or state["Status"] in _ALIVE:
            return None
        log = await self._call(self._log_of, handle)
        ended = Ended(state.get("ExitCode"), bool(state.get("OOMKilled")), self._words(state), log)
        await self._remove(handle)
        return ended

    @staticmethod
    def _log_of(client: docker.DockerClient, handle: str) -> str:
        """The end of the container's output; "" when Docker does not have it any more."""
        try:
            text: bytes = client.api.logs(handle, stdout=True, stderr=True, tail=MOST_LOG_LINES)
        except (NotFound, APIError):
            return ""
        return text[-LOG_BYTES:].decode(errors="replace")

    def _state(self, client: docker.DockerClient, handle: str) -> dict[str, Any] | None:
        try:
            found = client.api.inspect_container(handle)
        except NotFound:
            return None
        return found["State"] | {"Memory": found["HostConfig"]["Memory"]}

    @staticmethod
    def _words(state: dict[str, Any]) -> str:
        if state.get("OOMKilled"):
            return f"it used more than the {state['Memory'] // MB} MB of memory that were allowed"
        if state.get("Error"):
            return f"Docker says: {state['Error']}"
        code = state.get("ExitCode")
        if code in (137, 143):
            return "its container was ended from outside"
        return "its container ended" + (f" with exit code {code}" if code else "")

    async def stop(self, handle: str, grace_s: float) -> None:
        """Stop the container, kill it after `grace_s` seconds, and remove it with its folder."""
        with contextlib.suppress(StartFailed):
            await self._call(self._ask_to_end, handle, grace_s)
        await self._remove(handle)

    @staticmethod
    def _ask_to_end(client: docker.DockerClient, handle: str, grace_s: float) -> None:
        with contextlib.suppress(NotFound, APIError):
            client.api.stop(handle, timeout=max(0, round(grace_s)))

    async def _remove(self, handle: str) -> None:
        agent = await self._call(self._remove_container, handle) or self._agents.get(handle)
        self._agents.pop(handle, None)
        if agent:
            await self.mounts.remove(agent)

    def _remove_container(self, client: docker.DockerClient, handle: str) -> str | None:
        try:
            labels = client.api.inspect_container(handle)["Config"]["Labels"]
            client.api.remove_container(handle, force=True, v=True)
        except NotFound:
            return None
        except APIError as problem:
            if problem.status_code != 409:  # it is being removed already
                raise
        return labels.get(f"{LABEL}.agent")

    async def list(self) -> list[FoundAgent]:
        """Agents in containers of this platform that are alive."""
        containers = await self._call(self._containers)
        found = [
            _found(container.labels, container.id) for container in containers if container.status in _ALIVE
        ]
        self._agents.update((agent.handle, agent.agent) for agent in found)
        return found

    def _containers(self, client: docker.DockerClient) -> Sequence[Any]:
        labels = [f"{LABEL}.platform={self.platform}", f"{LABEL}.launcher={self.launcher}"]
        return client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)

    async def _remove_ended(self) -> None:
        for container in await self._call(self._containers):
            if container.status not in _ALIVE:
                await self._remove(container.id)

    # ------------------------------------------------------------ the daemon

    async def _call(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run `work(client, …)` in a thread. Raises StartFailed when the daemon is away."""
        return await asyncio.to_thread(partial(self._with_client, work, *arguments))

    def _connect(self) -> docker.DockerClient:
        settings = {"timeout": self.api_timeout_s, "max_pool_size": 32}
        if self.daemon_url:
            return docker.DockerClient(base_url=self.daemon_url, **settings)
        return docker.from_env(**settings)

    def _with_client(self, work: Callable[..., T], *arguments: Any) -> T:
        try:
            if self._client is None:
                self._client = self._connect()
            return work(self._client, *arguments)
        except (*_GONE, DockerException) as problem:
            if isinstance(problem, APIError):
                raise StartFailed(f"Docker refused: {problem.explanation or problem}.") from problem
            self._client = None
            raise DaemonAway(
                "The Docker daemon does not answer.",
                why=str(problem)[:200],
                next="An administrator can look at the daemon's log, and start it.",
            ) from problem


def _found(labels: dict[str, str], handle: str) -> FoundAgent:
    return FoundAgent(
        agent=labels.get(f"{LABEL}.agent", ""),
        application_slug=labels.get(f"{LABEL}.slug", ""),
        application_version=labels.get(f"{LABEL}.version", ""),
        handle=handle,
        started_at=float(labels.get(f"{LABEL}.started_at", "0")),
    )


def declared_volumes(client: docker.DockerClient, image: str) -> list[str]:
    """Paths for which an image's maker wanted a volume."""
    return sorted(client.api.inspect_image(image)["Config"].get("Volumes") or ())
