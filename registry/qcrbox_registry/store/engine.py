"""The database: one group-committing writer thread and a pool of read connections.

Every change goes through `Database.write(fn)`. Functions that arrive while a commit is on its way to the
disk are run in one transaction and committed together, each inside its own savepoint, so that one that
raises takes nothing with it. One fsync then pays for many changes, and there is never a second writer.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import sqlalchemy as sa
from qcrbox.contract.errors import QcError, StorageFull, Unreachable, UserInputError
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection as Connection  # for the layers above, which do not import SQLAlchemy
from sqlalchemy.engine import Engine, make_url

T = TypeVar("T")
Work = Callable[[Connection], Any]
GroupWork = Callable[[Connection, list[Any]], list[Any]]

MOST_IN_ONE_COMMIT = 512
LONGEST_BATCH_S = 0.05
READERS = 4
# A number beyond the column, no number, or a NUL character: kinds of databases refuse different ones.
CANNOT_HOLD = (UserInputError, sa.exc.IntegrityError)


class DamagedDatabase(QcError):
    """The file is no sound database any more."""

    kind = "damaged_database"


class Database:
    """One SQL database by URL: `sqlite:////path/file` or `postgresql+psycopg://…`.

    `write` and `read` are coroutines; `write_sync` and `read_sync` are for threads and start-up.
    """

    def __init__(self, url: str, *, readers: int = READERS) -> None:
        self.url = _with_driver(url)
        self.is_sqlite = self.url.startswith("sqlite")
        self._writer_engine = _make_engine(self.url, self.is_sqlite, writer=True)
        self._reader_engine = _make_engine(self.url, self.is_sqlite, writer=False, pool=readers)
        self._queue: queue.SimpleQueue[_Entry | None] = queue.SimpleQueue()
        self._readers = ThreadPoolExecutor(readers, thread_name_prefix="sql-read")
        self._writer: Connection | None = None
        self._closed = False
        self.commits = 0
        self.functions = 0
        self._thread = threading.Thread(target=self._run, name="sql-write", daemon=True)
        self._thread.start()

    # ------------------------------------------------------------ writing

    async def write(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn(connection)` in the writer; its value once the commit is on disk.

        Raises what `fn` raised (only its own changes are then undone), StorageFull when the
        disk is full, Unreachable when the database is gone.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._put(_Entry(fn, _AsyncAnswer(loop, future)))
        return await future

    async def write_grouped(self, group: GroupWork, item: Any) -> Any:
        """Run `group(connection, items)` once for all items that wait with the same `group`; the item's value.

        `group` returns one value per item; a value that is an exception is raised for that item. When `group`
        itself raises, everything it did is undone and it is called again for each item alone.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self._put(_Entry(lambda conn: group(conn, [item])[0], _AsyncAnswer(loop, future), group, item))
        return await future

    def write_sync(self, fn: Callable[[Connection], T], timeout_s: float | None = 60.0) -> T:
        """As `write`, from a thread."""
        answer = _ThreadAnswer()
        self._put(_Entry(fn, answer))
        value: T = answer.wait(timeout_s)
        return value

    def _put(self, entry: _Entry) -> None:
        if self._closed:
            raise Unreachable("The registry's database is closed.", part="database")
        self._queue.put(entry)

    def _run(self) -> None:
        stop = False
        while not stop:
            first = self._queue.get()
            if first is None:
                break
            batch, stop = self._collect(first)
            try:
                self._commit(batch)
            except Exception as error:  # noqa: BLE001 - the writer must outlive any single batch
                _answer_all([(entry, None, _translated(error)) for entry in batch])
        if self._writer is not None:
            self._writer.close()
        self._writer_engine.dispose()

    def _collect(self, first: _Entry) -> tuple[list[_Entry], bool]:
        batch = [first]
        while len(batch) < MOST_IN_ONE_COMMIT:
            try:
                entry = self._queue.get_nowait()
            except queue.Empty:
                break
            if entry is None:
                return batch, True
            batch.append(entry)
        return batch, False

    def _commit(self, batch: Sequence[_Entry]) -> None:
        """Run the batch in as few transactions as the time limit allows."""
        left = list(batch)
        while left:
            done = self._one_transaction(left)
            left = [entry for entry in left if entry not in done] if len(done) < len(left) else []

    def _one_transaction(self, batch: Sequence[_Entry]) -> set[_Entry]:
        answers: list[tuple[_Entry, Any, BaseException | None]] = []
        started = time.monotonic()
        try:
            with self._writing() as conn, conn.begin() as transaction:
                if len(batch) == 1:
                    # The transaction is its own savepoint: what this one raises undoes all there is.
                    value, error = _caught(conn, batch[0].fn)
                    if error is not None:
                        transaction.rollback()
                    answers = [_answer(batch[0], value, error)]
                else:
                    for mates in _mates(batch):
                        answers += _together(conn, mates) if len(mates) > 1 else [_alone(conn, mates[0])]
                        if time.monotonic() - started > LONGEST_BATCH_S:
                            break
        except Exception as error:  # noqa: BLE001 - the commit failed: nothing of this batch happened
            failed = _translated(error)
            own = {entry: raised for entry, _, raised in answers}
            answers = [(entry, None, own.get(entry) or failed) for entry in batch]
        self.commits += 1
        self.functions += len(answers)
        _answer_all(answers)
        return {entry for entry, _, _ in answers}

    @contextlib.contextmanager
    def _writing(self) -> Iterator[Connection]:
        """The writer's connection. SQLite's stays open, because checking it out again costs more than a commit; one that
        failed is closed."""
        if not self.is_sqlite:
            with self._writer_engine.connect() as conn:
                yield conn
            return
        if self._writer is None:
            self._writer = self._writer_engine.connect()
        try:
            yield self._writer
        except BaseException:
            failed, self._writer = self._writer, None
            with contextlib.suppress(Exception):  # the first fault is the one to report
                failed.close()
            raise

    # ------------------------------------------------------------ reading

    async def read(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn(connection)` on a read-only connection in a thread: it sees one consistent moment."""
        return await asyncio.get_running_loop().run_in_executor(self._readers, self.read_sync, fn)

    def read_sync(self, fn: Callable[[Connection], T]) -> T:
        """Run `fn` on a read connection in this thread; database errors are translated."""
        try:
            with self._reader_engine.connect() as conn:
                return fn(conn)
        except (sa.exc.DBAPIError, OverflowError, UnicodeEncodeError) as error:
            raise _translated(error) from error

    @property
    def waiting(self) -> int:
        """How many functions wait for the writer."""
        return self._queue.qsize()

    def close(self) -> None:
        """Finish what was accepted, then close every connection."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        self._thread.join(30)
        self._readers.shutdown(wait=True)
        self._reader_engine.dispose()


def upsert(conn: Connection, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, for the dialect of this connection."""
    return upsert_for(conn.dialect.name, table)


def upsert_for(dialect: str, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
    """The same for a dialect by name."""
    return sqlite.insert(table) if dialect == "sqlite" else postgresql.insert(table)


# ---------------------------------------------------------------- the inside


class _AsyncAnswer:
    __slots__ = ("future", "loop")

    def __init__(self, loop: asyncio.AbstractEventLoop, future: asyncio.Future[Any]) -> None:
        self.loop, self.future = loop, future


class _ThreadAnswer:
    __slots__ = ("error", "event", "value")

    def __init__(self) -> None:
        self.event = threading.Event()
        self.value: Any = None
        self.error: BaseException | None = None

    def wait(self, timeout_s: float | None) -> Any:
        if not self.event.wait(timeout_s):
            raise Unreachable("The registry's database did not answer in time.", part="database")
        if self.error is not None:
            raise self.error
        return self.value


class _Entry:
    __slots__ = ("answer", "fn", "group", "item")

    def __init__(
        self,
        fn: Work,
        answer: _AsyncAnswer | _ThreadAnswer,
        group: GroupWork | None = None,
        item: Any = None,
    ) -> None:
        self.fn, self.answer, self.group, self.item = fn, answer, group, item


_Answer = tuple[_Entry, Any, BaseException | None]


def _mates(batch: Sequence[_Entry], most: int = 256) -> list[list[_Entry]]:
    """The batch in the order of arrival, entries of one group brought together at the place of the first."""
    found: list[list[_Entry]] = []
    open_groups: dict[GroupWork, list[_Entry]] = {}
    for entry in batch:
        mates = None if entry.group is None else open_groups.get(entry.group)
        if mates is not None and len(mates) < most:
            mates.append(entry)
            continue
        found.append([entry])
        if entry.group is not None:
            open_groups[entry.group] = found[-1]
    return found


def _alone(conn: Connection, entry: _Entry) -> _Answer:
    return _answer(entry, *_in_savepoint(conn, entry.fn))


def _answer(entry: _Entry, value: Any, error: BaseException | None) -> _Answer:
    if error is None and isinstance(value, BaseException):
        return entry, None, value
    return entry, value, error


def _together(conn: Connection, mates: list[_Entry]) -> list[_Answer]:
    group = mates[0].group
    assert group is not None
    values, error = _in_savepoint(conn, lambda c: group(c, [entry.item for entry in mates]))
    if error is not None:
        return [_alone(conn, entry) for entry in mates]
    answers: list[_Answer] = []
    for entry, value in zip(mates, values, strict=True):
        failed = value if isinstance(value, BaseException) else None
        answers.append((entry, None if failed else value, failed))
    return answers


def _in_savepoint(conn: Connection, fn: Work) -> tuple[Any, BaseException | None]:
    """(value, None) or (None, what it raised). Raises only when the transaction itself is lost."""
    conn.exec_driver_sql("SAVEPOINT f")
    value, raised = _caught(conn, fn)
    try:
        if raised is not None:
            conn.exec_driver_sql("ROLLBACK TO SAVEPOINT f")
        conn.exec_driver_sql("RELEASE SAVEPOINT f")
    except sa.exc.DBAPIError as error:
        # After a full disk SQLite has thrown the whole transaction away: all of the batch fails for that reason.
        raise raised or error from error
    return value, raised


def _caught(conn: Connection, fn: Work) -> tuple[Any, BaseException | None]:
    """(value, None) or (None, what it raised)."""
    try:
        return fn(conn), None
    except Exception as error:  # noqa: BLE001 - handed to the caller of write()
        return None, _translated(error)


def _answer_all(answers: Sequence[tuple[_Entry, Any, BaseException | None]]) -> None:
    """One wake-up per event loop, not one per answer."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any, BaseException | None]]] = {}
    for entry, value, error in answers:
        answer = entry.answer
        if isinstance(answer, _ThreadAnswer):
            answer.value, answer.error = value, error
            answer.event.set()
        else:
            by_loop.setdefault(answer.loop, []).append((answer.future, value, error))
    for loop, items in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, items)
        except RuntimeError:  # the loop is closed: no caller waits
            continue


def _resolve(items: list[tuple[asyncio.Future[Any], Any, BaseException | None]]) -> None:
    for future, value, error in items:
        if future.done():  # the caller was cancelled; the change is committed all the same
            continue
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(value)


def _translated(error: BaseException) -> BaseException:
    """What it means for the caller; anything that is no fault of the database stays as it is."""
    if isinstance(error, sa.exc.DataError | OverflowError | UnicodeEncodeError):
        # The last defence: each edge checks its own values. SQLite and PostgreSQL refuse different ones.
        return UserInputError(
            "A value cannot be stored.", why=str(getattr(error, "orig", error)).splitlines()[0]
        )
    if not isinstance(error, sa.exc.DBAPIError | sqlite3.Error | OSError):
        return error
    text = str(error).lower()
    if (
        "database or disk is full" in text
        or "no space left" in text
        or (isinstance(error, OSError) and error.errno == errno.ENOSPC)
    ):
        return StorageFull(
            "The registry's disk is full.",
            why="The change could not be written and was undone.",
            next="Free space on the data folder's disk, then try again.",
        )
    if "malformed" in text or "not a database" in text:
        return DamagedDatabase(
            "The registry's database file is damaged.",
            why=str(getattr(error, "orig", error)).splitlines()[0],
            next="Stop the platform and restore the newest backup with `qcrbox restore`.",
        )
    if isinstance(error, sa.exc.OperationalError | sa.exc.InterfaceError | sqlite3.OperationalError):
        first = str(getattr(error, "orig", error)).splitlines()[0] if str(error) else ""
        return Unreachable("The registry's database did not carry out a change.", why=first, part="database")
    return error


def _with_driver(url: str) -> str:
    for short in ("postgresql://", "postgres://"):
        if url.startswith(short):
            return "postgresql+psycopg://" + url[len(short) :]
    return url


def _make_engine(url: str, is_sqlite: bool, *, writer: bool, pool: int = 1) -> Engine:
    if not is_sqlite:
        engine = sa.create_engine(url, pool_size=pool, max_overflow=0, pool_pre_ping=True)
        if not writer:
            event.listen(engine, "begin", lambda conn: conn.exec_driver_sql("SET TRANSACTION READ ONLY"))
        return engine
    parsed = make_url(url)
    engine = sa.create_engine(
        parsed,
        poolclass=sa.pool.QueuePool,
        pool_size=pool,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 10.0, "cached_statements": 512},
    )

    @event.listens_for(engine, "connect")
    def _prepare(raw: sqlite3.Connection, _record: object) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves; the driver's own habit breaks savepoints
        cursor = raw.cursor()
        cursor.execute("PRAGMA busy_timeout = 10000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA cache_size = -16000")
        if writer:
            cursor.execute("PRAGMA journal_mode = WAL")
        else:
            cursor.execute("PRAGMA query_only = ON")
        cursor.close()

    begin = "BEGIN IMMEDIATE" if writer else "BEGIN"
    event.listen(engine, "begin", lambda conn: conn.exec_driver_sql(begin))
    return engine
