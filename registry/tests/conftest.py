"""A migrated database for each test, on SQLite and on a real PostgreSQL."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import sqlite3
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import calculations, contents, datasets, people, schema, transitions
from qcrbox_registry.store.engine import Database
from qcrbox_registry.store.tables import applications, commands

_spec = importlib.util.spec_from_file_location(
    "postgres_server", Path(__file__).with_name("postgres_server.py")
)
postgres = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(postgres)


@pytest.fixture(scope="session")
def postgres_url():
    given = os.environ.get("QCRBOX_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    found = postgres.binaries()
    if found is None:
        pytest.skip("there is no PostgreSQL server here")
    with postgres.private_server(found) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_admin(postgres_url):
    """A connection that makes and drops databases: one for the run, as opening it takes longer than what it does."""
    engine = sa.create_engine(
        postgres_url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as conn:
        yield conn
    engine.dispose()


def _fill(conn):
    """Write the rows of `world`."""
    now = time.time()
    for name in ("ada", "bob", "eve"):
        people.ensure_person(conn, name, name, now)
    people.ensure_groups(conn, ["crystals", "powders"], now)
    application_id = conn.execute(
        sa.insert(applications).values(
            slug="practice",
            version="1",
            name="Practice",
            spec={},
            spec_hash="",
            registered_at=now,
            updated_at=now,
        )
    ).inserted_primary_key[0]
    conn.execute(
        sa.insert(commands).values(
            application_id=application_id,
            name="noop",
            implemented_as="python_callable",
            parameters={},
        )
    )
    for i in range(10):
        contents.add(conn, f"{i:064x}", 10 + i, now)


@contextlib.contextmanager
def _opened(url):
    database = Database(url)
    try:
        yield database
    finally:
        database.close()


# Databases to copy, one empty and one with the rows of `world`. To migrate one for each test would take most of the
# time; to write the rows with a new engine, which has to compile each statement, took 20 of the 24 ms that were left.
TEMPLATES = ("empty", "world")
# Columns of the rows of `world` that say when they were written.
TIMES = {
    "people": ("created_at", "last_seen_at"),
    "groups": ("created_at",),
    "applications": ("registered_at", "updated_at"),
    "file_contents": ("created_at",),
}


def _template_for(request):
    """The template that a test needs."""
    return "world" if "world" in request.fixturenames else "empty"


@pytest.fixture(scope="session")
def sqlite_templates(tmp_path_factory):
    """The path of each template."""
    folder = tmp_path_factory.mktemp("templates")
    made = {name: folder / f"{name}.sqlite" for name in TEMPLATES}
    with _opened(f"sqlite:///{made['empty']}") as database:
        schema.migrate(database)
    _in_one_file(made["empty"])
    shutil.copy(made["empty"], made["world"])
    with _opened(f"sqlite:///{made['world']}") as database:
        database.write_sync(_fill)
    _in_one_file(made["world"])
    return made


def _in_one_file(path):
    with sqlite3.connect(path) as direct:
        direct.execute("PRAGMA wal_checkpoint(TRUNCATE)")


@pytest.fixture(scope="session")
def postgres_templates(postgres_url, postgres_admin):
    """The name of each template's database."""
    made = {name: f"template_{name}_{uuid.uuid4().hex[:12]}" for name in TEMPLATES}
    beside = postgres_url.rpartition("/")[0]
    postgres_admin.exec_driver_sql(f"CREATE DATABASE {made['empty']}")
    with _opened(f"{beside}/{made['empty']}") as database:
        schema.migrate(database)
    postgres_admin.exec_driver_sql(f"CREATE DATABASE {made['world']} TEMPLATE {made['empty']}")
    with _opened(f"{beside}/{made['world']}") as database:
        database.write_sync(_fill)
    yield made
    for database in made.values():
        postgres_admin.exec_driver_sql(f"DROP DATABASE {database} WITH (FORCE)")


