"""URLs of the SQLite files in which hub and registry keep their tables."""

from __future__ import annotations

from pathlib import Path


def url_of(file: Path) -> str:
    """SQLAlchemy URL of an SQLite file. SQLAlchemy decodes the name, and a `?` would begin the options."""
    return f"sqlite:///{str(file).replace('%', '%25').replace('?', '%3F')}"
