"""Registration of applications: what replaces what, what administrators keep."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.spec import Application, Command, Implementation
from qcrbox_registry.store import applications
from qcrbox_registry.store.applications import Origin
from qcrbox_registry.store.tables import commands as commands_table


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


def command(name, **more):
    return Command(name=name, implemented_as=Implementation.PYTHON, **more)


def spec(*names, **more):
    commands = [each if isinstance(each, Command) else command(each) for each in names]
    return Application(**{"name": "XTB", "slug": "xtb", "version": "6", "commands": commands, **more})


def register(world, application, now=1.0, **origin):
    return world.write(lambda conn: applications.register(conn, application, Origin(**origin), now))


def row(world, application_id):
    return next(each for each in world.read(applications.everything) if each.id == application_id)


def ids(world, application_id):
    return world.read(applications.command_ids).get(application_id, {})


def test_an_application_is_registered_once(world):
    first, changed = register(world, spec("opt"))
    assert changed
    assert register(world, spec("opt"), now=2.0) == (first, False)
    made = row(world, first)
    assert (made.slug, made.version, made.reuse, made.registered_at) == ("xtb", "6", "same-owner", 1.0)
    assert (made.approved, made.retired_at, made.restricted_to, made.warm, made.most_agents) == (
        True,
        None,
        None,
        0,
        None,
    )


def test_another_version_is_another_application(world):
    assert register(world, spec("opt"))[0] != register(world, spec("opt", version="7"))[0]


def test_a_command_keeps_its_id_while_it_keeps_its_name(world):
    one, _ = register(world, spec("opt", "md"))
    before = ids(world, one)
    register(world, spec("opt", "freq", "md", description="changed"))
    after = ids(world, one)
    assert {name: after[name] for name in before} == before
    assert set(after) == {"opt", "md", "freq"}


def test_a_command_that_is_gone_is_retired_and_comes_back_as_the_same(world):
    one, _ = register(world, spec("opt", "md"))
    before = ids(world, one)
    register(world, spec("opt"), now=5.0)
    assert set(ids(world, one)) == {"opt"}
    query = sa.select(commands_table.c.retired_at).where(commands_table.c.id == before["md"])
    assert world.read(lambda conn: conn.execute(query).scalar()) == 5.0
    register(world, spec("opt", "md"), now=6.0)
    assert ids(world, one) == before


@pytest.mark.parametrize(
    ("first", "second", "changed"),
    [
        ({"path": "/a"}, {"path": "/a"}, False),
        ({"path": "/a"}, {"path": "/b"}, True),
        ({}, {"path": "/a"}, True),
    ],
)
def test_another_path_of_the_same_spec_is_noted(world, first, second, changed):
    one, _ = register(world, spec("opt"), **first)
    assert register(world, spec("opt"), **second) == (one, changed)
    assert row(world, one).yaml_file_path == second["path"]


def test_what_an_administrator_chose_stays_when_the_spec_changes(world):
    one, _ = register(world, spec(command("opt", memory_bytes=100), reuse="any"))
    chosen = {"reuse": "never", "warm": 2, "most_agents": 3, "restricted_to": ["crystals"], "approved": False}
    world.write(lambda conn: applications.change(conn, one, chosen, 2.0))
    register(world, spec(command("opt", memory_bytes=900), "md", reuse="any"))
    made = row(world, one)
    assert {name: getattr(made, name) for name in chosen} == chosen
    assert made.limits == {"memory_bytes": 100}


@pytest.mark.parametrize("restricted", [None, [], ["crystals"]])
def test_a_restriction_is_none_empty_or_some_groups(world, restricted):
    one, _ = register(world, spec("opt"))
    world.write(lambda conn: applications.change(conn, one, {"restricted_to": ["powders"]}, 2.0))
    world.write(lambda conn: applications.change(conn, one, {"restricted_to": restricted}, 3.0))
    assert row(world, one).restricted_to == restricted
    from qcrbox_registry.store.tables import applications as table

    query = sa.select(table.c.id).where(table.c.id == one, table.c.restricted_to.is_(None))
    assert bool(world.read(lambda conn: conn.execute(query).first())) is (restricted is None)


@pytest.mark.parametrize(
    ("commands", "limits"),
    [
        ([command("a")], {}),
        (
            [command("a", memory_bytes=100), command("b", memory_bytes=300), command("c")],
            {"memory_bytes": 300},
        ),
        ([command("a", cpus=2), command("b", cpus=1, memory_bytes=5)], {"cpus": 2, "memory_bytes": 5}),
    ],
    ids=["none", "memory", "both"],
)
def test_an_agent_may_use_what_its_largest_command_needs(world, commands, limits):
    one, _ = register(world, spec(*commands))
    assert row(world, one).limits == limits


def test_a_retired_application_comes_back(world):
    one, _ = register(world, spec("opt"))
    for at in (5.0, None):
        world.write(lambda conn, at=at: applications.retire(conn, one, at))
        assert row(world, one).retired_at == at
    (scheduled,) = [each for each in world.read(applications.scheduled) if each.id == one]
    assert (scheduled.slug, scheduled.retired_at, scheduled.approved) == ("xtb", None, True)


def test_slugs_of_known_applications(world):
    one, _ = register(world, spec("opt"))
    assert world.read(lambda conn: applications.slugs_of(conn, [one, 999])) == {one: "xtb"}
    assert world.read(lambda conn: applications.slugs_of(conn, [])) == {}


def test_dois_and_notes_are_kept_as_text(world):
    one, _ = register(world, spec("opt", doi=["10.1/a", "10.1/b"], notes=["guessed"]))
    made = row(world, one)
    assert made.notes == ["guessed"]
    assert made.spec["doi"] == ["10.1/a", "10.1/b"]
