"""Images of applications on this machine's Docker daemon, and which of them an administrator approved."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException
from qcrbox.contract.errors import Unreachable, UserInputError

LABEL = "org.qcrbox"


def connect() -> docker.DockerClient:
    """The local daemon. Raises Unreachable with what to do when none answers."""
    try:
        client = docker.from_env()
        client.ping()
    except DockerException as problem:
        raise Unreachable(
            "No Docker daemon answers.",
            why=f"{problem}.",
            next="Start it (as root: `dockerd` or `systemctl start docker`), or use the process manager, which needs no Docker.",
            part="docker",
        ) from problem
    return client


def built_images(client: docker.DockerClient) -> list[dict[str, Any]]:
    """The newest image of every application on this daemon: slug, version, name, id, size in bytes."""
    found = []
    for image in client.images.list(filters={"label": f"{LABEL}.application", "dangling": False}):
        labels = image.labels
        found.append(
            {
                "slug": labels[f"{LABEL}.application"],
                "version": labels.get(f"{LABEL}.version", ""),
                "name": image.tags[0],
                "id": image.id,
                "size": image.attrs["Size"],
            }
        )
    return sorted(found, key=lambda entry: (entry["slug"], entry["version"]))


async def approve_image(data: Path, image: dict[str, Any], by: str) -> None:
    """Let this image of `built_images` run as its application, through the launcher's own program: it is another room.

    Raises UserInputError when the approval cannot be written.
    """
    command = [sys.executable, "-m", "qcrbox_registry.launcher.approvals", "--data", str(data), "--by", by]
    about = ["--image-name", image["name"], "approve", image["slug"], image["version"], image["id"]]
    process = await asyncio.create_subprocess_exec(
        *command, *about, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, errors = await process.communicate()
    if process.returncode:
        raise UserInputError(
            errors.decode(errors="replace").strip()[-500:] or "The approval could not be written."
        )


def approved_images(data: Path) -> dict[tuple[str, str], dict[str, Any]]:
    """(slug, version) -> what was approved: image_id, image_name, approved_by, approved_at. Empty without containers."""
    try:
        rows = json.loads((data / "approved_images.json").read_text())
        return {(row["slug"], row["version"]): row for row in rows}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
