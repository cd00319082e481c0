"""A batch: inputs that are refused, order of results, places and names, and an outage in between."""

from __future__ import annotations

import asyncio

import pytest
from qcrbox.contract.errors import NotFound, UserInputError

from ..conftest import write_cif
from ..small_server import Drop
from .records import calculation_record, file_record


@pytest.fixture
def command(stored, store):
    for name in ("azu", "thpp", "urea"):
        store.dataset(name, {f"{name}.cif": write_cif()})
    started = iter(range(2000))

    def accept(request):
        ids = []
        for sent in request.json["commands"]:
            ids.append(f"id{next(started)}")
            store.calculation(ids[-1], "submitted", command_arguments=sent["command_arguments"])
        return {"calculation_ids": ids}

    store.server["POST /api/commands/batch"] = accept
    store.server["GET /api/data-files/f"] = {"data_files": [file_record("f.cif", qcrbox_file_id="f")]}
    return stored.refine.refine_iam


@pytest.fixture
def batch(stored, command):
    return stored.map(command, ["azu", "nothing", "thpp"], ls_cycles=2)


def test_all_are_accepted_in_one_request_with_the_same_options(batch, store):
    (request,) = store.server.sent("POST /api/commands/batch")
    sent = [each["command_arguments"] for each in request.json["commands"]]
    assert [each["input_cif"]["data_file_id"] for each in sent] == ["file-azu.cif", "file-thpp.cif"]
    assert {each["ls_cycles"] for each in sent} == {2}


def test_an_input_that_cannot_be_used_is_told_and_stops_no_other(batch):
    assert len(batch) == 2
    assert "nothing is stored under 'nothing'" in str(batch.refused["nothing"])
    assert batch.table["status"][-1] == "✗ refused"
    assert "2 queued, 1 refused" in batch.table.title


def test_two_refused_inputs_of_one_name_are_both_told(stored, command):
    assert list(stored.map(command, ["no", "no"]).refused) == ["no", "no (1)"]


def test_results_stand_in_the_order_of_the_inputs(batch, store):
    for number in (0, 1):
        store.server[f"GET /api/calculations/id{number}"] = {
            "calculations": [calculation_record(f"id{number}")]
        }
    results = batch.results(timeout=60)
    assert [getattr(each, "short_id", type(each).__name__) for each in results] == ["id0", "NotFound", "id1"]


@pytest.mark.parametrize(("key", "found"), [(0, "id0"), (-1, "id1"), ("thpp", "id1")])
def test_one_is_found_by_place_and_by_name(batch, key, found):
    assert batch[key].id == found


def test_a_part_is_taken_as_of_a_list(batch):
    assert [each.id for each in batch[:1]] == ["id0"]


def test_names_are_asked_for_with_in(batch):
    assert "azu" in batch
    assert "nothing" not in batch
    assert batch[0] in batch
    assert batch._ipython_key_completions_() == ["azu", "thpp"]


@pytest.mark.parametrize(
    ("key", "message"),
    [("nothing", "It was refused: .*nothing is stored"), ("other", "There are: azu, thpp")],
)
def test_a_name_that_is_not_there_says_why(batch, key, message):
    with pytest.raises(NotFound, match=message):
        batch[key]


@pytest.mark.parametrize("inputs", ["azu", b"data_azu"], ids=["a name", "bytes"])
def test_a_single_input_is_no_list_of_its_letters(stored, command, inputs, store):
    with pytest.raises(UserInputError, match=r"takes a list of inputs; you gave one"):
        stored.map(command, inputs)
    assert not store.server.sent("POST /api/commands/batch")


def test_a_dataset_alone_is_no_list_either(stored, command):
    with pytest.raises(UserInputError, match=r"takes a list of inputs; you gave one Dataset"):
        stored.map(command, stored["azu"])


def test_no_inputs_are_an_empty_batch(stored, command, store):
    batch = stored.map(command, [])
    assert len(batch) == 0
    assert batch.results() == []
    assert "nothing started" in repr(batch)
    assert not store.server.sent("POST /api/commands/batch")


@pytest.mark.slow
def test_more_than_a_thousand_are_sent_in_parts_and_keep_their_order(stored, command, store):
    batch = stored.map(command, [{"data_file_id": "f"}] * 1001)
    assert [len(sent.json["commands"]) for sent in store.server.sent("POST /api/commands/batch")] == [1000, 1]
    assert batch[-1].id == "id1000"


def test_the_failed_and_the_successful_are_batches(batch, store):
    for number, status in enumerate(("failed", "successful")):
        store.server[f"GET /api/calculations/id{number}"] = {
            "calculations": [calculation_record(f"id{number}", status)]
        }
    for calculation in batch:
        calculation.refresh()
    assert [each.id for each in batch.failed] == ["id0"]
    assert [each.id for each in batch.successful] == ["id1"]
    assert batch.failed.names == ["azu"]


def test_an_outage_does_not_end_a_loop_over_those_that_end(batch, store, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    for number in (0, 1):
        ended = {"calculations": [calculation_record(f"id{number}")]}
        store.server[f"GET /api/calculations/id{number}"] = [Drop(), ended]
    assert {each.id for each in batch.as_completed()} == {"id0", "id1"}


def test_an_outage_does_not_end_an_awaited_loop(batch, store, monkeypatch):
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    for number in (0, 1):
        ended = {"calculations": [calculation_record(f"id{number}")]}
        store.server[f"GET /api/calculations/id{number}"] = [Drop(), ended]

    async def gather():
        return [each.id async for each in batch.as_completed()]

    assert sorted(asyncio.run(gather())) == ["id0", "id1"]
