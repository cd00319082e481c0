"""The message of an attempt, made from rows."""

from __future__ import annotations

import pytest
from qcrbox_registry.messaging.tokens import read_files
from qcrbox_registry.scheduler.commands import CommandMaker

NOW = 1_800_000_000.0


def made(world, ids, wall_time_s=None):
    maker = CommandMaker("http://r/internal/calculations", b"k" * 32, 3600.0, wall_time_s)
    return world.read(lambda conn: maker.make(conn, ids, NOW))


def test_a_command_names_the_attempt_its_owner_and_its_files(world):
    _, (first, second) = world.dataset(files=("model.cif", "data.hkl"))
    one = world.start(
        "bob",
        arguments={"cycles": 5},
        inputs=[("structure", first), ("reflections", second)],
        correlation_id="c-1",
    )
    world.run(one)
    command = made(world, [one])[one]
    assert (command.calculation_id, command.attempt, command.owner) == (one, 1, "bob")
    assert (command.application_slug, command.command_name, command.arguments) == (
        "practice",
        "noop",
        {"cycles": 5},
    )
    assert command.correlation_id == "c-1"
    assert sorted((file.data_file_id, file.filename, file.size) for file in command.files) == sorted(
        [(first, "model.cif", 10), (second, "data.hkl", 11)]
    )
    assert command.files_url == f"http://r/internal/calculations/{one}"


def test_the_token_opens_the_files_of_this_attempt_only(world):
    one = world.start()
    world.run(one)
    claims = read_files(b"k" * 32, made(world, [one])[one].file_token, NOW)
    assert (claims.calculation_id, claims.attempt, claims.expires) == (one, 1, NOW + 3600.0)


@pytest.mark.parametrize(
    ("interactive", "own_s", "default_s", "limit_s"),
    [
        (False, None, None, None),
        (False, None, 60.0, 60.0),
        (False, 5.0, 60.0, 5.0),
        (True, None, 60.0, None),
        (True, 5.0, 60.0, 5.0),
    ],
    ids=["none", "default", "own", "session", "session with a limit"],
)
def test_the_wall_time_is_the_commands_else_the_default_and_sessions_have_none(
    world, interactive, own_s, default_s, limit_s
):
    one = world.start(interactive=interactive, wall_time_s=own_s)
    assert made(world, [one], default_s)[one].wall_time_s == limit_s


def test_only_those_that_exist_are_made(world):
    one = world.start(force=True)
    commands = made(world, [one, "nothing"])
    assert list(commands) == [one]
    assert commands[one].force
    assert made(world, []) == {}


def test_files_are_not_mixed_up_between_calculations(world):
    _, (first,) = world.dataset()
    _, (second,) = world.dataset()
    ids = [world.start(inputs=[("structure", file)]) for file in (first, second)]
    commands = made(world, ids)
    assert [commands[each].files[0].data_file_id for each in ids] == [first, second]
