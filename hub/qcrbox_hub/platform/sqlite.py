"""SQLAlchemy's URLs of SQLite files, read and written without SQLAlchemy: `qcrbox up` on SQLite starts without it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from qcrbox.contract.sqlite_urls import url_of

__all__ = ["file_of", "is_sqlite", "open_to_read", "url_of"]

_URL = re.compile(r"sqlite(?:\+\w+)?://(?:/(?P<database>[^?]*))?(?:\?(?P<options>.*))?", re.DOTALL)
_TRUE = {"true", "yes", "on", "1", "t", "y"}


def is_sqlite(url: str) -> bool:
    """Is this a URL of SQLite, whatever the driver?"""
    return _URL.fullmatch(url) is not None


def file_of(url: str) -> Path | None:
    """The file that a URL of SQLite names; None for other databases and for a database in memory.

    Options behind the `?` do not belong to the name; with `uri=true` the name is a URI of SQLite (`file:…`).
    """
    found = _URL.fullmatch(url)
    if found is None:
        return None
    name = unquote(found["database"] or "")
    options = {key: values[-1] for key, values in parse_qs(found["options"] or "").items()}
    if options.get("uri", "").lower() in _TRUE and name.startswith("file:"):
        name = "" if options.get("mode") == "memory" else unquote(urlsplit(name).path)
    return Path(name) if name not in ("", ":memory:") else None


def open_to_read(file: Path) -> sqlite3.Connection:
    """A connection that changes nothing and makes no file. Raises sqlite3.OperationalError where there is none."""
    return sqlite3.connect(f"file:{quote(str(file))}?mode=ro", uri=True)
