"""Which CIFs have to be read for the checks, and what is kept of one that cannot be read."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import CifError
from qcrbox.contract.teaching import Check, Task
from qcrbox_registry.services.teaching import evidence as module
from qcrbox_registry.services.teaching.evidence import (
    FactReader,
    as_work,
    by_person,
    lacking_facts,
    read_facts,
    typed,
)
from qcrbox_registry.services.teaching.progress import Answer
from qcrbox_registry.store import datasets, trash
from qcrbox_registry.store.tables import cif_facts
from qcrbox_registry.store.teaching.work import Done

READS = Task(id="a", title="A", command="practice.read", checks=[Check(kind="no_alerts")])
ANY_RESULT = Task(id="c", title="C")
FIGURES_ONLY = Task(id="b", title="B", checks=[Check(kind="space_group", number=1)])


def done(id="c", person=1, **more):  # noqa: A002 - as the field is called
    values = {
        "application_slug": "practice",
        "command_name": "read",
        "arguments": {},
        "state": "successful",
        "submitted_at": 1.0,
        "finished_at": 2.0,
        "error_msg": "",
        "data_file_id": f"file-of-{id}",
        "figures": None,
        "facts": None,
        "problem": None,
        "answered": False,
    }
    return Done(id, person, **(values | more))


@pytest.mark.parametrize(
    ("more", "tasks", "wanted"),
    [
        ({}, [READS], True),
        ({"figures": {"r1": 0.04}}, [FIGURES_ONLY], False),
        ({}, [FIGURES_ONLY], True),
        ({}, [ANY_RESULT], False),
        ({}, [], False),
        ({"command_name": "other"}, [READS], False),
        ({"state": "failed"}, [READS], False),
        ({"data_file_id": None}, [READS], False),
        ({"facts": {}}, [READS], False),
        ({"problem": "no CIF"}, [READS], False),
        ({}, [READS, READS], True),
    ],
    ids=[
        "unread",
        "index suffices",
        "no index yet",
        "nothing to judge",
        "no task",
        "another command",
        "failed",
        "no CIF",
        "read",
        "unreadable",
        "once",
    ],
)
def test_a_cif_is_read_when_a_check_needs_it_and_once(more, tasks, wanted):
    assert lacking_facts(tasks, [done(**more)]) == (["file-of-c"] if wanted else [])


def test_calculations_are_grouped_by_student_in_their_order():
    found = by_person([done("1"), done("2", 2), done("3")])
    assert {person: [each.id for each in works] for person, works in found.items()} == {
        1: ["1", "3"],
        2: ["2"],
    }


def test_a_calculation_without_an_index_has_no_figures():
    assert as_work(done()).evidence.figures == {}
    assert as_work(done(figures={"r1": 0.04}, problem="?")).evidence == module.Evidence(
        {"r1": 0.04}, None, "?"
    )


def test_answers_keep_their_moment():
    assert typed(None) == {}
    assert typed({"t": ("x", 5.0)}) == {"t": Answer("x", 5.0)}


def noted(world, file_id):
    query = sa.select(cif_facts.c.facts, cif_facts.c.problem).where(cif_facts.c.data_file_id == file_id)
    return world.ask(lambda conn: tuple(conn.execute(query).one()))


@pytest.mark.parametrize(
    ("answer", "kept"),
    [
        (({"alerts": {}}, ""), ({"alerts": {}}, "")),
        ((None, "The file has no atoms."), (None, "The file has no atoms.")),
        ((None, ""), (None, "The CIF could not be read.")),
        (CifError("It took over 60 s."), (None, "It took over 60 s.")),
        (OSError("no space"), (None, "no space")),
    ],
    ids=["facts", "reason", "no reason", "fault", "disk"],
)
async def test_what_a_cif_says_or_why_it_says_nothing_is_kept(world, context, file_of, answer, kept):
    async def facts(sha256, filename):
        if isinstance(answer, Exception):
            raise answer
        return answer

    context.indexer.exercise_facts = facts
    file_id = file_of("ada", "a.cif")
    await read_facts(context, [file_id])
    assert noted(world, file_id) == kept


async def test_a_cif_that_has_no_index_yet_gets_it_with_the_facts(world, context, file_of):
    asked = []

    async def facts(sha256, filename):
        return {"alerts": {}}, ""

    async def index(sha256, size, filename):
        asked.append(filename)
        return {"names": ["_cell_length_a"], "full": {"r1": 0.04}}

    context.indexer.exercise_facts, context.indexer.index = facts, index
    file_id = file_of("ada", "a.cif")
    for _ in range(2):
        await read_facts(context, [file_id])
    assert world.ask(datasets.index_of, [file_id]) == {file_id: {"r1": 0.04}}
    assert asked == ["a.cif"]


async def test_a_file_that_is_too_large_or_gone_is_not_read(world, context, file_of, monkeypatch):
    async def facts(sha256, filename):
        raise AssertionError("it must not be read")

    context.indexer.exercise_facts = facts
    large, gone = file_of("ada", "a.cif", b"x" * 100), file_of("ada", "b.cif")
    monkeypatch.setattr(module, "LARGEST_CIF_BYTES", 50)
    world.do(trash.delete_file, gone, world.person["ada"], 1.0)
    world.do(trash.purge, 2.0)
    await read_facts(context, [large, gone])
    assert noted(world, large)[1].startswith("The CIF is larger than")
    assert noted(world, gone) == (None, "The file was deleted.")


async def test_a_cif_is_read_once_beside_the_requests_and_its_owner_gets_an_event(world, context, file_of):
    asked, goes_on = [], asyncio.Event()

    async def facts(sha256, filename):
        asked.append(filename)
        await goes_on.wait()
        return {"alerts": {}}, ""

    context.indexer.exercise_facts = facts
    file_id, ada = file_of("ada", "a.cif"), world.person["ada"]
    reader = FactReader(context)
    subscription = context.hub.subscribe(lambda event: event.kind == "exercise")
    for _ in range(60):
        reader.read_soon("e1", [READS, FIGURES_ONLY], [done(person=ada, data_file_id=file_id)])
    goes_on.set()
    (event,) = await subscription.get(10)
    assert (event.object_id, event.owner_id) == ("e1", ada)
    assert asked == ["a.cif"]
    assert noted(world, file_id) == ({"alerts": {}}, "")
