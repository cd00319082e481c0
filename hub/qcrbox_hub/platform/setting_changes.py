"""Settings that an administrator may change by a click: which, their forms, and writing them into `DATA/platform.toml`.

What could shut everyone out (addresses, sign-in, databases), what names a secret, and what decides about the walls
between people is changed in the file alone, by someone who can repair it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tomlkit
from qcrbox.contract.errors import Conflict, UserInputError
from tomlkit.exceptions import TOMLKitError

from qcrbox_hub.platform.settings import FILE, PlatformSettings, Section

# (section, key). All of them are read when the platform starts.
_CHANGEABLE = (
    ("public", "email"),
    ("people", "image"),
    ("people", "images"),
    ("people", "memory_gib"),
    ("people", "cpus"),
    ("people", "processes"),
    ("people", "home_gib"),
    ("people", "internet"),
    ("people", "archive_days"),
    ("people", "idle_minutes"),
)


@dataclass(frozen=True)
class Changeable:
    """A setting with its value in the file, as text, and its meaning. kind: text, number, yes_no or list."""

    name: str
    kind: str
    value: str
    description: str


def changeable(settings: PlatformSettings) -> list[Changeable]:
    """Every setting that may be changed by a click."""
    found = []
    for section_name, key in _CHANGEABLE:
        section: Section = getattr(settings, section_name)
        value = getattr(section, key)
        description = type(section).model_fields[key].description or ""
        found.append(Changeable(f"{section_name}.{key}", _kind(value), _text(value), description))
    return found


def change(data: Path, wanted: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Write these settings (dotted name -> text of a form) and return what changed: name -> (before, after).

    Comments and order of the file stay. The new file is checked by the same model that reads it, and replaces the
    old one whole. Raises UserInputError and leaves the file alone when a value cannot be used, Conflict while
    someone else changes it.
    """
    file = data / FILE
    with _locked(file):
        before = PlatformSettings.load(data)
        known = {each.name: each for each in changeable(before)}
        if unknown := sorted(set(wanted) - set(known)):
            raise UserInputError(
                f"{unknown[0][:80]!r} cannot be changed here.",
                next=f"Change it in {FILE}, in the data folder.",
            )
        document = _document(file)
        changed = {}
        for name, text in wanted.items():
            value = _value(known[name], text)
            if _text(value) != known[name].value:
                section, key = name.split(".")
                document.setdefault(section, tomlkit.table())[key] = value
                changed[name] = (known[name].value, _text(value))
        if changed:
            text = tomlkit.dumps(document)
            PlatformSettings.parse(text, FILE)
            _replace(file, text)
    return changed


def waiting(in_file: PlatformSettings, running: Mapping[str, Any]) -> list[str]:
    """Names of changeable settings whose value in the file is not the one that the platform runs with.

    running: dotted name -> value; what is not in it is not compared.
    """
    return [
        each.name
        for each in changeable(in_file)
        if each.name in running and _text(running[each.name]) != each.value
    ]


def running_values(**sections: Section) -> dict[str, Any]:
    """The changeable settings of these sections, for `waiting`."""
    return {
        f"{section}.{key}": getattr(sections[section], key)
        for section, key in _CHANGEABLE
        if section in sections
    }


@contextlib.contextmanager
def _locked(file: Path) -> Iterator[None]:
    descriptor = os.open(file.with_name(f".{file.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise Conflict("The settings are being changed by someone else.", next="Try again.") from None
    try:
        yield
    finally:
        os.close(descriptor)


def _document(file: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(file.read_text())
    except FileNotFoundError:
        return tomlkit.document()
    except TOMLKitError as error:
        raise UserInputError("The settings are not valid TOML.", where=FILE, why=f"{error}.") from error


def _replace(file: Path, text: str) -> None:
    """Write the file whole, with the permissions it had."""
    mode = file.stat().st_mode & 0o777 if file.exists() else 0o600
    descriptor, draft = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)
    try:
        with os.fdopen(descriptor, "w") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.chmod(draft, mode)
        os.replace(draft, file)
    except BaseException:
        Path(draft).unlink(missing_ok=True)
        raise


def _kind(value: Any) -> str:
    if isinstance(value, bool):
        return "yes_no"
    if isinstance(value, int | float):
        return "number"
    return "list" if isinstance(value, list) else "text"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return " ".join(value)
    return f"{value:.12g}" if isinstance(value, float) else str(value)


def _value(setting: Changeable, text: str) -> Any:
    """The value that a form's text means. Raises UserInputError; whether it is in range the model decides."""
    text = text.strip()
    if len(text) > 2000 or not text.isprintable():
        raise UserInputError("This value cannot be used.", where=setting.name)
    if setting.kind == "list":
        return text.split()
    if setting.kind == "yes_no":
        if text.lower() not in ("yes", "no", "true", "false"):
            raise UserInputError(f"{text[:40]!r} is neither yes nor no.", where=setting.name)
        return text.lower() in ("yes", "true")
    if setting.kind == "number":
        try:
            number = float(text)
        except ValueError:
            number = float("nan")
        if not abs(number) < 1e9:
            raise UserInputError(f"{text[:40]!r} is not a number that can be used.", where=setting.name)
        return int(number) if number == int(number) else number
    return text
