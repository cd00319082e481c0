"""Contents by hash: counted references, and removal that never takes what is needed."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox_registry.store import contents
from qcrbox_registry.store.contents import ORPHAN_AGE_S
from qcrbox_registry.store.tables import data_files, file_contents

NEW = "f" * 64


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def row(world, sha256=NEW):
    query = sa.select(file_contents).where(file_contents.c.sha256 == sha256)
    return world.read(lambda conn: conn.execute(query).one())


def test_new_contents_have_no_earlier_state(world):
    assert world.do(contents.add, NEW, 7, 1.0) is None
    assert (row(world).size, row(world).refcount, row(world).state) == (7, 0, "stored")
    assert world.read(lambda conn: contents.size_of(conn, NEW)) == 7


@pytest.mark.parametrize("state", ["stored", "damaged", "removing", "removed"])
def test_contents_that_come_again_tell_their_earlier_state(world, state):
    world.do(contents.add, NEW, 7, 1.0)
    world.write(
        lambda conn: conn.execute(
            sa.update(file_contents).where(file_contents.c.sha256 == NEW).values(state=state)
        )
    )
    assert world.do(contents.add, NEW, 7, 9.0, references=2) == state
    assert (row(world).state, row(world).refcount, row(world).created_at) == ("stored", 2, 9.0)


def test_references_add_up_in_both_directions(world):
    world.do(contents.add, NEW, 7, 1.0, references=1)
    world.do(contents.refer, {NEW: 3, f"{0:064x}": 0})
    world.do(contents.refer, {NEW: -2})
    world.do(contents.refer, {})
    assert row(world).refcount == 2


@pytest.mark.parametrize(
    ("age_s", "references", "state", "found"),
    [
        (ORPHAN_AGE_S + 1, 0, "stored", True),
        (ORPHAN_AGE_S + 1, 0, "damaged", True),
        (ORPHAN_AGE_S + 1, 0, "removing", True),  # a removal that was cut off
        (ORPHAN_AGE_S + 1, 0, "removed", False),
        (ORPHAN_AGE_S + 1, 1, "stored", False),
        (ORPHAN_AGE_S - 1, 0, "stored", False),
    ],
)
def test_what_nothing_has_pointed_to_for_a_day_is_unused(world, age_s, references, state, found):
    world.do(contents.add, NEW, 7, 1e9 - age_s, references=references)
    world.write(
        lambda conn: conn.execute(
            sa.update(file_contents).where(file_contents.c.sha256 == NEW).values(state=state)
        )
    )
    assert (NEW in world.read(lambda conn: contents.unused(conn, 1e9))) is found


def test_a_removal_takes_two_steps(world):
    world.do(contents.add, NEW, 7, 1.0)
    assert world.do(contents.begin_removal, NEW) is True
    assert row(world).state == "removing"
    world.do(contents.end_removal, NEW)
    assert row(world).state == "removed"
    assert NEW not in {each.sha256 for each in world.read(contents.known)}


def test_what_is_pointed_to_is_not_removed(world):
    world.do(contents.add, NEW, 7, 1.0, references=1)
    assert world.do(contents.begin_removal, NEW) is False
    assert world.do(contents.begin_removal, "0" * 63 + "x") is False
    assert row(world).state == "stored"


def test_what_came_again_during_its_removal_stays(world):
    world.do(contents.add, NEW, 7, 1.0)
    world.do(contents.begin_removal, NEW)
    world.do(contents.add, NEW, 7, 2.0)
    world.do(contents.end_removal, NEW)
    assert row(world).state == "stored"


@pytest.mark.parametrize(("sound", "state"), [(True, "stored"), (False, "damaged")])
def test_the_outcome_of_a_check_is_kept(world, sound, state):
    world.do(contents.add, NEW, 7, 1.0)
    world.do(contents.mark, NEW, sound=sound, now=5.0)
    assert (row(world).state, row(world).checked_at) == (state, 5.0)


@pytest.mark.parametrize("sound", [True, False])
def test_a_check_that_crosses_a_removal_does_not_bring_the_bytes_back(world, sound):
    """Else the next upload of these bytes would trust that they are there."""
    world.do(contents.add, NEW, 7, 1.0)
    world.do(contents.begin_removal, NEW)
    world.do(contents.mark, NEW, sound=sound, now=5.0)
    world.do(contents.end_removal, NEW)
    world.do(contents.mark, NEW, sound=sound, now=6.0)
    assert row(world).state == "removed"


def test_all_contents_are_walked_page_by_page(world):
    seen, after = [], ""
    while page := world.read(lambda conn, after=after: contents.known(conn, after, limit=3)):
        seen += [each.sha256 for each in page]
        after = page[-1].sha256
    assert seen == [f"{i:064x}" for i in range(10)]


def test_wrong_counts_are_found_in_both_directions(world):
    world.dataset(files=("a.cif", "b.cif"))
    assert world.read(contents.faulty_references) == []
    world.do(contents.refer, {f"{0:064x}": 1, f"{1:064x}": -1, f"{9:064x}": 2})
    assert sorted(world.read(contents.faulty_references)) == [
        f"{0:064x}: counted 2, used 1 times",
        f"{1:064x}: counted 0, used 1 times",
        f"{9:064x}: counted 2, used 0 times",
    ]


def test_a_unified_form_counts_as_a_use(world):
    _, (one,) = world.dataset(files=("a.cif",))
    world.write(
        lambda conn: conn.execute(
            sa.update(data_files).where(data_files.c.id == one).values(unified_sha256=f"{4:064x}")
        )
    )
    assert world.read(contents.faulty_references) == [f"{4:064x}: counted 0, used 1 times"]
