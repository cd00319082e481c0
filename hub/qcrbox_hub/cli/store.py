"""`qcrbox backup` and `qcrbox restore`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import Conflict
from qcrbox.sandbox import subordinate

from qcrbox_hub.cli.console import DataOption, data_folder, say
from qcrbox_hub.lifecycle.backup import restore_backup, write_backup


def backup(
    target: Annotated[Path, typer.Argument(help="Folder in which the backup's folder is made.")],
    data: DataOption = None,
    homes: Annotated[bool, typer.Option(help="With the users' homes (notebooks and files).")] = True,
) -> None:
    """Write a backup: data, accounts, homes. The platform may keep running."""
    if homes and subordinate.first_id() is not None:
        subordinate.enter()  # the homes belong to these ids
    print(write_backup(data_folder(data), target, say, homes=homes))


def restore(
    source: Annotated[Path, typer.Argument(help="A folder that `qcrbox backup` wrote.")],
    data: DataOption = None,
) -> None:
    """Fill an empty data folder from a backup. People sign in again; tokens of before do not work."""
    folder = data_folder(data)
    if (pid := folder.holder()) is not None:
        raise Conflict(
            f"QCrBox runs on this data folder (process {pid}).",
            where=str(folder.path),
            next="Stop it with `qcrbox down` first.",
        )
    restore_backup(source, folder, say)
    say(f"restored into {folder.path}; start it with `qcrbox up`")
