"""Are the packages there that a mode needs? Asked before anything is started."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

from qcrbox.contract.errors import UserInputError

# Extra of the distribution -> modules that show that it is installed.
NEEDED = {
    "registry": ("fastapi", "uvicorn", "sqlalchemy", "alembic", "nats", "nkeys", "pydantic_settings"),
    "extension": ("jupyter_server", "jupyterlab"),
    "hub": ("jupyterhub", "nativeauthenticator", "configurable_http_proxy", "aiohttp"),
}
EXTRAS_OF_MODE = {
    "hub": ("registry", "extension", "hub"),
    "solo": ("registry", "extension"),
    "registry": ("registry",),
}


def missing(mode: str) -> dict[str, list[str]]:
    """Extra -> modules that are not installed, for `hub`, `solo` or `registry`."""
    lacking: dict[str, list[str]] = {}
    for extra in EXTRAS_OF_MODE[mode]:
        for module in NEEDED[extra]:
            if importlib.util.find_spec(module) is None:
                lacking.setdefault(extra, []).append(module)
    if nats_server() is None:
        lacking.setdefault("registry", []).append("nats-server")
    return lacking


def nats_server() -> Path | None:
    """The nats-server of this environment; one that a distribution ships may be years old."""
    beside = Path(sys.executable).parent / "nats-server"
    return beside if beside.exists() else None


def require(mode: str) -> None:
    """Raises UserInputError that names the extra to install."""
    lacking = missing(mode)
    if lacking:
        extras, modules = ",".join(lacking), sorted(name for names in lacking.values() for name in names)
        raise UserInputError(
            f"Packages are missing: {', '.join(modules)}.",
            next=f'Install them with: {sys.executable} -m pip install "qcrbox[{extras}]"',
        )
