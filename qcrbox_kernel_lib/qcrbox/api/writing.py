"""New files on this machine: written whole or not at all, and never over another."""

from __future__ import annotations

from pathlib import Path

from qcrbox.contract.errors import UserInputError


def write_new(path: Path, content: bytes) -> Path:
    """Write a file that was not there. Raises UserInputError when it was, and when it cannot be written."""
    try:
        with path.open("xb") as file:
            file.write(content)
    except FileExistsError:
        raise UserInputError(
            f"{path} exists already.", next="Give another path, or remove that file first."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise UserInputError(
            f"{path} cannot be written.", why=f"({getattr(error, 'strerror', None) or error})"
        ) from None
    return path
