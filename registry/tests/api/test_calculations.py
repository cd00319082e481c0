"""Submitting, waiting, stopping, logs, batches, idempotency, and the agents' file routes."""

from __future__ import annotations

import hashlib
import io
import json
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa
from qcrbox.contract.messages import CHECKPOINT, Finished, OutputFile
from qcrbox.contract.states import State
from qcrbox_registry.services import written_cifs
from qcrbox_registry.services.written_cifs import LARGEST_BYTES
from qcrbox_registry.store import logs
from qcrbox_registry.store.tables import calculations as calculation_table
from qcrbox_registry.store.tables import data_files
from qcrbox_registry.testing.ends import write_end

NOOP = {
    "application_slug": "practice",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {},
}


def test_a_failed_program_says_why(ada, do):
    done = do.ended(ada, do.submit(ada, "fail"))
    assert (done["status"], done["error_msg"]) == ("failed", "The program failed.\nabout to fail")
    assert done["status_events"][-1]["stderr"] == "about to fail\n"
    log = ada.get(f"/api/calculations/{done['calculation_id']}/log").json()["payload"]
    assert log["text"] == "about to fail\n"
    part = ada.get(
        f"/api/calculations/{done['calculation_id']}/log", params={"stream": "stderr", "start": 6}
    ).json()["payload"]
    assert (part["text"], part["next"]) == ("to fail\n", 14)


def test_the_same_key_gives_the_same_calculation(ada):
    key = {"idempotency-key": "a-key"}
    first = ada.post("/api/commands", json=NOOP, headers=key).json()["payload"]["calculation_id"]
    assert ada.post("/api/commands", json=NOOP, headers=key).json()["payload"]["calculation_id"] == first
    other = ada.post("/api/commands", json={**NOOP, "name": "other"}, headers=key)
    assert other.status_code == 409
    assert len(ada.get("/api/calculations").json()["payload"]["calculations"]) == 1


def test_a_key_is_its_persons_own(person):
    ada, eve = person(), person()
    key = {"idempotency-key": "shared"}
    ids = {
        one.post("/api/commands", json=NOOP, headers=key).json()["payload"]["calculation_id"]
        for one in (ada, eve)
    }
    assert len(ids) == 2


def test_one_key_sent_many_times_at_once_starts_one_calculation(registry, ada):
    def send(_):
        return ada.post("/api/commands", json=NOOP, headers={"idempotency-key": "at-once"}).json()["payload"][
            "calculation_id"
        ]

    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(send, range(24)))) == 1
    assert len(ada.get("/api/calculations").json()["payload"]["calculations"]) == 1


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_bad_keys_are_400(ada, key):
    assert ada.post("/api/commands", json=NOOP, headers={"idempotency-key": key}).status_code == 400


@pytest.mark.slow
def test_a_batch_is_taken_as_a_whole_or_not_at_all(ada, do):
    good = {**NOOP, "command_arguments": {"x": 1}}
    bad = {**NOOP, "command_arguments": {"x": 99}}
    assert ada.post("/api/commands/batch", json={"commands": [good, bad]}).status_code == 400
    assert ada.get("/api/calculations").json()["payload"]["calculations"] == []
    made = ada.post("/api/commands/batch", json={"commands": [good] * 20})
    assert made.status_code == 201
    ids = made.json()["payload"]["calculation_ids"]
    assert {do.ended(ada, one)["status"] for one in ids} == {"successful"}
    found = ada.get("/api/calculations", params={"batch": made.json()["payload"]["batch_id"]}).json()[
        "payload"
    ]
    assert [one["calculation_id"] for one in found["calculations"]] == ids[::-1]


@pytest.mark.parametrize(
    "body",
    [{}, {"commands": []}, {"commands": [{}]}, {"commands": [NOOP] * 10_001}],
    ids=["nothing", "empty", "wrong", "too many"],
)
def test_bad_batches_are_400(ada, body):
    assert ada.post("/api/commands/batch", json=body).status_code == 400