@pytest.fixture
def sqlite_url(request, sqlite_templates):
    """A migrated file without rows but those of `world`. A module whose rules do not depend on the kind of database has it as `database_url`."""
    with tempfile.TemporaryDirectory(prefix="qcrbox-sqlite-", dir=postgres.in_memory()) as folder:
        path = Path(folder) / "registry.sqlite"
        shutil.copy(sqlite_templates[_template_for(request)], path)
        yield f"sqlite:///{path}"


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def database_url(request):
    """The URL of a migrated database without rows but those of `world`."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_url")
        return
    server, admin = request.getfixturevalue("postgres_url"), request.getfixturevalue("postgres_admin")
    template = request.getfixturevalue("postgres_templates")[_template_for(request)]
    name = f"test_{uuid.uuid4().hex[:12]}"
    admin.exec_driver_sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield f"{server.rpartition('/')[0]}/{name}"
    admin.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(database_url):
    made = Database(database_url)
    yield made
    made.close()


@dataclass
class World:
    """Persons, groups and one application with one command, ready to point to."""

    database: Database
    person: dict[str, int] = field(default_factory=dict)
    group: dict[str, int] = field(default_factory=dict)
    application_id: int = 0
    command_id: int = 0

    def write(self, fn):
        return self.database.write_sync(fn)

    def read(self, fn):
        return self.database.read_sync(fn)

    def do(self, fn, *args, **more):
        """What a function of the store answers that writes."""
        return self.write(lambda conn: fn(conn, *args, **more))

    def ask(self, fn, *args, **more):
        """What a function of the store answers that reads."""
        return self.read(lambda conn: fn(conn, *args, **more))

    def new(self, owner="ada", **more):
        return calculations.NewCalculation(
            owner_id=self.person[owner],
            application_id=self.application_id,
            command_id=self.command_id,
            application_slug="practice",
            application_version="1",
            command_name="noop",
            arguments=more.pop("arguments", {}),
            **more,
        )

    def start(self, owner="ada", **more):
        """The id of a new calculation that waits."""
        new = self.new(owner, **more)
        self.write(lambda conn: calculations.create(conn, new))
        return new.id

    def run(self, calculation_id, agent="agent-1"):
        """Hand it to an agent; the attempt."""

        def assign(conn):
            ledger = transitions.Ledger(conn, [calculation_id])
            attempt = ledger.assign(calculation_id, agent)
            ledger.close()
            return attempt

        return self.write(assign)

    def change(self, calculation_id, new, attempt, *, step=None, at=None, extra=None, **fields):
        """The event of one change, None when nothing changed. Raises why it was refused."""
        wanted = transitions.Change(calculation_id, new, attempt, step, at, fields, extra or {})
        written, (refused,) = self.write(lambda conn: transitions.change_states(conn, [wanted]))
        if refused is not None:
            raise refused
        return written[0] if written else None

    def dataset(self, owner="ada", files=("model.cif",), group=None, **more):
        """(dataset id, [file ids])."""
        dataset = datasets.NewDataset(self.person[owner], group_id=self.group.get(group), **more)
        new = [datasets.NewFile(name, f"{i:064x}", 10 + i) for i, name in enumerate(files)]
        self.write(lambda conn: datasets.add_dataset(conn, dataset, new))
        return dataset.id, [file.id for file in new]


@pytest.fixture
def world(database):
    made = World(database)

    def refresh(conn):
        # The template may be as old as the whole run.
        now = time.time()
        for table, columns in TIMES.items():
            conn.exec_driver_sql(f"UPDATE {table} SET " + ", ".join(f"{each} = {now!r}" for each in columns))
        made.person = dict(conn.exec_driver_sql("SELECT name, id FROM people").all())
        made.group = dict(conn.exec_driver_sql("SELECT name, id FROM groups").all())
        made.application_id = conn.exec_driver_sql("SELECT id FROM applications").scalar_one()
        made.command_id = conn.exec_driver_sql("SELECT id FROM commands").scalar_one()

    made.write(refresh)
    return made


@pytest.fixture
def actor(world):
    """`actor("ada", groups=["crystals"], manages=[…], curates=[…], admin=True)`."""
    from qcrbox_registry.access.rights import Actor

    def make(name, groups=(), manages=(), curates=(), **more):
        return Actor(
            world.person[name],
            name,
            groups={group: world.group[group] for group in groups},
            manages=frozenset(world.group[group] for group in manages),
            curates=frozenset(world.group[group] for group in curates),
            **more,
        )

    return make
