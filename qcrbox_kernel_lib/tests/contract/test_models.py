"""REST models: additions have defaults, limits of bodies hold, times are ISO text in UTC."""

from __future__ import annotations

import inspect

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
