"""The one folder that holds everything a platform keeps: lock, secrets, what runs, which version wrote it."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
import shutil
import time
from pathlib import Path
from typing import Any

import qcrbox
from qcrbox.contract.errors import Conflict, StorageFull, UserInputError

from qcrbox_hub.platform.whole_numbers import whole_number

# Raised when an older program could no longer read the folder.
FORMAT = 1
# Written last into the folder of a backup; without it the backup was not finished.
BACKUP_MANIFEST = "manifest.json"
SUBFOLDERS = ("run", "secrets", "logs", "nats", "environments", "work", "hub", "homes")
MINIMUM_FREE_BYTES = 200 * 1024**2


class DataFolder:
    """Layout, lock and small files of DATA; says nothing about the processes that use it."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().resolve()
        self._lock_fd: int | None = None

    # ------------------------------------------------------------------ places

    @property
    def run(self) -> Path:
        """Folder of files that are valid while the platform runs."""
        return self.path / "run"

    @property
    def logs(self) -> Path:
        """Folder of the logs."""
        return self.path / "logs"

    @property
    def secrets(self) -> Path:
        """Folder of the secrets, readable by its owner only."""
        return self.path / "secrets"

    @property
    def hub(self) -> Path:
        """Folder of JupyterHub's own files."""
        return self.path / "hub"

    @property
    def homes(self) -> Path:
        """Folder of people's homes."""
        return self.path / "homes"

    @property
    def platform_file(self) -> Path:
        """File that describes the running platform."""
        return self.run / "platform.json"

    @property
    def ending_file(self) -> Path:
        """There while the platform stops on purpose: a launcher that is only restarted leaves its containers alone."""
        return self.run / "ending"

    # ------------------------------------------------------------------ making it ready

    def prepare(self) -> None:
        """Make the folders, or say why this folder cannot be used.

        Raises UserInputError (not a folder, not ours, newer version), StorageFull.
        """
        if self.path.exists() and not self.path.is_dir():
            raise UserInputError(
                "The data folder is a file.", where=str(self.path), next="Choose another one with --data."
            )
        self._refuse_foreign()
        self._refuse_newer()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o700)
            for name in SUBFOLDERS:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UserInputError(
                "The data folder cannot be written.",
                where=str(self.path),
                why=f"{error.strerror}.",
                next="Give yourself write permission there, or choose another one with --data.",
            ) from error
        free = shutil.disk_usage(self.path).free
        if free < MINIMUM_FREE_BYTES:
            raise StorageFull(
                f"Only {free // 1024**2} MiB are free on the disk of the data folder.",
                where=str(self.path),
                next=f"Make at least {MINIMUM_FREE_BYTES // 1024**2} MiB free, then start again.",
            )
        self._write_version()

    def _refuse_foreign(self) -> None:
        # An administrator may have written the settings before the first start.
        ours = any((self.path / name).exists() for name in ("version.json", "run", "platform.toml"))
        if self.path.is_dir() and not ours and any(self.path.iterdir()):
            raise UserInputError(
                "This folder holds files that are not QCrBox's.",
                where=str(self.path),
                next="Choose an empty or a new folder with --data.",
            )

    def version(self) -> dict[str, Any]:
        """Versions that wrote the folder; empty for a new one. Raises if the file is damaged."""
        try:
            return json.loads((self.path / "version.json").read_text())
        except (FileNotFoundError, NotADirectoryError):
            return {}
        except (ValueError, OSError) as error:
            raise UserInputError(
                "The data folder's version cannot be read.",
                where=str(self.path / "version.json"),
                why=f"{error}.",
                next="Restore it from a backup, or choose another folder with --data.",
            ) from error

    def _refuse_newer(self) -> None:
        version = self.version()
        if version.get("format", FORMAT) > FORMAT:
            raise UserInputError(
                f"This data folder was written by QCrBox {version.get('qcrbox', '?')}, newer than this one "
                f"({qcrbox.__version__}).",
                where=str(self.path),
                why="An older program could damage it.",
                next=f"Install QCrBox {version.get('qcrbox', 'of that version')} or newer.",
            )

    def _write_version(self) -> None:
        version = self.version()
        wanted = {
            "format": FORMAT,
            "qcrbox": qcrbox.__version__,
            "id": version.get("id") or secrets.token_hex(8),
            "databases": version.get("databases", {}),
        }
        if version != wanted:
            write_private(self.path / "version.json", json.dumps(wanted, indent=1))

    def require_databases(self, urls: dict[str, str]) -> None:
        """Note which databases belong to this folder, or refuse others: a forgotten setting must not open an empty one.

        urls: by part (`registry`, `hub`), with passwords, which are not written down. Raises Conflict.
        """
        version = self.version()
        known = dict(version.get("databases", {}))
        for part, file in (("registry", "qcrbox.sqlite"), ("hub", "hub/jupyterhub.sqlite")):
            if (self.path / file).exists():
                known.setdefault(part, _place_of("sqlite://"))
        for part, url in urls.items():
            place = _place_of(url)
            if known.setdefault(part, place) != place:
                raise Conflict(
                    f"The {part}'s data of this folder are in another database.",
                    where=str(self.path),
                    why=f"They are in {known[part]}; the settings now name {place}.",
                    next="Correct `database` in platform.toml. To move, write a backup with the old settings and "
                    "restore it into a new data folder with the new ones.",
                )
        if known != version.get("databases"):
            write_private(self.path / "version.json", json.dumps({**version, "databases": known}, indent=1))

    @property
    def identity(self) -> str:
        """A word that every process of this data folder carries in its environment."""
        return str(self.version().get("id", ""))

    # ------------------------------------------------------------------ one platform per folder

    def lock(self) -> None:
        """Hold the folder until this process ends; the kernel lets go of it however that happens.

        Raises Conflict with the process id of who holds it.
        """
        fd = os.open(self.run / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.read(fd, 32).decode(errors="replace").strip() or "unknown"
            os.close(fd)
            running = self.read_platform() or {}
            raise Conflict(
                f"QCrBox already runs on this data folder (process {holder}).",
                where=str(self.path),
                why=f"It answers at {running['url']}." if running.get("url") else "",
                next="Stop it with `qcrbox down`, or choose another folder with --data.",
                pid=holder,
            ) from error
        os.ftruncate(fd, 0)
        os.pwrite(fd, f"{os.getpid()}\n".encode(), 0)
        self._lock_fd = fd

    def holder(self) -> int | None:
        """Process id of the platform that runs on this folder, None when none does."""
        try:
            fd = os.open(self.run / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            return None
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            text = os.read(fd, 32).decode(errors="replace").strip()
            return whole_number(text)
        else:
            return None
        finally:
            os.close(fd)

    def unlock(self) -> None:
        """Release the lock, if it is held."""
        if self._lock_fd is not None:
            os.close(self._lock_fd)
            self._lock_fd = None

    # ------------------------------------------------------------------ what runs

    def write_platform(self, state: dict[str, Any]) -> None:
        """Write the description of the running platform."""
        write_private(self.platform_file, json.dumps(state, indent=1))

    def read_platform(self) -> dict[str, Any] | None:
        """What `up` wrote, also when it ended without cleaning up; None when there is nothing."""
        try:
            return json.loads(self.platform_file.read_text())
        except (OSError, ValueError):
            return None

    def clear_platform(self) -> None:
        """Remove the description of the running platform."""
        self.platform_file.unlink(missing_ok=True)

    # ------------------------------------------------------------------ secrets

    def secret_file(self, name: str, *, bytes_: int = 32) -> Path:
        """The file of a secret, made at random the first time, readable by its owner only."""
        file = self.secrets / name
        if not file.exists() or not file.read_text().strip():
            write_private(file, secrets.token_hex(bytes_))
        return file

    def new_first_admin_code(self) -> str:
        """A code that makes one administrator account once; only its hash is stored."""
        code = secrets.token_urlsafe(24)
        write_private(
            self.secrets / "first_admin.json",
            json.dumps({"sha256": hashlib.sha256(code.encode()).hexdigest(), "made_at": time.time()}),
        )
        return code


def _place_of(url: str) -> str:
    """A database's kind, host and name, without account and password."""
    scheme, _, rest = url.partition("://")
    kind = scheme.partition("+")[0]
    if kind == "sqlite":
        return "SQLite in the data folder"
    return f"{kind}://{rest.rpartition('@')[2].partition('?')[0]}"


def write_private(file: Path, text: str) -> None:
    """Replace `file` in one step; never readable by others, not even for a moment."""
    new = file.with_name(f".{file.name}.{os.getpid()}.new")
    fd = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(fd, "w") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
