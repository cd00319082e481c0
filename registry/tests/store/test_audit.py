"""The audit trail: a chain that shows every change, and its search."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from qcrbox_registry.store import audit
from qcrbox_registry.store.audit import FIRST, Entry, Search
from qcrbox_registry.store.tables import audit as table


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def record(world, *entries):
    world.write(lambda conn: audit.record(conn, list(entries)))


def rows(world, after=0):
    return world.read(lambda conn: audit.after(conn, after))


def test_an_empty_trail_has_a_head_and_no_fault(world):
    assert world.read(audit.head) == (0, FIRST)
    assert world.read(audit.broken_links) == []
    record(world)
    assert world.read(audit.head) == (0, FIRST)


def test_each_row_names_the_hash_of_the_one_before(world):
    record(world, Entry(1.0, "ada", "read"), Entry(2.0, "bob", "delete", details={"files": 3}))
    record(world, Entry(3.0, "eve", "share"))
    found = rows(world)
    assert [row.previous for row in found] == [FIRST, found[0].hash, found[1].hash]
    assert world.read(audit.head) == (3, found[-1].hash)
    assert world.read(audit.broken_links) == []


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.floats(allow_nan=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    at=st.floats(0, 4e9),
    who=st.text(max_size=20),
    details=st.dictionaries(st.text(max_size=5), _JSON, max_size=3),
)
def test_whatever_is_written_reads_back_with_the_same_hash(world, at, who, details):
    record(world, Entry(at, who, "act", details=details))
    assert world.read(audit.broken_links) == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("who", "bob"),
        ("at", 9.0),
        ("action", "read"),
        ("allowed", False),
        ("object_id", "other"),
        ("address", "10.0.0.1"),
        ("details", {"files": 4}),
        ("previous", "0" * 64),
        ("hash", "0" * 64),
    ],
)
def test_a_changed_row_breaks_the_chain(world, column, value):
    entries = [Entry(float(i), "ada", "delete", object_id="d", details={"files": 3}) for i in range(1, 4)]
    record(world, *entries)

    def change(conn):
        conn.exec_driver_sql("DROP TRIGGER audit_no_update")
        conn.execute(sa.update(table).where(table.c.seq == 2).values({column: value}))

    world.write(change)
    assert world.read(audit.broken_links)[0] == 2


def test_no_more_broken_links_than_asked_for(world):
    record(world, *[Entry(float(i), "ada", "x") for i in range(6)])

    def change(conn):
        conn.exec_driver_sql("DROP TRIGGER audit_no_update")
        conn.execute(sa.update(table).values(who="bob"))

    world.write(change)
    assert world.read(lambda conn: audit.broken_links(conn, 3)) == [1, 2, 3]


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'x'", "DELETE FROM audit"])
def test_the_database_itself_refuses_to_change_the_trail(world, statement):
    record(world, Entry(1.0, "ada", "x"))
    with pytest.raises(sa.exc.DatabaseError):
        world.write(lambda conn: conn.exec_driver_sql(statement))
    assert len(rows(world)) == 1


@pytest.fixture
def trail(world):
    bare = "0123456789abcdef" * 2
    record(
        world,
        Entry(1.0, "ada", "read", object_id="qcrbox_ds_0x" + bare),
        Entry(2.0, "ada", "delete", object_id=bare),
        Entry(3.0, "bob", "delete", object_id="c1", allowed=False),
        Entry(4.0, "bob", "read", object_id="c1"),
    )
    return bare


@pytest.mark.parametrize(
    ("search", "found"),
    [
        (Search(), [4, 3, 2, 1]),
        (Search(who="ada"), [2, 1]),
        (Search(action="delete"), [3, 2]),
        (Search(allowed=False), [3]),
        (Search(allowed=True, who="bob"), [4]),
        (Search(object_id="c1"), [4, 3]),
        (Search(object_id="qcrbox_ds_0x" + "0123456789abcdef" * 2), [2, 1]),
        (Search(object_id="0123456789abcdef" * 2), [2, 1]),
        (Search(who="nobody"), []),
    ],
    ids=str,
)
def test_the_trail_is_searched_newest_first_whatever_way_an_id_was_written(world, trail, search, found):
    assert [row.seq for row in world.read(lambda conn: audit.page(conn, search))] == found


def test_pages_go_back_in_time(world, trail):
    first = world.read(lambda conn: audit.page(conn, Search(), limit=3))
    rest = world.read(lambda conn: audit.page(conn, Search(), before=first[-1].seq, limit=3))
    assert [row.seq for row in (*first, *rest)] == [4, 3, 2, 1]


def test_hashes_of_missing_rows_are_left_out(world, trail):
    found = world.read(lambda conn: audit.hashes(conn, [1, 4, 99]))
    assert found == {row.seq: row.hash for row in rows(world) if row.seq in (1, 4)}
    assert world.read(lambda conn: audit.hashes(conn, [])) == {}


def test_grouped_entries_are_one_chain(world):
    world.write(lambda conn: audit.record_grouped(conn, [Entry(1.0, "a", "x"), Entry(2.0, "b", "y")]))
    assert [row.who for row in rows(world)] == ["a", "b"]
    assert world.read(audit.broken_links) == []