def test_lists_are_paged_and_filtered(ada, do):
    ids = [do.submit(ada) for _ in range(5)]
    failed = do.submit(ada, "fail")
    for one in [*ids, failed]:
        do.ended(ada, one)

    def listed(**query):
        return ada.get("/api/calculations", params=query).json()["payload"]

    first = listed(limit=4)
    rest = listed(limit=4, after=first["next"])
    seen = [one["calculation_id"] for one in first["calculations"] + rest["calculations"]]
    assert (seen, rest["next"]) == ([failed, *ids[::-1]], None)
    assert [one["calculation_id"] for one in listed(status="failed")["calculations"]] == [failed]
    assert len(listed(status=["failed", "successful"])["calculations"]) == 6
    assert [one["calculation_id"] for one in listed(q="fai")["calculations"]] == [failed]
    assert listed(application="other")["calculations"] == []


@pytest.mark.slow
def test_stopping_what_waits_what_runs_and_what_has_ended(registry, person, do):
    ada = person()
    running = [do.submit(ada, "sleep", seconds=60) for _ in range(4)]
    deadline = time.monotonic() + 60
    while not any(do.ended(ada, one, wait=0)["status"] == "running" for one in running):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    # Held, so that an agent that is used to short ones does not take a few of them beforehand.
    keeper = person("applications")
    hold = f"/api/applications/{ada.get('/api/applications').json()['payload']['applications'][0]['id']}/hold"
    keeper.post(hold, json={"mode": "hold", "reason": "test"})
    try:
        waiting = [do.submit(ada, "sleep", seconds=60) for _ in range(40)]
        answer = ada.post(f"/api/calculations/{waiting[-1]}/stop", json={"reason": "not needed"})
        stopped = answer.json()["payload"]["calculations"][0]
        assert (stopped["status"], stopped["error_msg"]) == ("cancelled", "not needed")
        everything = ada.post("/api/calculations/stop", json={"calculation_ids": running + waiting})
        assert everything.status_code == 200
        assert {do.ended(ada, one)["status"] for one in running + waiting} == {"cancelled"}
    finally:
        keeper.post(hold, json={"mode": None})
    again = ada.post(f"/api/calculations/{running[0]}/stop")
    assert (again.status_code, again.json()["payload"]["calculations"][0]["status"]) == (200, "cancelled")


@pytest.mark.attack(18)
def test_a_stop_of_several_stops_none_when_one_is_foreign(person, do):
    ada, eve = person(), person()
    mine, theirs = do.submit(eve, "sleep", seconds=5), do.submit(ada, "sleep", seconds=5)
    assert eve.post("/api/calculations/stop", json={"calculation_ids": [mine, theirs]}).status_code == 404
    assert do.ended(eve, mine, wait=0)["status"] != "cancelled"
    for client, one in ((ada, theirs), (eve, mine)):
        client.post(f"/api/calculations/{one}/stop")


@pytest.mark.attack(14)
def test_a_companion_is_taken_only_by_who_may_read_it(person, do):
    """The .hkl beside a CIF is found by its owner; who was given the CIF alone does not get it along."""
    ada, bea = person(), person()
    bea.get("/api/me")  # known from now on
    made = do.upload(ada, "model.cif")
    hkl = {"file": ("model.hkl", b"1 0 0 5.0 1.0\n")}
    appended = ada.post(f"/api/datasets/{made['qcrbox_dataset_id']}/append", files=hkl).json()["payload"]
    companion = {"data_file_id": appended["appended_file"]["qcrbox_file_id"]}
    cif = do.file_id(made)
    taken = do.ended(ada, do.submit(ada, "read", structure=cif))["command_arguments"]["table"]
    assert taken == companion
    given = {"kind": "data_file", "object_id": cif, "person": bea.name}
    assert ada.post("/api/shares", json=given).status_code == 201
    calculation = do.ended(bea, do.submit(bea, "read", structure=cif))
    assert calculation["command_arguments"]["table"] is None
    nodes = bea.get(f"/api/lineage/calculation/{calculation['calculation_id']}").json()["payload"]["nodes"]
    assert companion["data_file_id"] not in str(nodes)
    given = {"kind": "dataset", "object_id": made["qcrbox_dataset_id"], "person": bea.name}
    assert ada.post("/api/shares", json=given).status_code == 201
    taken = do.ended(bea, do.submit(bea, "read", structure=cif))["command_arguments"]["table"]
    assert taken == companion


