"""Messages over NATS: read by their kind, tolerant of newer peers, immutable."""

from __future__ import annotations

from typing import get_args

import pytest
from pydantic import ValidationError
from qcrbox.contract import messages
from qcrbox.contract.messages import (
    AgentGone,
    AgentReady,
    Cancel,
    Command,
    Drain,
    EndSession,
    FileRef,
    Finished,
    Heartbeat,
    LauncherAnswer,
    LauncherReady,
    Limits,
    Log,
    OpenTunnel,
    OutputFile,
    Progress,
    RunningAgent,
    SessionState,
    StartAgent,
    StepChanged,
    StopAgent,
    control_adapter,
    event_adapter,
)
from qcrbox.contract.remarks import Remark
from qcrbox.contract.states import State, Step

CALCULATION = {"calculation_id": "c1", "attempt": 2}
EVENTS = [
    AgentReady(agent="a", application_slug="x", application_version="1"),
    Heartbeat(agent="a", busy_with="c1"),
    Progress(**CALCULATION, fraction=0.5, metrics={"R1": 0.04}),
    Log(**CALCULATION, stream="stdout", offset=10, text="cycle 1\n"),
    Finished(**CALCULATION, status=State.SUCCESSFUL),
]
CONTROLS = [
    Cancel(**CALCULATION, reason="stop"),
    Drain(reason="update"),
    EndSession(**CALCULATION, keep=False),
    OpenTunnel(**CALCULATION, tunnel_id="t", url="ws://x", token="secret"),
]


@pytest.mark.parametrize(
    ("adapter", "message"),
    [*((event_adapter, event) for event in EVENTS), *((control_adapter, control) for control in CONTROLS)],
    ids=lambda value: getattr(value, "kind", ""),
)
def test_message_is_read_again_by_its_kind(adapter, message):
    assert adapter.validate_json(message.model_dump_json()) == message


def test_fields_of_a_newer_peer_are_ignored():
    read = event_adapter.validate_python({"kind": "heartbeat", "agent": "a", "temperature": 21})
    assert read == Heartbeat(agent="a")


@pytest.mark.parametrize(
    "body",
    [{"kind": "from_the_future"}, {"agent": "a"}, {"kind": "log", "calculation_id": "c", "attempt": 1}],
    ids=["unknown kind", "no kind", "missing fields"],
)
def test_message_that_cannot_be_understood_is_refused(body):
    with pytest.raises(ValidationError):
        event_adapter.validate_python(body)


def test_messages_cannot_be_changed():
    with pytest.raises(ValidationError):
        EVENTS[0].agent = "b"


def test_command_has_defaults_for_what_older_registries_do_not_send():
    command = Command(
        calculation_id="c",
        attempt=1,
        correlation_id="x",
        application_slug="a",
        application_version="1",
        command_name="run",
    )
    assert (command.arguments, command.files, command.force) == ({}, [], False)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        (messages.subject_commands("a1"), "commands.a1"),
        (messages.subject_events("a1"), "events.a1"),
        (messages.subject_heartbeats("a1"), "heartbeats.a1"),
        (messages.subject_control("a1"), "control.a1"),
        (messages.subject_launcher("local", "start"), "launchers.local.start"),
    ],
)
def test_subjects(subject, expected):
    assert subject == expected


MORE = [
    StepChanged(**CALCULATION, step=Step.FETCHING, text="2 files", at=5.5),
    SessionState(**CALCULATION, state="open", width=1024, height=768),
    AgentGone(agent="a", reason="idle", exit_code=-9, oom_killed=True, log="Killed"),
    LauncherReady(
        launcher="local", manager="process", capacity=4, applications=[{"slug": "x", "version": "1"}]
    ),
    Finished(
        **CALCULATION,
        status=State.FAILED,
        returncode=-11,
        error_msg="It broke.",
        warnings=["w"],
        remarks=[Remark(kind="note", text="n")],
        outputs=[
            OutputFile(name="o", filename="o.cif", filetype="cif", sha256="0" * 64, size=1, upload_id="u")
        ],
        timings_s={"run": 1.5},
    ),
]


@pytest.mark.parametrize("message", MORE, ids=lambda message: message.kind)
def test_every_event_is_read_again_with_all_its_fields(message):
    assert event_adapter.validate_json(message.model_dump_json()) == message


def test_kinds_of_messages_are_unique_on_each_way():
    for union in (messages.Event, messages.Control):
        members = get_args(get_args(union)[0])
        kinds = [member.model_fields["kind"].default for member in members]
        assert len(kinds) == len(set(kinds))


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (Finished, {**CALCULATION, "status": "half done"}),
        (StepChanged, {**CALCULATION, "step": "flying"}),
        (Log, {**CALCULATION, "stream": "stdlog", "offset": 0, "text": ""}),
        (SessionState, {**CALCULATION, "state": "asleep"}),
        (Progress, {**CALCULATION, "metrics": {"R1": "low"}}),
        (Progress, {"calculation_id": "c", "attempt": "second"}),
        (FileRef, {"data_file_id": "f", "filename": "a.cif", "sha256": "x"}),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_value_that_no_peer_may_send_is_refused(model, body):
    with pytest.raises(ValidationError):
        model.model_validate(body)


def test_requests_and_answers_of_a_launcher_survive_their_json():
    start = StartAgent(
        agent="a",
        application_slug="x",
        application_version="1",
        limits=Limits(memory_bytes=1),
        enrolment_token="t",
    )
    answer = LauncherAnswer(
        ok=True,
        free=2,
        agents=[
            RunningAgent(agent="a", application_slug="x", application_version="1", alive=False, exit_code=1)
        ],
    )
    for message in (start, answer, StopAgent(agent="a")):
        assert type(message).model_validate_json(message.model_dump_json()) == message


def test_limits_are_none_unless_given():
    assert set(Limits().model_dump().values()) == {None}


def test_every_attempt_of_a_calculation_can_be_told_from_an_older_one():
    """The attempt is the fencing token: every message about a calculation has it."""
    for union in (messages.Event, messages.Control):
        for member in get_args(get_args(union)[0]):
            if "calculation_id" in member.model_fields:
                assert member.model_fields["attempt"].is_required()


def test_no_output_of_a_spec_can_have_the_name_of_a_checkpoint():
    assert not messages.CHECKPOINT.isidentifier()


@pytest.mark.parametrize(("said", "counted"), [(0, 0), (8, 8), (-3, 0), (10**30, messages.MOST_PLACES)])
def test_the_places_that_a_launcher_offers_are_such_as_a_machine_has(said, counted):
    """The registry writes them into a column and adds them up for bookings."""
    ready = messages.LauncherReady(launcher="lab", manager="process", capacity=said)
    answer = messages.LauncherAnswer.model_validate_json(f'{{"ok": true, "free": {said}}}')
    assert (ready.capacity, answer.free) == (counted, counted)
