"""What all tables are made with: one metadata, ids, growing numbers."""

from __future__ import annotations

import os
import threading
import time

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Integer

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)
# SQLite gives row numbers to INTEGER PRIMARY KEY only; PostgreSQL needs eight bytes for events.
Serial = BigInteger().with_variant(Integer, "sqlite")

_id_lock = threading.Lock()
_last = (0, 0)  # millisecond and place in it of the newest id


def new_id() -> str:
    """32 hex digits: 48 bit of milliseconds, 16 bit of place in it, 64 random bits.

    Grows strictly within one process, also when the clock is set back, so that key paging hides no row;
    and cannot be guessed.
    """
    global _last
    ms = int(time.time() * 1000)
    with _id_lock:
        last_ms, place = _last
        if ms > last_ms:
            _last = (ms, 0)
        elif place < 0xFFFF:
            _last = (last_ms, place + 1)
        else:
            _last = (last_ms + 1, 0)
        ms, place = _last
    return f"{ms:012x}{place:04x}{os.urandom(8).hex()}"


def serial(name: str = "id") -> Column[int]:
    """A column of growing numbers."""
    return Column(name, Serial, primary_key=True, autoincrement=True)
