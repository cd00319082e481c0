"""Output of the command line: messages to stderr, results to stdout."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import QcError

from qcrbox_hub.platform import paths
from qcrbox_hub.platform.data_folder import DataFolder

DataOption = Annotated[
    Path | None,
    typer.Option(
        "--data", help="Data folder. Default: QCRBOX_DATA, else ~/.local/share/qcrbox.", show_default=False
    ),
]

ManagerOption = Annotated[
    str,
    typer.Option(
        "--manager",
        envvar="QCRBOX_MANAGER",
        help="What runs programs: process (no sandbox), docker, swarm, or module:Class.",
    ),
]


def data_folder(given: Path | None) -> DataFolder:
    """The given data folder, otherwise the default one."""
    return DataFolder(given or paths.default_data_folder())


def say(text: str) -> None:
    """One line of progress."""
    mark = "\033[2m·\033[0m" if sys.stderr.isatty() else "·"
    print(f"{mark} {text}", file=sys.stderr, flush=True)


def show_error(error: QcError) -> None:
    """Print an error to stderr: where and what, then why, then what to do next."""
    red, off = ("\033[31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    head = f"{error.where}: {error.what}" if error.where else error.what
    print(f"{red}{head}{off}", file=sys.stderr)
    for line in (error.why, error.next):
        if line:
            print(line, file=sys.stderr)
