"""Example datasets of applications, handed from a launcher to the registry.

An application's `examples.yaml` names files by reference: in its own folder, or inside a package of its
environment (real data sets lie in the wheels of the field's packages). Only the launcher can see those, so the
registry asks `launchers.<name>.examples` for the list and then for the contents, piece by piece:

    examples, state = await list_examples(connection, "local")
    async for piece in read_example(connection, "local", file): …
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import yaml
from nats.aio.client import Client
from nats.errors import Error as NatsError
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qcrbox.contract.errors import NotFound, SpecError, Unreachable

from qcrbox_registry.launcher.catalogue import ApprovedApplication

PIECE = 1024 * 1024
MAX_FILE_BYTES = 200_000_000
LOCATE_S = 60.0


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class ExampleFile(_Model):
    """One file: `key` finds it again at its launcher."""

    key: str
    filename: str
    sha256: str
    size: int


class ExampleDataset(_Model):
    """One dataset as `examples.yaml` names it."""

    application_slug: str
    application_version: str
    name: str
    description: str = ""
    files: list[ExampleFile] = Field(default_factory=list)


class ExamplesRequest(_Model):
    """Without key: the list. With key: the piece of that file from `offset` on, as plain bytes."""

    key: str = ""
    offset: int = 0


class ExamplesAnswer(_Model):
    """state `preparing`: an environment is being made, ask again later for what is not listed yet."""

    state: Literal["ready", "preparing"] = "ready"
    datasets: list[ExampleDataset] = Field(default_factory=list)
    problems: list[str] = Field(default_factory=list)


# ------------------------------------------------------------------ the registry's side


async def list_examples(connection: Client, launcher: str, timeout_s: float = 30.0) -> ExamplesAnswer:
    """What a launcher offers. Raises Unreachable."""
    reply = await _ask(connection, launcher, ExamplesRequest(), timeout_s)
    try:
        return ExamplesAnswer.model_validate_json(reply)
    except ValidationError as error:
        raise Unreachable(
            f"Launcher {launcher!r} gave an answer that cannot be read.", part="launcher"
        ) from error


async def read_example(
    connection: Client, launcher: str, file: ExampleFile, timeout_s: float = 30.0
) -> AsyncIterator[bytes]:
    """The bytes of one example file; checked against its hash. Raises Unreachable, also when it has changed."""
    digest = hashlib.sha256()
    offset = 0
    while offset < file.size:
        piece = await _ask(connection, launcher, ExamplesRequest(key=file.key, offset=offset), timeout_s)
        if not piece:
            break
        digest.update(piece)
        offset += len(piece)
        yield piece
    if digest.hexdigest() != file.sha256:
        raise Unreachable(f"The example file '{file.filename}' changed while it was read.", part="launcher")


async def _ask(connection: Client, launcher: str, request: ExamplesRequest, timeout_s: float) -> bytes:
    try:
        subject = f"launchers.{launcher}.examples"
        return (await connection.request(subject, request.model_dump_json().encode(), timeout=timeout_s)).data
    except (NatsError, TimeoutError) as error:
        raise Unreachable(
            f"Launcher {launcher!r} does not answer.", why=type(error).__name__, part=f"launcher {launcher}"
        ) from error


# ------------------------------------------------------------------ the launcher's side


class Examples:
    """The examples of one application, located once its environment is there."""

    def __init__(self, application: ApprovedApplication) -> None:
        self.application = application
        self._paths: dict[str, Path] = {}

    @property
    def needs_environment(self) -> bool:
        return any("package" in file for dataset in self._declared() for file in dataset["files"])

    def _declared(self) -> list[dict[str, Any]]:
        return read_declaration(self.application.examples)

    async def locate(self, python: Path) -> list[ExampleDataset]:
        """The datasets with hashes. Raises SpecError (a bad examples.yaml) and NotFound (a file is not there)."""
        declared = self._declared()
        wanted = [file for dataset in declared for file in dataset["files"] if "package" in file]
        folders = await package_folders(python, sorted({file["package"] for file in wanted}))
        return await asyncio.to_thread(self._read_all, declared, folders)

    def _read_all(
        self, declared: list[dict[str, Any]], folders: dict[str, str | None]
    ) -> list[ExampleDataset]:
        made = []
        for dataset in declared:
            files = [self._file(file, folders) for file in dataset["files"]]
            made.append(
                ExampleDataset(
                    application_slug=self.application.slug,
                    application_version=self.application.version,
                    name=dataset["name"],
                    description=dataset["description"],
                    files=files,
                )
            )
        return made

    def _file(self, file: dict[str, str], folders: dict[str, str | None]) -> ExampleFile:
        package = file.get("package")
        root = self.application.folder if package is None else Path(folders.get(package) or "/nonexistent")
        path = (root / file["path"]).resolve()
        where = f"{self.application.slug}: {file['path']}" + (f" in package {package}" if package else "")
        if not path.is_relative_to(root.resolve()) or not path.is_file():
            raise NotFound("This example file is not there.", where=where)
        if path.stat().st_size > MAX_FILE_BYTES:
            raise SpecError(
                f"This example file is larger than {MAX_FILE_BYTES // 1_000_000} MB.", where=where
            )
        content = path.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        key = hashlib.sha256(f"{path}\0{digest}".encode()).hexdigest()[:32]
        self._paths[key] = path
        return ExampleFile(key=key, filename=file["filename"], sha256=digest, size=len(content))

    def piece(self, key: str, offset: int) -> bytes | None:
        """A piece of a located file; None when the key is not one of ours."""
        path = self._paths.get(key)
        if path is None:
            return None
        with path.open("rb") as file:
            file.seek(max(offset, 0))
            return file.read(PIECE)


def read_declaration(path: Path) -> list[dict[str, Any]]:
    """The datasets of an `examples.yaml`; [] when there is none. Raises SpecError."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise SpecError(f"The examples cannot be read: {error}", where=str(path)) from error
    datasets = content.get("datasets") if isinstance(content, dict) else None
    if not isinstance(datasets, list):
        raise SpecError("It must hold a list `datasets`.", where=str(path))
    return [_dataset(dataset, f"{path.name}, dataset {number}") for number, dataset in enumerate(datasets, 1)]


def _dataset(dataset: Any, where: str) -> dict[str, Any]:
    if not isinstance(dataset, dict) or not dataset.get("name") or not isinstance(dataset.get("files"), list):
        raise SpecError("A dataset needs a name and a list of files.", where=where)
    return {
        "name": str(dataset["name"]),
        "description": str(dataset.get("description") or ""),
        "files": [_declared_file(file, where) for file in dataset["files"]],
    }


def _declared_file(file: Any, where: str) -> dict[str, str]:
    if not isinstance(file, dict) or not isinstance(file.get("path"), str):
        raise SpecError("A file needs a path.", where=where)
    path = PurePosixPath(file["path"])
    if path.is_absolute() or ".." in path.parts:
        raise SpecError(f"The path '{path}' must be relative and without ..", where=where)
    made = {"path": str(path), "filename": str(file.get("filename") or path.name)}
    if file.get("package"):
        made["package"] = str(file["package"])
    return made


_SCRIPT = """
import importlib.util, json, os, sys
found = {}
for name in json.load(sys.stdin):
    try:
        spec = importlib.util.find_spec(name)
        places = list(spec.submodule_search_locations or []) or [os.path.dirname(spec.origin)]
        found[name] = places[0]
    except Exception:
        found[name] = None
json.dump(found, sys.stdout)
"""


async def package_folders(python: Path, packages: list[str]) -> dict[str, str | None]:
    """Where an interpreter has packages, without importing them; None for one it has not."""
    if not packages:
        return {}
    process = await asyncio.create_subprocess_exec(
        str(python),
        "-c",
        _SCRIPT,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(json.dumps(packages).encode()), LOCATE_S)
        return json.loads(out)
    except (TimeoutError, ValueError):
        return dict.fromkeys(packages)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
