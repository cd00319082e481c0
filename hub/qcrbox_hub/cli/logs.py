"""`qcrbox logs`."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import NotFound

from qcrbox_hub.cli.console import DataOption, data_folder
from qcrbox_hub.platform.child import tail


def logs(
    name: Annotated[str, typer.Argument(help="Which log; without it: their names.", show_default=False)] = "",
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing as the log grows.")] = False,
    lines: Annotated[int, typer.Option("-n", "--lines", help="How many lines of the end.")] = 50,
    data: DataOption = None,
) -> None:
    """Show the log of a part of the platform, or list the logs there are."""
    folder = data_folder(data).logs
    known = {file.stem: file for file in sorted(folder.glob("*.log"))}
    if not name:
        for each, file in known.items():
            print(f"{each:24} {file.stat().st_size // 1024:8} KiB  {file}")
        return
    if name not in known:
        raise NotFound(
            f"There is no log called {name}.",
            where=str(folder),
            next=f"There are: {', '.join(known) or 'none yet'}.",
        )
    print(tail(known[name], lines))
    if follow:
        try:
            _follow(known[name])
        except KeyboardInterrupt:
            return


def _follow(file: Path) -> None:
    with file.open("rb") as stream:
        stream.seek(0, os.SEEK_END)
        while True:
            if text := stream.read():
                print(text.decode(errors="replace"), end="", flush=True)
            elif file.stat().st_size < stream.tell():
                stream.seek(0)  # the log was rotated or emptied
            else:
                time.sleep(0.2)
