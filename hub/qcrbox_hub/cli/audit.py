"""`qcrbox audit`: does the audit trail agree with the heads that were signed and exported?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from qcrbox_hub.cli.console import DataOption, data_folder
from qcrbox_hub.platform.settings import PlatformSettings


def audit(
    data: DataOption = None,
    heads: Annotated[
        Path | None,
        typer.Option(
            "--heads", help="A further copy of the signed heads, e.g. from the log host.", show_default=False
        ),
    ] = None,
) -> None:
    """Check the audit trail: its chain of hashes, and the signed heads. Exit code 1 when something does not agree."""
    folder = data_folder(data)
    command = [sys.executable, "-m", "qcrbox_registry", "audit", "--data", str(folder.path)]
    if heads is not None:
        command.append(str(heads))
    environment = os.environ | PlatformSettings.load(folder.path).registry_environment(folder.path)
    raise typer.Exit(subprocess.run(command, check=False, env=environment).returncode)
