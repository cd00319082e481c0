"""`qcrbox image`: images of people's Jupyter servers."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer
from qcrbox.contract.errors import UserInputError

from qcrbox_hub.apps.person_image import PersonImageBuilder
from qcrbox_hub.cli.console import say
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import connect

image = typer.Typer(help="Images of people's Jupyter servers.", no_args_is_help=True)


@image.callback()
def main() -> None:
    """Keeps `build` a sub-command."""


@image.command("build")
def build(
    folder: Annotated[
        Path | None,
        typer.Argument(help="Folder with a Dockerfile `FROM qcrbox/person`; without it: the common image."),
    ] = None,
    name: Annotated[str, typer.Option("--name", help="Name of the image that FOLDER makes.")] = "",
    rebuild: Annotated[bool, typer.Option("--rebuild", help="Rebuild even if an image exists.")] = False,
    ca: Annotated[
        Path | None,
        typer.Option("--ca", help="Certificate of an authority that builds must trust.", show_default=False),
    ] = None,
) -> None:
    """Build the image of people's servers. No container registry is needed; where there is none, it takes debootstrap."""
    if (folder is None) != (not name):
        raise UserInputError(
            "An image of your own needs both a folder and a name.", next="Add FOLDER and --name."
        )
    client = connect()
    builder = PersonImageBuilder(
        client, sources=paths.applications_folder(), constraints=paths.agent_pins(), say=say, ca=ca
    )
    begin = time.monotonic()
    if folder is None:
        made = builder.build_person(rebuild=rebuild)
    else:
        made = builder.build_further(folder.resolve(), name, rebuild=rebuild)
    size = client.images.get(made).attrs["Size"] / 1e6
    say(f"{made}: {size:.0f} MB, {time.monotonic() - begin:.0f} s")
    print(made)
