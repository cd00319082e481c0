"""A person's Jupyter server in a sandbox of Linux namespaces, made by bubblewrap.

It sees the system's programs, this product and its own home; it has no network, and reaches hub and registry through
relays. See `qcrbox.sandbox` for the walls and `walls.relay_server` for the ways out.
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil
from jupyterhub.spawner import Spawner
from qcrbox import lifeline
from qcrbox.sandbox import bubblewrap, cgroups, seccomp
from traitlets import Int, Unicode, default

from qcrbox_hub.jupyterhub.spawners.base import PersonServer
from qcrbox_hub.platform import paths
from qcrbox_hub.walls.relay_client import RelayClient
from qcrbox_hub.walls.socket_folders import HUB, INTERNET, REGISTRY, SERVER, SocketFolders

INSIDE = "/run/qcrbox"
SERVER_PORT = 8888
INTERNET_PORT = 3128
OPEN_FILES = 65536
GRACE_S = 4.0
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"


def inside_command(hub_port: int, registry_port: int, server_port: int, *, internet: bool) -> list[str]:
    """Arguments of `qcrbox.sandbox.inside` for a person's server, without the interpreter."""
    reach = {hub_port: HUB, registry_port: REGISTRY}
    if internet:
        reach[INTERNET_PORT] = INTERNET
    return [
        *("-I", "-m", "qcrbox.sandbox.inside"),
        *(word for port, name in reach.items() for word in ("--reach", f"{port}={INSIDE}/in/{name}")),
        *("--offer", f"{server_port}={INSIDE}/out/{SERVER}", "--"),
    ]


def internet_environment() -> dict[str, str]:
    """Where pip, git and others find the proxy to the internet."""
    address = f"http://127.0.0.1:{INTERNET_PORT}"
    return {
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), address),
        **dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1"),
    }


