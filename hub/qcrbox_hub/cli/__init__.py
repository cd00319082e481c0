"""The `qcrbox` command line: one sub-command, one file."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated

import qcrbox
import typer
from qcrbox.contract.errors import QcError

from qcrbox_hub.cli.console import show_error

# Word -> module and what in it: a function, or the Typer of a family of commands. Only what is asked for is
# imported: starting up should not wait for what builds images.
COMMANDS = {
    "up": ("up", "up"),
    "down": ("down", "down"),
    "status": ("status", "status"),
    "logs": ("logs", "logs"),
    "doctor": ("doctor", "doctor"),
    "registry": ("registry", "registry"),
    "bridge": ("bridge", "bridge"),
    "apps": ("apps", "apps"),
    "image": ("image", "image"),
    "audit": ("audit", "audit"),
    "backup": ("store", "backup"),
    "restore": ("store", "restore"),
    "admin": ("admin", "admin"),
}


def _print_version(asked: bool) -> None:
    if asked:
        print(f"qcrbox {qcrbox.__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and end."),
    ] = False,
) -> None:
    """Quantum crystallography in JupyterLab: start, stop and look after the platform."""


def make_app(*words: str) -> typer.Typer:
    """The command line with the sub-commands of these names."""
    app = typer.Typer(
        name="qcrbox",
        help="Quantum crystallography in JupyterLab: start, stop and look after the platform.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    # With one command only, Typer would take its name for an argument; a callback prevents that too.
    app.callback()(_options)
    for word in words:
        module, name = COMMANDS[word]
        found = getattr(import_module(f"qcrbox_hub.cli.{module}"), name)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=word)
        else:
            app.command(word)(found)
    return app


def main() -> None:
    """Entry point: an error of ours is a sentence, not a traceback."""
    asked = next((word for word in sys.argv[1:] if not word.startswith("-")), "")
    try:
        make_app(*([asked] if asked in COMMANDS else COMMANDS))()
    except QcError as error:
        show_error(error)
        sys.exit(1)
