"""Figures for administrators against what was put in."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import contents, figures, people, sessions, trash, usage
from qcrbox_registry.store.figures import FileFilter, HolderFilter, Used
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.sessions import NewSession
from qcrbox_registry.store.tables import people as people_table
from qcrbox_registry.store.usage import Use

NOVEMBER = 1_795_000_000.0  # 2026-11-18


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def used(world, subject, *names, now=NOVEMBER):
    ids = {**world.person, **world.group}
    found = world.read(lambda conn: figures.used_by(conn, subject, [ids[name] for name in names], now))
    return [found[ids[name]] for name in names]


def test_those_who_use_nothing_are_there_with_zeros(world):
    assert used(world, "person", "ada", "bob") == [Used(), Used()]
    assert world.read(lambda conn: figures.used_by(conn, "person", [], NOVEMBER)) == {}


@pytest.mark.parametrize(("subject", "name"), [("person", "ada"), ("group", "crystals")])
def test_each_figure_is_what_was_put_in(world, subject, name):
    crystals = world.group["crystals"]
    world.dataset("ada", files=("a.cif", "b.cif"), group="crystals")
    ids = [world.start("ada", group_id=crystals) for _ in range(3)]
    world.run(ids[0])

    def write(conn):
        for one in ids[:2]:
            sessions.create(conn, NewSession(one, world.person["ada"], crystals, "olex2"), 1.0)
        sessions.close(conn, ids[:1], 2.0)
        for kind, number in (("person", world.person["ada"]), ("group", crystals)):
            usage.add(conn, [Use(kind, number, 1.0, 1.0, 7.5, "2026-11")])

    world.write(write)
    assert used(world, subject, name) == [Used(bytes=21, running=1, queued=2, sessions=1, cpu_s=7.5)]
    assert used(world, subject, name, now=NOVEMBER + 31 * 86400.0)[0].cpu_s == 0.0
    assert world.read(figures.open_sessions) == 1


def test_private_work_is_not_the_groups(world):
    world.dataset("ada")
    world.start("ada")
    assert used(world, "group", "crystals") == [Used()]


def test_names_are_those_of_present_accounts_and_the_newest_counts(world):
    def write(conn):
        newer = people.ensure_person(conn, "ada", "another account", 2.0)
        people.ensure_person(conn, "olex2", "application", 2.0, kind="application")
        conn.execute(sa.update(people_table).where(people_table.c.name == "bob").values(gone_at=5.0))
        return newer

    newer = world.write(write)
    names = ["ada", "bob", "olex2", "nobody"]
    assert world.read(lambda conn: figures.ids_of(conn, "person", names)) == {"ada": newer}
    assert world.read(lambda conn: figures.ids_of(conn, "group", ["powders", "x"])) == {
        "powders": world.group["powders"]
    }


def test_what_is_stored_counts_contents_once_and_files_each(world):
    world.dataset("ada", files=("a.cif", "b.cif"))  # contents 0 and 1 of 10 and 11 bytes
    other, _ = world.dataset("bob", files=("a.cif",), group="crystals")
    deleted, _ = world.dataset("bob", files=("c.cif", "d.cif", "e.cif"))
    world.write(lambda conn: trash.delete_dataset(conn, deleted, world.person["bob"], 5.0))
    found = world.read(lambda conn: figures.stored(conn, 10))
    assert (found.files, found.file_bytes) == (3, 31)
    assert (found.trash_files, found.trash_bytes) == (3, 33)
    assert (found.contents, found.content_bytes) == (10, sum(range(10, 20)))
    assert (found.unused_contents, found.unused_bytes) == (7, sum(range(13, 20)))
    assert [(each.subject, each.name, each.bytes) for each in found.holders] == [
        ("person", "ada", 21),
        ("group", "crystals", 10),
        ("person", "bob", 10),
    ]
    assert [(each.filename, each.size, each.owner, each.group) for each in found.largest] == [
        ("b.cif", 11, "ada", None),
        *sorted([("a.cif", 10, "ada", None), ("a.cif", 10, "bob", "crystals")], key=lambda each: each[2]),
    ]
    assert other


def test_released_and_removed_bytes_are_not_stored(world):
    deleted, _ = world.dataset("bob")

    def write(conn):
        trash.delete_dataset(conn, deleted, world.person["bob"], 5.0)
        trash.purge(conn, 6.0)
        contents.begin_removal(conn, f"{0:064x}")
        contents.end_removal(conn, f"{0:064x}")

    world.write(write)
    found = world.read(lambda conn: figures.stored(conn, 10))
    assert (found.files, found.trash_files, found.contents, found.holders) == (0, 0, 9, [])


def test_the_largest_and_fullest_are_no_more_than_asked_for(world):
    for owner in ("ada", "bob", "eve"):
        world.dataset(owner, files=("a.cif", "b.cif"))
    found = world.read(lambda conn: figures.stored(conn, 2))
    assert (len(found.holders), len(found.largest)) == (2, 2)


def test_the_account_of_an_application_is_called_one(world):
    def write(conn):
        world.person["olex2"] = people.ensure_person(conn, "olex2", "application", 2.0, kind="application")

    world.write(write)
    world.dataset("olex2", kind="example")
    (holder,) = world.read(lambda conn: figures.stored(conn, 5)).holders
    assert (holder.subject, holder.name) == ("application", "olex2")


@pytest.mark.parametrize(
    ("asked", "text", "names"),
    [
        (HolderFilter(), "", ["ada", "bob", "crystals"]),
        (HolderFilter("person"), "", ["ada", "bob"]),
        (HolderFilter("group"), "", ["crystals"]),
        (HolderFilter(gone=True), "", ["bob"]),
        (HolderFilter(), "RYST", ["crystals"]),
        (HolderFilter("group", gone=True), "", []),
    ],
    ids=str,
)
def test_holders_are_found_by_kind_name_and_whether_they_are_gone(world, asked, text, names):
    world.dataset("ada")
    world.dataset("bob")
    world.dataset("ada", group="crystals")
    gone = sa.update(people_table).where(people_table.c.name == "bob").values(gone_at=NOVEMBER)
    world.write(lambda conn: conn.execute(gone))
    found, count = world.ask(figures.holders, asked, Cut(text, sort="name"))
    assert [each.name for each in found] == names
    assert count == len(names)
    assert [each.gone_at for each in found if each.name == "bob"] in ([], [NOVEMBER])


@pytest.mark.parametrize(
    ("asked", "text", "found"),
    [
        (FileFilter(), "", [("a.cif", "ada"), ("b.hkl", "ada"), ("c.cif", "bob")]),
        (FileFilter(owner="ada"), "", [("a.cif", "ada"), ("b.hkl", "ada")]),
        (FileFilter(group="crystals"), "", [("c.cif", "bob")]),
        (FileFilter(), ".CIF", [("a.cif", "ada"), ("c.cif", "bob")]),
        (FileFilter("ada", "crystals"), "", []),
    ],
    ids=str,
)
def test_files_are_found_by_owner_group_and_name(world, asked, text, found):
    world.dataset("ada", files=("a.cif", "b.hkl"))
    world.dataset("bob", files=("c.cif",), group="crystals")
    listed, count = world.ask(figures.files, asked, Cut(text, sort="name"))
    assert [(each.filename, each.owner) for each in listed] == found
    assert count == len(found)
