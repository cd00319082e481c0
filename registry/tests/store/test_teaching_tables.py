"""Courses, exercises, work, answers, marks, snapshots, the shelf, bookings and notes as rows."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import Conflict, NotFound
from qcrbox.contract.teaching import ExerciseFile, Manifest, Task
from qcrbox_registry.store import node_notes
from qcrbox_registry.store.datasets import NewFile
from qcrbox_registry.store.node_notes import Annotated, Annotation
from qcrbox_registry.store.tables import data_files, exercise_calculations, people
from qcrbox_registry.store.teaching import bookings, courses, exercises, items, marks, snapshots, work
from qcrbox_registry.store.teaching.bookings import NewBooking
from qcrbox_registry.store.teaching.items import NewItem
from qcrbox_registry.store.teaching.snapshots import NewSnapshot

NOW = 1000.0
SHA = f"{7:064x}"


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


@pytest.fixture
def course(world):
    return world.do(courses.create, world.group["crystals"], "Crystals", world.person["ada"], NOW)


@pytest.fixture
def exercise(world, course):
    return world.do(exercises.create, course, "Twins", world.person["ada"], NOW)


# ------------------------------------------------------------ courses and exercises


def test_a_group_has_one_course_with_its_name(world, course):
    found = world.ask(courses.get, course)
    assert (found.group, found.title, found.created_by) == ("crystals", "Crystals", world.person["ada"])
    assert found.archived_at is None
    with pytest.raises(Conflict, match="'Crystals' already"):
        world.do(courses.create, world.group["crystals"], "Again", world.person["ada"], NOW)


def test_courses_of_groups_are_listed_by_title(world, course):
    other = world.do(courses.create, world.group["powders"], "A powder", world.person["bob"], NOW)
    assert [each.id for each in world.ask(courses.of_groups, None)] == [other, course]
    assert [each.id for each in world.ask(courses.of_groups, [world.group["crystals"]])] == [course]
    assert world.ask(courses.of_groups, []) == []
    world.do(courses.change, course, title="B", archived_at=2.0)
    changed = world.ask(courses.get, course)
    assert (changed.title, changed.archived_at) == ("B", 2.0)


@pytest.mark.parametrize(
    ("get", "words"),
    [
        (courses.get, "no course 'x'"),
        (exercises.get, "no exercise 'x'"),
        (items.get, "no item 'x'"),
        (bookings.get, "no booking 'x'"),
        (snapshots.get, "no snapshot 'x'"),
    ],
)
def test_what_is_not_there_is_named(world, get, words):
    with pytest.raises(NotFound, match=words):
        world.ask(get, "x")


def test_the_site_owns_what_no_person_may_delete(world):
    first, again = (world.do(courses.site_account, NOW) for _ in range(2))
    assert first == again
    assert (
        world.ask(lambda conn: conn.execute(sa.select(people.c.kind).where(people.c.id == first)).scalar())
        == "site"
    )


def test_exercises_come_in_the_order_in_which_they_are_due(world, course, exercise):
    later, sooner = (
        world.do(exercises.create, course, title, world.person["ada"], NOW) for title in ("later", "sooner")
    )
    world.do(exercises.change, later, {"due_at": 20.0}, NOW)
    world.do(exercises.change, sooner, {"due_at": 10.0}, NOW + 1)
    found = world.ask(exercises.of_course, course)
    assert [each.id for each in found] == [sooner, later, exercise]
    assert found[0].changed_at == NOW + 1
    assert (found[0].group, found[0].course) == ("crystals", "Crystals")


def test_a_version_never_changes_and_its_files_belong_to_the_site(world, exercise):
    def manifest(title):
        file = ExerciseFile(filename="a.cif", sha256=SHA, size=5)
        return Manifest(title=title, files=[file], tasks=[Task(id="t", title="T")])

    add = [exercises.add_version, exercise]
    first = world.do(*add, manifest("One"), [NewFile("a.cif", SHA, 5)], world.person["ada"], NOW)
    second = world.do(*add, manifest("Two"), [NewFile("a.cif", SHA, 5)], world.person["ada"], NOW + 1)
    assert (first, second) == (1, 2)
    assert world.ask(exercises.manifest, exercise, 1).title == "One"
    assert world.ask(exercises.get, exercise).title == "Two"
    assert world.ask(exercises.versions, exercise) == [(2, NOW + 1), (1, NOW)]
    owners = world.ask(lambda conn: set(conn.execute(sa.select(data_files.c.owner_id)).scalars()))
    assert owners == {world.do(courses.site_account, NOW)}
    with pytest.raises(NotFound, match="no version 3"):
        world.ask(exercises.manifest, exercise, 3)


def test_only_published_exercises_of_living_courses_have_a_deadline(world, course, exercise):
    due = lambda: [each.id for each in world.ask(exercises.with_deadline_before, 50.0)]  # noqa: E731
    world.do(exercises.change, exercise, {"due_at": 50.0}, NOW)
    assert due() == []
    world.do(exercises.change, exercise, {"published": True}, NOW)
    assert due() == [exercise]
    assert world.ask(exercises.with_deadline_before, 49.9) == []
    world.do(courses.change, course, archived_at=1.0)
    assert due() == []


# ------------------------------------------------------------ work


def test_a_row_of_work_is_made_with_its_first_field_and_keeps_the_others(world, exercise):
    ada = world.person["ada"]
    assert world.ask(work.student, exercise, ada) is None
    world.do(work.note, exercise, ada)
    world.do(work.note, exercise, ada)
    world.do(work.note, exercise, ada, opened_at=1.0, version=2)
    world.do(work.note, exercise, ada, extended_until=9.0, extension_reason="ill")
    found = world.ask(work.student, exercise, ada)
    assert (found.name, found.opened_at, found.version) == ("ada", 1.0, 2)
    assert (found.extended_until, found.extension_reason) == (9.0, "ill")


def test_previews_of_the_staff_are_not_among_the_students(world, exercise):
    for name, preview in (("eve", False), ("bob", True), ("ada", False)):
        world.do(work.note, exercise, world.person[name], opened_at=1.0, preview=preview)
    assert [each.name for each in world.ask(work.students, exercise)] == ["ada", "eve"]


def test_the_newest_answer_counts(world, exercise):
    ada, bob = world.person["ada"], world.person["bob"]
    world.do(work.put_answer, exercise, ada, "t", "1.2", 1.0)
    world.do(work.put_answer, exercise, ada, "t", "1.3", 2.0)
    world.do(work.put_answer, exercise, bob, "u", "x", 3.0)
    assert world.ask(work.answers, exercise) == {ada: {"t": ("1.3", 2.0)}, bob: {"u": ("x", 3.0)}}
    assert world.ask(work.answers, exercise, bob) == {bob: {"u": ("x", 3.0)}}


def test_a_calculation_belongs_to_an_exercise_by_its_input_its_ancestor_or_its_tag(world, exercise):
    ada = world.person["ada"]
    manifest = Manifest(title="T", files=[ExerciseFile(filename="a.cif", sha256=f"{0:064x}", size=10)])
    world.do(exercises.add_version, exercise, manifest, [NewFile("a.cif", f"{0:064x}", 10)], ada, NOW)
    _, (copy,) = world.dataset()  # the student's own copy has the same contents
    by_input = world.new(inputs=[("structure", copy)])
    by_tag, other, of_bob = world.new(), world.new(), world.new("bob", inputs=[("structure", copy)])
    new = [by_input, by_tag, other, of_bob]
    tags = {by_tag.id: [f"{work.TAG}{exercise}", "mine"], other.id: [f"{work.TAG}no-such-exercise"]}

    def attach(conn):
        from qcrbox_registry.store import calculations

        for each in new:
            calculations.create(conn, each)
        work.attach(conn, new, tags, NOW)

    world.write(attach)
    rows = sa.select(exercise_calculations.c.calculation_id)
    assert world.ask(lambda conn: list(conn.execute(rows))) == []  # not opened by anyone yet
    world.do(work.note, exercise, ada, opened_at=1.0)
    world.do(work.attach, new, tags, NOW + 5)
    assert set(world.ask(work.unfinished, exercise)) == {by_input.id, by_tag.id}
    assert world.ask(work.student, exercise, ada).last_active_at == NOW + 5
    assert {each.id for each in world.ask(work.done, exercise, ada)} == {by_input.id, by_tag.id}
    assert world.ask(work.done, exercise, world.person["bob"]) == []
    assert world.ask(work.groups_of, [by_tag.id, other.id]) == {world.group["crystals"]}
    assert world.ask(work.groups_of, [other.id]) == world.ask(work.groups_of, []) == frozenset()


def test_discarding_takes_the_work_of_one_person_alone(world, exercise):
    for name in ("ada", "bob"):
        world.do(work.note, exercise, world.person[name], opened_at=1.0)
        world.do(work.put_answer, exercise, world.person[name], "t", name, 1.0)
        world.do(marks.put, exercise, world.person[name], "t", points=1.0, words="", comment="", at=1.0)
    world.do(work.discard, exercise, world.person["ada"])
    assert [each.name for each in world.ask(work.students, exercise)] == ["bob"]
    assert set(world.ask(work.answers, exercise)) == {world.person["bob"]}
    assert set(world.ask(marks.of_exercise, exercise)) == {world.person["bob"]}


# ------------------------------------------------------------ marks and snapshots


def test_points_of_a_person_count_more_than_automatic_ones(world, exercise):
    ada = world.person["ada"]
    world.do(marks.put, exercise, ada, "t", automatic=2.0, words="in the band", comment="", at=1.0)
    assert world.ask(marks.of_exercise, exercise, ada)[ada]["t"].counts == 2.0
    world.do(marks.put, exercise, ada, "t", points=0.0, at=2.0)
    mark = world.ask(marks.of_exercise, exercise, ada)[ada]["t"]
    assert (mark.counts, mark.automatic, mark.words) == (0.0, 2.0, "in the band")


def test_notes_are_for_one_student_or_for_all(world, exercise):
    ada, bob = world.person["ada"], world.person["bob"]
    world.do(marks.add_note, exercise, ada, "look at b", bob, 1.0)
    world.do(marks.add_note, exercise, None, "for all", bob, 2.0)
    assert {each.text for each in world.ask(marks.notes, exercise, ada)} == {"look at b", "for all"}
    assert {each.text for each in world.ask(marks.notes, exercise, bob)} == {"for all"}


def snapshot(world, exercise, name, reason, at, due=None):
    new = NewSnapshot(exercise, world.person[name], reason, at, due, False, {"a": 1}, f"r{at}", None, "")
    world.do(snapshots.add, new)
    return new.id


def test_what_was_submitted_counts_before_what_was_collected(world, exercise):
    first = snapshot(world, exercise, "ada", "submitted", 1.0)
    second = snapshot(world, exercise, "ada", "submitted", 2.0)
    snapshot(world, exercise, "ada", "collected", 3.0, due=3.0)
    only = snapshot(world, exercise, "bob", "collected", 3.0, due=3.0)
    of_ada = world.ask(snapshots.of_exercise, exercise, world.person["ada"])
    assert [each.id for each in of_ada][:2] == [first, second]
    assert snapshots.counting(of_ada).id == second
    of_bob = world.ask(snapshots.of_exercise, exercise, world.person["bob"])
    assert snapshots.counting(of_bob).id == only
    assert snapshots.counting([]) is None
    assert world.ask(snapshots.get, only).name == "bob"


@pytest.mark.parametrize(
    ("reason", "at", "due", "is_collected"),
    [
        ("collected", 3.0, 3.0, True),
        ("collected", 4.0, 3.0, True),
        ("collected", 2.0, 3.0, False),
        ("collected", 9.0, 5.0, False),
        ("collected", 9.0, None, False),
        ("submitted", 3.0, 3.0, False),
    ],
    ids=["at the deadline", "after it", "before it", "another deadline", "without one", "submitted"],
)
def test_work_is_collected_for_each_deadline_by_itself(world, exercise, reason, at, due, is_collected):
    snapshot(world, exercise, "ada", reason, at, due)
    snapshot(world, exercise, "ada", "collected", 20.0, due=20.0)  # a later one says nothing of it
    for name, expected in (("ada", is_collected), ("bob", False)):
        assert world.ask(snapshots.is_collected, exercise, world.person[name], 3.0) is expected


# ------------------------------------------------------------ shelf, bookings, notes on nodes


def test_the_shelf_is_listed_by_title_with_the_files(world, course):
    _, (file, other) = world.dataset(files=("b.pdf", "a.pdf"))
    late = world.do(items.add, course, NewItem("Late", file, True, 5.0, 9.0), world.person["ada"], NOW)
    early = world.do(items.add, course, NewItem("Early", other), world.person["ada"], NOW)
    found = world.ask(items.of_course, course)
    assert [(each.id, each.filename) for each in found] == [(early, "a.pdf"), (late, "b.pdf")]
    assert (found[1].for_lecturers, found[1].opens_at, found[1].closes_at) == (True, 5.0, 9.0)
    world.do(items.remove, late)
    assert [each.id for each in world.ask(items.of_course, course)] == [early]


def test_a_cancelled_booking_is_gone_and_an_archived_course_books_nothing(world, course):
    def book(start):
        new = NewBooking(start, start + 10, 20, 5, 4, ["refine"])
        return world.do(bookings.add, course, new, world.person["ada"], NOW)

    second, first = book(50.0), book(20.0)
    assert [each.id for each in world.ask(bookings.of_course, course)] == [first, second]
    assert [each.id for each in world.ask(bookings.ending_after, 30.0)] == [second]
    world.do(bookings.note_rehearsal, second, {"s": 3})
    found = world.ask(bookings.get, second)
    assert (found.rehearsal, found.applications, found.group_id) == (
        {"s": 3},
        ["refine"],
        world.group["crystals"],
    )
    world.do(bookings.cancel, first, NOW)
    with pytest.raises(NotFound):
        world.ask(bookings.get, first)
    world.do(courses.change, course, archived_at=1.0)
    assert world.ask(bookings.ending_after, 0.0) == []


def test_the_people_of_a_course_are_those_who_opened_an_exercise(world, course, exercise):
    world.do(work.note, exercise, world.person["ada"], opened_at=1.0)
    world.do(work.note, exercise, world.person["bob"], extended_until=2.0)
    assert world.ask(bookings.people_of, [course]) == {course: {world.person["ada"]}}
    assert world.ask(bookings.people_of, []) == {}


def test_a_note_on_a_node_keeps_what_is_not_changed(world):
    dataset, _ = world.dataset()
    subject = Annotated("dataset", dataset, world.person["ada"], NOW)
    world.do(node_notes.change, subject, {"note": "good"})
    world.do(node_notes.change, subject, {"pinned": True})
    (found,) = world.ask(node_notes.of, "dataset", [dataset]).values()
    assert found == Annotation("good", True, None)
    assert world.ask(node_notes.of, "calculation", [dataset]) == {}