def test_a_held_application_starts_nothing_and_says_why(person, do):
    ada, keeper = person(), person("applications")
    application = ada.get("/api/applications").json()["payload"]["applications"][0]
    path = f"/api/applications/{application['id']}/hold"
    assert ada.post(path, json={"mode": "hold", "reason": "x"}).status_code == 403
    assert keeper.post(path, json={"mode": "hold", "reason": "The licence has expired."}).status_code == 200
    try:
        one = do.submit(ada)
        shown = do.ended(ada, one, wait=0.5)
        assert shown["status"] == "submitted"
        assert "licence has expired" in shown["queue"]["reason"]
        assert (
            ada.get("/api/applications").json()["payload"]["applications"][0]["held"]
            == "The licence has expired."
        )
    finally:
        assert keeper.post(path, json={"mode": None}).status_code == 200
    assert do.ended(ada, one)["status"] == "successful"


@pytest.mark.slow
def test_thousands_of_submissions_are_taken_and_the_first_page_is_still_there(registry, person):
    ada = person()
    keeper = person("applications")
    application = ada.get("/api/applications").json()["payload"]["applications"][0]
    keeper.post(f"/api/applications/{application['id']}/hold", json={"mode": "hold", "reason": "test"})
    try:
        made = ada.post("/api/commands/batch", json={"commands": [NOOP] * 3000}, timeout=120).json()[
            "payload"
        ]
        page = ada.get("/api/calculations", params={"limit": 100}).json()["payload"]["calculations"]
        assert page[0]["calculation_id"] == made["calculation_ids"][-1]
        stopped = ada.post("/api/calculations/stop", json={"batch_id": made["batch_id"]}, timeout=120)
        assert len(stopped.json()["payload"]["calculations"]) == 3000
    finally:
        keeper.post(f"/api/applications/{application['id']}/hold", json={"mode": None})


@pytest.mark.slow
def test_one_person_cannot_fill_the_queue_and_others_go_on(registry, person, do, monkeypatch):
    """The site's own limit holds without anybody having set one; a batch that goes over it leaves nothing."""
    ada, eve = person(), person()
    monkeypatch.setitem(registry.context.quotas._site, "queued", 800.0)
    over = ada.post("/api/commands/batch", json={"commands": [NOOP] * 1000}, timeout=120)
    assert over.status_code == 429
    assert "limit of 800 waiting calculations" in over.json()["error"]["message"]
    assert over.headers["retry-after"]
    assert ada.get("/api/calculations").json()["payload"]["calculations"] == []
    taken = ada.post("/api/commands/batch", json={"commands": [NOOP] * 800}, timeout=120)
    assert taken.status_code == 201
    # Fair share: one of somebody else does not wait for the hundreds.
    assert do.ended(eve, do.submit(eve), wait=60)["status"] == "successful"
    batch = {"batch_id": taken.json()["payload"]["batch_id"]}
    assert ada.post("/api/calculations/stop", json=batch, timeout=120).status_code == 200


def test_many_single_submissions_at_once_keep_to_the_limit(registry, person):
    ada = person()
    keeper = person("applications")
    hold = f"/api/applications/{ada.get('/api/applications').json()['payload']['applications'][0]['id']}/hold"
    keeper.post(hold, json={"mode": "hold", "reason": "test"})
    ada.get("/api/me")
    try:
        root = person("admin")
        root.put("/api/quotas", json={"subject": "person", "name": ada.name, "quota": "queued", "limit": 10})
        with ThreadPoolExecutor(8) as pool:
            codes = list(pool.map(lambda _: ada.post("/api/commands", json=NOOP).status_code, range(40)))
        assert (codes.count(201), codes.count(429)) == (10, 30)
    finally:
        keeper.post(hold, json={"mode": None})


# ---------------------------------------------------------------- agents' files


@pytest.fixture
def attempt(person, do, taken):
    """A calculation that an agent (the test) works on: its id, attempt, input file id, and a client with its token."""
    ada = person()
    made = do.upload(ada)
    return {**taken(ada, made), "file": do.file_id(made), "ada": ada}


