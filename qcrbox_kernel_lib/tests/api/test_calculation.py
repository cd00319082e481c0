"""One calculation as a notebook sees it: waiting, errors, observers, what is lost and comes back."""

from __future__ import annotations

import asyncio
import threading

import pytest
from qcrbox.api.calculation import StillRunning
from qcrbox.contract.errors import CalculationCancelled, CalculationFailed, UserInputError

from ..small_server import Drop, Raw, Stream, refusal
from .records import calculation_record, sse


@pytest.fixture
def quick(monkeypatch):
    """Polling and retries without their pauses."""
    monkeypatch.setattr("qcrbox.api.calculation._POLL_S", 0.01)
    monkeypatch.setattr("qcrbox.client.http._READ_RETRY_DELAYS_S", ())
    monkeypatch.setattr("qcrbox.client.events._RECONNECT_DELAYS_S", (0.01,))


@pytest.fixture
def ended(stored, store):
    """`ended(status, **record)`: a calculation in a final state."""

    def make(status: str = "successful", **more):
        store.calculation("0aa1", status, **more)
        store.server["GET /api/calculations/0aa1/log"] = {"text": more.get("log", "")}
        return stored.calculations["0aa1"]

    return make


def test_a_success_gives_its_result_and_always_the_same(ended):
    calculation = ended()
    assert calculation.done
    assert calculation.result() is calculation.result()
    assert calculation.error is None


def test_a_failure_is_raised_with_its_words_its_line_in_the_log_and_the_log(ended):
    calculation = ended(
        "failed", error_msg="ValueError: no cell\nin block a", log="begin\nValueError: no cell\nend"
    )
    with pytest.raises(CalculationFailed) as caught:
        calculation.result()
    error = caught.value
    assert error.what == "no cell"
    assert error.next == 'The whole log: qc.calculations["0aa1"].log, line 2.'
    assert "in block a" in error.details
    assert error.fields["log_tail"].splitlines() == ["begin", "ValueError: no cell", "end"]
    assert error.calculation == "0aa1"


def test_a_failure_without_words_says_what_failed(ended):
    with pytest.raises(CalculationFailed, match="refine_iam failed"):
        ended("failed").result()


def test_a_failure_is_told_although_its_log_is_gone(ended, store):
    calculation = ended("failed", error_msg="no cell")
    store.server["GET /api/calculations/0aa1/log"] = refusal(404, "not_found", "No log.")
    with pytest.raises(CalculationFailed, match="no cell"):
        calculation.result()


def test_a_cancelled_calculation_says_why(ended):
    calculation = ended("cancelled", error_msg="Stopped by eva.")
    with pytest.raises(CalculationCancelled, match=r"refine_iam was cancelled. Stopped by eva."):
        calculation.result()
    assert isinstance(calculation.error, CalculationCancelled)


def test_waiting_has_a_limit_and_says_how_to_ask_again(stored, store, quick):
    store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    with pytest.raises(
        StillRunning, match=r'still running. Ask again: qc.calculations\["0aa1"\].result'
    ) as caught:
        calculation.result(timeout=0.05, quiet=True)
    assert isinstance(caught.value, TimeoutError)


def test_an_outage_while_waiting_is_outlasted(stored, store, quick):
    record = store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    ended = {"calculations": [calculation_record("0aa1")]}
    store.server["GET /api/calculations/0aa1"] = [{"calculations": [record]}, Drop(), Drop(), ended]
    assert calculation.result(timeout=60, quiet=True).calculation is calculation


def test_an_awaited_calculation_outlasts_an_outage_too(stored, store, quick):
    record = store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    ended = {"calculations": [calculation_record("0aa1")]}
    store.server["GET /api/calculations/0aa1"] = [{"calculations": [record]}, Drop(), Drop(), ended]

    async def wait():
        return await calculation

    assert asyncio.run(wait()).calculation is calculation


def test_an_observer_that_fails_stops_neither_the_others_nor_the_events(stored, store, quick):
    """A failing callback in the thread of the events would leave every calculation without news for ever."""
    store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    heard = threading.Event()

    def fails():
        raise RuntimeError("of the person's own")

    def hears():
        if calculation._live.step == "second":
            heard.set()

    calculation.on_change(fails)
    calculation.on_change(hears)
    steps = [
        sse("progress", {"id": "0aa1", "status": "running", "step": step}) for step in ("first", "second")
    ]
    store.server["GET /api/events"] = Stream(steps)
    assert heard.wait(10)


def test_one_strange_event_leaves_the_others_heard(stored, store, quick):
    store.calculation("0aa1", "running")
    strange = {"id": "0aa1", "status": "running", "progress": {"metrics": [1]}, "queue": {"place": "first"}}
    plain = {"id": "0aa1", "status": "running", "step": "second"}
    store.server["GET /api/events"] = Stream([sse("progress", strange), sse("progress", plain)])
    calculation = stored.calculations["0aa1"]
    heard = threading.Event()
    calculation.on_change(lambda: heard.set() if calculation._live.step == "second" else None)
    assert heard.wait(10)


