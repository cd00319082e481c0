"""Folders in and out of single files: unpacking what came from outside, packing what a program made."""

from __future__ import annotations

import stat
import tarfile
import zipfile
from pathlib import Path, PurePosixPath

from qcrbox.contract.errors import UserInputError

MAX_BYTES = 4_000_000_000
MAX_FILES = 100_000
MAX_RATIO = 200  # a zip that grows more than this is no data


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a zip or tar into `folder`. Raises UserInputError: no archive, paths that leave the folder, bombs."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        if zipfile.is_zipfile(archive):
            _unzip(archive, folder)
        elif tarfile.is_tarfile(archive):
            _untar(archive, folder)
        else:
            raise UserInputError("It is neither a zip nor a tar file.", where=archive.name)
    except (zipfile.BadZipFile, tarfile.TarError, EOFError, RuntimeError, NotImplementedError) as error:
        raise UserInputError("The archive cannot be unpacked.", where=archive.name, why=str(error)) from error


def _check_sizes(archive: Path, count: int, total: int) -> None:
    packed = max(archive.stat().st_size, 1)
    if count > MAX_FILES or total > MAX_BYTES or (total > 50_000_000 and total / packed > MAX_RATIO):
        raise UserInputError(
            f"The archive is too large when unpacked ({count} files, {total / 1e6:.0f} MB).",
            where=archive.name,
        )


def _unzip(archive: Path, folder: Path) -> None:
    with zipfile.ZipFile(archive) as source:
        entries = source.infolist()
        _check_sizes(archive, len(entries), sum(entry.file_size for entry in entries))
        for entry in entries:
            if stat.S_ISLNK(entry.external_attr >> 16):
                raise UserInputError(f"The archive holds a link ({entry.filename}).", where=archive.name)
            _inside(archive, entry.filename)
        source.extractall(folder)


def _untar(archive: Path, folder: Path) -> None:
    with tarfile.open(archive) as source:
        count = total = 0
        for entry in source:
            count, total = count + 1, total + entry.size
            _check_sizes(archive, count, total)
            _inside(archive, entry.name)
            if not (entry.isfile() or entry.isdir()):
                raise UserInputError(
                    f"The archive holds a link or device ({entry.name}).", where=archive.name
                )
    with tarfile.open(archive) as source:
        source.extractall(folder, filter="data")


def _inside(archive: Path, name: str) -> None:
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in name:
        raise UserInputError(f"The archive has an entry outside its folder ({name}).", where=archive.name)


def pack(folder: Path, target: Path) -> bool:
    """Zip the regular files of `folder`; False and no file when there are none."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    if not files:
        return False
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as made:
        for path in files:
            made.write(path, path.relative_to(folder))
    return True
