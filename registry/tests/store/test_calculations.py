from __future__ import annotations

import random
from itertools import pairwise

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound
from qcrbox.contract.messages import Finished, OutputFile
from qcrbox.contract.states import FINAL, NEXT, State, Step
from qcrbox_registry.access.reach import reach
from qcrbox_registry.store import calculations, datasets, events, lineage, lists, logs, results, uploads
from qcrbox_registry.store.paging import Page
from qcrbox_registry.store.tables import calculation_outputs, command_durations, file_contents, loads, new_id
from qcrbox_registry.store.transitions import (
    Change,
    Ledger,
    StaleAttempt,
    StateRefused,
    change_states,
)
from qcrbox_registry.store.visibility import condition
from qcrbox_registry.testing.ends import write_end


def state(world, calculation_id):
    return world.read(lambda conn: calculations.get(conn, calculation_id))


def load(world, owner="ada"):
    query = sa.select(loads.c.queued, loads.c.running).where(
        loads.c.subject == "person", loads.c.subject_id == world.person[owner]
    )
    return tuple(world.read(lambda conn: conn.execute(query).one()))


def change(world, calculation_id, new, attempt, **more):
    return world.change(calculation_id, new, attempt, **more)


def test_ids_grow_and_never_repeat():
    made = [new_id() for _ in range(20_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_a_new_calculation_waits_and_has_its_first_event(world):
    one = world.start(arguments={"x": 1})
    row = state(world, one)
    assert (row.state, row.step, row.attempt, row.owner, row.arguments) == (
        "submitted",
        "queued",
        0,
        "ada",
        {"x": 1},
    )
    assert load(world) == (1, 0)
    (first,) = world.read(lambda conn: events.of_objects(conn, [one]))[one]
    assert first.status == "submitted"


@pytest.mark.parametrize(
    ("old", "new"),
    [(old, new) for old in NEXT for new in State if old is not State.UNKNOWN and new is not old],
)
def test_only_the_changes_of_the_table_happen(world, old, new):
    one = world.start()
    attempt = world.run(one)
    if old is not State.SUBMITTED:
        change(world, one, State.RUNNING, attempt)
    if old in FINAL:
        change(world, one, old, attempt)
    if new in NEXT[old]:
        assert change(world, one, new, attempt).status == new
        assert state(world, one).state == new
    else:
        with pytest.raises(StateRefused):
            change(world, one, new, attempt)
        assert state(world, one).state == old


def test_the_counters_follow_the_states(world):
    one = world.start()
    attempt = world.run(one)
    assert load(world) == (0, 1)
    change(world, one, State.RUNNING, attempt)
    assert load(world) == (0, 1)
    change(world, one, State.FAILED, attempt, error_msg="no")
    assert load(world) == (0, 0)


def test_an_older_attempt_is_refused(world):
    one = world.start()
    first = world.run(one)
    change(world, one, State.RUNNING, first)
    change(world, one, State.SUBMITTED, first)
    second = world.run(one, "agent-2")
    assert second > first
    with pytest.raises(StaleAttempt):
        change(world, one, State.SUCCESSFUL, first)
    row = state(world, one)
    assert (row.state, row.agent_id, row.losses) == ("submitted", "agent-2", 1)


def test_what_waits_is_assigned_once(world):
    one = world.start()
    assert world.run(one) == 1
    assert world.run(one, "agent-2") is None
    assert state(world, one).agent_id == "agent-1"


def test_a_released_calculation_waits_again_under_a_higher_attempt(world):
    one = world.start()
    attempt = world.run(one)

    def release(conn):
        ledger = Ledger(conn, [one])
        ledger.release(one, attempt, lost=False, not_before=5.0, reason="not taken")
        return ledger.close()

    (event,) = world.write(release)
    row = state(world, one)
    assert (row.agent_id, row.attempt, row.losses, row.not_before) == (None, attempt + 1, 0, 5.0)
    assert event.payload == {"reason": "not taken"}
    assert load(world) == (1, 0)


def test_cancel_of_what_waits_is_at_once_and_of_what_runs_is_asked(world):
    waiting, running = world.start(), world.start()
    attempt = world.run(running)

    def cancel(conn):
        ledger = Ledger(conn, [waiting, running])
        ledger.ask_cancel(waiting, "not needed", "ada")
        ledger.ask_cancel(running, "not needed", "ada")
        ledger.ask_cancel(running, "again", "ada")
        return ledger.close()

    told = world.write(cancel)
    assert [(event.status, event.step) for event in told] == [
        ("cancelled", "done"),
        ("submitted", "cancelling"),
    ]
    assert state(world, waiting).state == "cancelled"
    change(world, running, State.CANCELLED, attempt)
    assert state(world, running).state == "cancelled"
    assert load(world) == (0, 0)


def test_steps_after_a_cancel_are_not_told(world):
    one = world.start()
    attempt = world.run(one)
    world.write(lambda conn: Ledger(conn, [one]).ask_cancel(one) and None)

    def cancel(conn):
        ledger = Ledger(conn, [one])
        ledger.ask_cancel(one)
        ledger.close()

    world.write(cancel)
    assert change(world, one, None, attempt, step=Step.RUNNING) is None
    assert state(world, one).step == "cancelling"


def test_a_batch_of_changes_is_applied_in_order_and_one_refusal_stops_no_other(world):
    one, two = world.start(), world.start()
    attempt = world.run(one)
    changes = [
        Change(one, State.RUNNING, attempt),
        Change(two, State.SUCCESSFUL, None),
        Change(one, State.SUCCESSFUL, attempt, fields={"returncode": 0}),
        Change("unknown", State.FAILED),
    ]
    told, refused = world.write(lambda conn: change_states(conn, changes))
    assert [event.status for event in told] == ["running", "successful"]
    assert [type(error) for error in refused] == [type(None), StateRefused, type(None), NotFound]
    assert [event.seq for event in told] == sorted(event.seq for event in told)


def test_a_page_holds_the_newest_and_the_next_page_continues(world):
    made = [world.start() for _ in range(7)]

    def page(conn, after=None):
        return lists.calculations_page(conn, None, lists.CalculationFilter(), Page(3, after), 0.0)

    first = world.read(page)
    second = world.read(lambda conn: page(conn, first.next))
    assert first.ids + second.ids == made[:0:-1]


# ---------------------------------------------------------------- results


def store_output(world, calculation_id, attempt, name="refined", filename="refined.cif", content=3):
    def add(conn):
        new = uploads.NewOutput(
            calculation_id=calculation_id,
            attempt=attempt,
            owner_id=world.person["ada"],
            name=name,
            filename=filename,
            sha256=f"{content:064x}",
            size=10 + content,
            index={"formula_sum": "C H4", "full": {"formula_sum": "C H4"}},
        )
        return uploads.add_output(conn, new, 1.0)

    row = world.write(add)
    return OutputFile(
        name=name,
        filename=filename,
        filetype="",
        sha256=row.sha256,
        size=row.size,
        upload_id=row.id,
        primary=True,
    )


def running(world, **more):
    one = world.start(**more)
    attempt = world.run(one)
    change(world, one, State.RUNNING, attempt)
    return one, attempt


def finish(world, calculation_id, attempt, *outputs, status=State.SUCCESSFUL, **more):
    end = Finished(calculation_id=calculation_id, attempt=attempt, status=status, outputs=outputs, **more)
    return world.write(lambda conn: write_end(conn, end))


def references(world, content):
    query = sa.select(file_contents.c.refcount).where(file_contents.c.sha256 == f"{content:064x}")
    return world.read(lambda conn: conn.execute(query).scalar_one())


def test_an_end_writes_outputs_lineage_index_and_state_together(world):
    _, (source,) = world.dataset()
    one, attempt = running(world, inputs=[("structure", source)])
    (told,) = finish(world, one, attempt, store_output(world, one, attempt), returncode=0)
    row = state(world, one)
    assert (row.state, told.payload["output_dataset_id"]) == ("successful", row.output_dataset_id)
    (file,) = world.read(lambda conn: datasets.files_of(conn, [row.output_dataset_id]))[row.output_dataset_id]
    assert (file.filename, file.filetype, file.calculation_id) == ("refined.cif", "cif", one)
    assert world.read(lambda conn: datasets.index_of(conn, [file.id]))[file.id] == {"formula_sum": "C H4"}
    assert references(world, 3) == 1


def test_repeating_an_end_changes_nothing(world):
    one, attempt = running(world)
    output = store_output(world, one, attempt)
    finish(world, one, attempt, output)
    assert finish(world, one, attempt, output) == []
    assert (
        world.read(
            lambda conn: conn.execute(sa.select(sa.func.count()).select_from(calculation_outputs)).scalar()
        )
        == 1
    )
    assert references(world, 3) == 1


def test_late_result_of_an_older_attempt_is_refused(world):
    one, first = running(world)
    late = store_output(world, one, first)
    change(world, one, State.SUBMITTED, first)
    with pytest.raises(StaleAttempt):
        finish(world, one, first, late)
    row = state(world, one)
    assert (row.state, row.output_dataset_id) == ("submitted", None)
    assert references(world, 3) == 0


def test_a_result_cannot_name_the_upload_of_another_calculation(world):
    other, other_attempt = running(world)
    foreign = store_output(world, other, other_attempt)
    one, attempt = running(world)
    finish(world, one, attempt, foreign)
    row = state(world, one)
    assert (row.state, row.output_dataset_id) == ("failed", None)
    assert "did not arrive completely" in row.error_msg


def test_an_end_that_comes_before_the_first_step_is_taken(world):
    one = world.start()
    attempt = world.run(one)
    told = finish(world, one, attempt)
    assert [event.status for event in told] == ["running", "successful"]


def test_two_outputs_of_one_name_both_stay(world):
    one, attempt = running(world)
    outputs = [store_output(world, one, attempt, name=f"o{i}", content=i + 3) for i in range(2)]
    finish(world, one, attempt, *outputs)
    dataset_id = state(world, one).output_dataset_id
    files = world.read(lambda conn: datasets.files_of(conn, [dataset_id]))[dataset_id]
    assert [file.filename for file in files] == ["refined.cif", "refined-2.cif"]


def test_an_end_without_files_has_no_dataset(world):
    one, attempt = running(world)
    finish(world, one, attempt)
    assert state(world, one).output_dataset_id is None


def test_durations_of_successful_runs_are_learnt(world):
    for seconds in (1.0, 3.0):
        one, attempt = running(world)
        started = state(world, one).started_at
        end = Finished(calculation_id=one, attempt=attempt, status=State.SUCCESSFUL)
        world.write(lambda conn, end=end, at=started + seconds: write_end(conn, end, at))
    row = world.read(lambda conn: conn.execute(sa.select(command_durations)).one())
    assert (row.n, row.mean_s) == (2, pytest.approx(2.0))
    assert row.m2 == pytest.approx(2.0)


def test_durations_of_one_batch_are_learnt_in_turn_and_old_ones_weigh_less(world):
    """Welford's mean and sum of squares over durations; from the thousandth run on each old one counts a little less."""
    durations, end_at = (1.0, 3.0, 8.0, 5.0), 2e9
    ends = []
    for duration in durations:
        one = world.start()
        attempt = world.run(one)
        change(world, one, State.RUNNING, attempt, at=end_at - duration)
        ends.append(Finished(calculation_id=one, attempt=attempt, status=State.SUCCESSFUL))
    known = {"command_id": state(world, one).command_id, "n": 998, "mean_s": 2.0, "m2": 500.0}
    world.write(lambda conn: conn.execute(sa.insert(command_durations), known))
    world.write(lambda conn: results.commit_many(conn, ends, end_at))

    n, mean, m2 = 998, 2.0, 500.0
    for duration in durations:
        n = min(n + 1, 1000)
        difference = duration - mean
        mean += difference / n
        m2 = m2 * (1.0 if n < 1000 else 0.999) + difference * (duration - mean)
    row = world.read(lambda conn: conn.execute(sa.select(command_durations)).one())
    assert (row.n, row.mean_s, row.m2) == (1000, pytest.approx(mean), pytest.approx(m2))


# ---------------------------------------------------------------- logs


def say(calculation_id, attempt, offset, text, stream="stdout"):
    from qcrbox.contract.messages import Log

    return Log(
        calculation_id=calculation_id, attempt=attempt, stream=stream, offset=offset, text=text, at=offset
    )


def test_a_log_is_read_from_any_byte_and_repeated_chunks_do_no_harm(world):
    one, attempt = running(world)
    chunks = [
        say(one, attempt, 0, "größe\n"),
        say(one, attempt, 8, "zwei\n"),
        say(one, attempt, 0, "größe\n"),
    ]
    world.write(lambda conn: logs.append(conn, chunks))
    assert world.read(lambda conn: logs.read(conn, one, attempt, "stdout")) == ("größe\nzwei\n", 13)
    assert world.read(lambda conn: logs.read(conn, one, attempt, "stdout", start=8)) == ("zwei\n", 13)
    assert world.read(lambda conn: logs.tail(conn, one, attempt, "stdout", 1)) == "zwei"


@pytest.mark.parametrize("seed", range(5))
def test_overlapping_chunks_in_any_order_and_batch_give_each_byte_once(world, seed):
    chance = random.Random(seed)
    whole = "".join(chance.choices("abcdefgh\n", k=300))
    one, attempt = running(world)
    cuts = sorted({0, 300, *(chance.randrange(300) for _ in range(20))})
    chunks = [say(one, attempt, a, whole[a:b]) for a, b in pairwise(cuts)]
    for _ in range(15):
        a = chance.randrange(300)
        chunks.append(say(one, attempt, a, whole[a : a + chance.randrange(1, 80)]))
    chance.shuffle(chunks)
    for start in range(0, len(chunks), 7):
        world.write(lambda conn, some=chunks[start : start + 7]: logs.append(conn, some))
    assert world.read(lambda conn: logs.read(conn, one, attempt, "stdout")) == (whole, 300)


def test_nul_in_a_log_does_not_stop_it(world):
    one, attempt = running(world)
    world.write(lambda conn: logs.append(conn, [say(one, attempt, 0, "a\x00b")]))
    assert world.read(lambda conn: logs.read(conn, one, attempt, "stdout"))[0] == "a\ufffdb"


def test_progress_keeps_the_newest_and_the_history_of_the_metrics(world):
    from qcrbox.contract.messages import Progress

    one, attempt = running(world)
    for cycle in range(3):
        said = Progress(
            calculation_id=one,
            attempt=attempt,
            fraction=cycle / 3,
            text=f"cycle {cycle}",
            metrics={"R1": 0.1 - cycle / 100},
            at=cycle,
        )
        world.write(lambda conn, said=said: logs.update_progress(conn, [said]))
    known = world.read(lambda conn: logs.progress_of(conn, [one]))[one]
    assert known["text"] == "cycle 2"
    assert [entry["R1"] for entry in known["history"]] == pytest.approx([0.1, 0.09, 0.08])


def test_progress_of_an_older_attempt_is_not_told(world):
    from qcrbox.contract.messages import Progress

    one, attempt = running(world)
    change(world, one, State.SUBMITTED, attempt)
    said = Progress(calculation_id=one, attempt=attempt, text="late", at=1)
    assert world.write(lambda conn: logs.update_progress(conn, [said])) == []


# ---------------------------------------------------------------- lineage


def chain(world, length, owner="ada"):
    """Files each made from the one before; their ids and those of the calculations."""
    _, (source,) = world.dataset(owner)
    files, runs = [source], []
    for _ in range(length):
        one, attempt = running(world, owner=owner, inputs=[("structure", files[-1])])
        finish(world, one, attempt, store_output(world, one, attempt))
        query = sa.select(calculation_outputs.c.data_file_id).where(
            calculation_outputs.c.calculation_id == one
        )
        files.append(world.read(lambda conn, query=query: conn.execute(query).scalar_one()))
        runs.append(one)
    return files, runs


def around(conn, who, start, depth, **walk):
    visible = lineage.Visible(
        condition(reach(who, "data_file"), 0.0), condition(reach(who, "calculation"), 0.0)
    )
    return lineage.of(conn, start, lineage.Walk(depth, **walk), visible)


@pytest.mark.slow
def test_lineage_reaches_the_first_file_of_a_long_chain(world, actor):
    files, runs = chain(world, 50)
    graph = world.read(lambda conn: around(conn, actor("ada"), [files[-1]], 50))
    assert {node["id"] for node in graph.nodes} == {*files, *runs}
    assert {(edge["source"], edge["target"]) for edge in graph.edges} == {
        *zip(files, runs, strict=False),
        *zip(runs, files[1:], strict=True),
    }


def test_lineage_looks_both_ways_and_as_deep_as_asked(world, actor):
    files, runs = chain(world, 4)
    graph = world.read(lambda conn: around(conn, actor("ada"), [files[2]], 1))
    assert {node["id"] for node in graph.nodes} == {files[1], runs[1], files[2], runs[2], files[3]}
    one = world.read(lambda conn: around(conn, actor("ada"), [runs[1]], 1, of_calculation=True))
    assert {node["id"] for node in one.nodes} == {files[1], runs[1], files[2]}


def test_foreign_ancestors_show_only_that_they_are_there(world, actor):
    files, runs = chain(world, 1)
    graph = world.read(lambda conn: around(conn, actor("eve"), [files[-1]], 9))
    assert {node["kind"] for node in graph.nodes} == {"hidden"}
    shown = str(graph.nodes) + str(graph.edges)
    assert not any(secret in shown for secret in (*files, *runs, "model.cif", "practice"))
