"""From a request to waiting calculations: limits that hold for requests of one moment, files, groups, keys."""

from __future__ import annotations

import asyncio
import threading

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound, QuotaExceeded, UserInputError
from qcrbox.contract.models import StartSession, SubmitCommand
from qcrbox_registry.services.submission import Submission, SubmissionService
from qcrbox_registry.store import calculations, people, sessions, shares, tags, trash
from qcrbox_registry.store.tables import calculations as table


@pytest.fixture
def service(context, catalogue):
    return SubmissionService(context)


def command(name="noop", **more):
    arguments = more.pop("arguments", {})
    return SubmitCommand(
        application_slug="practice",
        application_version=more.pop("version", "1"),
        command_name=name,
        command_arguments=arguments,
        **more,
    )


def window(**more):
    return StartSession(application_slug="practice", application_version="1", command_arguments={}, **more)


def reading(file_id, **more):
    return command("read", arguments={"structure": {"data_file_id": file_id}}, **more)


async def at_once(service, submissions):
    """The answers to all of these, which wait for the writer at the same moment."""
    db, begun, gate = service._context.db, threading.Event(), threading.Event()

    def hold(conn):
        begun.set()
        gate.wait(30)

    busy = asyncio.ensure_future(db.write(hold))
    await asyncio.to_thread(begun.wait, 30)  # the writer would take what comes earlier into the same batch
    asked = [asyncio.ensure_future(service.submit(each)) for each in submissions]
    while db.waiting < len(submissions) and not any(each.done() for each in asked):
        await asyncio.sleep(0)
    gate.set()
    await busy
    return await asyncio.gather(*asked, return_exceptions=True)


async def written(world, service, actor, body):
    """The row of the calculation."""
    accepted = await service.submit(Submission(actor, [body]))
    query = sa.select(table).where(table.c.id == accepted.ids[0])
    return world.ask(lambda conn: conn.execute(query).one())


# ---------------------------------------------------------------- limits


@pytest.mark.parametrize("whose", ["person", "group"])
@pytest.mark.parametrize(
    ("quota", "body"), [("queued", command), ("sessions", window)], ids=["queued", "sessions"]
)
async def test_requests_of_one_moment_keep_to_the_limit_together(service, ada, limit, whose, quota, body):
    limit(whose, {"person": "ada", "group": "crystals"}[whose], quota, 2)
    answers = await at_once(service, [Submission(ada, [body(group="crystals")]) for _ in range(5)])
    refused = [each for each in answers if isinstance(each, QuotaExceeded)]
    assert (len(answers) - len(refused), len(refused)) == (2, 3)
    assert {each.fields["quota"] for each in refused} == {quota}


async def test_what_was_refused_takes_no_place_of_the_next(service, ada, limit):
    limit("person", "ada", "queued", 2)
    three = Submission(ada, [command()] * 3, is_batch=True)
    answers = await at_once(service, [three, Submission(ada, [command()]), Submission(ada, [command()])])
    assert [isinstance(each, QuotaExceeded) for each in answers] == [True, False, False]


@pytest.mark.parametrize(("number", "is_taken"), [(2, True), (3, False)])
async def test_a_batch_is_taken_as_a_whole_or_not_at_all(world, service, ada, limit, number, is_taken):
    limit("person", "ada", "queued", 2)
    batch = Submission(ada, [command()] * number, is_batch=True)
    if is_taken:
        accepted = await service.submit(batch)
        assert world.ask(calculations.unfinished_of, accepted.batch_id) == sorted(accepted.ids)
    else:
        with pytest.raises(QuotaExceeded):
            await service.submit(batch)
        assert world.ask(calculations.unfinished_of_person, owner_id=world.person["ada"]) == []


async def test_spent_processor_time_refuses_whatever_is_asked(service, ada, limit):
    limit("person", "ada", "cpu_hours", -1)
    with pytest.raises(QuotaExceeded, match="CPU hours"):
        await service.submit(Submission(ada, [command()]))


# ---------------------------------------------------------------- which application


@pytest.mark.parametrize(
    ("body", "refusal", "words"),
    [
        (command(version="2"), NotFound, "no application 'practice' in version '2'"),
        (command("none"), NotFound, "no command 'none'"),
        (command("__init__"), NotFound, "no command '__init__'"),
        (command(arguments={"y": 1}), UserInputError, "y"),
        (command(arguments={"x": "many"}), UserInputError, "x"),
        (command(group="powders"), UserInputError, "not in a group 'powders'"),
        (window(command_name="noop"), UserInputError, "noop is not an interactive command"),
    ],
    ids=["version", "command", "dunder", "parameter", "value", "group", "no session"],
)
async def test_what_cannot_run_is_refused_before_it_is_written(world, service, ada, body, refusal, words):
    with pytest.raises(refusal, match=words):
        await service.submit(Submission(ada, [command(), body], is_batch=True))
    assert world.ask(calculations.unfinished_of_person, owner_id=world.person["ada"]) == []


async def test_an_older_version_is_replaced_by_the_one_that_stands_for_it(world, service, ada):
    assert (await written(world, service, ada, command(version="0.9"))).application_version == "1"


@pytest.mark.parametrize(
    ("absent", "is_refused"),
    [({"": "No launcher has it."}, True), ({"noop": "No licence."}, True), ({"read": "x"}, False)],
)
async def test_a_command_that_no_machine_has_is_not_left_to_wait(context, service, ada, absent, is_refused):
    context.scheduler.absent = absent
    if not is_refused:
        assert (await service.submit(Submission(ada, [command()]))).ids
        return
    with pytest.raises(Conflict, match="cannot run noop here") as refused:
        await service.submit(Submission(ada, [command()]))
    assert refused.value.why == next(iter(absent.values()))


