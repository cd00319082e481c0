"""Configuration of the agent: environment variables, each also a flag. The token is only ever in a file."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import UserInputError


@dataclass(frozen=True)
class Settings:
    """What one agent needs to know. Flag `--work-dir` is the variable `QCRBOX_WORK_DIR`, and so on."""

    agent: str  # QCRBOX_AGENT_ID
    nats_url: str  # QCRBOX_NATS_URL
    enrolment_file: Path  # QCRBOX_ENROLMENT_FILE: the token for NATS
    spec: Path  # QCRBOX_SPEC: application.yaml; its folder is on the module path and last on PATH
    work_dir: Path  # QCRBOX_WORK_DIR: a folder per calculation is made in here
    launcher: str = ""  # QCRBOX_LAUNCHER: reported to the registry
    keep_failed_s: float = 0.0  # QCRBOX_KEEP_FAILED_S: how long folders of failed calculations stay
    orphaned_after_s: float = (
        0.0  # QCRBOX_ORPHANED_AFTER_S: an idle agent leaves when NATS is away so long; 0: never
    )
    log_level: str = "INFO"  # QCRBOX_LOG_LEVEL
    nats_socket: str = ""  # QCRBOX_NATS_SOCKET: in a container without a network, the door to NATS
    registry_socket: str = ""  # QCRBOX_REGISTRY_SOCKET: and the one to the registry's agents' routes
    sealed: bool = False  # QCRBOX_SEALED=1: programs may not look into the agent's memory

    @property
    def folder(self) -> Path:
        """Folder of the spec, in which the application's own modules are found."""
        return self.spec.parent


_REQUIRED = {"agent": "QCRBOX_AGENT_ID"} | {
    name: f"QCRBOX_{name.upper()}" for name in ("nats_url", "enrolment_file", "spec", "work_dir")
}
_OPTIONAL = {
    name: f"QCRBOX_{name.upper()}"
    for name in (
        "launcher",
        "keep_failed_s",
        "orphaned_after_s",
        "log_level",
        "nats_socket",
        "registry_socket",
        "sealed",
    )
}


def read_settings(argv: list[str]) -> Settings:
    """From flags, then the environment. Raises UserInputError naming what is missing."""
    parser = argparse.ArgumentParser(prog="qcrbox-agent", description="Runs the commands of one application.")
    for name, variable in (_REQUIRED | _OPTIONAL).items():
        flag = "--agent-id" if name == "agent" else "--" + name.replace("_", "-")
        parser.add_argument(flag, dest=name, default=os.environ.get(variable), help=f"or {variable}")
    given = {name: value for name, value in vars(parser.parse_args(argv)).items() if value is not None}
    missing = [variable for name, variable in _REQUIRED.items() if not given.get(name)]
    if missing:
        raise UserInputError(f"The agent needs {', '.join(missing)}.", where="qcrbox-agent")
    for name in ("enrolment_file", "spec", "work_dir"):
        given[name] = Path(given[name]).absolute()
    for name in ("keep_failed_s", "orphaned_after_s"):
        if name in given:
            given[name] = float(given[name])
    given["sealed"] = given.get("sealed") == "1"
    return Settings(**given)
