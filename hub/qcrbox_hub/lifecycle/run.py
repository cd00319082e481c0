"""The life of `qcrbox up`: make ready, start, say so, watch, stop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

import qcrbox
from qcrbox.signal_flag import SignalFlag

from qcrbox_hub.accounts.first_admin import has_administrator
from qcrbox_hub.jupyterhub import bytecode
from qcrbox_hub.lifecycle import plan as plans
from qcrbox_hub.lifecycle.readiness import faults_of_applications
from qcrbox_hub.platform import packages, ports
from qcrbox_hub.platform.child import Child
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.supervisor import MARK, Supervisor, end_marked_processes, marked_processes
from qcrbox_hub.walls.choice import Walls
from qcrbox_hub.walls.daemon import remove_people

# After kill -9 of `up` everything sees the lifeline end; this is how long the next `up` gives it.
LEFTOVER_GRACE_S = 8.0
STOP_LIMIT_S = 5.0

Say = Callable[[str], None]


class Run:
    """One start of the platform on one data folder."""

    def __init__(self, options: plans.Options, data: DataFolder, say: Say) -> None:
        self.options, self.data, self.say = options, data, say
        self.stop_asked = SignalFlag()
        self.supervisor: Supervisor | None = None
        self.plan: plans.Plan | None = None
        self.compiling: Child | None = None
        self.first_admin_link = ""

    def up(self, on_ready: Callable[[Run], None]) -> None:
        """Blocks until SIGINT, SIGTERM or SIGHUP. Raises QcError when the start is not possible."""
        packages.require(self.options.mode)
        self.data.prepare()
        self.data.lock()
        try:
            self.data.require_databases(self._database_urls())
            self._recover()
            self.data.ending_file.unlink(missing_ok=True)
            ports.require_free(self.options.host, self.options.port)
            self._catch_signals()
            self._start(on_ready)
        finally:
            self._stop()
            self.data.unlock()

    def _database_urls(self) -> dict[str, str]:
        settings, path = self.options.settings, self.data.path
        urls = settings.database_urls(path)
        return urls if self.options.mode == "hub" else {"registry": urls["registry"]}

    def _recover(self) -> None:
        """The lock is ours, so whatever the last platform left is not wanted any more."""
        if self.data.read_platform() is None:
            return
        if marked_processes(self.data.identity):
            self.say("the last run ended without cleaning up; waiting for its processes to end")
            for process in end_marked_processes(self.data.identity, grace_s=LEFTOVER_GRACE_S):
                self.say(f"process {process.pid} of the last run did not end and was killed")
        else:
            self.say("the last run ended without cleaning up; nothing of it is left running")
        if removed := remove_people(self.data.identity):
            self.say(f"removed {removed} containers of people that the last run left")
        self.data.clear_platform()

    def _start(self, on_ready: Callable[[Run], None]) -> None:
        begin = time.monotonic()
        self.plan = plans.make(self.options, self.data)
        native = self.options.settings.sign_in.method == "native"
        if (
            self.options.mode == "hub"
            and native
            and not has_administrator(self.options.settings.hub_database_url(self.data.path))
        ):
            code = self.data.new_first_admin_code()
            self.first_admin_link = f"{self.plan.url}/hub/first-admin?code={code}"
        self.supervisor = Supervisor(self.plan.specs, self.data.logs, self.say)
        self.supervisor.on_change = self._write_state
        if not self.supervisor.start(self.stop_asked):
            return
        self.started_in_s = time.monotonic() - begin
        self._write_state()
        on_ready(self)
        if self.plan.choice and self.plan.choice.walls is Walls.SANDBOX:
            self.compiling = bytecode.start(
                {MARK: self.data.identity}, self.data.logs, self.supervisor.read_end
            )
        for fault in faults_of_applications(self.plan.registry_url):
            self.say(fault)
        self.supervisor.watch(self.stop_asked)

    def _write_state(self) -> None:
        assert self.supervisor
        assert self.plan
        self.data.write_platform(
            {
                "pid": os.getpid(),
                "qcrbox": qcrbox.__version__,
                "mode": self.options.mode,
                "url": self.plan.registry_url if self.options.mode == "registry" else self.plan.url,
                "registry_url": self.plan.registry_url,
                "ports": {**self.plan.ports, "public": self.options.port},
                "walls": self.plan.choice.as_dict() if self.plan.choice else None,
                "written_at": datetime.now(UTC).isoformat(timespec="seconds"),
                "solo_token_file": str(self.data.secrets / "solo_token")
                if self.options.mode == "solo"
                else "",
                "children": {
                    each.name: {
                        "pid": each.child.pid,
                        "phase": each.phase,
                        "crashes": each.crashes,
                        "started_in_s": round(each.started_in_s, 2),
                        "log": str(each.child.log),
                    }
                    for each in self.supervisor.watched
                },
            }
        )

    def _stop(self) -> None:
        if self.supervisor is None:
            return
        begin = time.monotonic()
        self.data.ending_file.touch()
        if self.compiling is not None:
            self.compiling.signal(signal.SIGKILL)
        self.supervisor.stop(last=("nats", "proxy", "relay"), within_s=STOP_LIMIT_S - 1)
        if self.plan and self.plan.sockets:
            self.plan.sockets.remove_all()
        if self.plan and self.plan.choice and self.plan.choice.walls in (Walls.DOCKER, Walls.SWARM):
            remove_people(self.data.identity)
        # What was started by what we started (agents, users' servers) is on the lifeline too.
        rest_s = max(0.5, begin + STOP_LIMIT_S - time.monotonic() - 0.3)
        left = end_marked_processes(self.data.identity, grace_s=rest_s)
        for process in left:
            self.say(f"process {process.pid} did not end and was killed")
        self.data.clear_platform()

    def _catch_signals(self) -> None:
        def ask(number: int, _: FrameType | None) -> None:
            if self.stop_asked.is_set():
                # The second Ctrl-C: no more patience. The lifeline takes everything along.
                os._exit(130)
            self.say(f"{signal.Signals(number).name}: stopping …")
            self.stop_asked.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, ask)
        # Under nohup a closed terminal is meant to be nothing.
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
            signal.signal(signal.SIGHUP, ask)
