"""REST models: additions have defaults, limits of bodies hold, times are ISO text in UTC."""

from __future__ import annotations

import inspect
import time

import pytest
from pydantic import BaseModel, ValidationError
from qcrbox.contract import models
from qcrbox.contract.models import Dataset, StartSession, SubmitBatch, SubmitCommand, Success, iso

COMMAND = {"application_slug": "refine", "application_version": "1.0", "command_name": "refine_iam"}


@pytest.mark.parametrize(
    ("at", "text"),
    [(None, None), (0, "1970-01-01T00:00:00Z"), (1_764_000_000.5, "2025-11-24T16:00:00.500000Z")],
)
def test_times(at, text):
    assert iso(at) == text


def test_submission_needs_application_and_command_only():
    submitted = SubmitCommand(**COMMAND, from_the_future=1)
    assert (submitted.command_arguments, submitted.priority, submitted.tags) == ({}, 0, [])


@pytest.mark.parametrize(
    "change",
    [
        {"application_slug": ""},
        {"command_name": "x" * 256},
        {"priority": 11},
        {"wall_time_s": 0},
        {"tags": ["t"] * 51},
        {"name": "n" * 501},
    ],
    ids=lambda change: next(iter(change)),
)
def test_submission_beyond_its_limits_is_refused(change):
    with pytest.raises(ValidationError):
        SubmitCommand(**{**COMMAND, **change})


@pytest.mark.parametrize("count", [0, 10_001])
def test_batch_is_neither_empty_nor_endless(count):
    with pytest.raises(ValidationError):
        SubmitBatch(commands=[COMMAND] * count)


@pytest.mark.parametrize(
    ("width", "accepted"), [(319, False), (320, True), (7680, True), (7681, False), (None, True)]
)
def test_size_of_a_window(width, accepted):
    body = {"application_slug": "a", "application_version": "1", "width": width}
    if accepted:
        assert StartSession(**body).width == width
    else:
        with pytest.raises(ValidationError):
            StartSession(**body)


def test_kind_of_a_dataset_is_one_of_three():
    assert Dataset(qcrbox_dataset_id="d", data_files={}).kind == "data"
    with pytest.raises(ValidationError):
        Dataset(qcrbox_dataset_id="d", data_files={}, kind="other")


def test_envelope_carries_any_payload():
    answer = Success[models.CalculationId](payload={"calculation_id": "c"})
    assert answer.model_dump()["payload"] == {"calculation_id": "c"}
    assert answer.status == "success"


@pytest.mark.parametrize(
    "model",
    [
        m
        for _, m in inspect.getmembers(models, inspect.isclass)
        if issubclass(m, BaseModel) and m is not BaseModel
    ],
    ids=lambda model: model.__name__,
)
def test_unknown_fields_are_ignored_and_every_model_is_described(model):
    assert model.model_config.get("extra", "ignore") == "ignore"
    assert model.__doc__


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (-1.0, "1969-12-31T23:59:59Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000.25, "2023-11-14T22:13:20.250000Z"),
        (4_102_444_800, "2100-01-01T00:00:00Z"),
    ],
)
def test_times_are_in_utc_whatever_the_place(monkeypatch, at, text):
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    time.tzset()
    try:
        assert iso(at) == text
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("value", [-10, 0, 10])
def test_priorities_within_their_limits(value):
    assert SubmitCommand(**COMMAND, priority=value).priority == value


@pytest.mark.parametrize(
    "change",
    [
        {"priority": -11},
        {"priority": 0.5},
        {"wall_time_s": -1},
        {"wall_time_s": 31_536_001},
        {"wall_time_s": float("nan")},
        {"group": "g" * 256},
        {"application_version": ""},
        {"command_arguments": [1]},
        {"tags": [5]},
        {"force": "perhaps"},
    ],
    ids=str,
)
def test_further_submissions_beyond_their_limits_are_refused(change):
    with pytest.raises(ValidationError):
        SubmitCommand(**{**COMMAND, **change})


def test_a_submission_at_its_limits_is_accepted():
    body = {"tags": ["t"] * 50, "name": "n" * 500, "wall_time_s": 31_536_000, "group": "g" * 255}
    assert SubmitCommand(**{**COMMAND, **body}).wall_time_s == 31_536_000


@pytest.mark.parametrize(("height", "accepted"), [(239, False), (240, True), (4320, True), (4321, False)])
def test_height_of_a_window(height, accepted):
    body = {"application_slug": "a", "application_version": "1", "height": height}
    if accepted:
        assert StartSession(**body).height == height
    else:
        with pytest.raises(ValidationError):
            StartSession(**body)


REQUIRED_ONLY = {
    models.DataFile: {"qcrbox_file_id": "f", "filename": "a", "filetype": "cif", "qcrbox_dataset_id": None},
    models.Dataset: {"qcrbox_dataset_id": "d", "data_files": {}},
    models.StatusEvent: {"calculation_id": "c", "status": "running", "timestamp": "t"},
    models.CalculationId: {"calculation_id": "c"},
    models.SessionId: {"interactive_session_id": "s"},
    models.ClosedSession: {"session_id": "s", "status": "successful"},
    models.StoppedCalculation: {"calculation_id": "c", "status": "cancelled"},
    models.Lineage: {"nodes": [], "edges": []},
    models.LineageEdge: {"source": "a", "target": "b"},
    models.Me: {"name": "anna", "groups": [], "roles": {}},
    models.Share: {"id": "1", "kind": "dataset", "object_id": "d", "mode": "read", "by": "anna", "at": "t"},
    models.Annotation: {"note": "", "pinned": False},
    models.ErrorBody: {"code": 404, "message": "m", "details": "d"},
}


@pytest.mark.parametrize(
    ("model", "body"), REQUIRED_ONLY.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_an_answer_of_a_registry_without_the_additions_is_read(model, body):
    made = model.model_validate(body)
    assert model.model_validate_json(made.model_dump_json()) == made


@pytest.mark.parametrize(
    ("model", "body"), REQUIRED_ONLY.items(), ids=lambda value: getattr(value, "__name__", "")
)
def test_a_field_of_the_contract_cannot_be_missing(model, body):
    for name in body:
        with pytest.raises(ValidationError):
            model.model_validate({key: value for key, value in body.items() if key != name})


@pytest.mark.parametrize("mode", ["read", "write", "view"])
def test_a_share_has_one_of_three_modes(mode):
    assert models.Share.model_validate({**REQUIRED_ONLY[models.Share], "mode": mode}).mode == mode
    with pytest.raises(ValidationError):
        models.Share.model_validate({**REQUIRED_ONLY[models.Share], "mode": "own"})


def test_defaults_of_lists_are_not_shared():
    first, second = (
        Dataset(qcrbox_dataset_id="a", data_files={}),
        Dataset(qcrbox_dataset_id="b", data_files={}),
    )
    first.tags.append("x")
    assert second.tags == []
