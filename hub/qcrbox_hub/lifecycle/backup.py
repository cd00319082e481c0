"""A backup: a folder with the registry's own backup, the hub's accounts, the users' homes and what proves them.

Secrets are not in it: a restored platform makes its own, so a stolen backup opens no running platform.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import stat
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, cast

import qcrbox
from qcrbox.contract.errors import Conflict, NotFound, QcError, UserInputError

from qcrbox_hub.lifecycle import hub_database
from qcrbox_hub.platform import sqlite
from qcrbox_hub.platform.data_folder import BACKUP_MANIFEST, FORMAT, DataFolder, write_private
from qcrbox_hub.platform.settings import PlatformSettings

REGISTRY, HUB, HOMES = "registry.tar", "hub.sqlite", "homes.tar"
# What makes itself again, or belongs to a process of the moment.
LEFT_OUT = frozenset({"runtime", "__pycache__", ".ipynb_checkpoints", ".cache"})

Say = Callable[[str], None]


def write_backup(data: DataFolder, target: Path, say: Say, *, homes: bool = True) -> Path:
    """Write a backup below `target`; the platform may be running. Returns the backup's folder.

    Raises NotFound without a platform's data, QcError when the registry's part fails.
    """
    settings = PlatformSettings.load(data.path)
    if not settings.registry_database_url(data.path) and not (data.path / "qcrbox.sqlite").is_file():
        raise NotFound(
            "There is nothing to back up.", where=str(data.path), next="Choose the data folder with --data."
        )
    # A forgotten setting must not make a backup without accounts.
    data.require_databases(settings.database_urls(data.path))
    folder = target / time.strftime("qcrbox-%Y%m%d-%H%M%S", time.gmtime())
    folder.mkdir(parents=True, mode=0o700)
    try:
        _write_parts(data, settings, folder, say, homes)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)  # half a backup is worse than none
        raise
    return folder


def _write_parts(data: DataFolder, settings: PlatformSettings, folder: Path, say: Say, homes: bool) -> None:
    say("the registry's data …")
    _registry("backup", data, settings, folder / REGISTRY)
    if hub_database.exists(settings.hub_database_url(data.path)):
        say("accounts …")
        hub_database.copy(settings.hub_database_url(data.path), sqlite.url_of(folder / HUB))
    if homes and data.homes.is_dir():
        say("homes …")
        _pack(data.homes, folder / HOMES)
    parts = {file.name: _sha256(file) for file in sorted(folder.iterdir())}
    # Last: a backup without it is one that was not finished.
    write_private(
        folder / BACKUP_MANIFEST,
        json.dumps({"format": FORMAT, "qcrbox": qcrbox.__version__, "parts": parts}, indent=1),
    )


def restore_backup(source: Path, data: DataFolder, say: Say) -> None:
    """Fill an empty data folder.

    Raises UserInputError for a backup that is not whole or newer than this program, Conflict for a folder in use.
    """
    parts = _check(source, say)
    settings = PlatformSettings.load(data.path)
    if any((data.path / name).exists() for name in ("qcrbox.sqlite", "hub/jupyterhub.sqlite")):
        raise Conflict(
            "This data folder is not empty.",
            where=str(data.path),
            next="Restore into a new folder with --data; the old one stays as it is.",
        )
    data.prepare()
    data.lock()
    try:
        say("the registry's data …")
        _registry("restore", data, settings, source / REGISTRY)
        data.require_databases(settings.database_urls(data.path))
        if HUB in parts:
            say("accounts …")
            url = settings.hub_database_url(data.path)
            hub_database.copy(sqlite.url_of(source / HUB), url)
            hub_database.forget_what_was_given_out(url)
        if HOMES in parts:
            say("homes …")
            with tarfile.open(source / HOMES) as archive:
                # Refuses absolute names, names that lead out of the folder, devices and foreign links.
                archive.extractall(data.homes, filter="data")
    finally:
        data.unlock()


def _check(source: Path, say: Say) -> dict[str, str]:
    try:
        manifest = json.loads((source / BACKUP_MANIFEST).read_text())
        parts = dict(manifest["parts"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserInputError(
            "This is not a whole backup.",
            where=str(source),
            why=f"Its {BACKUP_MANIFEST} cannot be read.",
            next="Choose a folder that `qcrbox backup` wrote.",
        ) from error
    if manifest.get("format", 0) > FORMAT:
        raise UserInputError(
            f"This backup was written by QCrBox {manifest.get('qcrbox')}, newer than this one.",
            where=str(source),
            next="Install that version first.",
        )
    say("checking the backup …")
    for name, sha256 in parts.items():
        if name not in (REGISTRY, HUB, HOMES) or not (source / name).is_file():
            raise UserInputError(f"{name} is missing.", where=str(source), next="Use another backup.")
        if _sha256(source / name) != sha256:
            raise UserInputError(
                f"{name} is damaged.", where=str(source), why="Its hash differs.", next="Use another backup."
            )
    return parts


def _registry(verb: str, data: DataFolder, settings: PlatformSettings, file: Path) -> None:
    command = [sys.executable, "-m", "qcrbox_registry", verb, "--data", str(data.path), str(file)]
    environment = os.environ | settings.registry_environment(data.path)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        raise QcError(
            f"The registry's {verb} failed.",
            where=str(file),
            why=done.stderr.strip()[-1500:],
            next="`qcrbox doctor` looks for the usual causes.",
        )


def _pack(folder: Path, target: Path) -> None:
    """Archive the regular files and folders below `folder`.

    People change their homes meanwhile, and could put a link to a secret in place of a file that was just looked at:
    every file and folder is opened by its name in an open folder, never through a link.
    """
    fd = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with open(fd, "wb") as stream, tarfile.open(fileobj=stream, mode="w") as archive:
        for where, folders, files, handle in os.fwalk(folder, follow_symlinks=False):
            folders[:] = [name for name in folders if name not in LEFT_OUT]
            inside = os.path.relpath(where, folder)
            archive.addfile(_member(inside, os.fstat(handle)))
            for name in files:
                if name not in LEFT_OUT:
                    _pack_file(archive, os.path.join(inside, name), name, handle)


def _pack_file(archive: tarfile.TarFile, inside: str, name: str, folder: int) -> None:
    try:
        # Without O_NONBLOCK a named pipe would keep the backup waiting.
        fd = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError:
        return  # a link, a socket, or removed meanwhile
    with open(fd, "rb") as stream:
        state = os.fstat(fd)
        if not stat.S_ISREG(state.st_mode):
            return
        member = _member(inside, state)
        archive.addfile(member, cast(IO[bytes], _Exactly(stream, member.size)))


def _member(inside: str, state: os.stat_result) -> tarfile.TarInfo:
    member = tarfile.TarInfo(inside)
    member.type = tarfile.DIRTYPE if stat.S_ISDIR(state.st_mode) else tarfile.REGTYPE
    member.size = 0 if member.isdir() else state.st_size
    member.mode, member.mtime = stat.S_IMODE(state.st_mode), int(state.st_mtime)
    member.uid, member.gid = state.st_uid, state.st_gid
    return member


class _Exactly:
    """The first `size` bytes of a file, with zeros for what was cut off meanwhile: a tar member has a fixed size."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream, self._left = stream, size

    def read(self, wanted: int) -> bytes:
        wanted = min(wanted, self._left)
        piece = self._stream.read(wanted).ljust(wanted, b"\0")
        self._left -= wanted
        return piece


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