def put(attempt, content, filename="refined.cif", sha256=None, name="refined"):
    params = {"name": name, "filename": filename, "sha256": sha256 or hashlib.sha256(content).hexdigest()}
    return attempt["client"].put(
        f"/internal/calculations/{attempt['id']}/outputs", params=params, content=content
    )


@pytest.mark.attack(20)
def test_an_agent_reads_its_inputs_and_no_other_file(attempt, person, do, cif):
    base = f"/internal/calculations/{attempt['id']}/inputs"
    assert attempt["client"].get(f"{base}/{attempt['file']}").content == cif
    assert (
        b"_cell.length_a"
        in attempt["client"].get(f"{base}/{attempt['file']}", params={"form": "unified"}).content
    )
    foreign = do.file_id(do.upload(person()))
    assert attempt["client"].get(f"{base}/{foreign}").status_code == 404
    own_but_no_input = do.file_id(do.upload(attempt["ada"]))
    assert attempt["client"].get(f"{base}/{own_but_no_input}").status_code == 404


def test_an_input_that_was_deleted_meanwhile_still_arrives(attempt, cif):
    attempt["ada"].delete(f"/api/data-files/{attempt['file']}")
    answer = attempt["client"].get(f"/internal/calculations/{attempt['id']}/inputs/{attempt['file']}")
    assert answer.content == cif


def test_outputs_stored_twice_give_one_answer_and_wrong_bytes_none(attempt, cif):
    first, again = put(attempt, cif), put(attempt, cif)
    assert first.status_code == 201
    assert first.json()["payload"] == again.json()["payload"]
    assert put(attempt, cif, sha256="0" * 64).status_code == 409
    assert put(attempt, cif, sha256="x" * 64).status_code == 400


@pytest.mark.attack(20)
def test_the_token_of_another_calculation_attempt_or_purpose_opens_nothing(
    registry, attempt, person, do, cif, file_token
):
    other = do.submit(person(), "sleep", seconds=0)
    path = f"/internal/calculations/{attempt['id']}/inputs/{attempt['file']}"
    good = file_token(attempt["id"], attempt["attempt"])
    for token, status in [
        (file_token(other, 1), 404),
        (file_token(attempt["id"], attempt["attempt"] - 1), 409),
        (file_token(attempt["id"], attempt["attempt"], expires=time.time() - 1), 401),
        (good[:-2] + "xx", 401),
        (good.replace("files.", "enrol."), 401),
        (attempt["ada"].token, 401),
    ]:
        with registry.client(token) as client:
            assert client.get(path).status_code == status


@pytest.mark.attack(20)
def test_the_end_of_an_attempt_closes_its_files(registry, attempt, cif):
    stored = put(attempt, cif).json()["payload"]
    output = OutputFile(name="refined", filename="refined.cif", filetype="cif", primary=True, **stored)
    end = Finished(
        calculation_id=attempt["id"], attempt=attempt["attempt"], status=State.SUCCESSFUL, outputs=[output]
    )
    registry.write(lambda conn: write_end(conn, end))
    assert put(attempt, b"late", "late.txt").status_code == 409
    done = attempt["ada"].get(f"/api/calculations/{attempt['id']}").json()["payload"]["calculations"][0]
    dataset = (
        attempt["ada"].get(f"/api/datasets/{done['output_dataset_id']}").json()["payload"]["datasets"][0]
    )
    file = dataset["data_files"]["refined.cif"]
    assert (dataset["kind"], file["index"]["formula_sum"]) == ("output", "O2 Si")
    graph = attempt["ada"].get(f"/api/lineage/data_file/{file['qcrbox_file_id']}").json()["payload"]
    assert [node["id"] for node in graph["nodes"]] == [attempt["file"], attempt["id"], file["qcrbox_file_id"]]


