"""A person's Jupyter server in a container of this machine's Docker daemon; `swarm` makes it a service.

The container has a read-only root, no network, no capability and the platform's filter of system calls; its home and
its sockets are mounted. Nothing that a person sends with a start changes any of it.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from docker.types import LogConfig, Ulimit
from dockerspawner import DockerSpawner
from jupyterhub.spawner import SpawnException
from qcrbox.sandbox import seccomp
from traitlets import List, Unicode, default

from qcrbox_hub.jupyterhub.spawners.separate import INSIDE, SeparateServer, open_files
from qcrbox_hub.jupyterhub.tutorials import FOLDER as TUTORIALS
from qcrbox_hub.walls.daemon import PLATFORM_LABEL

LABEL = "org.qcrbox"
PYTHON = "/opt/qcrbox/bin/python"
NOTEBOOKS = "/opt/qcrbox/share/qcrbox/notebooks"
JUPYTER_CONFIG = "/opt/qcrbox/share/qcrbox/jupyter"
ENVIRONMENT = "environment.json"
STOP_S = 3
LOG_BYTES = 10 * 1024**2


class ContainerServer(SeparateServer):
    """Mix-in of Docker's and Swarm's spawner."""

    person_image = Unicode("qcrbox/person:latest", help="Image of people's containers.").tag(config=True)
    images = List(
        Unicode(),
        help="Further images that an administrator may choose for a group, by its property `image`.",
    ).tag(config=True)

    _mounts: dict[str, tuple[str, bool]]  # outside -> inside, read-only
    _creating = False

    @property
    def python(self) -> str:
        """Python interpreter inside the image."""
        return PYTHON

    @default("pull_policy")
    def _pull_policy(self) -> str:
        return "never"

    @default("use_internal_ip")
    def _use_internal_ip(self) -> bool:
        return True

    @default("cmd")
    def _container_cmd(self) -> list[str]:
        return self._cmd()

    @default("object_name")
    def _object_name_default(self) -> str:
        return self._object_name()

    @default("args")
    def _args(self) -> list[str]:
        return ["--KernelManager.transport=ipc"]

    def image_for_person(self) -> str:
        """The image of the first group that has one, else the common one. Raises SpawnException for one not allowed."""
        for properties in self.group_properties():
            if wanted := properties.get("image"):
                if wanted not in (self.person_image, *self.images):
                    raise SpawnException(
                        f"The image {wanted} of your group is not allowed here. Ask an administrator.",
                        reason="image",
                    )
                return str(wanted)
        return self.person_image

    async def prepare(self) -> int:
        """Home, sockets and the environment's file. Returns the port that leads to the server."""
        await self.require_room()
        self.image = self.image_for_person()
        # What a person may send with a start counts for nothing here.
        self.user_options: dict[str, Any] = {}
        home = self.homes.make(self.account.label, self.uid)
        port = await self.open_relay()
        self.choose_port()
        self._write_environment()
        self._mounts = {
            str(home): (self.inside_home, False),
            str(self.folders.incoming(self.server_label)): (f"{INSIDE}/in", True),
            str(self.folders.outgoing(self.server_label)): (f"{INSIDE}/out", False),
            **{str(self.accounts_folder / name): (f"/etc/{name}", True) for name in ("passwd", "group")},
        }
        return port

    def _write_environment(self) -> None:
        """In a file that the person alone reads: `docker inspect` shows the environment of a container to others."""
        env = self.inside_environment(self.get_env())
        env |= {TUTORIALS: NOTEBOOKS, "JUPYTER_CONFIG_PATH": JUPYTER_CONFIG}
        env["PATH"] = f"{Path(PYTHON).parent}:{env['PATH'].partition(':')[2]}"
        file = self.folders.incoming(self.server_label) / ENVIRONMENT
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o400)
        with os.fdopen(handle, "w") as stream:
            stream.write(json.dumps(env))
        if self.uid is not None:
            os.chown(file, self.uid, self.uid)

    async def get_command(self) -> list[str]:
        """Command of the container: our wrapper around the server's own command."""
        return self.inside_command([*self.cmd, *self.get_args()], environment=f"{INSIDE}/in/{ENVIRONMENT}")

    @property
    def container_user(self) -> str:
        """`uid:gid` of the processes in the container."""
        uid = self.uid or os.getuid()
        return f"{uid}:{uid if self.uid else os.getgid()}"

    def labels(self) -> dict[str, str]:
        """Docker labels by which the container is found again."""
        return {
            f"{LABEL}.person": self.account.label,
            PLATFORM_LABEL: self.mark,
            f"{LABEL}.server": self.server_label,
        }

    def _object_name(self) -> str:
        return re.sub(r"[^a-zA-Z0-9_.-]", "_", f"qcrbox-{self.mark[:8]}-person-{self.server_label}")

    def _render_templates(self, obj: Any, ns: Any = None) -> Any:
        """No templates: a filter of system calls is JSON, whose braces would be taken for them."""
        return obj


