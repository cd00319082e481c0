"""Examples are written once, and replaced when their bytes change."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import examples
from qcrbox_registry.store.examples import NewExample, StoredFile
from qcrbox_registry.store.tables import data_files, datasets, people

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def example(world, *files, description="One small CIF."):
    stored = [StoredFile(name, digest * 64, 10) for name, digest in files]
    return NewExample(world.application_id, "quartz", description, stored)


def present(world):
    """Name, description and owner of the examples, and their files with the first digit of their hash."""
    query = (
        sa.select(datasets.c.name, datasets.c.description, people.c.kind)
        .join(people, people.c.id == datasets.c.owner_id)
        .where(datasets.c.kind == "example", datasets.c.deleted_at.is_(None))
    )
    files = sa.select(data_files.c.filename, data_files.c.sha256).where(data_files.c.deleted_at.is_(None))
    rows = world.read(lambda conn: [tuple(row) for row in conn.execute(query)])
    return rows, {name: digest[0] for name, digest in world.read(lambda conn: list(conn.execute(files)))}


def test_a_new_example_belongs_to_its_application_and_is_told(world):
    done = world.do(examples.register, example(world, ("a.cif", "1"), ("a.hkl", "2")), NOW)
    assert present(world) == (
        [("quartz", "One small CIF.", "application")],
        {"a.cif": "1", "a.hkl": "2"},
    )
    assert [(event.kind, event.status) for event in done.events] == [("dataset", "created")]
    assert [file.filename for file in done.files] == ["a.cif", "a.hkl"]


def test_the_same_bytes_again_change_the_description_alone(world):
    world.do(examples.register, example(world, ("a.cif", "1")), NOW)
    for description in ("One small CIF.", "Quartz at 100 K."):
        again = example(world, ("a.cif", "1"), description=description)
        done = world.do(examples.register, again, NOW + 1)
        assert (done.events, done.files) == ((), ())
        assert present(world) == ([("quartz", description, "application")], {"a.cif": "1"})


@pytest.mark.parametrize("files", [[("a.cif", "3")], [("b.cif", "1")], [("a.cif", "1"), ("a.hkl", "2")]])
def test_other_bytes_or_names_replace_the_example(world, files):
    world.do(examples.register, example(world, ("a.cif", "1")), NOW)
    done = world.do(examples.register, example(world, *files), NOW + 1)
    assert present(world) == ([("quartz", "One small CIF.", "application")], dict(files))
    assert len(done.events) == 1
