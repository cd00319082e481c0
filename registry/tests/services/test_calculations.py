"""Calculations of a person: renamed, stopped, moved in the queue, with the output of their program."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, QcError, ReasonNeeded, UserInputError
from qcrbox.contract.messages import Log
from qcrbox_registry.services.calculations import CalculationChange, CalculationService, LogPart
from qcrbox_registry.store import datasets, logs, shares, trash
from qcrbox_registry.store.lists import CalculationFilter
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.tables import calculations as table
from qcrbox_registry.store.tables import exercise_calculations
from qcrbox_registry.store.teaching import courses, exercises, work


@pytest.fixture
def service(context):
    return CalculationService(context)


@pytest.fixture
def with_output(world):
    """A successful calculation of ada with an output dataset: (calculation, dataset)."""
    made = world.start()
    dataset, _ = world.dataset(kind="output", calculation_id=made)
    values = {"state": "successful", "output_dataset_id": dataset, "finished_at": 5.0}
    world.write(lambda conn: conn.execute(table.update().values(values)))
    return made, dataset


# ---------------------------------------------------------------- title and tags


async def test_a_result_has_the_title_of_its_calculation(world, context, service, actor, with_output):
    made, dataset = with_output
    found = await service.change(actor("ada"), made, CalculationChange(title="  Twin 3 "))
    assert found["title"] == "Twin 3"
    assert world.ask(datasets.get, dataset).name == "Twin 3"
    assert {(each.kind, each.object_id) for each in context.published} == {
        ("title", made),
        ("dataset", dataset),
    }


async def test_a_calculation_is_renamed_although_its_result_was_deleted(world, service, actor, with_output):
    made, dataset = with_output
    world.do(trash.delete_dataset, dataset, world.person["ada"], 6.0)
    assert (await service.change(actor("ada"), made, CalculationChange(title="Twin 3")))["title"] == "Twin 3"
    world.do(trash.restore_dataset, dataset, 7.0)
    assert world.ask(datasets.get, dataset).name == "Twin 3", "it comes back with the new title"


async def test_an_empty_title_brings_the_automatic_one_back(service, actor, with_output):
    made, _ = with_output
    before = (await service.get(actor("ada"), made))["title"]
    await service.change(actor("ada"), made, CalculationChange(title="mine"))
    assert (await service.change(actor("ada"), made, CalculationChange(title="")))["title"] == before


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        (CalculationChange(), "Give title or tags"),
        (CalculationChange(title="x" * 501), "title is longer than 500"),
        (CalculationChange(title="a\x00"), "NUL"),
        (CalculationChange(tags=[""]), "tag"),
        (CalculationChange(tags=["x" * 300]), "tag"),
    ],
    ids=["nothing", "long", "NUL", "empty tag", "long tag"],
)
async def test_wrong_changes_are_refused(service, actor, with_output, asked, words):
    with pytest.raises(UserInputError, match=words):
        await service.change(actor("ada"), with_output[0], asked)


@pytest.mark.parametrize(
    ("who", "more", "refusal"),
    [
        ("bob", {"groups": ["crystals"]}, NotAllowed),
        ("bob", {"manages": ["crystals"]}, NotAllowed),
        ("eve", {}, NotFound),
    ],
    ids=["member", "manager", "stranger"],
)
async def test_nobody_else_renames_or_tags(world, service, actor, who, more, refusal):
    made = world.start(group_id=world.group["crystals"])
    for asked in (CalculationChange(title="mine"), CalculationChange(tags=["mine"])):
        with pytest.raises(refusal):
            await service.change(actor(who, **more), made, asked)


async def test_a_refused_title_leaves_the_tags_as_they_were(world, service, actor):
    """Both or neither: a group's data manager may see, and neither tag nor rename."""
    made = world.start()
    world.do(
        shares.give,
        shares.NewShare("calculation", made, "read", world.person["ada"], world.person["bob"]),
        1.0,
    )
    with pytest.raises(NotAllowed):
        await service.change(actor("bob"), made, CalculationChange(title="x", tags=["y"]))
    assert (await service.get(actor("ada"), made))["tags"] == []


# ---------------------------------------------------------------- stopping


async def test_the_owner_stops_without_a_reason_and_others_with_one(context, service, actor, world):
    made = world.start(group_id=world.group["crystals"])
    boss = actor("bob", manages=["crystals"])
    await service.stop(actor("ada"), made, "")
    with pytest.raises(ReasonNeeded):
        await service.stop(boss, made, "  ")
    await service.stop(boss, made, " too many ")
    assert [(reason, by) for _, reason, by in context.scheduler.cancelled] == [
        ("Stopped by ada.", "ada"),
        ("too many", "bob"),
    ]


async def test_of_several_none_is_stopped_when_one_may_not_be(context, service, actor, world):
    mine, seen, hidden = (
        world.start(),
        world.start("bob", group_id=world.group["crystals"]),
        world.start("bob"),
    )
    for other, refusal in ((seen, NotAllowed), (hidden, NotFound), ("nothing", NotFound)):
        with pytest.raises(refusal):
            await service.stop_many(actor("ada", groups=["crystals"]), [mine, other], None, "")
    assert context.scheduler.cancelled == []
    await service.stop_many(actor("ada"), [mine, mine], None, "")
    assert context.scheduler.cancelled[0][0] == [mine], "each once"