def test_the_end_told_by_an_event_brings_the_whole_record(stored, store, quick):
    running = store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    whole = calculation_record("0aa1", output_dataset_id="d1", warnings=["look"])
    store.server["GET /api/calculations/0aa1"] = lambda _: {
        "calculations": [whole if asked.is_set() else running]
    }
    asked = threading.Event()
    seen = threading.Event()
    calculation.on_change(lambda: seen.set() if calculation._live.final else None)

    def events():
        asked.set()
        yield sse("status", {"id": "0aa1", "status": "successful"})

    store.server["GET /api/events"] = lambda _: Stream(events())
    assert seen.wait(10)
    assert calculation.record["output_dataset_id"] == "d1"
    assert calculation.result(quiet=True).warnings == ["look"]


def test_renaming_is_stored_and_taken_back(ended, store, stored):
    calculation = ended(name="before")
    store.server["PATCH /api/calculations/0aa1"] = lambda request: {
        "calculations": [calculation_record("0aa1", name=request.json["title"], title=request.json["title"])]
    }
    calculation.title = "after"
    assert calculation.title == calculation.name == "after"
    stored.undo()
    assert calculation.title == "before"


def test_cancelling_sends_the_reason_and_reads_the_state(stored, store):
    store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    store.server["POST /api/calculations/0aa1/stop"] = {}
    store.server["GET /api/calculations/0aa1"] = {"calculations": [calculation_record("0aa1", "cancelled")]}
    assert calculation.cancel("wrong cell").status == "cancelled"
    assert store.server.sent("POST /api/calculations/0aa1/stop")[0].json == {"reason": "wrong cell"}


def test_a_retry_sends_the_same_arguments(ended, store):
    arguments = {"input_cif": {"data_file_id": "f1"}, "ls_cycles": 4}
    calculation = ended("failed", command_arguments=arguments)
    store.calculation("0bb2", "submitted")
    store.server["POST /api/commands"] = {"calculation_id": "0bb2"}
    assert calculation.retry().id == "0bb2"
    assert store.server.sent("POST /api/commands")[0].json["command_arguments"] == arguments


def test_a_retry_whose_input_is_gone_names_it_and_where_to_find_it(ended, store):
    calculation = ended("failed", command_arguments={"input_cif": {"data_file_id": "f1"}})
    store.server["POST /api/commands"] = refusal(404, "not_found", "No file f1.")
    store.server["GET /api/lineage/calculation/0aa1"] = {
        "nodes": [
            {
                "id": "f1",
                "kind": "data_file",
                "label": "azu.cif",
                "details": {"deleted": True, "dataset": "azu", "dataset_id": "d1"},
            }
        ],
        "edges": [],
    }
    store.dataset("azu", qcrbox_dataset_id="d1", deleted_at="2026-11-28T10:00:00Z")
    with pytest.raises(UserInputError, match=r"Input 'azu' of .* was deleted on 2026-11-28.*qc.datasets.bin"):
        calculation.retry()


def test_inputs_that_were_deleted_are_left_out(ended, store):
    calculation = ended(command_arguments={"a": {"data_file_id": "f1"}, "b": {"data_file_id": "f2"}, "c": 5})
    store.server["GET /api/data-files/f2"] = {
        "data_files": [{"qcrbox_file_id": "f2", "filename": "b.hkl", "filetype": "hkl"}]
    }
    assert [file.filename for file in calculation.inputs] == ["b.hkl"]


def test_its_snapshot_is_json_for_the_card(ended):
    import json

    shown = ended(title="<b>t</b>").snapshot()
    assert json.loads(json.dumps(shown))["short_id"] == "0aa1"
    assert shown["title_words"] == "<b>t</b> · "
    assert shown["title_at"] == "2026-11-29T12:30:00Z"


def test_text_names_state_title_and_id(ended):
    text = repr(ended("failed", error_msg="no cell"))
    assert text.startswith("✗ failed title of 0aa1")
    assert text.endswith("(0aa1) – no cell")


def test_the_log_is_read_each_time(ended, store):
    calculation = ended()
    store.server["GET /api/calculations/0aa1/log"] = [{"text": "a"}, {"text": "a\nb"}]
    assert (str(calculation.log), str(calculation.log)) == ("a", "a\nb")


def test_a_record_that_a_proxy_replaced_is_an_error_and_no_state(stored, store, quick):
    store.calculation("0aa1", "running")
    calculation = stored.calculations["0aa1"]
    store.server["GET /api/calculations/0aa1"] = Raw("<html>sign in</html>", kind="text/html")
    from qcrbox.contract.errors import QcError

    with pytest.raises(QcError, match="no answer of a registry"):
        calculation.refresh()
    assert calculation._live.status == "running"
