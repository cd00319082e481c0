"""Where the parts of the product lie: in a checkout, or in an installed wheel."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
SHARE = Path(sys.prefix) / "share" / "qcrbox"
TEMPLATES = Path(__file__).resolve().parents[1] / "templates"
JUPYTER_CONFIG = Path(__file__).resolve().parents[1] / "jupyter"


def in_checkout() -> bool:
    """True when this package is imported from a checkout, not from an installed wheel."""
    return (CHECKOUT / "app_images").is_dir() and (CHECKOUT / "pyproject.toml").is_file()


def applications_folder() -> Path:
    """The folder of application folders that come with the product."""
    return CHECKOUT / "app_images" if in_checkout() else SHARE / "applications"


def agent_pins() -> Path:
    """The agent's third-party packages, pinned with hashes; images are built with them."""
    return CHECKOUT / "constraints" / "agent.txt" if in_checkout() else SHARE / "agent.txt"


def person_pins() -> Path:
    """The packages of people's containers, pinned with hashes."""
    return CHECKOUT / "constraints" / "person.txt" if in_checkout() else SHARE / "person.txt"


def application_folders(extra: list[Path] | None = None) -> list[Path]:
    """Every application folder: ours, then those under `extra`.

    An entry of `extra` is an application folder or a folder of application folders. Raises UserInputError for one
    in which there is none.
    """
    # Here, because every `qcrbox` command imports this module and few need the spec loader (0.2 s).
    from qcrbox.contract.errors import UserInputError
    from qcrbox.spec.folder import find_folders, nothing_found

    found = {folder.name: folder for folder in find_folders([applications_folder()])}
    for root in extra or []:
        folders = find_folders([root])
        if not folders:
            raise UserInputError(nothing_found(root), where="--applications")
        found |= {folder.name: folder for folder in folders}
    return list(found.values())


def notebooks_folder() -> Path:
    """The tutorial notebooks."""
    return CHECKOUT / "notebooks" if in_checkout() else SHARE / "notebooks"


def default_data_folder() -> Path:
    """`QCRBOX_DATA`, or the place the XDG rules give to a person's application data."""
    if chosen := os.environ.get("QCRBOX_DATA"):
        return Path(chosen)
    base = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(base) / "qcrbox"
