"""Services on a database file alone. Contents, hub and scheduler are plain data that a test may read and change."""

from __future__ import annotations

import hashlib
import time
from types import SimpleNamespace

import pytest
import sqlalchemy as sa
import yaml
from qcrbox import spec
from qcrbox.contract.errors import Conflict, NotFound, StorageFull, Unreachable
from qcrbox_registry.access.presence import Presence
from qcrbox_registry.access.quota import Quotas
from qcrbox_registry.services.catalogue import Catalogue
from qcrbox_registry.services.context import Context
from qcrbox_registry.services.event_hub import EventHub
from qcrbox_registry.services.indexing import Indexer
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import contents, datasets, people, quotas
from qcrbox_registry.store.objects import StoredObject
from qcrbox_registry.store.people import HubAccounts
from qcrbox_registry.store.tables import applications, commands

PRACTICE = {
    "slug": "practice",
    "version": "1",
    "name": "Practice",
    "older_versions": ["0.9"],
    "commands": [
        {
            "name": "noop",
            "implemented_as": "python_callable",
            "import_path": "glue",
            "parameters": [{"name": "x", "dtype": "int", "default_value": 0}],
        },
        {
            "name": "read",
            "implemented_as": "python_callable",
            "import_path": "glue",
            "timeout": 600,
            "parameters": [
                {
                    "name": "structure",
                    "dtype": "QCrBox.cif_data_file",
                    "required_entries": ["_cell_length_a"],
                },
                {"name": "table", "dtype": "QCrBox.data_file", "required": False, "companion": ["*.hkl"]},
            ],
        },
        {
            "name": "window",
            "implemented_as": "interactive_session",
            "parameters": [],
            "interactive_lifecycle": {
                "run": {
                    "implemented_as": "cli_command",
                    "call_pattern": "sleep 100",
                    "used_basecommand_parameters": [],
                }
            },
        },
    ],
}


class Contents:
    """In place of the object store, which needs its server: bytes by their hash, and the disk they lie on."""

    def __init__(self):
        self.known = {}
        self.free = None  # bytes; None: without a limit

    async def put(self, chunks, *, sha256=None):
        content = b"".join([chunk async for chunk in chunks])
        digest = hashlib.sha256(content).hexdigest()
        if sha256 not in (None, digest):
            raise Conflict("The bytes that arrived do not have the hash that was announced.")
        self.known[digest] = content
        return digest, len(content)

    async def get(self, sha256):
        if sha256 not in self.known:
            raise NotFound("There is no such object.")
        yield self.known[sha256]

    async def info(self, sha256):
        content = self.known.get(sha256)
        return None if content is None else StoredObject(sha256, len(content), "n", 1)

    async def delete(self, sha256):
        self.known.pop(sha256, None)

    async def sweep(self):
        return 0

    def require_room(self, more=0):
        if self.free is not None and more > self.free:
            raise StorageFull("The registry's disk is full.")


class Hub:
    """In place of the hub: the members of its groups and its accounts; None: there is no hub. Down: it does not answer."""

    def __init__(self):
        self.groups = {}
        self.known = None
        self.is_down = False

    async def members(self, group):
        self._answer()
        return self.groups.get(group)

    async def accounts(self):
        self._answer()
        return self.known

    def has(self, *names, groups=()):
        """From now on the hub has these accounts and groups and no other."""
        created = dict.fromkeys(names, "2026-01-01")
        self.known = HubAccounts(frozenset(groups), created, time.time() + 1000)

    def _answer(self):
        if self.is_down:
            raise Unreachable("The hub does not answer.", part="hub")


class Scheduling:
    """In place of the scheduler: what it was asked, and what it answers."""

    def __init__(self):
        self.is_ready = True
        self.queued, self.requeued, self.cancelled, self.ended, self.opened, self.stopped = (
            [] for _ in range(6)
        )
        self.places, self.absent, self.counters = {}, {}, {}
        self.launchers, self.agents = [], []
        self.waiting, self.free_places, self.usual_s = 0, 100, None
        self.has_agents = True
        self.reloads = 0

    def submitted(self, new):
        self.queued += [each.id for each in new]

    def requeue(self, waiting):
        self.requeued.append(waiting.id)

    async def cancel(self, calculation_ids, *, reason, by):
        self.cancelled.append((list(calculation_ids), reason, by))
        return {}

    async def end_session(self, calculation_id, *, keep, reason):
        if not self.has_agents:
            raise NotFound("No agent has this session.")
        self.ended.append((calculation_id, keep, reason))

    async def open_tunnel(self, calculation_id, *, tunnel_id, url, token, view_only):
        self.opened.append((calculation_id, tunnel_id, url, token, view_only))

    def queue_info(self, calculation_ids):
        return {each: self.places[each] for each in calculation_ids if each in self.places}

    async def stop_agent(self, agent_id, reason):
        self.stopped.append((agent_id, reason))

    def status(self):
        return {
            "waiting": self.waiting,
            "running": 0,
            "nats": True,
            "waiting_by_application": {},
            "agents": self.agents,
            "launchers": self.launchers,
            "counters": self.counters,
        }

    def bookable(self, slugs):
        return self.free_places

    def expected_s(self, command_ids):
        return self.usual_s

    def missing(self, slug, version):
        return self.absent

    async def rules_changed(self):
        self.reloads += 1


