"""Tables of a few columns: tags, shares, holds, limits, uses, launchers, agents, sessions, uploads."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.contract.messages import CHECKPOINT, SessionState
from qcrbox_registry.store import (
    agents,
    events,
    holds,
    launchers,
    quotas,
    retention_rules,
    sessions,
    shares,
    tags,
    uploads,
    usage,
    work_queue,
)
from qcrbox_registry.store.agents import AgentUpdate, Reported
from qcrbox_registry.store.events import Event
from qcrbox_registry.store.holds import Hold
from qcrbox_registry.store.launchers import LauncherRow
from qcrbox_registry.store.paging import Cut
from qcrbox_registry.store.quotas import LimitFilter, NewLimit
from qcrbox_registry.store.sessions import NewSession
from qcrbox_registry.store.shares import NewShare
from qcrbox_registry.store.tables import agents as agents_table
from qcrbox_registry.store.tables import command_durations
from qcrbox_registry.store.tags import Tagged
from qcrbox_registry.store.uploads import NewOutput, NewUpload, OutputKey
from qcrbox_registry.store.usage import Use

NOW = 1000.0


@pytest.fixture
def database_url(sqlite_url):
    return sqlite_url


# ------------------------------------------------------------ tags


@pytest.mark.parametrize(
    ("given", "tag"),
    [("  urgent ", "urgent"), ("x" * 100, "x" * 100), ("zwei Worte", "zwei Worte"), ("β-phase", "β-phase")],
)
def test_a_tag_is_trimmed(given, tag):
    assert tags.checked(given) == tag


@pytest.mark.parametrize("given", ["", "  ", "x" * 101, "a\nb", "a\x00", "\u202eevil"])
def test_a_tag_that_cannot_be_shown_is_refused(given):
    with pytest.raises(UserInputError, match="A tag is 1 to 100 printable characters"):
        tags.checked(given)


def test_tags_are_added_once_and_replaced_together(world):
    dataset, _ = world.dataset()
    tagged = Tagged("dataset", dataset, world.person["ada"], 1.0)
    world.do(tags.add, tagged, ["b", "a", "b"])
    world.do(tags.add, tagged, ["a", "c"])
    world.do(tags.add, tagged, [])
    assert world.ask(tags.of, "dataset", [dataset]) == {dataset: ["a", "b", "c"]}
    world.do(tags.replace, tagged, ["c", "d"])
    assert world.ask(tags.of, "dataset", [dataset]) == {dataset: ["c", "d"]}
    world.do(tags.replace, tagged, [])
    assert world.ask(tags.of, "dataset", [dataset]) == {dataset: []}


def test_a_replaced_tag_keeps_who_gave_it(world):
    dataset, _ = world.dataset()
    world.do(tags.add, Tagged("dataset", dataset, world.person["ada"], 1.0), ["a"])
    world.do(tags.replace, Tagged("dataset", dataset, world.person["bob"], 9.0), ["a", "b"])
    from qcrbox_registry.store.tables import tags as table

    rows = world.ask(lambda conn: {row.tag: row.by_id for row in conn.execute(sa.select(table))})
    assert rows == {"a": world.person["ada"], "b": world.person["bob"]}


def test_tags_of_other_objects_and_kinds_stay(world):
    one, other = world.start(), world.start()
    for object_id, kind in ((one, "calculation"), (other, "calculation"), (one, "dataset")):
        world.do(tags.add, Tagged(kind, object_id, world.person["ada"], 1.0), [kind])
    world.do(tags.replace, Tagged("calculation", one, world.person["ada"], 1.0), [])
    assert world.ask(tags.of, "calculation", [one, other]) == {one: [], other: ["calculation"]}


# ------------------------------------------------------------ shares


def give(world, object_id, mode="read", kind="dataset", **whom):
    ids = {**world.person, **world.group}
    expires_at = whom.pop("expires_at", None)
    whom = {f"{name}_id": ids[value] for name, value in whom.items()}
    return world.do(
        shares.give, NewShare(kind, object_id, mode, ids["ada"], expires_at=expires_at, **whom), NOW
    )


def held(world, object_id, now=NOW):
    return [
        (each.mode, each.person_id, each.group_id)
        for each in world.ask(shares.held, [object_id], now)[object_id]
    ]


def test_giving_again_replaces_the_mode_for_the_same_receiver_only(world):
    dataset, _ = world.dataset()
    give(world, dataset, person="bob")
    give(world, dataset, group="crystals")
    give(world, dataset, "write", person="bob")
    assert sorted(held(world, dataset), key=str) == sorted(
        [("read", None, world.group["crystals"]), ("write", world.person["bob"], None)], key=str
    )


@pytest.mark.parametrize(
    ("expires_at", "holds_at"), [(None, True), (NOW + 1, True), (NOW, False), (NOW - 1, False)]
)
def test_a_share_holds_until_its_end(world, expires_at, holds_at):
    dataset, _ = world.dataset()
    give(world, dataset, person="bob", expires_at=expires_at)
    assert bool(held(world, dataset)) is holds_at
    assert bool(world.ask(shares.of_object, dataset, NOW)) is holds_at
    assert bool(world.ask(shares.given_by, world.person["ada"], NOW)) is holds_at
    assert (
        dataset in world.ask(shares.objects_shared_with, world.person["bob"], frozenset(), NOW)
    ) is holds_at


def test_a_share_ends_once(world):
    dataset, _ = world.dataset()
    share = give(world, dataset, person="bob")
    assert world.ask(shares.get, share).person == "bob"
    world.do(shares.revoke, share, NOW)
    assert held(world, dataset) == []
    for act in (shares.get, lambda conn, each: shares.revoke(conn, each, NOW)):
        with pytest.raises(NotFound, match="There is no share"):
            world.do(act, share)


def test_a_share_with_a_group_is_for_its_members(world):
    dataset, _ = world.dataset()
    give(world, dataset, group="crystals")
    crystals = frozenset({world.group["crystals"]})
    assert world.ask(shares.objects_shared_with, world.person["bob"], crystals, NOW) == {dataset}
    assert world.ask(shares.objects_shared_with, world.person["bob"], frozenset(), NOW) == frozenset()


def test_the_shares_of_an_object_name_receiver_and_giver(world):
    dataset, _ = world.dataset()
    give(world, dataset, person="bob")
    give(world, dataset, "write", group="crystals")
    shown = [
        (each.person, each.group, each.mode, each.by) for each in world.ask(shares.of_object, dataset, NOW)
    ]
    assert sorted(shown, key=str) == sorted(
        [("bob", None, "read", "ada"), (None, "crystals", "write", "ada")], key=str
    )


# ------------------------------------------------------------ holds, limits, uses


def test_a_hold_replaces_the_one_before_and_is_lifted(world):
    ada = world.person["ada"]
    world.do(holds.put, Hold("launcher", "node1", "hold", "first"), ada, 1.0)
    world.do(holds.put, Hold("launcher", "node1", "drain", "second"), ada, 2.0)
    world.do(holds.put, Hold("site", "", "hold", "update"), ada, 1.5)
    placed = world.ask(holds.placed_holds)
    assert [(each.hold.reason, each.by, each.at) for each in placed] == [
        ("update", "ada", 1.5),
        ("second", "ada", 2.0),
    ]
    world.do(holds.lift, "launcher", "node1")
    world.do(holds.lift, "launcher", "node1")
    assert world.ask(holds.everything) == [Hold("site", "", "hold", "update")]


def test_a_limit_is_set_changed_and_taken_away(world):
    ada, crystals = world.person["ada"], world.group["crystals"]
    for limit in (3.0, 5.0):
        world.do(quotas.set_limit, NewLimit("person", ada, "running", limit), ada, 1.0)
    world.do(quotas.set_limit, NewLimit("group", crystals, "gib", 2.0), ada, 1.0)
    world.do(quotas.set_limit, NewLimit("default-person", 0, "gib", 1.0), ada, 1.0)
    found, count = world.ask(quotas.listed, LimitFilter(), Cut(sort="subject"))
    assert count == 3
    assert sorted((each.subject, each.name, each.quota, each.limit) for each in found) == [
        ("default-person", "", "gib", 1.0),
        ("group", "crystals", "gib", 2.0),
        ("person", "ada", "running", 5.0),
    ]
    world.do(quotas.set_limit, NewLimit("person", ada, "running", None), ada, 1.0)
    world.do(quotas.set_limit, NewLimit("person", ada, "running", None), ada, 1.0)
    assert ("person", ada, "running") not in world.ask(quotas.limits)


@pytest.mark.parametrize(
    ("asked", "text", "names"),
    [
        (LimitFilter("own"), "", ["ada", "crystals"]),
        (LimitFilter("group"), "", ["crystals"]),
        (LimitFilter("default-person"), "", [""]),
        (LimitFilter(name="ada"), "", ["ada"]),
        (LimitFilter(name=""), "", [""]),
        (LimitFilter(quota="gib"), "", ["", "crystals"]),
        (LimitFilter("person", quota="gib"), "", []),
        (LimitFilter(), "RYST", ["crystals"]),
        (LimitFilter(), "a_a", []),
    ],
    ids=str,
)
def test_limits_are_found_by_what_they_limit(world, asked, text, names):
    ada, crystals = world.person["ada"], world.group["crystals"]
    for new in (
        NewLimit("person", ada, "running", 5.0),
        NewLimit("group", crystals, "gib", 2.0),
        NewLimit("default-person", 0, "gib", 1.0),
    ):
        world.do(quotas.set_limit, new, ada, 1.0)
    found, count = world.ask(quotas.listed, asked, Cut(text, sort="name"))
    assert [each.name for each in found] == names
    assert count == len(names)


@pytest.mark.parametrize("quota", ["gib", "running", "queued", "sessions", "cpu_hours"])
@pytest.mark.parametrize("subject", ["person", "group"])
def test_nothing_is_used_at_first(world, quota, subject):
    subject_id = world.person["ada"] if subject == "person" else world.group["crystals"]
    assert world.ask(quotas.used, subject, subject_id, quota) == 0.0


def test_what_waits_and_runs_is_counted_for_person_and_group(world):
    crystals = world.group["crystals"]
    ids = [world.start(group_id=crystals) for _ in range(3)]
    world.run(ids[0])
    for subject, subject_id in (("person", world.person["ada"]), ("group", crystals)):
        assert world.ask(quotas.used, subject, subject_id, "queued") == 2.0
        assert world.ask(quotas.used, subject, subject_id, "running") == 1.0


def test_uses_replace_slots_and_add_processor_time_within_a_month(world):
    ada = world.person["ada"]
    world.do(usage.add, [Use("person", ada, 10.0, 1.0, 5.0, "2026-11")])
    world.do(usage.add, [Use("person", ada, 8.0, 2.0, 3.0, "2026-11")])
    assert world.ask(usage.everyone) == [Use("person", ada, 8.0, 2.0, 8.0, "2026-11")]
    world.do(usage.add, [Use("person", ada, 1.0, 3.0, 2.0, "2026-12")])
    assert world.ask(usage.everyone) == [Use("person", ada, 1.0, 3.0, 2.0, "2026-12")]


def test_mean_runtimes_are_of_commands_that_ran(world):
    row = {"command_id": world.command_id, "n": 3, "mean_s": 4.5, "m2": 0.0}
    world.write(lambda conn: conn.execute(sa.insert(command_durations).values(row)))
    assert world.ask(usage.mean_runtimes) == {world.command_id: 4.5}


# ------------------------------------------------------------ launchers and agents


def test_a_launcher_that_comes_again_replaces_its_row(world):
    world.do(launchers.register, LauncherRow("local", "process", "a", 2, 2, []), 1.0)
    world.do(launchers.register, LauncherRow("local", "docker", "b", 4, 3, [{"slug": "x"}]), 2.0)
    world.do(launchers.set_free, {"local": 1, "unknown": 7})
    assert world.ask(launchers.everyone) == [LauncherRow("local", "docker", "b", 4, 1, [{"slug": "x"}])]


def agent_row(world, agent_id):
    query = sa.select(agents_table).where(agents_table.c.id == agent_id)
    return world.ask(lambda conn: conn.execute(query).one())


def test_the_life_of_an_agent_in_its_row(world):
    world.do(agents.request, "a", world.application_id, "local", 1.0)
    assert world.ask(agents.state_of, "a") == "requested"
    world.do(agents.note_ready, "a", "idle", Reported("node1", 7, "1.2", ["n"] * 80), 2.0)
    row = agent_row(world, "a")
    assert (row.state, row.host, row.pid, len(row.notes), row.ready_at) == ("idle", "node1", 7, 50, 2.0)
    world.do(agents.note_ready, "a", "busy", Reported("node1", 7, "1.2", []), 5.0)
    assert (agent_row(world, "a").ready_at, agent_row(world, "a").last_seen_at) == (2.0, 5.0)
    world.do(agents.set_owners, {"a": world.person["ada"]})
    assert [each.owner_id for each in world.ask(agents.there)] == [world.person["ada"]]
    world.do(agents.note_gone, "a", "killed", 9, 6.0)
    row = agent_row(world, "a")
    assert (row.state, row.reason, row.exit_code, row.gone_at, row.busy_with) == (
        "gone",
        "killed",
        9,
        6.0,
        None,
    )
    world.do(agents.update, [AgentUpdate("a", "idle", None, None, None, None, 9.0, None)])
    assert agent_row(world, "a").state == "gone"
    assert world.ask(agents.there) == []


def test_an_unknown_agent_has_no_state(world):
    assert world.ask(agents.state_of, "nothing") is None


# ------------------------------------------------------------ the queue


def test_what_waits_is_what_no_agent_has(world):
    waits, runs, ended = (world.start(priority=3) for _ in range(3))
    world.run(runs)
    from qcrbox.contract.states import State

    world.change(ended, State.CANCELLED, None)
    assert [each.id for each in world.ask(work_queue.all_waiting)] == [waits]
    (found,) = world.ask(work_queue.waiting, [waits, runs, ended, "nothing"])
    assert (found.id, found.priority, found.owner_id, found.not_before) == (
        waits,
        3,
        world.person["ada"],
        None,
    )
    assert world.ask(work_queue.waiting, []) == []
    (active,) = world.ask(work_queue.with_agents)
    assert (active.id, active.agent_id, active.attempt) == (runs, "agent-1", 1)


@pytest.mark.parametrize("waits", [True, False])
def test_the_priority_changes_while_it_waits(world, waits):
    one = world.start()
    if not waits:
        world.run(one)
    world.do(work_queue.set_priority, one, 7)
    from qcrbox_registry.store.tables import calculations

    query = sa.select(calculations.c.priority).where(calculations.c.id == one)
    assert world.ask(lambda conn: conn.execute(query).scalar()) == (7 if waits else 0)


def test_many_ids_are_asked_for_in_portions(world):
    ids = [world.start() for _ in range(3)]
    padded = [*ids[:1], *(f"none-{i}" for i in range(1200)), *ids[1:]]
    assert sorted(each.id for each in world.ask(work_queue.waiting, padded)) == sorted(ids)
    assert sorted(each.id for each in world.ask(work_queue.attempts, padded)) == sorted(ids)


# ------------------------------------------------------------ sessions


@pytest.fixture
def session(world):
    one = world.start(interactive=True, group_id=world.group["crystals"])
    new = NewSession(one, world.person["ada"], world.group["crystals"], "olex2", 1280, 800)
    (event,) = world.do(sessions.create, new, 1.0)
    assert (event.kind, event.status, event.payload) == ("session", "starting", {"application": "olex2"})
    return one


def report(world, session, state, at=5.0, **more):
    world.do(sessions.report, SessionState(calculation_id=session, attempt=1, state=state, **more), at)
    return world.ask(sessions.get, session)


def test_a_session_opens_once(world, session):
    assert (report(world, session, "open").opened_at, report(world, session, "open", 9.0).opened_at) == (
        5.0,
        5.0,
    )
    row = world.ask(sessions.get, session)
    assert (row.state, row.width, row.height, row.last_input_at) == ("open", 1280, 800, 5.0)


@pytest.mark.parametrize(
    ("width", "height", "shown"), [(800, 600, (800, 600)), (0, 600, (1280, 800)), (0, 0, (1280, 800))]
)
def test_the_size_that_the_agent_reports_counts(world, session, width, height, shown):
    row = report(world, session, "open", width=width, height=height)
    assert (row.width, row.height) == shown


def test_the_reason_of_an_end_is_kept_until_there_is_another(world, session):
    world.do(sessions.begin_to_end, session, keep=True, reason="idle for 4 h")
    assert report(world, session, "finalising").reason == "idle for 4 h"
    assert report(world, session, "program_ended", reason="x" * 9999).reason == "x" * 2000


def test_a_late_report_does_not_open_a_session_that_ends(world, session):
    """It was on its way when the end was asked for; its owner still reads why the session ends."""
    report(world, session, "open")
    world.do(sessions.begin_to_end, session, keep=True, reason="idle for 4 h")
    row = report(world, session, "open", at=9.0)
    assert (row.state, row.reason, row.opened_at) == ("finalising", "idle for 4 h", 5.0)


def test_input_begins_the_idle_time_anew(world, session):
    report(world, session, "open")
    world.do(sessions.note_warning, [session], 7.0)
    assert world.ask(sessions.get, session).warned_at == 7.0
    world.do(sessions.note_input, session, 8.0)
    row = world.ask(sessions.get, session)
    assert (row.last_input_at, row.warned_at) == (8.0, None)


@pytest.mark.parametrize(
    ("state", "before", "found"),
    [("open", 5.0, True), ("open", 4.9, False), ("program_ended", 5.0, True), ("finalising", 5.0, False)],
)
def test_idle_sessions_are_open_and_without_input(world, session, state, before, found):
    report(world, session, "open")
    report(world, session, state)
    assert bool(world.ask(sessions.idle_since, before)) is found


def test_a_closed_session_does_not_change_any_more(world, session):
    world.do(sessions.close, [session], 6.0)
    world.do(sessions.close, [session], 9.0)
    world.do(sessions.close, [], 9.0)
    world.do(sessions.note_input, session, 8.0)
    row = report(world, session, "open")
    assert (row.state, row.closed_at, row.opened_at, row.last_input_at) == ("closed", 6.0, None, None)
    assert world.ask(sessions.idle_since, 1e9) == []


def test_viewing_is_allowed_and_stopped(world, session):
    assert world.ask(sessions.get, session).view_only_allowed is False
    for allowed in (True, False):
        world.do(sessions.allow_viewers, session, allowed)
        assert world.ask(sessions.by_ids, [session, "nothing"])[session].view_only_allowed is allowed
    assert world.ask(sessions.get, "nothing") is None


# ------------------------------------------------------------ uploads


def output(world, one, name="model", filename="model.cif", number=3, attempt=1, at=1.0):
    new = NewOutput(one, attempt, world.person["ada"], name, filename, f"{number:064x}", 10, {"z": 4})
    return world.do(uploads.add_output, new, at)


def test_the_same_output_twice_is_one_row(world):
    one = world.start()
    first = output(world, one)
    assert output(world, one, at=9.0).id == first.id
    assert (first.state, first.size, first.result) == ("stored", 10, {"index": {"z": 4}})
    others = [
        output(world, one, attempt=2),
        output(world, one, number=4),
        output(world, one, name="", filename="b"),
    ]
    assert len({first.id, *(each.id for each in others)}) == 4
    key = OutputKey("model", "model.cif", f"{3:064x}")
    assert world.ask(uploads.output, one, 1, key).id == first.id
    assert world.ask(uploads.output, one, 3, key) is None


def test_the_newest_checkpoint_of_any_attempt_counts(world):
    one = world.start()
    assert world.ask(uploads.checkpoint, one) is None
    output(world, one, CHECKPOINT, "a", at=1.0)
    newest = output(world, one, CHECKPOINT, "b", attempt=2, at=2.0)
    kept = output(world, one)
    assert world.ask(uploads.checkpoint, one).id == newest.id
    world.do(uploads.drop_checkpoints, one, newest.id)
    assert world.ask(uploads.checkpoint, one).id == newest.id
    world.do(uploads.drop_checkpoints, one)
    assert world.ask(uploads.checkpoint, one) is None
    assert world.ask(uploads.get, kept.id).id == kept.id


def test_a_resumable_upload_from_begin_to_end(world):
    ada = world.person["ada"]
    new = NewUpload(ada, "dataset", "a.cif", 100, None, None, None, {"name": "n"})
    upload = world.do(uploads.begin, new, 1.0)
    assert (world.ask(uploads.number_open, ada), world.ask(uploads.announced, "person", ada)) == (1, 100)
    world.do(uploads.advance, upload, 40, 2.0)
    row = world.ask(uploads.get, upload)
    assert (row.offset, row.state, row.result) == (40, "open", {"about": {"name": "n"}})
    world.do(uploads.finish, upload, {"id": "d"}, 3.0)
    assert (world.ask(uploads.number_open, ada), world.ask(uploads.announced, "person", ada)) == (0, 0)
    assert world.ask(uploads.stale, 3.0) == []
    assert world.ask(uploads.stale, 3.1) == [upload]
    world.do(uploads.drop, upload)
    with pytest.raises(NotFound, match="There is no upload"):
        world.ask(uploads.get, upload)


@pytest.mark.parametrize(
    ("read", "key", "text"),
    [
        (uploads.get, "x" * 10_000, f"There is no upload '{'x' * 64}'."),
        (retention_rules.get, 7, "There is no retention rule 7."),
    ],
    ids=["id", "number"],
)
def test_what_is_not_there_is_named_briefly(world, read, key, text):
    with pytest.raises(NotFound) as refused:
        world.ask(read, key)
    assert refused.value.what == text


def test_uploads_of_others_are_not_counted(world):
    new = NewUpload(world.person["bob"], "dataset", "a.cif", 100, None, None, None, {})
    world.do(uploads.begin, new, 1.0)
    assert world.ask(uploads.number_open, world.person["ada"]) == 0


def test_ends_of_calculations_are_found_after_an_event_and_no_other_events(world):
    written = world.do(
        events.write,
        [
            Event("calculation", "a", NOW, status="successful"),
            Event("calculation", "b", NOW, status="running"),
            Event("dataset", "c", NOW, status="successful"),
            Event("calculation", "b", NOW, status="failed"),
            Event("calculation", "d", NOW, status="cancelled"),
        ],
    )
    first, *_, last = (event.seq for event in written)
    final = ["successful", "failed", "cancelled"]
    assert [each.object_id for each in world.ask(events.ends_after, 0, last, final, 10)] == ["a", "b", "d"]
    assert [each.object_id for each in world.ask(events.ends_after, first, last, final, 1)] == ["b"]
    assert [each.object_id for each in world.ask(events.ends_after, first, last - 1, final, 10)] == ["b"]