# ---------------------------------------------------------------- what a student may ask for


@pytest.mark.parametrize(("is_admin", "asked", "given"), [(False, 10, 0), (False, -5, -5), (True, 10, 10)])
async def test_nobody_but_an_administrator_gets_ahead_of_the_queue(
    world, service, actor, is_admin, asked, given
):
    who = actor("ada", admin=is_admin)
    assert (await written(world, service, who, command(priority=asked))).priority == given


@pytest.mark.parametrize(
    ("name", "asked", "given"), [("read", 60.0, 60.0), ("read", 9e6, 600.0), ("noop", 5.0, 5.0)]
)
async def test_the_wall_time_of_the_spec_is_shortened_and_never_exceeded(
    world, service, ada, file_of, name, asked, given
):
    arguments = {"structure": {"data_file_id": file_of("ada")}} if name == "read" else {}
    found = await written(world, service, ada, command(name, arguments=arguments, wall_time_s=asked))
    assert found.wall_time_s == given


# ---------------------------------------------------------------- files and groups


async def test_a_file_that_may_not_be_read_does_not_exist(world, service, ada, file_of):
    for hidden in (file_of("bob"), "no-such-file"):
        with pytest.raises(NotFound, match=f"no data file '{hidden}'"):
            await service.submit(Submission(ada, [reading(hidden)]))
    deleted = file_of("ada")
    world.do(trash.delete_file, deleted, world.person["ada"], 1.0)
    with pytest.raises(NotFound, match="no data file"):
        await service.submit(Submission(ada, [reading(deleted)]))


async def test_a_share_that_is_over_opens_no_input(world, service, ada, file_of):
    file_id = file_of("bob")
    share = shares.NewShare("data_file", file_id, "read", world.person["bob"], world.person["ada"], None, 2.0)
    world.do(shares.give, share, 1.0)
    with pytest.raises(NotFound):
        await service.submit(Submission(ada, [reading(file_id)]))


async def test_a_calculation_goes_where_its_input_is_while_its_owner_is_in_that_group(
    world, service, ada, actor, file_of
):
    of_group, private = file_of("ada", group="crystals"), file_of("ada", "b.txt", b"other")
    groups = [(await written(world, service, who, reading(file_id))).group_id
              for who, file_id in ((ada, of_group), (ada, private), (actor("ada"), of_group))]  # fmt: skip
    assert groups == [world.group["crystals"], None, None]


async def test_a_calculation_without_input_goes_to_the_group_used_last_unless_it_is_private(
    world, service, ada
):
    world.do(people.remember_group, world.person["ada"], world.group["crystals"])
    assert (await written(world, service, ada, command())).group_id == world.group["crystals"]
    assert (await written(world, service, ada, command(group=""))).group_id is None


async def test_the_companion_beside_an_input_is_taken_where_it_is_the_only_one(world, service, ada, file_of):
    dataset, (cif,) = world.dataset()
    first = file_of("ada", "a.hkl", b"1", dataset_id=dataset)
    found = await written(world, service, ada, reading(cif))
    assert found.arguments["table"] == {"data_file_id": first}
    file_of("ada", "b.hkl", b"2", dataset_id=dataset)
    assert "table" not in {
        k for k, v in (await written(world, service, ada, reading(cif))).arguments.items() if v
    }


# ---------------------------------------------------------------- keys, tags, sessions


async def test_a_key_gives_the_same_answer_and_queues_nothing_again(context, service, ada, actor):
    submission = Submission(ada, [command()], idempotency_key="k", content=b"{}")
    first, again = await service.submit(submission), await service.submit(submission)
    assert (first.ids, first.repeated, again.ids, again.repeated) == (again.ids, False, first.ids, True)
    assert context.scheduler.queued == first.ids
    other = await service.submit(Submission(actor("bob"), [command()], idempotency_key="k", content=b"{}"))
    assert other.ids != first.ids
    with pytest.raises(Conflict, match="used for another request"):
        await service.submit(Submission(ada, [command()], idempotency_key="k", content=b"{ }"))


async def test_a_key_of_a_refused_request_may_be_used_again(service, ada, limit):
    limit("person", "ada", "queued", 0)
    submission = Submission(ada, [command()], idempotency_key="k", content=b"{}")
    with pytest.raises(QuotaExceeded):
        await service.submit(submission)
    limit("person", "ada", "queued", 5)
    assert not (await service.submit(submission)).repeated


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "\x00"])
async def test_a_key_is_printable_and_short(service, ada, key):
    with pytest.raises(UserInputError, match="1 to 255 printable"):
        await service.submit(Submission(ada, [command()], idempotency_key=key))


async def test_tags_belong_to_their_calculation(world, service, ada):
    first, second = (
        await service.submit(Submission(ada, [command(tags=["twin"]), command()], is_batch=True))
    ).ids
    assert world.ask(tags.of, "calculation", [first, second]) == {first: ["twin"], second: []}


async def test_a_session_has_its_display_and_an_event_of_its_own(world, service, ada):
    accepted = await service.submit(Submission(ada, [window(width=800, height=600)]))
    found = world.ask(sessions.get, accepted.ids[0])
    assert (found.state, found.width, found.height, found.owner_id) == (
        "starting",
        800,
        600,
        world.person["ada"],
    )
    assert [(each.kind, each.status) for each in accepted.events] == [
        ("calculation", "submitted"),
        ("session", "starting"),
    ]


async def test_each_submission_is_in_the_trail_with_its_number(service, ada, trail):
    accepted = await service.submit(Submission(ada, [command()] * 3, is_batch=True))
    assert ("ada", "submit", accepted.ids[0]) in await trail()