@pytest.fixture
def database_url(sqlite_url):
    """Services know no database: the store below them is tested on both kinds."""
    return sqlite_url


@pytest.fixture
async def context(world, tmp_path):
    """What services are made with. `published`: every event that was sent to subscribers."""
    objects = Contents()
    made = Context(
        settings=Settings(data=tmp_path / "data", auth="none"),
        db=world.database,
        hub=EventHub(),
        objects=objects,
        identity=Hub(),
        catalogue=Catalogue(),
        quotas=Quotas({}),
        indexer=Indexer(objects, tmp_path / "cif"),
        scheduler=Scheduling(),
        bus=SimpleNamespace(is_connected=False, url="nats://127.0.0.1:1"),
        signing_key=b"k" * 32,
        audit_heads=None,
    )
    made.settings.data.mkdir()
    made.published = []
    made.hub.listen(made.published.append)
    yield made
    await made.background.cancel()
    await made.audits.settle()
    await made.indexer.close()


@pytest.fixture(scope="session")
def practice(tmp_path_factory):
    """The application practice, read from its folder."""
    folder = tmp_path_factory.mktemp("practice")
    (folder / "glue.py").write_text("")
    (folder / "application.yaml").write_text(yaml.safe_dump(PRACTICE))
    return spec.load(folder / "application.yaml")


@pytest.fixture
def catalogue(world, context, practice):
    """The application practice with the commands noop, read and window; the catalogue that knows it."""

    def write(conn):
        conn.execute(sa.update(applications).values(spec=practice.model_dump(mode="json")))
        for command in PRACTICE["commands"][1:]:
            row = {"application_id": world.application_id, "implemented_as": command["implemented_as"]}
            conn.execute(sa.insert(commands).values(name=command["name"], parameters={}, **row))
        context.catalogue.load(conn)

    world.write(write)
    return context.catalogue


@pytest.fixture
def ada(actor):
    """A member of the group crystals."""
    return actor("ada", groups=["crystals"])


@pytest.fixture
def root(actor):
    """An administrator."""
    return actor("eve", admin=True)


@pytest.fixture
def limit(world, context):
    """`limit("group", "crystals", "gib", 100 / GIB)` sets a limit."""

    def put(subject, name, quota, most):
        subject_id = {**world.person, **world.group, "": 0}[name]
        new = quotas.NewLimit(subject, subject_id, quota, most)
        world.do(quotas.set_limit, new, world.person["ada"], 1.0)
        world.read(context.quotas.load)

    return put


@pytest.fixture
def file_of(world, context):
    """`file_of("ada", "a.txt", b"…")` is a stored data file without a dataset, or in `dataset_id`."""

    def make(owner, filename="a.txt", content=b"some bytes", group=None, dataset_id=None):
        digest = hashlib.sha256(content).hexdigest()
        context.objects.known[digest] = content
        new = datasets.NewFile(filename, digest, len(content))
        place = datasets.Place(world.person[owner], world.group.get(group), dataset_id)

        def write(conn):
            contents.add(conn, digest, len(content), time.time())
            datasets.add_files(conn, [new], place)

        world.write(write)
        return new.id

    return make


@pytest.fixture
def newcomer(world):
    """`newcomer("tom")` is the id of a person who has just signed in."""

    def make(name):
        world.person[name] = world.write(lambda conn: people.ensure_person(conn, name, name, time.time()))
        return world.person[name]

    return make


@pytest.fixture
def trail(world, context):
    """The audit trail as it is now: (who, action, object id), oldest first."""
    from qcrbox_registry.store import audit

    async def read():
        await context.audits.settle()
        rows = world.read(lambda conn: audit.after(conn, 0))
        return [(row.who, row.action, row.object_id) for row in rows]

    return read


def present(actor):
    """The presence of someone whose rights do not change."""

    async def same():
        return actor

    return Presence(actor, same)


@pytest.fixture(name="present")
def _present():
    return present


@pytest.fixture
def chunks():
    """`chunks(b"a", b"b")`: bytes that arrive in pieces."""

    async def arrive(*pieces):
        for piece in pieces:
            yield piece

    return arrive
