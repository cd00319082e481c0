"""The Python that has GPAW. It is not this one: GPAW comes with Debian or conda, not as a wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import CalculationFailed, UserInputError

VARIABLE = "QCRBOX_GPAW_PYTHON"
_PROBE = "import ase, gpaw; print(gpaw.__version__)"
# Importing GPAW takes 2 s of processor time; the limit allows for a busy machine.
_PROBE_S = 300.0


@dataclass(frozen=True)
class Interpreter:
    """path: of the Python; version: of its GPAW."""

    path: str
    version: str


# What a search found in this process, by what it depends on, with the state of the file. A search that found nothing is made again:
# GPAW may have been installed.
_found: dict[tuple[str, str], tuple[Interpreter, tuple[int, ...]]] = {}


def find() -> Interpreter:
    """The Python of $QCRBOX_GPAW_PYTHON, else the first python3 of the system that can import GPAW; asked once in a process.

    Raises UserInputError when there is none, with what to install; CalculationFailed when one does not answer.
    """
    chosen = os.environ.get(VARIABLE, "")
    key = (chosen, os.environ.get("PATH", os.defpath))
    if key in _found:
        known, state = _found[key]
        if _state(known.path) == state:
            return known
    tried = [chosen] if chosen else candidates()
    for path in tried:
        version = version_of(path)
        if version:
            _found[key] = (Interpreter(path, version), _state(path))
            return _found[key][0]
    where = f"{VARIABLE} is {chosen}, which" if chosen else f"None of {', '.join(tried) or 'no python3'}"
    raise UserInputError(
        "density='periodic' needs GPAW, which is not installed where this calculation runs.",
        where="density",
        why=f"{where} can import gpaw and ase.",
        next="Install it, on Debian and Ubuntu with: apt-get install --no-install-recommends gpaw gpaw-data; for another Python "
        f"set {VARIABLE} to its path. Or choose density='molecules'.",
    )


def forget(gone: Interpreter) -> None:
    """Ask again the next time: this one did not answer as it should, and its GPAW may have been removed."""
    for key in [key for key, (known, _) in _found.items() if known == gone]:
        del _found[key]


def _state(path: str) -> tuple[int, ...]:
    """What changes when a program is replaced; empty where there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return ()
    return found.st_ino, found.st_size, found.st_mtime_ns


def candidates() -> list[str]:
    """Every python3 of the system and of PATH, without the one that runs this."""
    folders = ["/usr/bin", *os.environ.get("PATH", os.defpath).split(os.pathsep)]
    found = [shutil.which("python3", path=folder) for folder in folders if folder]
    own = Path(sys.executable).parent
    return list(dict.fromkeys(path for path in found if path and Path(path).parent != own))


def version_of(path: str) -> str:
    """Version of the GPAW that a Python has; empty where it has none. Raises CalculationFailed when it does not answer."""
    try:
        done = subprocess.run(
            [path, "-c", _PROBE], env=environment(), capture_output=True, text=True, timeout=_PROBE_S, check=False,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except OSError:
        return ""
    except subprocess.TimeoutExpired as error:
        raise CalculationFailed(
            f"{path} did not import GPAW within {_PROBE_S:g} s.",
            why="This machine does too much else, most likely.",
            next="Try again later.",
        ) from error
    return done.stdout.strip() if done.returncode == 0 else ""


def environment() -> dict[str, str]:
    """Of this process, without what points Python to the packages of this one."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith("PYTHON") and k != "VIRTUAL_ENV"}
    # Plane waves are transformed on one thread; threads of BLAS would only spin between small products.
    return kept | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
