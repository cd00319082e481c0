"""`python -m qcrbox_registry.launcher --data DIR --name NAME --manager process --applications DIR…`"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

from qcrbox import lifeline
from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.quick_imports import leave_out_extras
from traitlets.config import Config

if __name__ == "__main__":
    leave_out_extras()

from qcrbox_registry.launcher import joining
from qcrbox_registry.launcher.catalogue import Catalogue
from qcrbox_registry.launcher.launcher import Credential, Launcher
from qcrbox_registry.launcher.managers.base import Manager
from qcrbox_registry.messaging.keys import Secrets

OTHERS_END_S = 3.0
# An engine is one file with one class; imported only when it is wanted.
MANAGERS = {
    "process": "qcrbox_registry.launcher.managers.process:ProcessManager",
    "docker": "qcrbox_registry.launcher.managers.docker:DockerManager",
    "swarm": "qcrbox_registry.launcher.managers.swarm:SwarmManager",
}


def manager_class(name: str) -> type[Manager]:
    """By a known name, or `module:Class`. Raises UserInputError."""
    module, _, attribute = MANAGERS.get(name, name).partition(":")
    try:
        found = getattr(import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UserInputError(
            f"There is no manager '{name}'.",
            why=str(error),
            next=f"Known: {', '.join(MANAGERS)}, or module:Class.",
        ) from error
    return found


def main(argv: list[str] | None = None) -> int:
    """Run a launcher until it is terminated; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox_registry.launcher", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data folder of the platform")
    parser.add_argument("--name", default="local", help="name of this launcher")
    parser.add_argument("--manager", default="process", help="process, docker, swarm or module:Class")
    parser.add_argument(
        "--applications", type=Path, action="append", default=[], help="folder of applications"
    )
    parser.add_argument("--nats-url", default="", help="default: the NATS of the data folder")
    parser.add_argument("--seed-file", type=Path, help="default: DATA/secrets/nats_launcher-NAME.nk")
    parser.add_argument(
        "--config", type=Path, help='JSON file with traits, e.g. {"ProcessManager": {"most_agents": 2}}'
    )
    parser.add_argument(
        "--join", default="", metavar="CODE", help="join with a code of the administration pages, then run"
    )
    parser.add_argument("--registry", default="", help="with --join: address of the registry")
    parser.add_argument(
        "--make-seed", action="store_true", help="make the seed of a further launcher of this name, and end"
    )
    given = parser.parse_args(argv)
    logging.basicConfig(
        level=os.environ.get("QCRBOX_LOG_LEVEL", "INFO"),
        stream=sys.stderr,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
    )
    try:
        if given.make_seed:
            return _make_seed(given.data, given.name)
        return asyncio.run(_run(given))
    except QcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2
    except KeyboardInterrupt:
        return 0


def _make_seed(data: Path, name: str) -> int:
    """NATS lets a launcher in whose seed lay in the data folder when NATS was started."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,40}", name):
        raise UserInputError(
            f"{name[:60]!r} cannot be the name of a launcher.",
            next="Use small letters, digits and hyphens, up to 41 of them.",
        )
    secrets = Secrets(data)
    secrets.user(f"launcher-{name}")
    sys.stdout.write(
        f"{secrets.user_file(f'launcher-{name}')}\nLauncher {name} may connect after the next start of the platform.\n"
    )
    return 0


def _joined(given: argparse.Namespace, data: Path) -> joining.Joined | None:
    """What the code of the command line gives, or gave at an earlier start; None for a launcher with a seed."""
    if given.join:
        return joining.join(data, given.registry, given.join)
    has_seed = (data / "secrets" / f"nats_launcher-{given.name}.nk").exists()
    return None if given.seed_file or has_seed else joining.read(data)


def _seed_of(given: argparse.Namespace, data: Path) -> Credential:
    """The seed of a launcher on the platform's own data folder, or of the file that was named."""
    seed_file = given.seed_file or data / "secrets" / f"nats_launcher-{given.name}.nk"
    try:
        return Credential(seed=seed_file.read_text().strip())
    except OSError as error:
        raise UserInputError(f"The launcher's seed cannot be read: {error}.", where=str(seed_file)) from error


async def _run(given: argparse.Namespace) -> int:
    data = given.data.absolute()
    joined = await asyncio.to_thread(_joined, given, data)
    name = joined.launcher if joined else given.name
    url = given.nats_url or (joined.nats_url if joined else await _nats_url(data))
    credential = Credential(token=joined.token) if joined else _seed_of(given, data)
    config = Config(json.loads(given.config.read_text())) if given.config else Config()
    manager = manager_class(given.manager)(
        config=config, launcher=name, data=str(data), nats_url=url, log=logging.getLogger("manager")
    )
    catalogue = Catalogue(data / "run" / "approved" / name)
    launcher = Launcher(name, url, credential, manager, catalogue, given.applications)
    running = asyncio.create_task(launcher.run())
    loop = asyncio.get_running_loop()
    platform_gone, ending = threading.Event(), data / "run" / "ending"

    async def leave() -> None:
        # Keep the sockets open so that agents survive a restart of the launcher.
        await _look_whether_all_ends(manager, platform_gone, ending)
        running.cancel()

    leaving: list[asyncio.Task[None]] = []

    def on_signal() -> None:
        if leaving:
            running.cancel()
        else:
            leaving.append(asyncio.create_task(leave()))

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, on_signal)

    def end() -> None:
        platform_gone.set()
        loop.call_soon_threadsafe(running.cancel)

    # Processes hold the same lifeline and end by themselves; containers cannot.
    lifeline.watch(end)
    try:
        with contextlib.suppress(asyncio.CancelledError):
            await running
    finally:
        # A launcher that is only restarted leaves its agents for the next one to adopt. One that failed just as the
        # platform ended does not.
        if platform_gone.is_set() or ending.exists():
            await manager.end_platform()
    return 0


async def _look_whether_all_ends(manager: Manager, gone: threading.Event, ending: Path) -> None:
    """Wait a moment for the end of the whole platform: a machine that shuts down signals all processes at once, and
    this one may be the first."""
    waits = lifeline.descriptor() is not None and type(manager).end_platform is not Manager.end_platform
    deadline = time.monotonic() + (OTHERS_END_S if waits else 0.0)
    while not (gone.is_set() or ending.exists()) and time.monotonic() < deadline:
        await asyncio.sleep(0.05)


async def _nats_url(data: Path) -> str:
    """Where NATS of this data folder is; waits for its first start."""
    for _ in range(300):
        with contextlib.suppress(OSError, ValueError, KeyError):
            return str(json.loads((data / "run" / "nats.json").read_text())["url"])
        await asyncio.sleep(0.1)
    raise UserInputError("NATS of this data folder was never started.", where=str(data / "run" / "nats.json"))


if __name__ == "__main__":
    sys.exit(main())
