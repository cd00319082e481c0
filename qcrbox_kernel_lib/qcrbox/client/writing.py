"""Files on this machine: written whole or not at all, with an error that says where and why."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from qcrbox.contract.errors import UserInputError


def write_new(path: Path, content: bytes) -> Path:
    """Write a file that was not there. Raises UserInputError when it was, and when it cannot be written."""
    with _in_words(path), path.open("xb") as file:
        file.write(content)
    return path


def write_over(path: Path, content: bytes | str) -> Path:
    """Write a file in the place of one that may be there; text in UTF-8. Raises UserInputError when it cannot be written."""
    with _in_words(path):
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@contextlib.contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError:
        raise UserInputError(
            f"{path} exists already.", next="Give another path, or remove that file first."
        ) from None
    except (OSError, ValueError) as error:  # ValueError: a name that no file can have
        raise UserInputError(
            f"{path} cannot be written.", why=f"({getattr(error, 'strerror', None) or error})"
        ) from None
