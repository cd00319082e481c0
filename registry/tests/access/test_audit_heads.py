"""Signed heads: a trail that was rewritten, hashes and all, does not agree with them."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from qcrbox_registry.access.audit_heads import AuditHeads
from qcrbox_registry.messaging.keys import Secrets
from qcrbox_registry.store import audit
from qcrbox_registry.store.audit import Entry
from qcrbox_registry.store.tables import audit as table

pytestmark = pytest.mark.attack(30)


@pytest.fixture
def files(tmp_path):
    return [tmp_path / "audit" / "heads.ndjson", tmp_path / "elsewhere.ndjson"]


@pytest.fixture
def heads(tmp_path, files):
    return AuditHeads(Secrets(tmp_path / "data").audit(), files)


def append(world, *actions):
    world.write(lambda conn: audit.record(conn, [Entry(float(i), "ada", a) for i, a in enumerate(actions)]))


def rewritten(world, change):
    """The trail as an attacker with the database writes it: new rows, all hashes computed anew."""

    def rewrite(conn):
        rows = [dict(row._mapping) for row in conn.execute(sa.select(table).order_by(table.c.seq))]
        if conn.dialect.name == "sqlite":
            conn.exec_driver_sql("DROP TRIGGER audit_no_update")
            conn.exec_driver_sql("DROP TRIGGER audit_no_delete")
            conn.execute(sa.delete(table))
            conn.exec_driver_sql("DELETE FROM sqlite_sequence WHERE name = 'audit'")
        else:
            conn.exec_driver_sql("DROP TRIGGER audit_only_grows ON audit")
            conn.exec_driver_sql("TRUNCATE audit RESTART IDENTITY")
        names = list(Entry.__dataclass_fields__)
        audit.record(conn, [Entry(**{name: row[name] for name in names}) for row in change(rows)])

    world.write(rewrite)


def test_a_sound_trail_has_no_faults(world, heads, files):
    append(world, "one", "two")
    head = world.read(lambda conn: heads.sign(conn, 5.0))
    append(world, "three")
    assert head.seq == 2
    assert world.read(heads.faults) == []
    assert files[0].read_text() == files[1].read_text()
    assert json.loads(files[0].read_text())["hash"] == head.hash
    assert files[0].stat().st_mode & 0o077 == 0


def test_a_head_is_signed_once(world, heads, files):
    assert world.read(lambda conn: heads.sign(conn, 1.0)) is None
    append(world, "one")
    assert world.read(lambda conn: heads.sign(conn, 2.0)) is not None
    assert world.read(lambda conn: heads.sign(conn, 3.0)) is None
    assert len(files[0].read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda rows: [{**row, "who": "bob"} for row in rows], "was changed after it was signed"),
        (lambda rows: rows[1:], "was signed and is missing"),
        (lambda rows: rows[:-1], "was signed and is missing"),
        (lambda rows: [], "was signed and is missing"),
    ],
    ids=["another person", "without the first", "without the last", "emptied"],
)
def test_a_rewritten_trail_holds_as_a_chain_and_not_against_the_heads(world, heads, change, fault):
    append(world, "one", "two", "three")
    world.read(lambda conn: heads.sign(conn, 1.0))
    rewritten(world, change)
    assert world.read(audit.broken_links) == []
    assert fault in " ".join(world.read(heads.faults))


def test_heads_of_another_key_do_not_count(world, heads, tmp_path, files):
    append(world, "one")
    other = AuditHeads(Secrets(tmp_path / "other").audit(), files[:1])
    world.read(lambda conn: other.sign(conn, 1.0))
    assert world.read(heads.faults) == [f"{files[0]}, line 1: not a head that this registry signed"]


@pytest.mark.parametrize("line", ["", "{}", "[1]", '{"seq": 1}', "x" * 10_000])
def test_a_damaged_line_is_a_fault(world, heads, files, line):
    append(world, "one")
    world.read(lambda conn: heads.sign(conn, 1.0))
    with files[0].open("a") as file:
        file.write(line + "\n")
    assert world.read(heads.faults) == [f"{files[0]}, line 2: not a head that this registry signed"]


def test_a_copy_that_lost_heads_is_a_fault_and_one_that_began_later_is_none(world, heads, files):
    append(world, "one")
    world.read(lambda conn: heads.sign(conn, 1.0))
    files[1].unlink()  # as if the second file was not set yet
    for at, action in ((2.0, "two"), (3.0, "three"), (4.0, "four")):
        append(world, action)
        world.read(lambda conn, at=at: heads.sign(conn, at))
    assert world.read(heads.faults) == []

    lines = files[0].read_text().splitlines(keepends=True)
    files[0].write_text("".join([*lines[:1], *lines[2:]]))
    assert world.read(heads.faults) == [f"{files[0]}: the signed head of entry 2 is missing"]
    files[0].unlink()
    assert world.read(heads.faults) == [f"{files[0]}: there are no signed heads"]
