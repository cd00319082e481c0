"""Files on this machine: results of a person, with errors that say where and why, and our own of their home."""

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


def write_private(path: Path, text: str) -> None:
    """Replace a file of ours in one step, since another kernel may be reading it. Only its owner can read it."""
    # Start-up time: tempfile is loaded when something is kept.
    import tempfile

    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Readable by its owner alone from the beginning.
    with tempfile.NamedTemporaryFile(
        "w", dir=path.parent, suffix=".new", delete=False, encoding="utf-8"
    ) as file:
        file.write(text)
    Path(file.name).replace(path)


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
