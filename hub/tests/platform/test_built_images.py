"""Which image of an application is meant: the newest, or the one that was named; and the tag that keeps it."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound
from qcrbox.contract.errors import NotFound
from qcrbox_hub.platform.built_images import (
    KEPT,
    LABEL,
    built_images,
    choose_image,
    keep_image,
    let_go_of_image,
)

OLD, MIDDLE, NEW = (f"sha256:{sign * 64}" for sign in "abc")
PLATFORM = Path("/srv/qcrbox")


class Image:
    def __init__(self, image_id: str, created: str, *tags: str, version: str = "1.0") -> None:
        self.id, self.tags = image_id, list(tags)
        self.labels = {f"{LABEL}.application": "solver", f"{LABEL}.version": version}
        self.attrs = {"Size": 5, "Created": created}

    def tag(self, repository: str, tag: str) -> None:
        self.tags.append(f"{repository}:{tag}")


class Daemon:
    """As much of a Docker client as is used; it lists as it likes."""

    def __init__(self, *images: Image) -> None:
        self._images = list(images)
        self.images = SimpleNamespace(list=self._list, get=self._get, remove=self._remove)

    def _list(self, filters: dict[str, Any]) -> list[Image]:
        assert filters == {"label": f"{LABEL}.application", "dangling": False}
        return [image for image in self._images if image.tags]

    def _get(self, wanted: str) -> Image:
        for image in self._images:
            if wanted == image.id:
                return image
        raise ImageNotFound("no such image")

    def _remove(self, name: str, noprune: bool) -> None:
        assert noprune, "its layers may belong to others"
        for image in self._images:
            if name in image.tags:
                image.tags.remove(name)
                return
        raise ImageNotFound("no such tag")


def daemon() -> Any:
    return Daemon(
        Image(MIDDLE, "2026-03-01T10:00:00.123456789Z", "qcrbox/app-solver:test"),
        Image(OLD, "2025-01-01T00:00:00Z", "qcrbox/app-solver:old"),
        Image(NEW, "2026-03-01T10:00:00.2Z", "qcrbox/app-solver:1.0"),
        Image("sha256:" + "d" * 64, "2027-01-01T00:00:00Z", "other:1", version="2.0"),
    )


def test_newest_comes_first_whatever_the_order_of_the_daemon() -> None:
    found = [image.id for image in built_images(daemon()) if image.version == "1.0"]
    assert found == [NEW, MIDDLE, OLD]
    assert choose_image(built_images(daemon()), "solver", "1.0").id == NEW


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("qcrbox/app-solver:old", OLD),
        (OLD, OLD),
        ("a" * 12, OLD),
        ("sha256:" + "b" * 12, MIDDLE),
    ],
)
def test_image_is_named_by_tag_or_digest(wanted: str, found: str) -> None:
    assert choose_image(built_images(daemon()), "solver", "1.0", wanted).id == found


@pytest.mark.parametrize("wanted", ["a" * 11, "a", "solver", "other:1", "d" * 64, "qcrbox/app-solver", "*"])
def test_name_that_fits_no_image_of_this_version_lists_those_there_are(wanted: str) -> None:
    with pytest.raises(NotFound, match=r"There are: qcrbox/app-solver:1\.0"):
        choose_image(built_images(daemon()), "solver", "1.0", wanted)


def test_application_without_an_image_says_how_to_build_it() -> None:
    with pytest.raises(NotFound, match="qcrbox apps build solver"):
        choose_image(built_images(daemon()), "solver", "9")


def test_kept_image_stays_when_its_name_moves_on() -> None:
    client = daemon()
    keep_image(client, OLD, PLATFORM)
    image = client.images.get(OLD)
    assert re.fullmatch(rf"{KEPT}:[0-9a-f]{{16}}-a{{12}}", image.tags[-1])
    image.tags.remove("qcrbox/app-solver:old")
    (found,) = [each for each in built_images(client) if each.id == OLD]
    assert (found.is_kept, found.names, found.name) == (True, (), OLD[:19])
    assert not choose_image(built_images(client), "solver", "1.0").is_kept


def test_platforms_keep_the_same_image_each_for_itself() -> None:
    client = daemon()
    keep_image(client, OLD, PLATFORM)
    keep_image(client, OLD, Path("/srv/other"))
    mine, other = client.images.get(OLD).tags[1:]
    let_go_of_image(client, OLD, PLATFORM)
    assert mine != other
    assert client.images.get(OLD).tags[1:] == [other]
    let_go_of_image(client, OLD, PLATFORM)


def test_image_that_is_gone_cannot_be_kept() -> None:
    with pytest.raises(NotFound, match="not on this machine"):
        keep_image(daemon(), "sha256:" + "9" * 64, PLATFORM)


def test_time_that_cannot_be_read_is_the_oldest() -> None:
    broken: Any = Daemon(Image(OLD, "yesterday", "a:1"), Image(NEW, "2026-01-01T00:00:00Z", "a:2"))
    assert [image.id for image in built_images(broken)] == [NEW, OLD]
