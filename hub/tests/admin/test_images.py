"""Approving the image of an application by its digest, by a click."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from docker.errors import ImageNotFound
from qcrbox_hub.platform.built_images import LABEL, connect

if TYPE_CHECKING:
    from conftest import Browser, Hub

ROOT = "/hub/administration"
VERSION = f"{os.getpid()}.0"
pytestmark = pytest.mark.docker


def import_image() -> str:
    """A new image of the application "pictured" that holds one file of random content; its digest."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        content = os.urandom(32)
        entry = tarfile.TarInfo("content")
        entry.size = len(content)
        tar.addfile(entry, io.BytesIO(content))
    labels = [f"LABEL {LABEL}.application=pictured", f"LABEL {LABEL}.version={VERSION}"]
    client = connect()
    client.api.import_image_from_data(
        archive.getvalue(), repository="qcrbox/app-pictured", tag=VERSION, changes=labels
    )
    return str(client.images.get(f"qcrbox/app-pictured:{VERSION}").id)


@pytest.fixture
def images() -> Iterator[Callable[[], str]]:
    made: list[str] = []

    def make() -> str:
        made.append(import_image())
        return made[-1]

    yield make
    for image in made:
        with contextlib.suppress(ImageNotFound):
            connect().images.remove(image, force=True)


@pytest.fixture
def page(ada: Browser) -> str:
    found = re.search(r'/applications/(\d+)">[Pp]ictured', ada.get(f"{ROOT}/applications").text)
    assert found
    return f"{ROOT}/applications/{found.group(1)}"


def approved(platform: Hub) -> dict[str, str]:
    try:
        rows = json.loads((platform.data.path / "approved_images.json").read_text())
    except FileNotFoundError:
        return {}
    return {row["slug"]: row for row in rows}


def test_the_digest_that_was_looked_at_is_approved_and_no_other(
    platform: Hub, ada: Browser, images: Callable[[], str], page: str
) -> None:
    label, first = f"pictured {VERSION}", images()
    shown = ada.get(f"{page}?images=yes").text
    assert f'class="digest">{first}<' in shown

    fields = {"action": "approve_image", "typed_name": label, "reason": "passes its suite"}
    wrong_name = ada.submit(page, **{**fields, "typed_name": "pictured"}, image=first)
    assert "nothing was changed" in wrong_name.text
    second = images()
    moved = ada.submit(page, **fields, image=first)
    assert "has no image" in moved.text, "its name has moved to the second one, so nothing keeps it"
    assert "pictured" not in approved(platform)

    done = ada.submit(page, **fields, image=second)
    assert f"{label} runs as {second[:19]}" in done.text
    entry = approved(platform)["pictured"]
    assert (entry["image_id"], entry["approved_by"]) == (second, "ada")
    shown = ada.get(f"{page}?images=yes").text
    assert second in shown
    assert 'id="approve_image"' not in shown, "it is approved already"

    tags = connect().images.get(second).tags
    assert any(tag.startswith("qcrbox/approved:") for tag in tags), "prune must not take it"
    third = images()
    assert connect().images.get(second).tags == [tag for tag in tags if tag.startswith("qcrbox/approved:")]
    dangling = {image.id for image in connect().images.list(filters={"dangling": True})}
    assert second not in dangling, "what `docker image prune` takes"
    assert f"runs as {third[:19]}" in ada.submit(page, **fields, image=third).text
    shown = ada.get(f"{page}?images=yes").text
    assert shown.index(third) < shown.index(second), "the newest one first"
    assert f"runs as {second[:19]}" in ada.submit(page, **fields, image=second).text, "rolled back"
    let_go = fields | {"action": "let_go"}
    assert "approved one" in ada.submit(page, **let_go, image=second).text
    assert "not kept any more" in ada.submit(page, **let_go, image=third).text
    assert not any(tag.startswith("qcrbox/approved:") for tag in connect().images.get(third).tags)
    trail = ada.get(f"{ROOT}/audit?format=csv&object_id={label}").text
    assert "approve image" in trail
    assert "passes its suite" in trail
    assert second in trail


def test_other_acts_of_the_page_are_not_written_twice(ada: Browser, page: str) -> None:
    def count() -> int:
        return ada.get(f"{ROOT}/audit?format=csv&action=hold").text.count("\n")

    before = count()
    ada.submit(page, action="hold", mode="hold", reason="once")
    assert count() == before + 1
    ada.submit(page, action="lift")
