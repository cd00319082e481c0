"""Quotas: which limit holds, what it counts, what the refusal says."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import QuotaExceeded
from qcrbox_registry.access.quota import Limit, QuotaHeadroom, Quotas, defaults
from qcrbox_registry.settings import Settings
from qcrbox_registry.store import quotas as stored
from qcrbox_registry.store.quotas import GIB, NewLimit
from qcrbox_registry.store.tables import loads, storage


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def limited(world):
    """`limited({("person", "ada", "running"): 3.0}, site={…})`: quotas as loaded."""

    def make(limits, site=None):
        ids = {**world.person, **world.group, "": 0}

        def write(conn):
            for (subject, name, quota), limit in limits.items():
                stored.set_limit(conn, NewLimit(subject, ids[name], quota, limit), world.person["eve"], 1.0)

        world.write(write)
        made = Quotas(site or {})
        world.read(made.load)
        return made

    return make


def use(world, subject, name, queued=0, running=0, size=0):
    ids = {**world.person, **world.group}

    def write(conn):
        key = {"subject": subject, "subject_id": ids[name]}
        conn.execute(
            sa.insert(loads).values(
                **key, application_id=world.application_id, queued=queued, running=running
            )
        )
        conn.execute(sa.insert(storage).values(**key, bytes=size))

    world.write(write)


@pytest.mark.parametrize(
    ("limits", "site", "person", "group"),
    [
        ({}, {}, None, None),
        ({}, {"running": 9.0}, 9.0, None),
        ({("default-person", "", "running"): 5.0}, {"running": 9.0}, 5.0, None),
        ({("person", "ada", "running"): 50.0, ("default-person", "", "running"): 5.0}, {}, 50.0, None),
        ({("default-group", "", "running"): 7.0}, {}, None, 7.0),
        ({("group", "crystals", "running"): 2.0, ("default-group", "", "running"): 7.0}, {}, None, 2.0),
        ({("person", "bob", "running"): 1.0, ("group", "powders", "running"): 1.0}, {}, None, None),
        ({("person", "ada", "gib"): 1.0}, {}, None, None),
        ({("person", "ada", "running"): 0.0}, {"running": 9.0}, 0.0, None),
    ],
    ids=[
        "none",
        "of the site",
        "default before the site",
        "own before default",
        "default of groups",
        "of the group",
        "of others",
        "another quota",
        "nothing at all",
    ],
)
def test_which_limit_holds(world, limited, limits, site, person, group):
    made = limited(limits, site)
    assert made.of("person", world.person["ada"], "running") == person
    assert made.of("group", world.group["crystals"], "running") == group


def test_the_stricter_limit_comes_first(world, limited):
    made = limited({("person", "ada", "running"): 9.0, ("group", "crystals", "running"): 2.0})
    found = made.limits(world.person["ada"], world.group["crystals"], "running")
    assert [(limit.subject, limit.limit) for limit in found] == [("group", 2.0), ("person", 9.0)]
    assert [limit.subject for limit in made.limits(world.person["ada"], None, "running")] == ["person"]


@pytest.mark.parametrize(
    ("now", "more", "refused"), [(0, 3, False), (2, 1, False), (3, 0, False), (3, 1, True), (2.5, 0.6, True)]
)
def test_a_limit_may_be_reached_and_not_exceeded(now, more, refused):
    limit = Limit("running", 3.0, "person", 1)
    if refused:
        with pytest.raises(QuotaExceeded):
            limit.require(now, more)
    else:
        limit.require(now, more)


@pytest.mark.parametrize(
    ("subject", "quota", "text", "advice"),
    [
        ("person", "running", "your limit of 3 running calculations", "Wait until one has ended; or an administrator can raise it."),
        ("group", "gib", "your group's limit of 3 GiB of storage", "raise the limit of the group."),
        ("person", "cpu_hours", "CPU hours (running time × processors) this month", "next month (UTC)"),
        ("person", "queued", "waiting calculations", "Wait until some have begun"),
        ("person", "sessions", "open interactive sessions", "End one that is not needed"),
    ],
)  # fmt: skip
def test_the_refusal_says_which_limit_how_much_and_who_can_raise_it(subject, quota, text, advice):
    with pytest.raises(QuotaExceeded) as refused:
        Limit(quota, 3.0, subject, 1).require(2.5, 1.0)
    error = refused.value
    assert text in error.what
    assert error.why == "2.5 are used and 1 more are asked for."
    assert advice in error.next
    assert (error.fields["limit"], error.fields["used"], error.fields["who_can_raise"]) == (
        3.0,
        2.5,
        "administrator",
    )


@pytest.mark.parametrize(
    ("quota", "used", "limit", "more", "refused"),
    [
        ("running", {"running": 2}, 3.0, 1, False),
        ("running", {"running": 3}, 3.0, 1, True),
        ("queued", {"queued": 2, "running": 9}, 3.0, 1, False),
        ("queued", {"queued": 3}, 3.0, 1, True),
        ("gib", {"size": 2 * GIB}, 3.0, 1.0, False),
        ("gib", {"size": 2 * GIB + 1}, 3.0, 1.0, True),
        ("sessions", {}, 0.0, 1, True),
        ("cpu_hours", {}, 1.0, 0.0, False),
    ],
)
def test_what_counts_is_what_is_used_now(world, limited, quota, used, limit, more, refused):
    use(world, "person", "ada", **used)
    made = limited({("person", "ada", quota): limit})

    def ask():
        world.read(lambda conn: made.require(conn, world.person["ada"], None, quota, more))

    if refused:
        with pytest.raises(QuotaExceeded):
            ask()
    else:
        ask()


def test_the_limit_of_the_home_group_holds_too(world, limited):
    use(world, "group", "crystals", running=5)
    made = limited({("group", "crystals", "running"): 5.0})
    with pytest.raises(QuotaExceeded, match="your group's limit"):
        world.read(
            lambda conn: made.require(conn, world.person["ada"], world.group["crystals"], "running", 1)
        )
    world.read(lambda conn: made.require(conn, world.person["ada"], None, "running", 1))


# ------------------------------------------------------------ while bytes arrive


def test_headroom_is_used_up_by_what_arrives(world, limited):
    use(world, "person", "ada", size=GIB)
    made = limited({("person", "ada", "gib"): 2.0})
    room = world.read(lambda conn: made.headroom(conn, world.person["ada"], None))
    room.require(GIB)
    less = room.without(GIB // 2)
    less.require(GIB // 2)
    with pytest.raises(QuotaExceeded):
        less.require(GIB // 2 + 1)
    room.require(GIB)  # the first one is unchanged


def test_without_limits_there_is_always_room():
    QuotaHeadroom().without(10**18).require(10**18)


def test_the_stricter_of_two_limits_ends_the_room():
    tight, wide = Limit("gib", 1.0, "group", 1), Limit("gib", 100.0, "person", 1)
    room = QuotaHeadroom(((tight, 0.5), (wide, 0.0)))
    with pytest.raises(QuotaExceeded, match="your group's limit of 1 GiB"):
        room.require(GIB)


# ------------------------------------------------------------ settings and what is shown


def test_settings_that_are_not_set_limit_nothing(tmp_path):
    assert defaults(Settings(data=tmp_path, auth="none", queued_limit=None)) == {}


def test_settings_that_are_set_are_the_defaults(tmp_path):
    settings = Settings(data=tmp_path, auth="none", gib_limit=1.5, running_limit=2, sessions_limit=1)
    assert defaults(settings) == {"gib": 1.5, "running": 2.0, "queued": 100_000.0, "sessions": 1.0}


def test_every_limit_that_holds_is_shown_with_its_use(world, limited, actor):
    use(world, "person", "ada", running=2, size=GIB // 2)
    use(world, "group", "crystals", running=3)
    made = limited(
        {("default-group", "", "running"): 7.0, ("group", "powders", "gib"): 9.0}, site={"gib": 1.0}
    )
    ada = actor("ada", groups=["crystals", "powders"])
    rows = world.read(lambda conn: made.shown(conn, ada))
    shown = {(row["quota"], row["subject"], row["name"]): (row["limit"], row["used"]) for row in rows}
    assert shown["gib", "person", "ada"] == (1.0, 0.5)
    assert shown["running", "person", "ada"] == (None, 2.0)
    assert shown["running", "group", "crystals"] == (7.0, 3.0)
    assert shown["running", "group", "powders"] == (7.0, 0.0)
    assert shown["gib", "group", "powders"] == (9.0, 0.0)
    assert ("gib", "group", "crystals") not in shown


@pytest.mark.parametrize("quota", ["gib", "running", "queued", "sessions", "cpu_hours"])
@pytest.mark.parametrize("subject", ["person", "group"])
def test_what_is_shown_is_what_holds(world, limited, actor, quota, subject):
    made = limited({(f"default-{subject}", "", quota): 4.0})
    ada = actor("ada", groups=["crystals"])
    rows = world.read(lambda conn: made.shown(conn, ada))
    (row,) = [row for row in rows if (row["quota"], row["subject"]) == (quota, subject)]
    subject_id = world.person["ada"] if subject == "person" else world.group["crystals"]
    assert row["limit"] == made.of(subject, subject_id, quota) == 4.0