async def test_of_several_of_others_a_reason_is_needed(service, actor, world):
    theirs = world.start("bob", group_id=world.group["crystals"])
    with pytest.raises(ReasonNeeded):
        await service.stop_many(actor("ada", manages=["crystals"]), [world.start(), theirs], None, "")


@pytest.mark.parametrize(
    ("manages", "refusal"),
    [(["crystals"], None), (["powders"], NotFound), ([], NotFound)],
    ids=["assistant of the course", "of another course", "student"],
)
async def test_the_staff_of_a_course_stop_its_calculations_one_or_several(
    context, service, actor, world, manages, refusal
):
    made = world.start("bob")
    world.write(lambda conn: in_a_course(conn, world, made))
    me = actor("ada", groups=["crystals"], manages=manages)
    for act in (lambda: service.stop(me, made, "over"), lambda: service.stop_many(me, [made], None, "over")):
        if refusal is None:
            await act()
        else:
            with pytest.raises(refusal):
                await act()
    assert len(context.scheduler.cancelled) == (2 if refusal is None else 0)


def in_a_course(conn, world, made):
    """The calculation belongs to an exercise of the group crystals that its owner has opened."""
    course = courses.create(conn, world.group["crystals"], "XRD", world.person["eve"], 1.0)
    exercise = exercises.create(conn, course, "Quartz", world.person["eve"], 1.0)
    work.note(conn, exercise, world.person["bob"], opened_at=1.0)
    row = {"exercise_id": exercise, "calculation_id": made, "person_id": world.person["bob"]}
    conn.execute(exercise_calculations.insert().values(row))


@pytest.mark.parametrize(("ids", "batch"), [(None, None), ([], "b")])
async def test_either_ids_or_a_batch_are_stopped(service, actor, ids, batch):
    with pytest.raises(UserInputError, match="either calculation_ids"):
        await service.stop_many(actor("ada"), ids, batch, "")


async def test_a_batch_is_stopped_as_far_as_it_has_not_ended_and_is_nobody_elses(
    context, service, actor, world
):
    first, second = world.start(batch_id="b1"), world.start(batch_id="b1")
    world.write(
        lambda conn: conn.execute(
            table.update().where(table.c.id == first).values(state="failed", finished_at=1.0)
        )
    )
    for batch, who in (("b1", "bob"), ("b2", "ada")):
        with pytest.raises(NotFound, match=f"no batch '{batch}'"):
            await service.stop_many(actor(who), None, batch, "")
    await service.stop_many(actor("ada"), None, "b1", "")
    assert context.scheduler.cancelled[0][0] == [second]


# ---------------------------------------------------------------- the queue


def priority_of(world, made):
    return world.ask(
        lambda conn: conn.execute(sa.select(table.c.priority).where(table.c.id == made)).scalar()
    )


async def test_only_administrators_move_a_calculation_and_only_one_that_waits(context, service, actor, world):
    made = world.start()
    for who in (actor("ada"), actor("bob", application_admin=True)):
        with pytest.raises(QcError):
            await service.set_priority(who, made, 5, "")
    await service.set_priority(actor("bob", admin=True), made, 5, "a demonstration")
    assert context.scheduler.requeued == [made]
    assert priority_of(world, made) == 5
    world.run(made)
    with pytest.raises(Conflict, match="no longer queued"):
        await service.set_priority(actor("bob", admin=True), made, 6, "")
    assert priority_of(world, made) == 5


async def test_the_place_in_the_queue_is_shown_of_what_waits(context, service, actor, world):
    waiting, running = world.start(), world.start()
    world.run(running)
    for each in (waiting, running):
        context.scheduler.places[each] = {"place": 1, "reason": "", "estimated_start": None}
    assert (await service.get(actor("ada"), waiting))["queue"]["place"] == 1
    found = await service.page(actor("ada"), CalculationFilter(), Page(10))
    shown = {each["calculation_id"]: each["queue"] for each in found["calculations"]}
    assert shown[waiting]["place"] == 1


# ---------------------------------------------------------------- the output


async def test_the_output_of_an_attempt_is_read_in_parts(service, actor, world):
    made = world.start()
    world.run(made)
    for at, (stream, offset, text) in enumerate(
        [("stdout", 0, "one\n"), ("stderr", 0, "oh\n"), ("stdout", 4, "two\n")]
    ):
        log = Log(calculation_id=made, attempt=1, stream=stream, offset=offset, text=text, at=float(at))
        world.do(logs.append, [log])
    part = await service.log(actor("ada"), made, LogPart("stdout", None, 4, 100))
    assert (part["text"], part["attempt"], part["next"]) == ("two\n", 1, 8)
    both = await service.log(actor("ada"), made, LogPart("both", 1, 0, 100))
    assert both["text"] == "one\noh\ntwo\n"
    assert (await service.log(actor("ada"), made, LogPart("stdout", 7, 0, 100)))["text"] == ""
    with pytest.raises(NotFound):
        await service.log(actor("bob"), made, LogPart("both", 1, 0, 100))