def test_notes_and_what_is_not_applied_are_kept_apart_from_warnings(registry, attempt):
    remarks = [{"kind": "note", "text": "C3 and N3 share a site."}, {"kind": "not_applied", "text": "CONF"}]
    end = Finished(
        calculation_id=attempt["id"],
        attempt=attempt["attempt"],
        status=State.SUCCESSFUL,
        warnings=["Not positive definite: C7."],
        remarks=remarks,
    )
    registry.write(lambda conn: write_end(conn, end))
    done = attempt["ada"].get(f"/api/calculations/{attempt['id']}").json()["payload"]["calculations"][0]
    assert (done["warnings"], done["remarks"]) == (["Not positive definite: C7."], remarks)
    listed = attempt["ada"].get("/api/calculations").json()["payload"]["calculations"]
    assert next(one for one in listed if one["calculation_id"] == attempt["id"])["remarks"] == remarks


def test_the_newest_checkpoint_is_there_for_the_next_attempt(registry, attempt, file_token):
    path = f"/internal/calculations/{attempt['id']}/checkpoint"
    assert attempt["client"].get(path).status_code == 404
    for content in (b"round 1", b"round 2"):
        put(attempt, content, filename="state.zip", name=CHECKPOINT)
    registry.write(
        lambda conn: conn.execute(
            sa.update(calculation_table)
            .where(calculation_table.c.id == attempt["id"])
            .values(attempt=attempt["attempt"] + 1)
        )
    )
    assert attempt["client"].get(path).status_code == 409
    with registry.client(file_token(attempt["id"], attempt["attempt"] + 1)) as client:
        assert client.get(path).content == b"round 2"


def test_a_cancelled_calculation_keeps_its_checkpoint_as_an_output(registry, attempt):
    stored = put(attempt, b"round 3", filename="state.zip", name=CHECKPOINT).json()["payload"]
    output = OutputFile(name=CHECKPOINT, filename="state.zip", filetype="unknown", **stored)
    end = Finished(
        calculation_id=attempt["id"], attempt=attempt["attempt"], status=State.CANCELLED, outputs=[output]
    )
    registry.write(lambda conn: write_end(conn, end))
    done = attempt["ada"].get(f"/api/calculations/{attempt['id']}").json()["payload"]["calculations"][0]
    assert done["output_dataset_id"]


# ---------------------------------------------------------------- the site


def test_readiness_names_what_is_missing(registry):
    with registry.client() as anybody:
        answer = anybody.get("/api/readyz")
    assert (answer.status_code, answer.json()["missing"]) == (200, {})


def test_readiness_says_what_is_wrong_in_words(registry, monkeypatch):
    monkeypatch.setattr(type(registry.context.bus), "is_connected", False)
    monkeypatch.setitem(registry.context.faults, "database", "page 7 is damaged")
    monkeypatch.setitem(registry.context.faults, "application broken", "line 3: no name")
    with registry.client() as anybody:
        answer = anybody.get("/api/readyz")
    said = answer.json()
    assert (answer.status_code, said["status"]) == (503, "not ready")
    assert said["missing"]["database"] == "page 7 is damaged"
    assert "NATS" in said["missing"]["nats"]
    assert said["notes"] == {"application broken": "line 3: no name"}


def test_metrics_need_the_right_to_monitor(person):
    assert person().get("/metrics").status_code == 404
    page = person("applications").get("/metrics")
    assert page.status_code == 200
    assert "qcrbox_waiting " in page.text


def test_the_audit_trail_holds_refusals_and_its_chain(registry, person, do):
    ada, eve, root = person(), person(), person("admin")
    made = do.upload(ada)["qcrbox_dataset_id"]
    eve.delete(f"/api/datasets/{made}")
    registry.serving.do(registry.context.audits.settle())
    assert eve.get("/api/audit").status_code == 404
    seen = root.get("/api/audit", params={"who": eve.name}).json()["payload"]["audit"]
    assert [(one["action"], one["allowed"]) for one in seen] == [(f"DELETE /api/datasets/{made}", False)]
    uploads = root.get("/api/audit", params={"object_id": made}).json()["payload"]["audit"]
    assert [(one["who"], one["action"], one["address"]) for one in uploads] == [
        (ada.name, "upload", "127.0.0.1")
    ]
    assert root.get("/api/audit/check").json()["payload"] == {
        "sound": True,
        "broken_at": [],
        "faults": [],
    }


