"""`qcrbox backup` and `qcrbox restore`: the registry's own, with the data folder in hand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import Conflict

from qcrbox_hub.cli.console import DataOption, data_folder


def backup(
    target: Annotated[Path, typer.Argument(help="File or folder to write the backup to.")],
    data: DataOption = None,
) -> None:
    """Write a backup; the platform may go on running."""
    folder = data_folder(data)
    _run("backup", "--data", str(folder.path), str(target))


def restore(
    source: Annotated[Path, typer.Argument(help="A backup that `qcrbox backup` wrote.")],
    data: DataOption = None,
) -> None:
    """Fill an empty data folder from a backup; nothing may run on it."""
    folder = data_folder(data)
    if (pid := folder.holder()) is not None:
        raise Conflict(
            f"QCrBox runs on this data folder (process {pid}).",
            where=str(folder.path),
            next="Stop it with `qcrbox down` first.",
        )
    _run("restore", "--data", str(folder.path), str(source))


def _run(*arguments: str) -> None:
    code = subprocess.run([sys.executable, "-m", "qcrbox_registry", *arguments], check=False).returncode
    raise typer.Exit(code)
