"""`qcrbox up`."""

from __future__ import annotations

import sys
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import UserInputError

from qcrbox_hub.cli.console import DataOption, ManagerOption, data_folder, say
from qcrbox_hub.lifecycle.plan import Options
from qcrbox_hub.lifecycle.run import Run
from qcrbox_hub.platform import ports


def up(
    data: DataOption = None,
    port: Annotated[int, typer.Option(help="Port of the sign-in page.")] = 8000,
    host: Annotated[
        str, typer.Option(help="Address to listen on. The default can only be reached from this machine.")
    ] = "127.0.0.1",
    solo: Annotated[
        bool, typer.Option("--solo", help="One person, no hub: JupyterLab and registry.")
    ] = False,
    folder: Annotated[
        Path | None, typer.Option(help="With --solo: the folder JupyterLab shows.", show_default=False)
    ] = None,
    applications: Annotated[
        list[Path] | None,
        typer.Option(help="Further application folders. May be given several times.", show_default=False),
    ] = None,
    idle_cull: Annotated[
        int, typer.Option(help="Stop a person's Jupyter server after so many idle minutes; 0: never.")
    ] = 0,
    manager: ManagerOption = "process",
    tls_in_front: Annotated[
        bool,
        typer.Option("--tls-in-front", help="A web server on this machine ends TLS and forwards to us."),
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Start the platform and keep it running until Ctrl-C."""
    if solo and not ports.is_loopback(host):
        raise UserInputError(
            "--solo listens on this machine only.",
            why="It has one person and no accounts.",
            next="Leave out --host, or start with a hub (without --solo).",
        )
    options = Options(
        mode="solo" if solo else "hub",
        host=host,
        port=port,
        applications=applications or [],
        folder=folder,
        idle_cull_s=60 * idle_cull,
        tls_in_front=tls_in_front,
        manager=manager,
    )
    where = data_folder(data)
    say(f"QCrBox starts; data folder {where.path}")
    Run(options, where, say).up(lambda run: _announce(run, open_))


def _announce(run: Run, open_: bool) -> None:
    assert run.plan
    url = run.plan.url
    page = run.first_admin_link or url
    lines = [f"QCrBox is ready after {run.started_in_s:.1f} s.", ""]
    if run.options.mode == "solo":
        page = f"{url}/lab?token={run.plan.lab_token}"
        lines += ["  JupyterLab:        " + page]
    else:
        lines += ["  Sign in at:        " + url]
        if run.first_admin_link:
            lines += ["  First administrator, once: " + run.first_admin_link]
    if not ports.is_loopback(run.options.host):
        lines += ["", "  Others can reach this address. Put a web server with TLS in front of it."]
    lines += ["", "Ctrl-C stops everything."]
    print("\n".join(lines), flush=True)
    if open_:
        webbrowser.open(page)
    elif not sys.stdout.isatty():
        sys.stdout.flush()