@pytest.mark.parametrize("path", ["a" * 300, "qcrbox_ds_0x" + "0" * 100, "a%00b", "%F0%9F%92%A5", "%C3"])
def test_a_refusal_is_in_the_audit_trail_however_its_address_looks(registry, person, path):
    eve, root = person(), person("admin")
    eve.delete(f"/api/datasets/{path}")
    registry.serving.do(registry.context.audits.settle())
    (seen,) = root.get("/api/audit", params={"who": eve.name}).json()["payload"]["audit"]
    assert (seen["action"], seen["allowed"]) == (f"DELETE /api/datasets/{path}"[:207], False)


def test_the_audit_trail_is_exported_whole_and_its_chain_can_be_followed_elsewhere(registry, person, do):
    ada, root = person(), person("admin")
    do.upload(ada)
    registry.serving.do(registry.context.audits.settle())
    assert ada.get("/api/audit/export").status_code == 404
    lines = [json.loads(line) for line in root.get("/api/audit/export").text.splitlines()]
    previous = "0" * 64
    for line in lines:
        names = ("at", "who_id", "who", "address", "action", "kind", "object_id", "allowed", "details")
        text = json.dumps([previous, *(line[name] for name in names)], sort_keys=True, separators=(",", ":"))
        assert (line["previous"], line["hash"]) == (previous, hashlib.sha256(text.encode()).hexdigest())
        previous = line["hash"]
    assert (ada.name, "upload") in {(line["who"], line["action"]) for line in lines}


def test_what_an_administrator_reads_of_others_is_always_audited(registry, person, do):
    ada, root = person(), person("admin")
    made = do.upload(ada)
    assert root.get(f"/api/data-files/{do.file_id(made)}/download").status_code == 200
    own = do.upload(root)["qcrbox_dataset_id"]
    root.get(f"/api/datasets/{own}")
    root.get("/api/datasets")
    registry.serving.do(registry.context.audits.settle())
    seen = root.get("/api/audit", params={"who": root.name}).json()["payload"]["audit"]
    acts = {(one["action"], one["kind"], one["object_id"]) for one in seen}
    assert ("read as administrator", "data_file", do.file_id(made)) in acts
    assert ("list as administrator", "datasets", "") in acts
    assert not any(object_id == own and "administrator" in action for action, _, object_id in acts)


def test_a_log_that_arrives_in_pieces_is_whole(registry, attempt):
    from qcrbox.contract.messages import Log

    pieces = [
        Log(
            calculation_id=attempt["id"],
            attempt=attempt["attempt"],
            stream="stdout",
            offset=at,
            text=text,
            at=at,
        )
        for at, text in ((0, "one\n"), (4, "two\n"))
    ]
    registry.write(lambda conn: logs.append(conn, pieces[::-1]))
    said = attempt["ada"].get(
        f"/api/calculations/{attempt['id']}/log", params={"attempt": attempt["attempt"]}
    )
    assert said.json()["payload"]["text"] == "one\ntwo\n"


# ---------------------------------------------------------------- results with the names of their author

AUTHORS = b"data_q\n_cell_length_a 4.9\n_symmetry_cell_setting trigonal\n_CELL_LENGTH_B 4.9(1)\n"
REFINED = (
    b"data_q\n_space_group.crystal_system trigonal\n_cell.length_b 4.913\n_cell.length_b_su 0.002\n"
    b"_refine_ls.r_factor_gt 0.02\n"
)


@pytest.fixture
def respelled(registry, person, do, taken):
    """A result of a CIF of ada's: her client, the record of the result's file, and the dataset it is in."""
    ada = person()
    attempt = {**taken(ada, do.upload(ada, "mine.cif", AUTHORS)), "ada": ada}
    stored = put(attempt, REFINED).json()["payload"]
    output = OutputFile(name="refined", filename="refined.cif", filetype="cif", primary=True, **stored)
    registry.write(
        lambda conn: write_end(
            conn,
            Finished(
                calculation_id=attempt["id"],
                attempt=attempt["attempt"],
                status=State.SUCCESSFUL,
                outputs=[output],
            ),
        )
    )
    done = ada.get(f"/api/calculations/{attempt['id']}").json()["payload"]["calculations"][0]
    dataset = ada.get(f"/api/datasets/{done['output_dataset_id']}").json()["payload"]["datasets"][0]
    return ada, dataset["data_files"]["refined.cif"]["qcrbox_file_id"], dataset["qcrbox_dataset_id"]


