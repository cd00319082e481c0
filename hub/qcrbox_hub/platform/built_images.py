"""Images of applications on this machine's Docker daemon, and which of them an administrator approved."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import docker
from docker.errors import DockerException, ImageNotFound
from qcrbox.contract.errors import NotFound, Unreachable, UserInputError

LABEL = "org.qcrbox"
KEPT = "qcrbox/approved"  # repository of the tags that keep approved images
SHORTEST_ID = 12


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


@dataclass(frozen=True)
class BuiltImage:
    """An image of an application on this daemon. names: its tags, without ours; built_at: Unix time, s; size: bytes.

    is_kept: a tag of ours keeps it from `docker image prune`.
    """

    slug: str
    version: str
    id: str
    names: tuple[str, ...]
    size: int
    built_at: float
    is_kept: bool = False

    @property
    def name(self) -> str:
        """What people call it."""
        return self.names[0] if self.names else self.id[:19]


def built_images(client: docker.DockerClient) -> list[BuiltImage]:
    """Every image of an application on this daemon, by application; of one application the newest first."""
    found = []
    for image in client.images.list(filters={"label": f"{LABEL}.application", "dangling": False}):
        labels = image.labels
        found.append(
            BuiltImage(
                slug=labels[f"{LABEL}.application"],
                version=labels.get(f"{LABEL}.version", ""),
                id=image.id,
                names=tuple(sorted(tag for tag in image.tags if not tag.startswith(f"{KEPT}:"))),
                size=image.attrs["Size"],
                built_at=_seconds(image.attrs.get("Created", "")),
                is_kept=any(tag.startswith(f"{KEPT}:") for tag in image.tags),
            )
        )
    return sorted(found, key=lambda image: (image.slug, image.version, -image.built_at, image.id))


def choose_image(images: Sequence[BuiltImage], slug: str, version: str, wanted: str = "") -> BuiltImage:
    """The image of this application with a tag or id (its beginning, at least 12 digits), else the newest one.

    Raises NotFound without one.
    """
    mine = [image for image in images if (image.slug, image.version) == (slug, version)]
    if not mine:
        raise NotFound(
            f"{slug} {version} has no image on this machine.",
            next=f"Build it first: qcrbox apps build {slug}",
        )
    if not wanted:
        return mine[0]
    digits = wanted.removeprefix("sha256:")
    for image in mine:
        by_id = len(digits) >= SHORTEST_ID and image.id.removeprefix("sha256:").startswith(digits)
        if by_id or wanted in image.names:
            return image
    known = ", ".join(f"{image.name} ({image.id[:19]})" for image in mine)
    raise NotFound(f"{slug} {version} has no image {wanted[:100]!r}.", next=f"There are: {known}.")


def keep_image(client: docker.DockerClient, image_id: str, data: Path) -> None:
    """Tag an image for the platform on this data folder, so that `docker image prune` leaves it. Raises NotFound."""
    try:
        client.images.get(image_id).tag(KEPT, tag=_kept_tag(image_id, data))
    except ImageNotFound:
        raise NotFound("This image is not on this machine any more.", where=image_id[:19]) from None


def let_go_of_image(client: docker.DockerClient, image_id: str, data: Path) -> None:
    """Take the tag of `keep_image` away. An image without another tag is removed; nothing happens without the tag."""
    with contextlib.suppress(ImageNotFound):
        client.images.remove(f"{KEPT}:{_kept_tag(image_id, data)}", noprune=True)


def _kept_tag(image_id: str, data: Path) -> str:
    # As containers of this platform are labelled: a folder that was never started has no id of its own yet.
    platform = hashlib.sha256(os.path.realpath(data).encode()).hexdigest()[:16]
    return f"{platform}-{image_id.removeprefix('sha256:')[:12]}"


def _seconds(text: str) -> float:
    """Unix time of Docker's RFC 3339 text, whose fractions have nine digits; 0 for none."""
    try:
        return datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text)).timestamp()
    except ValueError:
        return 0.0


async def approve_image(data: Path, image: BuiltImage, by: str) -> None:
    """Let this image of `built_images` run as its application, through the launcher's own program: it is another room.

    Raises UserInputError when the approval cannot be written.
    """
    command = [sys.executable, "-m", "qcrbox_registry.launcher.approvals", "--data", str(data), "--by", by]
    about = ["--image-name", image.name, "approve", image.slug, image.version, image.id]
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
