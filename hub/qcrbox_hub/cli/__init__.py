"""The `qcrbox` command line: one sub-command, one file."""

from __future__ import annotations

import sys

import typer
from qcrbox.contract.errors import QcError

from qcrbox_hub.cli import apps, doctor, down, logs, registry, status, store, up
from qcrbox_hub.cli.console import show_error

app = typer.Typer(
    name="qcrbox",
    help="Quantum crystallography in JupyterLab: start, stop and look after the platform.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("down")(down.down)
app.command("status")(status.status)
app.command("logs")(logs.logs)
app.command("doctor")(doctor.doctor)
app.command("registry")(registry.registry)
app.add_typer(apps.apps, name="apps")
app.command("backup")(store.backup)
app.command("restore")(store.restore)


def main() -> None:
    """Entry point: an error of ours is a sentence, not a traceback."""
    try:
        app()
    except QcError as error:
        show_error(error)
        sys.exit(1)