def test_a_result_is_taken_away_with_the_names_of_its_author(respelled):
    ada, file, _ = respelled
    path = f"/api/data-files/{file}/download"
    written = ada.get(path, params={"form": "written"})
    assert written.content.split() == (
        b"data_q _symmetry_cell_setting trigonal _CELL_LENGTH_B 4.913(2) _refine_ls_R_factor_gt 0.02".split()
    )
    assert int(written.headers["content-length"]) == len(written.content)
    again = ada.get(path, params={"form": "written"}, headers={"if-none-match": written.headers["etag"]})
    assert again.status_code == 304
    assert ada.get(path).content == REFINED, "programs read the stored file"


def test_the_zip_of_a_result_has_the_names_of_its_author_when_asked(respelled):
    ada, _, dataset = respelled
    path = f"/api/datasets/{dataset}/download"
    for params, expected in (
        ({}, b"_cell.length_b 4.913"),
        ({"form": "written"}, b"_CELL_LENGTH_B 4.913(2)"),
    ):
        content = ada.get(path, params={"format": "zip", **params}).content
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert expected in b" ".join(archive.read("refined.cif").split())
    assert ada.get(path, params={"form": "unified"}).status_code == 400


def test_an_upload_is_taken_away_as_it_came(ada, do):
    odd = b"data_a\n_cell.length_a   1.0\n# my comment\n"
    file = do.file_id(do.upload(ada, "own.cif", odd))
    assert ada.get(f"/api/data-files/{file}/download", params={"form": "written"}).content == odd


def test_who_may_not_read_the_input_sees_the_result_with_classic_names(respelled, person):
    ada, file, dataset = respelled
    eve = person()
    eve.get("/api/me")
    assert eve.get(f"/api/data-files/{file}/download", params={"form": "written"}).status_code == 404
    share = {"kind": "dataset", "object_id": dataset, "person": eve.name}
    assert ada.post("/api/shares", json=share).status_code == 201
    written = eve.get(f"/api/data-files/{file}/download", params={"form": "written"}).content
    seen = b" ".join(written.split())
    assert b"_cell_length_b 4.913(2)" in seen
    assert b"_space_group_crystal_system trigonal" in seen


@pytest.mark.attack(12)
def test_a_cif_that_is_too_large_is_not_read_for_its_spelling(registry, respelled):
    ada, file, _ = respelled
    mine = data_files.c.filename == "mine.cif"
    grown = sa.update(data_files).where(mine).values(size=LARGEST_BYTES + 1)
    registry.write(lambda conn: conn.execute(grown))
    sent = ada.get(f"/api/data-files/{file}/download", params={"form": "written"})
    assert b"_cell_length_b 4.913(2)" in b" ".join(sent.content.split())


@pytest.mark.attack(12)
def test_a_result_that_is_too_large_is_taken_away_as_it_is_stored(respelled, monkeypatch):
    ada, file, _ = respelled
    monkeypatch.setattr(written_cifs, "LARGEST_BYTES", len(REFINED) - 1)
    sent = ada.get(f"/api/data-files/{file}/download", params={"form": "written"})
    assert sent.content == REFINED


def test_a_result_that_is_no_sound_cif_is_taken_away_as_it_is_stored(registry, person, do, taken):
    ada = person()
    attempt = {**taken(ada, do.upload(ada)), "ada": ada}
    broken = b"data_a\nloop_\n_a _b 1 2 3 'open\n"
    stored = put(attempt, broken).json()["payload"]
    output = OutputFile(name="refined", filename="refined.cif", filetype="cif", primary=True, **stored)
    end = Finished(
        calculation_id=attempt["id"], attempt=attempt["attempt"], status=State.SUCCESSFUL, outputs=[output]
    )
    registry.write(lambda conn: write_end(conn, end))
    done = ada.get(f"/api/calculations/{attempt['id']}").json()["payload"]["calculations"][0]
    sent = ada.get(f"/api/datasets/{done['output_dataset_id']}/download", params={"form": "written"})
    assert sent.content == broken
