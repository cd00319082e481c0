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

import psutil
from jupyterhub.spawner import Spawner
from qcrbox import lifeline
from qcrbox.sandbox import bubblewrap, cgroups, seccomp
from traitlets import Int, Unicode, default

from qcrbox_hub.jupyterhub.spawners.separate import INSIDE, SeparateServer, open_files
from qcrbox_hub.platform import paths

GRACE_S = 4.0
KILL_S = 1.0  # after SIGKILL; the traits with such times are of JupyterHub's own local spawner


class SandboxSpawner(SeparateServer, Spawner):
    """One sandbox for each server."""

    limits = Unicode(str(cgroups.Kind.NONE), help="How limits are set on this machine.").tag(config=True)

    pid = Int(0, help="Process id of the sandbox; 0: it does not run.")
    started = Int(0, help="When that process started, in clock ticks: another process has another.")
    _process: subprocess.Popen[bytes] | None = None

    @default("args")
    def _args(self) -> list[str]:
        return ["--KernelManager.transport=ipc"]

    @property
    def group(self) -> cgroups.ControlGroup:
        """Control group with the limits of memory, processors and processes."""
        limits = cgroups.Limits(int(self.mem_limit or 0), float(self.cpu_limit or 0), self.processes)
        return cgroups.ControlGroup(
            f"qcrbox-{self.mark[:8]}-{self.server_label}", limits, cgroups.Kind(self.limits)
        )

    # ------------------------------------------------------------ starting

    async def start(self) -> tuple[str, int]:
        """Open the relay and start the sandbox; returns the relay's address and port."""
        await self.require_room()
        home = self.homes.make(self.account.label, self.uid)
        port = await self.open_relay()
        try:
            self._launch(home)
        except BaseException:
            await self.stop(now=True)
            raise
        self.seal_when_up()
        return ("127.0.0.1", port)

    def _launch(self, home: Path) -> None:
        self.choose_port()
        group = self.group
        group.make()
        log = os.open(
            Path(self.data) / "logs" / f"server-{self.user.name}.log",
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        try:
            with tempfile.TemporaryFile() as filter_:
                filter_.write(seccomp.bpf())
                filter_.seek(0)
                inside = self.inside_command([*self.cmd, *self.get_args()])
                self._process = subprocess.Popen(
                    [
                        *group.command_prefix(),
                        *self.sandbox(home).wrap(inside, self.accounts_folder, filter_.fileno()),
                    ],
                    env=self._environment(),
                    cwd="/",
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    pass_fds=(filter_.fileno(), *self._lifeline()),
                    preexec_fn=self._before_exec,
                )
        finally:
            os.close(log)
        self.pid = self._process.pid
        self.started = start_ticks(self.pid)

    def _before_exec(self) -> None:
        """Between fork and exec: into the control group, and under the limits that each process has."""
        self.group.enter()
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files(), open_files()))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))

    def sandbox(self, home: Path) -> bubblewrap.Sandbox:
        """What the sandbox sees: the home, read-only system folders, and its sockets."""
        folders, label = self.folders, self.server_label
        return bubblewrap.Sandbox(
            name=self.user.name,
            home=self.inside_home,
            uid=self.uid,
            read_only={
                **bubblewrap.python_environment(product_folders()),
                **self._venv_that_lets_user_packages_in(),
                f"{INSIDE}/in": folders.incoming(label),
            },
            writable={self.inside_home: home, f"{INSIDE}/out": folders.outgoing(label)},
            memory_files_bytes=self.shared_temporary_bytes,
        )

    def _venv_that_lets_user_packages_in(self) -> dict[str, Path]:
        """`pip install` goes into the home, as the environment is read-only; a plain virtual environment forbids that.

        The server itself is started with -I and sees no package of the home.
        """
        settings = Path(sys.prefix) / "pyvenv.cfg"
        if not settings.is_file():
            return {}
        lines = [
            line for line in settings.read_text().splitlines() if "include-system-site-packages" not in line
        ]
        changed = self.accounts_folder / "pyvenv.cfg"
        changed.write_text("\n".join([*lines, "include-system-site-packages = true", ""]))
        changed.chmod(0o644)
        return {str(settings): changed}

    def _lifeline(self) -> tuple[int, ...]:
        """Its pipe belongs to the platform's user id. With that id a person could open its other end through /proc and
        keep the whole platform from ending; such a sandbox notices by the platform's socket instead, within a minute.
        """
        return lifeline.pass_on() if self.uid is not None else ()

    def _environment(self) -> dict[str, str]:
        env = self.inside_environment(self.get_env())
        for descriptor in self._lifeline():
            env[lifeline.VARIABLE] = str(descriptor)
        return env

    # ------------------------------------------------------------ looking and ending

    async def poll(self) -> int | None:
        """None while the sandbox runs, otherwise its exit code; 0 if that is unknown."""
        if self._process is not None:
            return self._process.poll()
        if self.pid and start_ticks(self.pid) == self.started:
            return None
        return 0

    async def stop(self, now: bool = False) -> None:
        """End the processes inside, first with SIGTERM unless `now`, and close the relay."""
        if not now:
            for pid in self._first_inside():
                send(pid, signal.SIGTERM)
            await self._wait(GRACE_S)
        for pid in [*descendants(self.pid), self.pid]:
            send(pid, signal.SIGKILL)
        # It waits until the processes have gone, up to half a second.
        await asyncio.to_thread(self.group.kill)
        await self._wait(KILL_S)
        self.clear_state()
        self._process = None
        self.group.remove()
        await self.close_relay()

    def _first_inside(self) -> list[int]:
        """The processes that pass SIGTERM on to the server; bubblewrap's own do not pass signals on."""
        if not self.pid or start_ticks(self.pid) != self.started:
            return []
        return [pid for pid in descendants(self.pid) if b"qcrbox.sandbox.inside" in arguments_of(pid)][:3]

    async def _wait(self, limit_s: float) -> None:
        deadline = asyncio.get_running_loop().time() + limit_s
        while await self.poll() is None and asyncio.get_running_loop().time() < deadline:
            await asyncio.sleep(0.02)

    # ------------------------------------------------------------ state over a restart of the hub

    def get_state(self) -> dict[str, Any]:
        """State for JupyterHub's database, with pid and start time of the sandbox."""
        state = super().get_state()
        if self.pid:
            state |= {"pid": self.pid, "started": self.started}
        return state

    def load_state(self, state: dict[str, Any]) -> None:
        """Take pid and start time from JupyterHub's database."""
        super().load_state(state)
        self.pid, self.started = int(state.get("pid", 0)), int(state.get("started", 0))

    def clear_state(self) -> None:
        """Forget a sandbox that has ended."""
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
    """Pids of all processes below `pid`; none if it has ended."""
    try:
        return [child.pid for child in psutil.Process(pid).children(recursive=True)] if pid else []
    except psutil.Error:
        return []


def arguments_of(pid: int) -> bytes:
    """Command line of a process as in /proc; empty if it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def send(pid: int, number: signal.Signals) -> None:
    """Send a signal; a process that has ended is ignored."""
    try:
        if pid:
            os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        pass  # ended; the number may belong to a process of another user by now
