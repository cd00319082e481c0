"""Whether the image of people's servers is of this installation: what its label says beside the files that are here."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from docker.errors import ImageNotFound
from qcrbox_hub.apps import person_image
from qcrbox_hub.apps.images import digest
from qcrbox_hub.apps.person_image import PersonImageBuilder

FILES = {"Dockerfile": b"FROM debian:bookworm-slim\n", "packages/qcrbox/__init__.py": b"VERSION = 1\n"}


class Images:
    """The daemon's answer about one image: its labels, or that there is none."""

    def __init__(self, labels: dict[str, str] | None):
        self.labels = labels

    def get(self, name: str) -> SimpleNamespace:
        if self.labels is None:
            raise ImageNotFound(name)
        return SimpleNamespace(labels=self.labels)


@pytest.mark.parametrize(
    ("labels", "current"),
    [
        ({"org.qcrbox.files": digest(FILES)}, True),
        ({"org.qcrbox.files": digest(FILES | {"packages/qcrbox/__init__.py": b"VERSION = 2\n"})}, False),
        ({}, None),
        (None, None),
    ],
    ids=["of these files", "of other files", "does not say", "no image"],
)
def test_an_image_of_other_files_is_told_apart(
    labels: dict[str, str] | None, current: bool | None, monkeypatch, tmp_path
):
    builder = PersonImageBuilder(
        SimpleNamespace(images=Images(labels)), sources=tmp_path, constraints=tmp_path, say=print
    )
    monkeypatch.setattr(builder, "_person_files", lambda: dict(FILES))
    assert builder.is_person_current() is current


def test_a_certificate_of_this_machine_is_no_file_of_the_installation(monkeypatch, tmp_path):
    (tmp_path / "ca.crt").write_bytes(b"-----BEGIN CERTIFICATE-----\n")
    builder = PersonImageBuilder(
        SimpleNamespace(images=Images({"org.qcrbox.files": digest(FILES)})),
        sources=tmp_path, constraints=tmp_path, say=print, ca=tmp_path / "ca.crt",
    )  # fmt: skip
    monkeypatch.setattr(builder, "_person_files", lambda: dict(FILES))
    monkeypatch.setattr(person_image, "certificates", lambda path: {"ca/site.crt": path.read_bytes()})
    assert builder._authorities() == {"ca/site.crt": b"-----BEGIN CERTIFICATE-----\n"}
    assert builder.is_person_current()
