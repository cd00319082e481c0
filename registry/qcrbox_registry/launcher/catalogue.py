"""The applications a launcher may start: its own approved copies, made when it starts.

A request names slug and version only. What runs for it is the copy taken here, so a later change of the
original folder changes nothing that is already approved.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import NotFound, SpecError, UserInputError
from qcrbox.spec import load
from qcrbox.spec.folder import (
    SPEC_NAME,
    application_files,
    find_folders,
    nothing_found,
    required_spec_of,
)

log = logging.getLogger(__name__)

MAX_BYTES = 500_000_000


@dataclass(frozen=True)
class ApprovedApplication:
    """One application as it was approved."""

    slug: str
    version: str
    folder: Path  # the copy; application.yaml, requirements.txt, glue and examples lie in it
    fingerprint: str  # SHA-256 over names and contents

    @property
    def spec(self) -> Path:
        """Path of the application spec."""
        return self.folder / SPEC_NAME

    @property
    def requirements(self) -> Path:
        """Path of the requirements file, which need not exist."""
        return self.folder / "requirements.txt"


class Catalogue:
    """Applications by slug and version."""

    def __init__(self, store: Path) -> None:
        self._store = store
        self._known: dict[tuple[str, str], ApprovedApplication] = {}
        self.problems: list[str] = []

    def approve_all(self, folders: Iterable[Path]) -> None:
        """Approve every application in `folders`; one that cannot be used is left out, with a reason in `problems`."""
        roots = list(folders)
        for root in roots:
            if not find_folders([root]):
                self.problems.append(nothing_found(root))
                log.error("%s", nothing_found(root))
        for folder in find_folders(roots):
            try:
                application = self.approve(folder)
            except (SpecError, UserInputError, OSError) as error:
                self.problems.append(f"{folder}: {error}")
                log.error("application %s is left out: %s", folder, error)
            else:
                log.info("application %s %s approved", application.slug, application.version)

    def approve(self, folder: Path) -> ApprovedApplication:
        """Copy a folder and remember it. Raises SpecError, UserInputError, OSError."""
        spec = load(required_spec_of(folder))
        files = list(_files(folder))
        fingerprint = _fingerprint(files)
        target = self._store / f"{spec.slug}-{fingerprint[:16]}"
        if not target.is_dir():
            _copy(files, target)
        made = ApprovedApplication(spec.slug, spec.version, target, fingerprint)
        self._known[(spec.slug, spec.version)] = made
        return made

    def get(self, slug: str, version: str) -> ApprovedApplication:
        """Raises NotFound."""
        try:
            return self._known[(slug, version)]
        except KeyError:
            raise NotFound(f"This launcher has no approved application {slug} {version}.") from None

    def prune(self) -> None:
        """Remove copies of earlier starts. Only when no agent runs: one may have been started from any of them."""
        kept = {application.folder for application in self}
        for folder in self._store.glob("*"):
            if folder not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def __iter__(self) -> Iterator[ApprovedApplication]:
        return iter(self._known.values())


def _files(folder: Path) -> Iterator[tuple[str, Path]]:
    total = 0
    for name, path in application_files(folder):
        total += path.stat().st_size
        if total > MAX_BYTES:
            raise UserInputError(f"It is larger than {MAX_BYTES // 1_000_000} MB.", where=str(folder))
        yield name, path


def _fingerprint(files: list[tuple[str, Path]]) -> str:
    digest = hashlib.sha256()
    for name, path in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{name}\0{content}\0{os.access(path, os.X_OK)}\n".encode())
    return digest.hexdigest()


def _copy(files: list[tuple[str, Path]], target: Path) -> None:
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    shutil.rmtree(draft, ignore_errors=True)
    for name, path in files:
        place = draft / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, place)
    try:
        draft.rename(target)
    except OSError:
        shutil.rmtree(draft, ignore_errors=True)  # another launcher was first
        if not target.is_dir():
            raise
