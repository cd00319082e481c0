"""Accounts and groups of the hub as rows: made once, marked when they are gone, never mixed up."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox_registry.store import people
from qcrbox_registry.store.people import HubAccounts
from qcrbox_registry.store.tables import groups as groups_table
from qcrbox_registry.store.tables import people as table

NOW = 2_000_000_000.0  # 2033-05-18


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def ensure(world, name, stable_id="s", now=1.0, **more):
    return world.write(lambda conn: people.ensure_person(conn, name, stable_id, now, **more))


def row(world, person_id):
    return world.read(lambda conn: conn.execute(sa.select(table).where(table.c.id == person_id)).one())


def depart(world, groups=("crystals", "powders"), accounts=None, asked_at=NOW, now=NOW):
    known = {"ada": "ada", "bob": "bob", "eve": "eve"} if accounts is None else accounts
    hub = HubAccounts(frozenset(groups), known, asked_at)
    return [(gone.kind, gone.name) for gone in world.write(lambda conn: people.mark_departed(conn, hub, now))]


def test_an_account_is_written_once_and_seen_again(world):
    first = ensure(world, "cyd", now=1.0)
    assert ensure(world, "cyd", now=9.0) == first
    assert (row(world, first).created_at, row(world, first).last_seen_at) == (1.0, 9.0)


def test_the_same_name_with_another_stable_id_is_another_person(world):
    assert ensure(world, "cyd", "2026") != ensure(world, "cyd", "2027")


def test_an_account_that_signs_in_again_is_not_gone(world):
    one = ensure(world, "cyd")
    world.write(lambda conn: conn.execute(sa.update(table).where(table.c.id == one).values(gone_at=5.0)))
    ensure(world, "cyd")
    assert row(world, one).gone_at is None


def test_groups_are_written_once(world):
    first = world.write(lambda conn: people.ensure_groups(conn, ["x", "y", "x"], 1.0))
    again = world.write(lambda conn: people.ensure_groups(conn, ["y", "z"], 2.0))
    assert first["y"] == again["y"]
    assert set(world.read(people.group_ids)) == {"crystals", "powders", "x", "y", "z"}
    assert world.write(lambda conn: people.ensure_groups(conn, [], 2.0)) == {}


def test_names_of_groups_skip_what_is_none_or_unknown(world):
    crystals = world.group["crystals"]
    assert world.read(lambda conn: people.names_of_groups(conn, [crystals, None, 999, crystals])) == {
        crystals: "crystals"
    }
    assert world.read(lambda conn: people.names_of_groups(conn, [None])) == {}


def test_a_person_is_found_by_name_and_the_newest_account_counts(world):
    ensure(world, "cyd", "2026")
    newer = ensure(world, "cyd", "2027")
    assert world.read(lambda conn: people.find_person(conn, "cyd")) == newer
    assert len(world.read(lambda conn: list(conn.execute(people.named("cyd"))))) == 2


@pytest.mark.parametrize(
    ("known", "stated", "same"),
    [("monday", "monday", True), ("hub", "monday", True), ("monday", "", True), ("monday", "tuesday", False)],
    ids=["as known", "time was unknown", "time is unknown", "made anew"],
)
def test_an_account_is_introduced_once_and_a_new_one_of_the_name_is_another(world, known, stated, same):
    first = ensure(world, "cyd", known)
    for _ in range(2):
        world.write(lambda conn: people.introduce_person(conn, "cyd", stated, 9.0))
    found = world.read(lambda conn: people.find_person(conn, "cyd"))
    assert (found == first) is same
    assert world.read(lambda conn: people.last_seen(conn, [found])) == ({first: 1.0} if same else {})
    if not same:
        assert world.write(lambda conn: people.ensure_person(conn, "cyd", stated, 10.0)) == found


@pytest.mark.parametrize("why", ["unknown", "gone", "an application"])
def test_a_person_that_is_not_there_is_not_found(world, why):
    if why != "unknown":
        one = ensure(world, "cyd", kind="application" if why == "an application" else "person")
        if why == "gone":
            world.write(
                lambda conn: conn.execute(sa.update(table).where(table.c.id == one).values(gone_at=5.0))
            )
    with pytest.raises(NotFound, match="There is no person 'cyd'") as missing:
        world.read(lambda conn: people.find_person(conn, "cyd"))
    assert missing.value.next == "Check the spelling. Accounts of the hub have this name there."


def test_a_group_is_found_while_it_is_there(world):
    assert world.read(lambda conn: people.find_group(conn, "crystals")) == world.group["crystals"]
    depart(world, groups=["powders"])
    with pytest.raises(NotFound, match="There is no group 'crystals'"):
        world.read(lambda conn: people.find_group(conn, "crystals"))


def test_the_group_used_last_is_remembered(world):
    ada = world.person["ada"]
    assert world.read(lambda conn: people.last_group(conn, ada)) is None
    for group_id in (world.group["crystals"], None, world.group["powders"]):
        world.write(lambda conn, group_id=group_id: people.remember_group(conn, ada, group_id))
        assert world.read(lambda conn: people.last_group(conn, ada)) == group_id
    assert world.read(lambda conn: people.last_group(conn, world.person["bob"])) is None


# ------------------------------------------------------------ what the hub no longer has


def test_what_the_hub_has_stays(world):
    assert depart(world) == []


def test_a_deleted_group_frees_its_name(world):
    old = world.group["crystals"]
    assert depart(world, groups=["powders"]) == [("group", f"crystals (deleted 2033-05-18, {old})")]
    assert depart(world, groups=["powders"]) == []
    new = world.write(lambda conn: people.ensure_groups(conn, ["crystals"], NOW + 1))["crystals"]
    assert new != old


def test_a_long_name_leaves_room_for_the_mark(world):
    world.write(lambda conn: people.ensure_groups(conn, ["x" * 255], 1.0))
    ((_, name),) = depart(world)
    assert name.startswith("x" * 200 + " (deleted")
    assert len(name) <= 255


@pytest.mark.parametrize(
    ("stable_id", "of_hub", "gone"),
    [
        ("2026", "2026", False),
        ("2026", "2027", True),  # deleted, and another account made under the name
        ("2026", "", False),  # the hub does not say
        ("2026", None, True),
        ("hub", "2027", False),  # it was not known when the account came in
        ("hub", None, True),
        ("local", None, False),
        ("service", None, False),
    ],
)
def test_an_account_is_gone_when_the_hub_has_no_such_account(world, stable_id, of_hub, gone):
    accounts = {"ada": "ada", "bob": "bob", "eve": "eve"} | ({} if of_hub is None else {"cyd": of_hub})
    one = ensure(world, "cyd", stable_id)
    assert depart(world, accounts=accounts) == ([("person", "cyd")] if gone else [])
    assert (row(world, one).gone_at is not None) is gone
    assert depart(world, accounts=accounts) == []


def test_an_account_that_is_back_is_not_gone_any_more(world):
    one = ensure(world, "cyd", "2026")
    known = {"ada": "ada", "bob": "bob", "eve": "eve"}
    depart(world, accounts=known)
    assert depart(world, accounts={**known, "cyd": "2026"}) == []
    assert row(world, one).gone_at is None


def test_accounts_of_applications_are_not_of_the_hub(world):
    ensure(world, "olex2", "application", kind="application")
    assert depart(world) == []


@pytest.mark.parametrize("what", ["group", "person"])
def test_what_was_made_after_the_hub_answered_is_left_alone(world, what):
    if what == "group":
        world.write(lambda conn: people.ensure_groups(conn, ["new"], NOW))
    else:
        ensure(world, "cyd", "2033", now=NOW)
    assert depart(world, asked_at=NOW - 1) == []
    assert len(depart(world, asked_at=NOW + 1)) == 1


def test_a_group_is_marked_with_the_day_in_utc(world):
    (mark,) = depart(world, groups=["powders"], now=1_735_689_599.0, asked_at=NOW)  # 2024-12-31 23:59:59
    assert "deleted 2024-12-31" in mark[1]
    gone = world.read(lambda conn: conn.execute(sa.select(groups_table.c.gone_at)).scalars().all())
    assert 1_735_689_599.0 in gone


def follow(world, **accounts):
    hub = HubAccounts(frozenset(), accounts, NOW)
    return world.write(lambda conn: people.follow_renames(conn, hub))


def test_a_renamed_account_keeps_its_row(world):
    one = ensure(world, "cyd", "2026-11-29T10:00:00.000001Z")
    assert world.read(lambda conn: people.may_be_renamed(conn, "cydney", "2026-11-29T10:00:00.000001Z"))
    assert follow(world, cydney="2026-11-29T10:00:00.000001Z") == [("cyd", "cydney")]
    assert ensure(world, "cydney", "2026-11-29T10:00:00.000001Z") == one


def test_an_account_that_is_noted_as_gone_comes_back_under_its_new_name(world):
    one = ensure(world, "cyd", "t")
    world.write(lambda conn: conn.execute(sa.update(table).where(table.c.id == one).values(gone_at=5.0)))
    follow(world, cydney="t")
    assert (row(world, one).name, row(world, one).gone_at) == ("cydney", None)


@pytest.mark.parametrize(
    "accounts",
    [{"cyd": "t", "eva": "t"}, {"eva": "t", "eve": "t"}, {"cydney": ""}, {"cyd": "t"}, {"cyd": "later"}],
    ids=["both are there", "two new ones", "time unknown", "as before", "made anew"],
)
def test_no_account_is_taken_for_another(world, accounts):
    one = ensure(world, "cyd", "t")
    assert follow(world, **accounts) == []
    assert row(world, one).name == "cyd"


def test_two_rows_of_one_time_stay_apart(world):
    ensure(world, "cyd", "t")
    ensure(world, "dan", "t")
    assert follow(world, eva="t") == []
