"""`qcrbox up`."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Literal

import typer
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host
from qcrbox.sandbox import subordinate

from qcrbox_hub.cli.console import DataOption, ManagerOption, data_folder, say
from qcrbox_hub.lifecycle.plan import Options, choose_walls
from qcrbox_hub.lifecycle.run import Run
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import PlatformSettings
from qcrbox_hub.walls.choice import Walls


def up(  # noqa: PLR0913 - options of the command line
    data: DataOption = None,
    port: Annotated[
        int | None, typer.Option(help="Port of the sign-in page. Default: 8000.", show_default=False)
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Address to listen on. Default: 127.0.0.1, which only this machine reaches.",
            show_default=False,
        ),
    ] = None,
    public_url: Annotated[
        str,
        typer.Option(
            "--public-url", help="Address that people type, e.g. https://hub.example.org.", show_default=False
        ),
    ] = "",
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
        int | None,
        typer.Option(
            help="Stop a person's Jupyter server after so many idle minutes; 0: never.", show_default=False
        ),
    ] = None,
    manager: ManagerOption = "",
    spawner: Annotated[
        Literal["auto", "docker", "swarm", "sandbox", "trusted"] | None,
        typer.Option(
            envvar="QCRBOX_SPAWNER",
            help="What people's Jupyter servers run in. auto: the strongest walls that this machine has; "
            "trusted: none, for people who trust each other. Default: what platform.toml says, else auto.",
            show_default=False,
        ),
    ] = None,
    tls_in_front: Annotated[
        bool,
        typer.Option("--tls-in-front", help="A web server on this machine ends TLS and forwards to us."),
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Start the platform and keep it running until Ctrl-C."""
    where = data_folder(data)
    settings = PlatformSettings.load(where.path)
    host, port = host or settings.public.host, port or settings.public.port
    if solo and not is_loopback_host(host):
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
        idle_cull_s=60 * (settings.people.idle_minutes if idle_cull is None else idle_cull),
        tls_in_front=tls_in_front or settings.public.tls == "front",
        manager=manager or settings.manager or "process",
        public_url=public_url or settings.public.url,
        people_url=settings.public.people_url,
        spawner=spawner or settings.people.spawner,
        settings=settings,
    )
    if options.mode == "hub" and os.geteuid() != 0:
        _enter_own_ids(options, where)
    say(f"QCrBox starts; data folder {where.path}")
    Run(options, where, say).up(lambda run: _announce(run, open_))


def _enter_own_ids(options: Options, where: DataFolder) -> None:
    """Does not return where an ordinary user may give each person's sandbox a user id: this program begins anew there."""
    choice = choose_walls(options, where)
    if choice.walls is Walls.SANDBOX and choice.sandboxes and choice.sandboxes.subordinate_ids:
        subordinate.enter()


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
        if run.plan.choice:
            lines += ["  Walls:             " + run.plan.choice.what]
            if run.plan.choice.stronger:
                lines += ["                     " + run.plan.choice.stronger]
        if run.first_admin_link:
            lines += ["  First administrator, once: " + run.first_admin_link]
    if not is_loopback_host(run.options.host) and url.startswith("http:"):
        lines += ["", "  Others can reach this address. Put a web server with TLS in front of it."]
    lines += ["", "Ctrl-C stops everything."]
    print("\n".join(lines), flush=True)
    if open_:
        webbrowser.open(page)
    elif not sys.stdout.isatty():
        sys.stdout.flush()
