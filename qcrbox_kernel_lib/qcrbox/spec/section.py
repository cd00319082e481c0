"""One mapping of a spec file, read key by key, so that unknown keys can be noted."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from qcrbox.spec.source import Path, Source

# float() also takes "nan", "infinity" and "1_000".
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_SIZE = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)\s*([kmgt]?)(i?)b?")


class Section:
    """A mapping at `path`. Every getter takes the newest key first, then its older names."""

    def __init__(self, source: Source, path: Path, data: Any) -> None:
        self.source, self.path = source, path
        self.data: dict[str, Any] = data if isinstance(data, dict) else {}
        self._asked: set[str] = set()
        if not isinstance(data, dict):
            self.problem(f"a mapping is expected here, not {_kind(data)}")

    @property
    def line(self) -> int:
        """Line of the mapping in the file."""
        return self.source.line(self.path)

    def has(self, *keys: str) -> bool:
        """True when one of the keys is there."""
        return self._key(keys) is not None

    def get(self, *keys: str) -> Any:
        """The value of the first key that is there; None when there is none."""
        key = self._key(keys)
        return None if key is None else self.data[key]

    def path_of(self, *keys: str) -> Path:
        """Path of the first key that is there; that of the mapping when there is none."""
        key = self._key(keys)
        return self.path if key is None else (*self.path, key)

    def text(self, *keys: str) -> str | None:
        """A scalar as written in the file; None when absent, null or empty."""
        key = self._key(keys)
        if key is None or self.data[key] is None:
            return None
        text = self.source.text((*self.path, key))
        if text is None:
            self.problem(f"'{key}' must be text, not {_kind(self.data[key])}", key)
        return text.strip() if text and text.strip() else None

    def flag(self, *keys: str) -> bool | None:
        """true, false, or None when absent; other words are noted and ignored."""
        text = self.text(*keys)
        if text is None:
            return None
        if text.lower() in ("true", "yes", "on", "1"):
            return True
        if text.lower() in ("false", "no", "off", "0"):
            return False
        self.note(f"'{self._key(keys)}: {text}' is neither true nor false and is ignored", *keys)
        return None

    def number(self, *keys: str) -> float | None:
        """A number; None when absent, noted and ignored when it is none."""
        text = self.text(*keys)
        if text is None:
            return None
        number = float(text) if _NUMBER.fullmatch(text) else math.nan
        if not math.isfinite(number):
            self.note(f"'{self._key(keys)}: {text}' is not a number and is ignored", *keys)
            return None
        return number

    def size(self, *keys: str) -> int | None:
        """Bytes, from a number or a text such as `512 MB` or `2GiB`."""
        text = self.text(*keys)
        if text is None:
            return None
        match = _SIZE.fullmatch(text.lower())
        number = float(match[1]) if match is not None else math.inf
        if match is None or not math.isfinite(number):
            self.note(f"'{self._key(keys)}: {text}' is not a size such as 512 MB and is ignored", *keys)
            return None
        power = "kmgt".find(match[2]) + 1 if match[2] else 0
        return int(number * (1024 if match[3] else 1000) ** power)

    def items(self, *keys: str) -> list[tuple[Path, Any]]:
        """The entries of a list with their places; a missing or null one is empty."""
        key = self._key(keys)
        value = None if key is None else self.data[key]
        if value is None:
            return []
        if not isinstance(value, list):
            self.problem(f"'{key}' must be a list, not {_kind(value)}", str(key))
            return []
        return [((*self.path, str(key), index), item) for index, item in enumerate(value)]

    def texts(self, *keys: str) -> list[str]:
        """A list of texts; a single text counts as a list of one."""
        key = self._key(keys)
        if key is not None and self.source.text((*self.path, key)) is not None:
            return [self.source.texts[(*self.path, key)]]
        return [text for path, _ in self.items(*keys) if (text := self.text_at(path)) is not None]

    def dois(self, *keys: str) -> list[str]:
        """DOIs from a list, or from one text parted by commas, blanks or ` / `."""
        parts = [part for text in self.texts(*keys) for part in re.split(r"[,\s]+", text)]
        return [part.rstrip("/") for part in parts if part.strip("/")]

    def text_at(self, path: Path) -> str | None:
        """The text at a path; a problem when it is none."""
        text = self.source.text(path)
        if text is None:
            self.source.problem(path, "text is expected here")
        return text

    def sections(self, *keys: str) -> Iterator[Section]:
        """The mappings of a list."""
        for path, item in self.items(*keys):
            section = Section(self.source, path, item)
            if isinstance(item, dict):
                yield section

    def section(self, *keys: str) -> Section | None:
        """The mapping of a key; None when it is absent."""
        value = self.get(*keys)
        return None if value is None else Section(self.source, self.path_of(*keys), value)

    def note(self, text: str, *keys: str) -> None:
        """Note something that was ignored or guessed."""
        self.source.note(self.path_of(*keys), text)

    def problem(self, text: str, *keys: str) -> None:
        """Note a fault for which the spec is refused."""
        self.source.problem(self.path_of(*keys), text)

    def note_unknown(self, what: str) -> None:
        """Call last: notes the keys that were never asked for."""
        for key in self.data:
            if key not in self._asked:
                self.source.note((*self.path, key), f"unknown key '{key}' of {what} is ignored")

    def _key(self, keys: tuple[str, ...]) -> str | None:
        self._asked.update(keys)
        return next((key for key in keys if key in self.data), None)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {"dict": "a mapping", "list": "a list", "str": "text", "bool": "true/false"}.get(
        type(value).__name__, "a number"
    )
