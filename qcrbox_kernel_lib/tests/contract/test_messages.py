"""Messages over NATS: read by their kind, tolerant of newer peers, immutable."""

from __future__ import annotations

import pytest
from pydantic import ValidationError
from qcrbox.contract import messages
from qcrbox.contract.messages import (
    AgentReady,
    Cancel,
    Command,
    Drain,
    EndSession,
    Finished,
    Heartbeat,
    Log,
    OpenTunnel,
    Progress,
    control_adapter,
    event_adapter,
)
from qcrbox.contract.states import State

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
