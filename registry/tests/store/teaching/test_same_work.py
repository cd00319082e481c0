"""Identical calculations of an exercise: which are answered by a copy, which are not, and what the copy is."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.teaching import Manifest
from qcrbox_registry.store import calculations, datasets, trash
from qcrbox_registry.store.tables import calculation_outputs, cif_facts, exercise_calculations
from qcrbox_registry.store.tables import calculations as table
from qcrbox_registry.store.teaching import courses, exercises, same_work, work

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    """`api/test_answers_from_store.py` does the same on both kinds of database."""
    return sqlite_url


class Class:
    """An exercise that answers from the store; ada and bob have opened it, eve as a preview."""

    def __init__(self, world):
        self.world = world
        self.course = world.do(courses.create, world.group["crystals"], "XRD", world.person["eve"], NOW)
        self.exercise = world.do(exercises.create, self.course, "Quartz", world.person["eve"], NOW)
        world.do(exercises.add_version, self.exercise, Manifest(title="Quartz"), [], world.person["eve"], NOW)
        world.do(exercises.change, self.exercise, {"answers_from_store": True}, NOW)
        for name in ("ada", "bob", "eve"):
            world.do(work.note, self.exercise, world.person[name], opened_at=NOW, preview=name == "eve")

    def file(self, owner, filename="model.cif", content=0):
        """A data file of a person with these contents."""
        dataset = datasets.NewDataset(self.world.person[owner])
        new = datasets.NewFile(filename, f"{content:064x}", 10 + content)
        self.world.do(datasets.add_dataset, dataset, [new])
        return new.id

    def submit(self, owner, file=None, answer=True, **more):
        """A new calculation of the exercise on a file: (id, ids that were answered at once)."""
        file = file or self.file(owner)
        arguments = {"structure": {"data_file_id": file}, **more.pop("arguments", {})}
        new = self.world.new(owner, arguments=arguments, inputs=[("structure", file)], **more)

        def write(conn):
            calculations.create(conn, new)
            work.attach(conn, [new], {new.id: [f"{work.TAG}{self.exercise}"]}, NOW)
            same_work.note_keys(conn, [new])
            return same_work.answer_new(conn, [new.id], NOW) if answer else ([], set())

        self.events, answered = self.world.write(write)
        return new.id, answered

    def end(self, calculation, owner, outputs=2, state="successful"):
        """The calculation ends with outputs, of which the second is the primary one."""
        dataset = datasets.NewDataset(self.world.person[owner], kind="output", calculation_id=calculation)
        files = [datasets.NewFile(f"out{n}.cif", f"{n + 1:064x}", 11 + n) for n in range(outputs)]

        def write(conn):
            datasets.add_dataset(conn, dataset, files)
            for position, file in enumerate(files):
                row = {"name": f"o{position}", "data_file_id": file.id, "is_primary": position == 1}
                conn.execute(
                    sa.insert(calculation_outputs).values(
                        calculation_id=calculation, position=position, **row
                    )
                )
            values = {
                "state": state,
                "finished_at": NOW,
                "output_dataset_id": dataset.id,
                "warnings": ["careful"],
            }
            conn.execute(sa.update(table).where(table.c.id == calculation).values(values))

        self.world.write(write)
        return [file.id for file in files]

    def waiting_answered(self, *ended):
        return [event.object_id for event in self.world.do(same_work.answer_waiting, ended, NOW)]

    def row(self, calculation):
        return self.world.ask(calculations.get, calculation)


@pytest.fixture
def lab(world):
    return Class(world)


@pytest.fixture
def done(lab):
    """A calculation of ada that was really carried out."""
    first, answered = lab.submit("ada")
    assert answered == set()
    lab.end(first, "ada")
    return first


# ---------------------------------------------------------------- what the answer is


def test_the_second_is_answered_by_a_copy_of_its_own(world, lab, done):
    second, answered = lab.submit("bob")
    assert answered == {second}
    row = lab.row(second)
    assert (row.state, row.warnings, row.owner) == ("successful", ["careful"], "bob")
    assert row.remarks[0]["text"].startswith("Answered from the store")
    copy = world.ask(datasets.files_of, [row.output_dataset_id])[row.output_dataset_id]
    assert [(file.filename, file.owner, file.sha256) for file in copy] == [
        (f"out{n}.cif", "bob", f"{n + 1:064x}") for n in range(2)
    ]
    assert row.output_dataset_id != lab.row(done).output_dataset_id
    assert [event.status for event in lab.events if event.kind == "calculation"] == ["running", "successful"]


def test_the_primary_output_of_the_copy_is_that_of_the_first(world, lab, done):
    second, _ = lab.submit("bob")
    query = sa.select(calculation_outputs.c.position, calculation_outputs.c.is_primary)
    rows = world.ask(
        lambda conn: conn.execute(query.where(calculation_outputs.c.calculation_id == second)).all()
    )
    assert sorted(map(tuple, rows)) == [(0, False), (1, True)]


def test_what_the_checks_read_holds_for_the_copy(world, lab):
    first, _ = lab.submit("ada")
    files = lab.end(first, "ada")
    world.do(work.put_facts, files[1], {"alerts": {"A": 1}}, "", NOW)
    lab.submit("bob")
    facts = world.ask(lambda conn: conn.execute(sa.select(cif_facts.c.facts)).scalars().all())
    assert facts == [{"alerts": {"A": 1}}] * 2


def test_the_copy_counts_as_done_and_says_that_it_is_one(world, lab, done):
    second, _ = lab.submit("bob")
    found = {each.id: each.answered for each in world.ask(work.done, lab.exercise)}
    assert found == {done: False, second: True}


def test_a_copy_is_copied_from_the_first_and_not_from_a_copy(world, lab, done):
    second, _ = lab.submit("bob")
    third, _ = lab.submit("ada")
    query = sa.select(exercise_calculations.c.answered_by).where(
        exercise_calculations.c.calculation_id == third
    )
    assert world.ask(lambda conn: conn.execute(query).scalar()) == done
    assert second != done


# ---------------------------------------------------------------- what is the same


@pytest.mark.parametrize(
    ("change", "is_same"),
    [
        ({}, True),
        ({"arguments": {"cycles": 5}}, False),
        ({"force": True}, False),
        ({"content": 3}, False),
        ({"filename": "other.cif"}, False),
    ],
    ids=["same", "another argument", "forced", "other contents", "another name"],
)
def test_only_the_same_command_on_the_same_contents_is_the_same(lab, done, change, is_same):
    given = dict(change)
    file = lab.file("bob", given.pop("filename", "model.cif"), given.pop("content", 0))
    _, answered = lab.submit("bob", file, **given)
    assert bool(answered) is is_same


def test_the_order_of_arguments_makes_no_difference(lab):
    first, _ = lab.submit("ada", arguments={"a": 1, "b": [1, 2]})
    lab.end(first, "ada")
    assert lab.submit("bob", arguments={"b": [1, 2], "a": 1})[1]
    assert not lab.submit("bob", arguments={"b": [2, 1], "a": 1})[1]


def test_numbers_that_json_writes_apart_are_apart(lab):
    first, _ = lab.submit("ada", arguments={"a": 1})
    lab.end(first, "ada")
    assert not lab.submit("bob", arguments={"a": True})[1]
    assert not lab.submit("bob", arguments={"a": "1"})[1]


# ---------------------------------------------------------------- what is not answered


def deleted_output(world, lab, done):
    world.do(trash.delete_dataset, lab.row(done).output_dataset_id, world.person["ada"], NOW)


def switched_off(world, lab, done):
    world.do(exercises.change, lab.exercise, {"answers_from_store": False}, NOW)


def archived(world, lab, done):
    world.do(courses.change, lab.course, archived_at=NOW)


def failed(world, lab, done):
    world.write(lambda conn: conn.execute(sa.update(table).values(state="failed")))


@pytest.mark.parametrize("why", [deleted_output, switched_off, archived, failed])
def test_nothing_is_answered_from_what_is_not_there(world, lab, done, why):
    why(world, lab, done)
    second, answered = lab.submit("bob")
    assert answered == set()
    assert lab.row(second).state == "submitted"


def test_a_session_is_never_answered(lab):
    first, _ = lab.submit("ada", interactive=True)
    lab.end(first, "ada")
    assert lab.submit("bob", interactive=True)[1] == set()


def test_another_exercise_is_not_answered(world, lab, done):
    other = Class.__new__(Class)
    other.world, other.course = world, lab.course
    other.exercise = world.do(exercises.create, lab.course, "Copy", world.person["eve"], NOW)
    world.do(exercises.change, other.exercise, {"answers_from_store": True}, NOW)
    world.do(work.note, other.exercise, world.person["bob"], opened_at=NOW)
    assert other.submit("bob")[1] == set()


@pytest.mark.parametrize(
    ("first", "second", "is_answered"),
    [("ada", "bob", True), ("ada", "eve", True), ("eve", "ada", False), ("eve", "eve", True)],
    ids=["student to student", "student to preview", "preview to student", "preview to preview"],
)
def test_a_preview_answers_no_student(lab, first, second, is_answered):
    made, _ = lab.submit(first)
    lab.end(made, first)
    assert bool(lab.submit(second)[1]) is is_answered


# ---------------------------------------------------------------- those that wait


def test_those_that_wait_are_answered_when_the_first_ends(lab):
    first, _ = lab.submit("ada")
    second, third = lab.submit("bob")[0], lab.submit("bob")[0]
    lab.end(first, "ada")
    assert set(lab.waiting_answered(first)) == {second, third}
    assert lab.waiting_answered(first) == [], "nobody waits any more"


@pytest.mark.parametrize("how", ["with an agent", "being cancelled"])
def test_what_does_not_wait_any_more_is_left_alone(world, lab, how):
    first, _ = lab.submit("ada")
    second, _ = lab.submit("bob")
    values = {"agent_id": "agent-1"} if how == "with an agent" else {"cancel_requested_at": NOW}
    world.write(lambda conn: conn.execute(sa.update(table).where(table.c.id == second).values(values)))
    lab.end(first, "ada")
    assert lab.waiting_answered(first) == []
    assert lab.row(second).output_dataset_id is None


def test_an_end_without_outputs_or_without_success_answers_nobody(lab):
    first, second = lab.submit("ada")[0], lab.submit("bob")[0]
    lab.end(first, "ada", outputs=0)
    assert lab.waiting_answered(first) == []
    lab.end(second, "bob", state="failed")
    assert lab.waiting_answered(second) == []
    assert lab.waiting_answered() == []
