"""The shelf: who sees which item when, and whose the copy is."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import Conflict, NotAllowed, NotFound, UserInputError
from qcrbox_registry.services.teaching import shelf as module
from qcrbox_registry.services.teaching.courses import CourseService
from qcrbox_registry.services.teaching.shelf import is_open
from qcrbox_registry.store import datasets, trash
from qcrbox_registry.store.teaching import courses, items
from qcrbox_registry.store.teaching.items import Item, NewItem

HOUR = 3600.0


@pytest.mark.parametrize(
    ("for_lecturers", "opens", "closes", "seen"),
    [
        (False, None, None, True),
        (True, None, None, False),
        (False, 100.0, None, True),
        (False, 100.1, None, False),
        (False, None, 100.0, False),
        (False, None, 100.1, True),
        (False, 90.0, 110.0, True),
        (True, 90.0, 110.0, False),
    ],
    ids=["always", "staff", "from now", "soon", "closed now", "still", "between", "staff between"],
)
def test_when_students_see_an_item(for_lecturers, opens, closes, seen):
    item = Item("i", "c", "T", "f", for_lecturers, opens, closes, 0.0, "a", "h", 1)
    assert is_open(item, 100.0) is seen


async def shelved(course, file_id, who="lecturer", **more):
    return (
        await course.shelf.add(course.people[who], course.id, NewItem(more.pop("title", ""), file_id, **more))
    )["id"]


async def read(course, who, item):
    found = await course.shelf.content(course.people[who], course.id, item)
    return b"".join([chunk async for chunk in found.chunks])


async def test_an_item_has_the_name_of_its_file_until_it_gets_a_title(course, file_of):
    first = await course.shelf.add(course.lecturer, course.id, NewItem("  ", file_of("lecturer", "a.pdf")))
    second = await course.shelf.add(
        course.lecturer, course.id, NewItem(" Tables ", file_of("lecturer", "b.pdf"))
    )
    assert (first["title"], second["title"], second["filename"]) == ("a.pdf", "Tables", "b.pdf")


async def test_the_copy_outlives_the_file_it_was_made_from(course, file_of):
    original = file_of("lecturer", content=b"handout")
    item = await shelved(course, original)
    course.world.do(trash.delete_file, original, course.world.person["lecturer"], 1.0)
    course.world.do(trash.purge, 2.0)
    assert await read(course, "ada", item) == b"handout"
    row = course.world.ask(items.get, item)
    assert course.world.ask(datasets.get_file, row.data_file_id).owner == "teaching"


@pytest.mark.parametrize(
    "times",
    [{"for_lecturers": True}, {"opens_at": HOUR}, {"closes_at": -HOUR}],
    ids=["staff", "not yet", "over"],
)
async def test_what_a_student_may_not_see_does_not_exist_for_them(course, file_of, now, times):
    times = {name: value if value is True else now + value for name, value in times.items()}
    item = await shelved(course, file_of("lecturer"), **times)
    with pytest.raises(NotFound, match=f"no item '{item}'"):
        await read(course, "ada", item)
    assert await course.shelf.listed(course.ada, course.id) == []
    assert await read(course, "assistant", item) == b"some bytes"
    assert [each["id"] for each in await course.shelf.listed(course.assistant, course.id)] == [item]


async def test_an_item_of_another_course_is_reached_through_no_other(course, file_of):
    theirs = (await CourseService(course.context).create(course.eve, "powders", "Powders"))["id"]
    item = await shelved(course, file_of("lecturer"))
    with pytest.raises(NotFound, match="no item"):
        await course.shelf.content(course.eve, theirs, item)
    with pytest.raises(NotFound, match="no item"):
        await course.shelf.remove(course.eve, theirs, item)
    with pytest.raises(NotFound, match="no course"):
        await course.shelf.content(course.eve, course.id, item)
    assert course.world.ask(items.get, item).id == item


async def test_an_item_that_is_taken_down_is_gone_and_its_bytes_are_freed(course, file_of):
    item = await shelved(course, file_of("lecturer"))
    file_id = course.world.ask(items.get, item).data_file_id
    await course.shelf.remove(course.lecturer, course.id, item)
    with pytest.raises(NotFound):
        await read(course, "lecturer", item)
    assert course.world.ask(datasets.get_file, file_id, deleted=True).deleted_at == module.TAKEN_DOWN
    with pytest.raises(NotFound):
        await course.shelf.remove(course.lecturer, course.id, item)


async def test_a_shelf_has_an_end(course, file_of, monkeypatch):
    monkeypatch.setattr(module, "MOST_ITEMS", 2)
    file_id = file_of("lecturer")
    first = await shelved(course, file_id)
    await shelved(course, file_id)
    with pytest.raises(UserInputError, match="at most 2 items"):
        await shelved(course, file_id)
    await course.shelf.remove(course.lecturer, course.id, first)
    assert await shelved(course, file_id)


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"opens_at": 20.0, "closes_at": 20.0}, "closes_at must be after opens_at"),
        ({"title": "x" * 201}, "title is longer than 200"),
    ],
    ids=["times", "title"],
)
async def test_wrong_items_are_refused(course, file_of, more, words):
    with pytest.raises(UserInputError, match=words):
        await shelved(course, file_of("lecturer"), **more)


async def test_only_a_file_that_the_lecturer_may_read_is_shelved(course, file_of):
    with pytest.raises(NotFound, match="no data file"):
        await shelved(course, file_of("ada", "diary.txt"))
    assert await shelved(course, file_of("ada", "shared.txt", group="crystals"))


@pytest.mark.parametrize(
    ("who", "refusal"), [("assistant", NotAllowed), ("ada", NotAllowed), ("eve", NotFound)]
)
async def test_only_lecturers_of_the_course_change_the_shelf(course, file_of, who, refusal):
    item = await shelved(course, file_of("lecturer"))
    with pytest.raises(refusal):
        await shelved(course, file_of(who), who)
    with pytest.raises(refusal):
        await course.shelf.remove(course.people[who], course.id, item)


async def test_an_archived_shelf_is_read_and_not_changed(course, file_of):
    file_id = file_of("lecturer")
    item = await shelved(course, file_id)
    course.world.do(courses.change, course.id, archived_at=1.0)
    assert await read(course, "ada", item) == b"some bytes"
    with pytest.raises(Conflict, match="archived"):
        await shelved(course, file_id)
    with pytest.raises(Conflict, match="archived"):
        await course.shelf.remove(course.lecturer, course.id, item)
