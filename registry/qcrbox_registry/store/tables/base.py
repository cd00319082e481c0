"""What all tables are made with: one metadata, ids, growing numbers."""

from __future__ import annotations

import os
import threading
import time

import sqlalchemy as sa
from qcrbox.contract import ids
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


class _PrefixedId(sa.types.TypeDecorator[str]):
    """32 hexadecimal digits in the database, with the prefix of their kind everywhere else.

    Ids without prefix, as they were given out before, find the same rows: the database did not have to change.
    """

    impl = sa.String(32)
    cache_ok = True
    prefix = ""

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else value.removeprefix(self.prefix)

    def process_result_value(self, value: str | None, dialect: sa.Dialect) -> str | None:
        return None if value is None else self.prefix + value


class DatasetId(_PrefixedId):
    """The id of a dataset."""

    cache_ok = True  # SQLAlchemy reads it from each class itself
    prefix = ids.DATASET


class DataFileId(_PrefixedId):
    """The id of a data file."""

    cache_ok = True
    prefix = ids.DATA_FILE


class ObjectId(sa.types.TypeDecorator[str]):
    """The id of an object whose kind is in another column: digits alone; `ids.of_kind` restores the prefix."""

    impl = sa.String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: sa.Dialect) -> str | None:
        """The id without its public prefix, as it is stored."""
        return None if value is None else ids.bare(value)


def new_dataset_id() -> str:
    """A new id of a dataset."""
    return ids.DATASET + new_id()


def new_data_file_id() -> str:
    """A new id of a data file."""
    return ids.DATA_FILE + new_id()


def serial(name: str = "id") -> Column[int]:
    """A column of growing numbers."""
    return Column(name, Serial, primary_key=True, autoincrement=True)
