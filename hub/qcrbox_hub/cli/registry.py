"""`qcrbox registry`: registry, NATS and a launcher alone, for programs and tests."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host

from qcrbox_hub.cli.console import DataOption, ManagerOption, data_folder, say
from qcrbox_hub.lifecycle.plan import Options
from qcrbox_hub.lifecycle.run import Run
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.settings import PlatformSettings


def registry(
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="Port of the REST interface; 0: any free one.")] = 11000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    no_auth: Annotated[
        bool, typer.Option("--no-auth", help="One person called local with every right; loopback only.")
    ] = False,
    applications: Annotated[
        list[Path] | None,
        typer.Option(help="Further application folders. May be given several times.", show_default=False),
    ] = None,
    manager: ManagerOption = "",
) -> None:
    """Registry, NATS and launcher without a hub. Prints one line on stdout when ready."""
    if not no_auth:
        raise UserInputError(
            "A registry without a hub cannot sign people in.",
            next="Add --no-auth (loopback only), or start everything with `qcrbox up`.",
        )
    if not is_loopback_host(host):
        raise UserInputError(
            f"--no-auth refuses to listen on {host}.",
            why="Everybody who reaches that address would have every right.",
            next="Use 127.0.0.1, or start with sign-in: `qcrbox up`.",
        )
    where = data_folder(data)
    settings = PlatformSettings.load(where.path)
    options = Options(
        mode="registry",
        host=host,
        port=port or ports.choose(1)[0],
        applications=applications or [],
        manager=manager or settings.manager or "process",
        settings=settings,
    )
    Run(options, where, say).up(
        lambda run: print(f"qcrbox registry ready at {run.plan.registry_url}", flush=True)  # type: ignore[union-attr]
    )