class DockerPersonSpawner(ContainerServer, DockerSpawner):
    """One container for each server."""

    @default("remove")
    def _remove(self) -> bool:
        return True

    @default("network_name")
    def _network_name(self) -> str:
        return "none"

    def get_env(self) -> dict[str, str]:
        """The server's environment; empty for Docker, whose inspection would show it."""
        # The container gets its environment from a file; what is given to Docker is shown by `docker inspect`.
        return {} if self._creating else super().get_env()

    async def create_object(self) -> Any:
        """Create the container."""
        self._creating = True
        try:
            return await super().create_object()
        finally:
            self._creating = False

    async def start(self) -> tuple[str, int]:
        """Open the relay and start the container; returns the relay's address and port."""
        port = await self.prepare()
        try:
            self.extra_create_kwargs = self._create_arguments()
            self.extra_host_config = self._host_config()
            await super().start()
        except BaseException:
            await self.close_relay()
            raise
        self.seal_when_up()
        return ("127.0.0.1", port)

    async def get_ip_and_port(self) -> tuple[str, int]:
        """The relay's address; the container has no network."""
        return ("127.0.0.1", self.port)  # the relay's address is what `start` returns

    def _create_arguments(self) -> dict[str, Any]:
        return {
            "user": self.container_user,
            "environment": {"HOME": self.inside_home},
            "working_dir": self.inside_home,
            "hostname": "qcrbox",
            "labels": self.labels(),
            "network_disabled": True,
            # An image may say how it is looked after and stopped; here that is the hub's business.
            "healthcheck": {"test": ["NONE"]},
            "stop_signal": "SIGTERM",
            "stdin_open": False,
            "tty": False,
            "entrypoint": [],
        }

    def _host_config(self) -> dict[str, Any]:
        memory = int(self.mem_limit or 0)
        return {
            "read_only": True,
            "network_mode": "none",
            "binds": {
                outside: {"bind": inside, "mode": "ro" if read_only else "rw"}
                for outside, (inside, read_only) in self._mounts.items()
            },
            "tmpfs": {
                "/tmp": f"size={self.shared_temporary_bytes},mode=1777,nosuid,nodev,exec",
                "/run/lock": "size=1m,nosuid,nodev,noexec",
            },
            "cap_drop": ["ALL"],
            "security_opt": ["no-new-privileges:true", f"seccomp={seccomp.text()}"],
            "ipc_mode": "private",
            "pids_limit": self.processes or None,
            "memswap_limit": memory or None,
            "init": True,
            "shm_size": min(self.shared_temporary_bytes, memory // 2 or self.shared_temporary_bytes),
            "ulimits": [
                Ulimit(name="nofile", soft=open_files(), hard=open_files()),
                Ulimit(name="core", soft=0, hard=0),
            ],
            "log_config": LogConfig(type="json-file", config={"max-size": str(LOG_BYTES), "max-file": "1"}),
            "restart_policy": {"Name": "no"},
        }

    async def stop_writing(self) -> None:
        """Kill everything in the container, without the seconds that a stop gives it."""
        await self.docker("kill", self.container_id)

    async def stop_object(self) -> None:
        """Stop the container; Docker kills it after STOP_S seconds."""
        await self.docker("stop", self.container_id, timeout=STOP_S)

    async def stop(self, now: bool = False) -> None:
        """Stop the container and close its relay."""
        await super().stop(now)
        await self.close_relay()