class SandboxSpawner(PersonServer, Spawner):
    """One sandbox for each server."""

    sockets = Unicode(help="The folder of the servers' sockets.").tag(config=True)
    first_user_id = Int(
        0,
        help="User ids of people are this number and their account's; 0: the platform's own id for everyone.",
    ).tag(config=True)
    limits = Unicode(str(cgroups.Kind.NONE), help="How limits are set on this machine.").tag(config=True)
    shared_temporary_bytes = Int(
        1024**3, help="Largest size of /tmp and of /dev/shm each; they lie in memory."
    ).tag(config=True)

    pid = Int(0, help="Process id of the sandbox; 0: it does not run.")
    started = Int(0, help="When that process started, in clock ticks: another process has another.")
    _process: subprocess.Popen[bytes] | None = None

    # /tmp is in memory and short: a path of a Unix socket may have 107 bytes.
    @default("args")
    def _args(self) -> list[str]:
        return ["--KernelManager.transport=ipc"]

    @property
    def uid(self) -> int | None:
        return self.first_user_id + self.account.number if self.first_user_id else None

    @property
    def folders(self) -> SocketFolders:
        return SocketFolders(Path(self.sockets), self.first_user_id or None)

    @property
    def server_label(self) -> str:
        """Names folders, relay and control group of this server; a person may have several."""
        label = f"{self.account.number}"
        return f"{label}-{self.name}" if self.name else label

    @property
    def group(self) -> cgroups.ControlGroup:
        limits = cgroups.Limits(int(self.mem_limit or 0), float(self.cpu_limit or 0), self.processes)
        return cgroups.ControlGroup(
            f"qcrbox-{self.mark[:8]}-{self.server_label}", limits, cgroups.Kind(self.limits)
        )

    # ------------------------------------------------------------ starting

    async def start(self) -> tuple[str, int]:
        await self.require_room()
        account, uid = self.account, self.uid
        home = self.homes.make(account.label, uid)
        self.folders.make(self.server_label, uid)
        internet = self.may_use_internet()
        port = await RelayClient(self.folders.control).open(
            self.server_label, account.number, internet=internet
        )
        try:
            self._launch(home, uid, internet=internet)
        except BaseException:
            await self.stop(now=True)
            raise
        return ("127.0.0.1", port)

    def _launch(self, home: Path, uid: int | None, *, internet: bool) -> None:
        accounts = self.folders.folder(self.server_label) / "etc"
        bubblewrap.write_accounts(accounts, self.user.name, self.inside_home, uid or os.getuid())
        group = self.group
        group.make()
        with tempfile.TemporaryFile() as filter_:
            filter_.write(seccomp.bpf())
            filter_.seek(0)
            command = [
                *group.command_prefix(),
                *self.sandbox(home, uid).wrap(self.whole_command(internet), accounts, filter_.fileno()),
            ]
            log = os.open(
                Path(self.data) / "logs" / f"server-{self.user.name}.log",
                os.O_WRONLY | os.O_CREAT | os.O_APPEND,
                0o600,
            )
            try:
                self._process = subprocess.Popen(
                    command,
                    env=self.environment_inside(internet),
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(filter_.fileno(), *lifeline.pass_on()),
                    preexec_fn=self._before_exec,
                )
            finally:
                os.close(log)
        self.pid = self._process.pid
        self.started = start_ticks(self.pid)

    def _before_exec(self) -> None:
        """Between fork and exec: into the control group, and under the limits that each process has."""
        self.group.enter()
        _, most_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        files = OPEN_FILES if most_files == resource.RLIM_INFINITY else min(OPEN_FILES, most_files)
        resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    @property
    def inside_home(self) -> str:
        return f"/home/{self.user.name}"

    def sandbox(self, home: Path, uid: int | None) -> bubblewrap.Sandbox:
        folders, label = self.folders, self.server_label
        return bubblewrap.Sandbox(
            name=self.user.name,
            home=self.inside_home,
            uid=uid,
            read_only={
                **bubblewrap.python_environment(product_folders()),
                f"{INSIDE}/in": folders.incoming(label),
            },
            writable={self.inside_home: home, f"{INSIDE}/out": folders.outgoing(label)},
            memory_files_bytes=self.shared_temporary_bytes,
        )

    def whole_command(self, internet: bool) -> list[str]:
        hub, registry = urlsplit(self.hub.url).port or 0, urlsplit(self.registry_url).port or 0
        self.ip, self.port = (
            "127.0.0.1",
            SERVER_PORT if SERVER_PORT not in (hub, registry) else SERVER_PORT + 1,
        )
        inside = inside_command(hub, registry, self.port, internet=internet)
        return [self.python, *inside, *self.cmd, *self.get_args()]

    def environment_inside(self, internet: bool) -> dict[str, str]:
        env = self.server_environment({**self.get_env(), "PATH": SYSTEM_PATH}, self.inside_home)
        env["JUPYTER_RUNTIME_DIR"] = "/tmp/jupyter"
        if internet:
            env.update(internet_environment())
        if descriptor := lifeline.descriptor():
            env[lifeline.VARIABLE] = str(descriptor)
        return env

    # ------------------------------------------------------------ looking and ending

    async def poll(self) -> int | None:
        if self._process is not None:
            return self._process.poll()
        if self.pid and start_ticks(self.pid) == self.started:
            return None
        return 0

    async def stop(self, now: bool = False) -> None:
        if not now:
            for pid in self._first_inside():
                send(pid, signal.SIGTERM)
            await self._wait(GRACE_S)
        for pid in [*descendants(self.pid), self.pid]:
            send(pid, signal.SIGKILL)
        self.group.kill()
        await self._wait(self.kill_timeout)
        await self._tidy()

    def _first_inside(self) -> list[int]:
        """The processes that pass SIGTERM on to the server; bubblewrap's own do not pass signals on."""
        if not self.pid or start_ticks(self.pid) != self.started:
            return []
        return [pid for pid in descendants(self.pid) if b"qcrbox.sandbox.inside" in arguments_of(pid)][:3]

    async def _wait(self, limit_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + limit_s
        while await self.poll() is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    async def _tidy(self) -> None:
        self.pid = self.started = 0
        self._process = None
        self.group.remove()
        await RelayClient(self.folders.control).close(self.server_label)
        self.folders.remove(self.server_label)

    # ------------------------------------------------------------ state over a restart of the hub

    def get_state(self) -> dict[str, Any]:
        state = super().get_state()
        if self.pid:
            state |= {"pid": self.pid, "started": self.started}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        super().load_state(state)
        self.pid, self.started = int(state.get("pid", 0)), int(state.get("started", 0))

    def clear_state(self) -> None:
        super().clear_state()
        self.pid = self.started = 0


def product_folders() -> list[Path]:
    """Packages and notebooks of this product, which lie outside the environment in a checkout."""
    # Not imported: the extension is another room, and large.
    specs = [find_spec(name) for name in ("qcrbox", "qcrbox_hub", "qcrbox_extension")]
    packages = [Path(place) for spec in specs if spec for place in spec.submodule_search_locations or ()]
    return [*packages, *_linked_from_the_environment(), paths.notebooks_folder()]


def _linked_from_the_environment() -> list[Path]:
    """What a checkout links into the environment for JupyterLab and Jupyter Server (`qcrbox_extension.develop`)."""
    prefix = Path(sys.prefix)
    places = (
        "etc/jupyter/jupyter_server_config.d",
        "share/jupyter/labextensions",
        "share/jupyter/labextensions/@*",
    )
    entries = [entry for place in places for folder in prefix.glob(place) for entry in folder.iterdir()]
    targets = [entry.resolve() for entry in entries if entry.is_symlink()]
    return [target for target in targets if target.exists() and not target.is_relative_to(prefix)]


def start_ticks(pid: int) -> int:
    """When a process started, in clock ticks since boot; 0 when it does not run."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return 0 if fields[0] in ("Z", "X") else int(fields[19])


def descendants(pid: int) -> list[int]:
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)] if pid else []
    except psutil.Error:
        return []


def arguments_of(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def send(pid: int, number: signal.Signals) -> None:
    try:
        if pid:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass
