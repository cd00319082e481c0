"""Virtual environments of applications, made with uv from their requirements and kept by content hash.

`DATA/environments/<hash>` holds the application's packages and what the agent needs of others. Of this product it
sees `qcrbox` and `qcrbox_agent` only, through a folder of links, and nothing else of the environment we run in.
An environment is built beside its place and renamed when it is whole, so a half-made one is never used.
"""

from __future__ import annotations

import asyncio
import fcntl
import hashlib
import importlib.util
import logging
import os
import re
import shutil
import sys
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from qcrbox.contract.errors import QcError

from qcrbox_registry.launcher import requirements

log = logging.getLogger(__name__)

Progress = Callable[[str], None]
BUILD_S = 3600.0
# Lines of uv that mean something to a person who waits.
_TOLD = ("Resolved", "Downloading", "Building", "Prepared", "Installed")


class EnvironmentFailed(QcError):
    """An environment could not be made."""

    status, kind = 503, "environment"


class Environments:
    """`python_for` gives the interpreter for a requirements file, making its environment when needed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._locks: dict[str, asyncio.Lock] = {}

    def ready_python(self, requirements_file: Path) -> Path | None:
        """The interpreter, when it can be had without building anything."""
        wanted = requirements.lines(requirements_file)
        # All there already (or nothing asked for): our own environment does, and nothing is downloaded.
        if not wanted or requirements.all_satisfied(wanted):
            return Path(sys.executable)
        python = self._place(requirements_file) / "bin" / "python"
        return python if python.exists() else None

    async def python_for(self, requirements_file: Path, name: str, progress: Progress) -> Path:
        """The interpreter; `name` is what messages call the application. Raises EnvironmentFailed."""
        python = await asyncio.to_thread(self.ready_python, requirements_file)
        if python is not None:
            return python
        place = self._place(requirements_file)
        lock = self._locks.setdefault(place.name, asyncio.Lock())
        async with lock:
            progress(f"Preparing the environment of {name}")
            self._folder.mkdir(parents=True, exist_ok=True)
            # Another launcher on this data folder may be building the same one.
            async with _file_lock(self._folder / f"{place.name}.lock"):
                if not place.is_dir():
                    await self._build(requirements_file, place, name, progress)
        return place / "bin" / "python"

    def _place(self, requirements_file: Path) -> Path:
        digest = hashlib.sha256()
        digest.update(requirements_file.read_bytes())
        for part in (sys.version, sys.prefix, *requirements.of_agent(), *map(str, own_packages().values())):
            digest.update(b"\0" + part.encode())
        return self._folder / digest.hexdigest()[:24]

    async def _build(self, requirements_file: Path, place: Path, name: str, progress: Progress) -> None:
        draft = place.with_name(f".{place.name}.{os.getpid()}")
        shutil.rmtree(draft, ignore_errors=True)
        log.info("making the environment of %s in %s", name, place)
        try:
            # Relocatable: it is renamed at the end, and scripts must not point to the draft.
            await _uv(
                ["venv", "--relocatable", "--no-project", "--python", sys.executable, str(draft)],
                name,
                progress,
            )
            own = draft / "agent-requirements.txt"
            own.write_text("\n".join(requirements.of_agent()) + "\n")
            # Both in one resolution: a conflict between the application's pins and the agent's needs is an error.
            install = ["pip", "install", "--python", str(draft / "bin" / "python")]
            await _uv([*install, "-r", str(requirements_file), "-r", str(own)], name, progress)
            link_own_packages(draft)
            draft.rename(place)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        log.info("the environment of %s is ready", name)


def own_packages() -> dict[str, Path]:
    """Our packages that an agent's environment may see, and where they are."""
    found = {}
    for name in ("qcrbox", "qcrbox_agent"):
        spec = importlib.util.find_spec(name)
        if spec is None or not spec.submodule_search_locations:
            raise EnvironmentFailed(
                f"The package {name} is not installed here.", next="Install qcrbox[agent]."
            )
        found[name] = Path(spec.submodule_search_locations[0]).resolve()
    return found


def link_own_packages(environment: Path) -> None:
    """A folder of links, put on the path by a .pth file: only these two packages can be seen through it."""
    folder = environment / "own"
    folder.mkdir()
    for name, package in own_packages().items():
        (folder / name).symlink_to(package)
    (site_packages,) = (environment / "lib").glob("python*/site-packages")
    (site_packages / "qcrbox_own.pth").write_text(os.path.relpath(folder, site_packages) + "\n")


async def _uv(arguments: list[str], name: str, progress: Progress) -> None:
    """Run uv; its lines become progress. Raises EnvironmentFailed with its last lines."""
    # Optional: only a launcher that makes environments needs uv.
    from uv import find_uv_bin

    environment = {
        n: v for n, v in os.environ.items() if n not in ("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME")
    }
    process = await asyncio.create_subprocess_exec(
        find_uv_bin(),
        *arguments,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
        env=environment | {"NO_COLOR": "1", "UV_NO_PROGRESS": "1"},
    )
    assert process.stderr is not None
    last: deque[str] = deque(maxlen=15)
    try:
        async with asyncio.timeout(BUILD_S):
            async for raw in process.stderr:
                line = re.sub(r"\s+", " ", raw.decode(errors="replace")).strip()
                if line:
                    last.append(line)
                    log.info("uv (%s): %s", name, line)
                    if line.startswith(_TOLD):
                        progress(f"Preparing the environment of {name}: {line[:120]}")
            code = await process.wait()
    except TimeoutError:
        code = -1
        last.append(f"It took more than {BUILD_S:g} s.")
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if code != 0:
        raise EnvironmentFailed(
            f"The environment of {name} could not be made.",
            why=" ".join(last)[-600:],
            next="Is a package index reachable from this machine? Correct requirements.txt if a package is named wrongly.",
            details=list(last),
        )


@asynccontextmanager
async def _file_lock(path: Path) -> AsyncIterator[None]:
    with path.open("w") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                await asyncio.sleep(0.2)
        try:
            yield
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
