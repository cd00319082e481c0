"""Decisions about data of deleted groups and accounts, and their undo."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox_registry.store import calculations, datasets, events, orphaned_data, quotas, trash
from qcrbox_registry.store.orphaned_data import DECISIONS, Decision, Subject
from qcrbox_registry.store.quotas import GIB
from qcrbox_registry.store.tables import calculations as calculations_table
from qcrbox_registry.store.tables import groups, people

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def gone(world):
    """The group `crystals` and the account `ada` are deleted."""

    def mark(conn):
        conn.execute(sa.update(groups).where(groups.c.name == "crystals").values(gone_at=5.0))
        conn.execute(sa.update(people).where(people.c.name == "ada").values(gone_at=7.0))

    world.write(mark)
    return world


def subject(world, kind="group"):
    name = "crystals" if kind == "group" else "ada"
    ids = world.group if kind == "group" else world.person
    return world.read(lambda conn: orphaned_data.find_subject(conn, kind, ids[name]))


def decide(world, kind, decision, to=None, now=NOW):
    to_id = {**world.person, **world.group}[to] if to else None
    asked = Decision(decision, world.person["eve"], to_id, "why")
    of = subject(world, kind)
    return world.write(lambda conn: orphaned_data.decide(conn, of, asked, now))


def undo(world, decided, now=NOW + 1):
    return world.write(lambda conn: orphaned_data.undo(conn, decided.id, now))


def ended(world, owner="ada", **more):
    calculation_id = world.start(owner, **more)
    world.write(
        lambda conn: conn.execute(
            sa.update(calculations_table)
            .where(calculations_table.c.id == calculation_id)
            .values(finished_at=3.0, state="successful")
        )
    )
    return calculation_id


def alone(world, owner="ada", group=None, number=5):
    """A file without a dataset."""
    file = datasets.NewFile("alone.cif", f"{number:064x}", 10 + number)
    place = datasets.Place(world.person[owner], world.group.get(group))
    world.write(lambda conn: datasets.add_files(conn, [file], place))
    return file.id


def whose(world, get, object_id, **more):
    row = world.read(lambda conn: get(conn, object_id, **more))
    names = {number: name for name, number in world.group.items()}
    return row.owner, names.get(row.group_id)


def stored(world, kind, name):
    ids = {**world.person, **world.group}
    return round(world.read(lambda conn: quotas.used(conn, kind, ids[name], "gib")) * GIB)


# ------------------------------------------------------------ what waits


@pytest.mark.parametrize("kind", ["group", "person"])
def test_only_what_is_deleted_is_a_subject(world, kind):
    for number in (world.group["powders"] if kind == "group" else world.person["bob"], 999):
        with pytest.raises(NotFound, match=f"There is no deleted {kind} {number}"):
            world.read(lambda conn, number=number: orphaned_data.find_subject(conn, kind, number))


def test_the_list_counts_what_waits_of_the_longest_gone_first(gone):
    gone.dataset("bob", files=("a.cif", "b.cif"), group="crystals")
    ended(gone, "bob", group_id=gone.group["crystals"])
    gone.start("bob", group_id=gone.group["crystals"])  # runs: belongs to the group until its end
    gone.dataset("ada", files=("c.cif",))
    alone(gone)
    gone.dataset("bob")
    group, person = gone.read(orphaned_data.listed)
    assert group.subject == Subject("group", gone.group["crystals"], "crystals", 5.0)
    assert group.counts == {"datasets": 1, "data_files": 2, "calculations": 1, "bytes": 21}
    assert person.subject.name == "ada"
    assert person.counts == {"datasets": 1, "data_files": 2, "calculations": 0, "bytes": 25}
    assert (group.decision, person.decision) == (None, None)


def test_what_is_in_the_trash_does_not_wait(gone):
    dataset, _ = gone.dataset("bob", group="crystals")
    gone.write(lambda conn: trash.delete_dataset(conn, dataset, gone.person["bob"], 9.0))
    assert gone.read(orphaned_data.listed) == []


def test_private_data_of_a_member_is_not_the_groups(gone):
    gone.dataset("bob")
    assert gone.read(orphaned_data.listed) == []


# ------------------------------------------------------------ decisions


@pytest.mark.parametrize(
    ("kind", "decision"), [("group", "person"), ("person", "owners"), ("group", "burn"), ("person", "")]
)
def test_a_decision_that_makes_no_sense_is_refused_and_names_the_others(gone, kind, decision):
    with pytest.raises(UserInputError) as refused:
        decide(gone, kind, decision)
    assert f"{decision!r} cannot be decided for the data of a {kind}." in refused.value.what
    assert refused.value.next == f"Possible: {', '.join(sorted(DECISIONS[kind]))}."
    assert gone.read(orphaned_data.decisions) == []


def test_archived_data_stays_as_it_is(gone):
    dataset, _ = gone.dataset("bob", group="crystals")
    done = decide(gone, "group", "archive")
    assert (done.counts["datasets"], done.events) == (1, [])
    assert whose(gone, datasets.get, dataset) == ("bob", "crystals")
    (left,) = gone.read(orphaned_data.listed)
    assert left.decision == "archive"


def test_data_handed_to_a_group_keeps_its_owners(gone):
    dataset, (file,) = gone.dataset("bob", group="crystals")
    lone = alone(gone, "bob", "crystals")
    calculation = ended(gone, "bob", group_id=gone.group["crystals"])
    done = decide(gone, "group", "group", "powders")
    assert done.counts == {"dataset": 1, "data_file": 1, "calculation": 1}
    assert whose(gone, datasets.get, dataset) == ("bob", "powders")
    assert whose(gone, datasets.get_file, file) == whose(gone, datasets.get_file, lone) == ("bob", "powders")
    assert whose(gone, calculations.get, calculation) == ("bob", "powders")
    assert {event.kind for event in done.events} == {"dataset", "data_file", "handover"}
    assert all(event.group_id == gone.group["powders"] and event.seq for event in done.events)


def test_data_given_back_to_its_owners_is_private(gone):
    dataset, (file,) = gone.dataset("bob", group="crystals")
    decide(gone, "group", "owners")
    assert whose(gone, datasets.get, dataset) == whose(gone, datasets.get_file, file) == ("bob", None)


def test_private_data_handed_to_a_person_is_theirs(gone):
    dataset, (file,) = gone.dataset("ada")
    lone, calculation = alone(gone), ended(gone)
    decide(gone, "person", "person", "bob")
    assert whose(gone, datasets.get, dataset) == ("bob", None)
    assert whose(gone, datasets.get_file, file) == whose(gone, datasets.get_file, lone) == ("bob", None)
    assert whose(gone, calculations.get, calculation) == ("bob", None)


def test_data_of_the_persons_groups_is_not_handed_over(gone):
    dataset, _ = gone.dataset("ada", group="powders")
    decide(gone, "person", "person", "bob")
    assert whose(gone, datasets.get, dataset) == ("ada", "powders")


@pytest.mark.parametrize(("kind", "group"), [("group", "crystals"), ("person", None)])
def test_deleted_data_goes_into_the_trash_and_records_stay(gone, kind, group):
    dataset, (file,) = gone.dataset("ada", group=group)
    lone, calculation = alone(gone, "ada", group), ended(gone, group_id=gone.group.get(group))
    done = decide(gone, kind, "delete")
    assert done.counts == {"dataset": 1, "data_file": 1}
    assert {event.status for event in done.events} == {"deleted"}
    for get, object_id in ((datasets.get, dataset), (datasets.get_file, file), (datasets.get_file, lone)):
        assert gone.read(lambda conn, get=get, i=object_id: get(conn, i, deleted=True)).deleted_at == NOW
    assert gone.read(lambda conn: calculations.get(conn, calculation)).state == "successful"


def test_the_same_decision_again_finds_nothing_to_do(gone):
    gone.dataset("bob", group="crystals")
    decide(gone, "group", "owners")
    again = decide(gone, "group", "owners")
    assert (sum(again.counts.values()), again.events) == (0, [])


def test_bytes_move_with_the_data(gone):
    gone.dataset("ada", files=("a.cif", "b.cif"))
    alone(gone)
    assert (stored(gone, "person", "ada"), stored(gone, "person", "bob")) == (36, 0)
    done = decide(gone, "person", "person", "bob")
    assert (stored(gone, "person", "ada"), stored(gone, "person", "bob")) == (0, 36)
    undo(gone, done)
    assert (stored(gone, "person", "ada"), stored(gone, "person", "bob")) == (36, 0)


def test_a_decision_is_kept_with_who_and_why(gone):
    done = decide(gone, "group", "group", "powders")
    (row,) = gone.read(orphaned_data.decisions)
    assert (row.id, row.by, row.reason, row.to_id) == (done.id, "eve", "why", gone.group["powders"])
    assert (row.at, row.undone_at) == (NOW, None)


def test_the_newest_decisions_come_first_up_to_the_limit(gone):
    made = [decide(gone, "group", "archive", now=NOW + i).id for i in range(3)]
    rows = gone.read(lambda conn: orphaned_data.decisions(conn, 2))
    assert [row.id for row in rows] == made[:0:-1]


# ------------------------------------------------------------ undo


@pytest.mark.parametrize(
    ("kind", "decision", "to", "group"),
    [
        ("group", "group", "powders", "crystals"),
        ("group", "owners", None, "crystals"),
        ("group", "delete", None, "crystals"),
        ("person", "person", "bob", None),
        ("person", "group", "powders", None),
        ("person", "delete", None, None),
    ],
)
def test_an_undo_puts_everything_back(gone, kind, decision, to, group):
    dataset, (file, _) = gone.dataset("ada", files=("a.cif", "b.cif"), group=group)
    lone, calculation = alone(gone, "ada", group), ended(gone, group_id=gone.group.get(group))
    before = stored(gone, "person", "ada")
    done = decide(gone, kind, decision, to)
    back = undo(gone, done)
    assert back.count == (2 if decision == "delete" else 3)
    for get, object_id in (
        (datasets.get, dataset),
        (datasets.get_file, file),
        (datasets.get_file, lone),
        (calculations.get, calculation),
    ):
        assert whose(gone, get, object_id) == ("ada", group)
    assert stored(gone, "person", "ada") == before
    (row,) = gone.read(orphaned_data.decisions)
    assert row.undone_at == NOW + 1
    assert {each.decision for each in gone.read(orphaned_data.listed)} == {None}


def test_a_second_undo_does_nothing(gone):
    gone.dataset("bob", group="crystals")
    done = decide(gone, "group", "owners")
    undo(gone, done)
    again = undo(gone, done, NOW + 5)
    assert (again.count, again.events) == (0, [])
    assert gone.read(orphaned_data.decisions)[0].undone_at == NOW + 1


def test_an_unknown_decision_cannot_be_undone(gone):
    with pytest.raises(NotFound, match="There is no decision 'nothing'"):
        gone.write(lambda conn: orphaned_data.undo(conn, "nothing", NOW))


def test_what_was_changed_since_stays(gone):
    moved, _ = gone.dataset("bob", group="crystals")
    other, _ = gone.dataset("bob", group="crystals")
    done = decide(gone, "group", "owners")
    gone.write(lambda conn: datasets.change(conn, moved, {"group_id": gone.group["powders"]}, NOW))
    assert undo(gone, done).count == 1
    assert whose(gone, datasets.get, moved) == ("bob", "powders")
    assert whose(gone, datasets.get, other) == ("bob", "crystals")


def test_what_was_restored_by_hand_is_not_put_back_again(gone):
    dataset, _ = gone.dataset("bob", group="crystals")
    done = decide(gone, "group", "delete")
    gone.write(lambda conn: trash.restore_dataset(conn, dataset, NOW))
    assert undo(gone, done).count == 0


@pytest.mark.parametrize("what", ["dataset", "file"])
def test_one_whose_bytes_are_gone_does_not_keep_the_others_from_coming_back(gone, what):
    dataset, _ = gone.dataset("bob", group="crystals")
    lone = alone(gone, "bob", "crystals")
    done = decide(gone, "group", "delete")
    back, lost = (lone, dataset) if what == "dataset" else (dataset, lone)
    restore = trash.restore_file if what == "dataset" else trash.restore_dataset

    def purge_one(conn):
        restore(conn, back, NOW)
        trash.purge(conn, NOW + 0.5)
        delete = trash.delete_file if what == "dataset" else trash.delete_dataset
        delete(conn, back, gone.person["eve"], NOW)

    gone.write(purge_one)
    assert undo(gone, done).count == 1
    get, get_lost = datasets.get, datasets.get_file
    if what == "dataset":
        get, get_lost = get_lost, get
    assert gone.read(lambda conn: get(conn, back)).deleted_at is None
    assert gone.read(lambda conn: get_lost(conn, lost, deleted=True)).deleted_at == NOW


@pytest.mark.parametrize("what", ["dataset", "file"])
def test_what_was_deleted_since_goes_back_in_the_trash_it_is_in(gone, what):
    """Its new owner deleted it; the undo gives it back to the old one, who can restore it."""
    dataset, _ = gone.dataset("ada")
    lone = alone(gone)
    done = decide(gone, "person", "person", "bob")
    delete, restore, object_id, get = (
        (trash.delete_dataset, trash.restore_dataset, dataset, datasets.get)
        if what == "dataset"
        else (trash.delete_file, trash.restore_file, lone, datasets.get_file)
    )
    gone.write(lambda conn: delete(conn, object_id, gone.person["bob"], NOW + 0.5))
    assert undo(gone, done).count == 2
    assert (stored(gone, "person", "ada") > 0, stored(gone, "person", "bob")) == (True, 0)
    gone.write(lambda conn: restore(conn, object_id, NOW + 2))
    assert whose(gone, get, object_id) == ("ada", None)
    assert stored(gone, "person", "ada") == 25


def test_an_undo_tells_the_subscribers(gone):
    dataset, _ = gone.dataset("bob", group="crystals")
    back = undo(gone, decide(gone, "group", "delete"))
    assert [(event.kind, event.object_id, event.status) for event in back.events] == [
        ("dataset", dataset, "restored")
    ]
    assert gone.read(lambda conn: events.newest(conn)) == back.events[-1].seq
