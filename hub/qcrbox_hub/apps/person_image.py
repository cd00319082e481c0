"""Builds the image of people's Jupyter servers, here and without a registry, and images on top of it."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import qcrbox
from docker.errors import ImageNotFound
from qcrbox.contract.errors import UserInputError
from qcrbox.spec.folder import application_files

from qcrbox_hub.apps.images import (
    SYSTEM_CA,
    BuildFailed,
    ImageBuilder,
    behind_own_ca,
    certificates,
    digest,
    from_lines,
)
from qcrbox_hub.platform import paths
from qcrbox_hub.platform.built_images import LABEL

PERSON = "qcrbox/person:latest"
PACKAGES = ("qcrbox", "qcrbox_extension", "qcrbox_hub")
LABEXTENSION = "share/jupyter/labextensions/@qcrbox/lab"


class PersonImageBuilder(ImageBuilder):
    """Builds with one Docker daemon."""

    def build_person(self, *, rebuild: bool = False) -> str:
        """The common image. Left as it is when it was built from the same files."""
        files = self._person_files()
        context = files | self._authorities()
        stamp = digest(context)
        if rebuild or self._built(PERSON, stamp) is None:
            self.ensure_debian()
            labels = {"content": stamp, "files": digest(files), "version": qcrbox.__version__}
            self._build(PERSON, context, labels, "the image of people's Jupyter servers")
        return PERSON

    def is_person_current(self) -> bool | None:
        """Whether the common image was built from the files of this installation; None without an image that says so."""
        try:
            files = self.client.images.get(PERSON).labels.get(f"{LABEL}.files")
        except ImageNotFound:
            return None
        return files == digest(self._person_files()) if files else None

    def build_further(self, folder: Path, name: str, *, rebuild: bool = False) -> str:
        """An image of your own, whose Dockerfile begins with `FROM qcrbox/person`. Raises UserInputError."""
        file = folder / "Dockerfile"
        if not file.is_file():
            raise UserInputError("There is no Dockerfile in this folder.", where=str(folder))
        bases = [base.removesuffix(":latest") for base in from_lines(file.read_text())]
        if not bases or bases[-1] != PERSON.removesuffix(":latest"):
            raise UserInputError(
                "The Dockerfile does not start from qcrbox/person.",
                where=str(file),
                why="The Jupyter server that the hub starts would be missing.",
                next="Begin its last stage with `FROM qcrbox/person`.",
            )
        self.build_person(rebuild=rebuild)
        context = {file_name: path.read_bytes() for file_name, path in application_files(folder)}
        stamp = f"{digest(context)}:{self.client.images.get(PERSON).id}"
        if rebuild or self._built(name, stamp) is None:
            self._build(name, context, {"content": stamp}, name)
        return name

    def _authorities(self) -> dict[str, bytes]:
        """Certificates that the build trusts besides the usual ones. They differ by machine, not by version."""
        ca = self.ca or (SYSTEM_CA if behind_own_ca() else None)
        return certificates(ca) if ca is not None else {}

    def _person_files(self) -> dict[str, bytes]:
        context = {
            "Dockerfile": (self.sources / "person/Dockerfile").read_bytes(),
            "person.txt": paths.person_pins().read_bytes(),
            "ca/README": b"Extra certificate authorities, if any.\n",
        }
        for package in PACKAGES:
            context |= _files(_package_folder(package), f"packages/{package}")
        context |= _files(_package_folder("qcrbox_extension") / "labextension", f"share/{LABEXTENSION}")
        if f"share/{LABEXTENSION}/package.json" not in context:
            raise BuildFailed(
                "The JupyterLab extension is not built.",
                next="In a checkout: `make frontend`, then build again.",
            )
        enabled = b'{"ServerApp": {"jpserver_extensions": {"qcrbox_extension": true}}}'
        context["share/etc/jupyter/jupyter_server_config.d/qcrbox_extension.json"] = enabled
        context |= _files(paths.notebooks_folder(), "share/share/qcrbox/notebooks")
        context |= _files(paths.JUPYTER_CONFIG, "share/share/qcrbox/jupyter")
        return context


def _package_folder(name: str) -> Path:
    spec = find_spec(name)
    places = list(spec.submodule_search_locations or ()) if spec else []
    if not places:
        raise UserInputError(f"The package {name} is not installed.", next="Install qcrbox[hub].")
    return Path(places[0])


def _files(folder: Path, target: str) -> dict[str, bytes]:
    return {f"{target}/{name}": path.read_bytes() for name, path in application_files(folder)}
