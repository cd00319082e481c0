"""A person's Jupyter server as a plain process of this machine: no walls.

All servers run as the system user that runs the platform, who can read every home, every secret and the databases.
For one person, or for people who trust each other.
"""

from __future__ import annotations

import os
from pathlib import Path
from subprocess import STDOUT
from typing import Any

from jupyterhub.spawner import SimpleLocalProcessSpawner
from qcrbox import lifeline
from traitlets import default

from qcrbox_hub.jupyterhub.spawners.base import PersonServer


class TrustedSpawner(PersonServer, SimpleLocalProcessSpawner):
    """One home folder per account, the registry's address for kernels, and the lifeline."""

    @default("home_dir")
    def _home_dir(self) -> str:
        return str(self.homes.path(self.account.label))

    @default("args")
    def _args(self) -> list[str]:
        return ["--allow-root"] if os.geteuid() == 0 else []

    def user_env(self, env: dict[str, str]) -> dict[str, str]:
        """Environment of the server, with the lifeline that ends it with the platform."""
        env = self.server_environment(env, self.home_dir)
        if descriptor := lifeline.descriptor():
            env[lifeline.VARIABLE] = str(descriptor)
        return env

    async def start(self) -> Any:
        """Start the server as a process that logs into the data folder."""
        await self.require_room()
        self.homes.make(self.account.label)
        log = os.open(
            Path(self.data) / "logs" / f"server-{self.user.name}.log",
            os.O_WRONLY | os.O_CREAT | os.O_APPEND,
            0o600,
        )
        self.popen_kwargs = {"pass_fds": lifeline.pass_on(), "stdout": log, "stderr": STDOUT}
        try:
            return await super().start()
        finally:
            os.close(log)
