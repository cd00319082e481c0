"""The contract, object by object and code by code, as a client written by others sees it."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime

import jsonschema
import pytest

STR, INT, BOOL, OBJECT = {"type": "string"}, {"type": "integer"}, {"type": "boolean"}, {"type": "object"}
STR_OR_NULL = {"type": ["string", "null"]}
TIME = {"type": "string", "format": "date-time", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d"}


def exactly(properties, **more):
    """An object with all of these fields; further ones are additions of ours."""
    return {"type": "object", "properties": properties, "required": sorted(properties), **more}


def listed(schema):
    return {"type": "array", "items": schema}


COMMAND = exactly(
    {
        "id": INT,
        "application_id": INT,
        "name": STR,
        "cmd_name": STR,
        "application": STR,
        "version": STR,
        "description": STR,
        "implemented_as": {"enum": ["cli_command", "python_callable", "interactive_session"]},
        "parameters": {"type": "object", "additionalProperties": OBJECT},
        "merge_cif_su": BOOL,
        "doi": STR_OR_NULL,
    }
)
APPLICATION = exactly(
    {
        "name": STR,
        "slug": STR,
        "version": STR,
        "id": INT,
        "registered_at": TIME,
        "commands": listed(COMMAND),
        "description": STR_OR_NULL,
        "url": STR,
        "email": STR_OR_NULL,
        "doi": STR_OR_NULL,
        "yaml_file_path": STR_OR_NULL,
        "gui_port": STR_OR_NULL,
        "pyqcrbox_version": STR,
    }
)
STATUS_EVENT = exactly(
    {
        "calculation_id": STR,
        "status": {"enum": ["submitted", "running", "successful", "failed", "cancelled", "unknown"]},
        "stdout": STR_OR_NULL,
        "stderr": STR_OR_NULL,
        "output_dataset_id": STR_OR_NULL,
        "extra_info": OBJECT,
        "timestamp": TIME,
    }
)
CALCULATION = exactly(
    {
        "calculation_id": STR,
        "client_private_inbox": STR,
        "application_slug": STR,
        "application_version": STR,
        "command_name": STR,
        "status": STR,
        "command_arguments": OBJECT,
        "status_events": listed(STATUS_EVENT),
        "output_dataset_id": {
            "anyOf": [{"type": "string", "pattern": "^qcrbox_ds_0x[0-9a-f]+$"}, {"type": "null"}]
        },
    }
)
DATASET_ID = {"type": "string", "pattern": "^qcrbox_ds_0x[0-9a-f]+$"}
FILE_ID = {"type": "string", "pattern": "^qcrbox_df_0x[0-9a-f]+$"}
DATA_FILE = exactly(
    {
        "qcrbox_file_id": FILE_ID,
        "filename": STR,
        "filetype": STR,
        "qcrbox_dataset_id": {"anyOf": [DATASET_ID, {"type": "null"}]},
    }
)
DATASET = exactly(
    {"qcrbox_dataset_id": DATASET_ID, "data_files": {"type": "object", "additionalProperties": DATA_FILE}}
)
SESSION = exactly(
    {
        "session_id": STR,
        "client_private_inbox": STR,
        "command_name": STR,
        "arguments": OBJECT,
        "application_slug": STR_OR_NULL,
        "application_version": STR_OR_NULL,
    }
)
SUCCESS = exactly({"status": {"const": "success"}, "message": STR, "timestamp": TIME, "payload": OBJECT})
FAILURE = exactly(
    {
        "status": {"const": "error"},
        "error": exactly({"code": INT, "message": STR, "details": {"anyOf": [STR, listed(STR)]}}),
    }
)


def success(response, status, **fields):
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    body = response.json()
    jsonschema.validate(body, SUCCESS)
    datetime.fromisoformat(body["timestamp"])
    jsonschema.validate(body["payload"], exactly(fields))
    return body["payload"]


def failure(response, status):
    assert response.status_code == status, response.text
    body = response.json()
    jsonschema.validate(body, FAILURE)
    assert body["error"]["code"] == status
    assert body["error"]["message"]
    return body["error"]


def upload(client, path, content=b"data_a\n_cell_length_a 1\n", filename="a.cif"):
    return client.post(path, files={"file": (filename, content)})


def test_health_is_bare(registry):
    with registry.client() as anybody:
        answer = anybody.get("/api/healthz")
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


def test_applications(ada):
    found = success(ada.get("/api/applications"), 200, applications=listed(APPLICATION))
    assert [one["slug"] for one in found["applications"]] == ["practice"]


def test_commands_and_one_command(ada):
    found = success(ada.get("/api/commands"), 200, commands=listed(COMMAND))["commands"]
    assert "noop" in [one["name"] for one in found]
    (one,) = success(ada.get(f"/api/commands/{found[0]['id']}"), 200, commands=listed(COMMAND))["commands"]
    assert one == found[0]


def test_submit_and_calculations(ada, do):
    body = {
        "application_slug": "practice",
        "application_version": "1",
        "command_name": "noop",
        "command_arguments": {"x": 3},
    }
    one = success(ada.post("/api/commands", json=body), 201, calculation_id=STR)["calculation_id"]
    do.ended(ada, one)
    (shown,) = success(ada.get(f"/api/calculations/{one}"), 200, calculations=listed(CALCULATION))[
        "calculations"
    ]
    assert shown["status"] == "successful"
    assert shown["status_events"][0]["status"] == "submitted"
    assert shown["status_events"][-1]["status"] == "successful"
    assert shown["command_arguments"] == {"x": 3, "mode": "gentle"}
    found = success(ada.get("/api/calculations"), 200, calculations=listed(CALCULATION))["calculations"]
    assert [each["calculation_id"] for each in found] == [one]


def test_stop(ada, do):
    one = do.submit(ada, "sleep", seconds=30)
    answer = ada.post(f"/api/calculations/{one}/stop")
    stopped = exactly({"calculation_id": STR, "status": STR})
    success(answer, 200, calculations=listed(stopped))
    assert do.ended(ada, one)["status"] == "cancelled"


def test_datasets(ada, cif):
    made = success(
        upload(ada, "/api/datasets", cif), 201, datasets=listed(DATASET), data_files=listed(DATA_FILE)
    )
    dataset_id = made["datasets"][0]["qcrbox_dataset_id"]
    assert list(made["datasets"][0]["data_files"]) == ["a.cif"]
    more = success(
        upload(ada, f"/api/datasets/{dataset_id}/append", b"1 2 3\n", "a.hkl"),
        201,
        datasets=listed(DATASET),
        data_files=listed(DATA_FILE),
        appended_file=DATA_FILE,
    )
    assert more["appended_file"]["filename"] == "a.hkl"
    assert [file["filename"] for file in more["data_files"]] == ["a.cif", "a.hkl"]
    success(ada.get("/api/datasets"), 200, datasets=listed(DATASET))
    (shown,) = success(
        ada.get(f"/api/datasets/{dataset_id}"), 200, datasets=listed(DATASET), data_files=listed(DATA_FILE)
    )["datasets"]
    assert shown["qcrbox_dataset_id"] == dataset_id
    gone = ada.delete(f"/api/datasets/{dataset_id}")
    assert (gone.status_code, gone.content) == (204, b"")
    failure(ada.get(f"/api/datasets/{dataset_id}"), 404)


def unpacked(answer):
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as opened:
        assert opened.testzip() is None
        return {name: opened.read(name) for name in opened.namelist()}


def test_one_file_is_downloaded_as_it_is_and_several_as_a_zip(ada, do, cif):
    made = do.upload(ada, "quartz α.cif", cif)
    dataset_id = made["qcrbox_dataset_id"]
    one = ada.get(f"/api/datasets/{dataset_id}/download")
    assert (one.status_code, one.content) == (200, cif)
    assert one.headers["content-type"] == "application/octet-stream"
    assert "filename*=UTF-8''quartz%20%CE%B1.cif" in one.headers["content-disposition"]
    assert int(one.headers["content-length"]) == len(cif)
    asked = ada.get(f"/api/datasets/{dataset_id}/download", params={"format": "zip"})
    assert unpacked(asked) == {"quartz α.cif": cif}
    assert f'filename="{dataset_id}.zip"' in asked.headers["content-disposition"]
    upload(ada, f"/api/datasets/{dataset_id}/append", b"1 2 3\n", "a.hkl")
    several = ada.get(f"/api/datasets/{dataset_id}/download")
    assert unpacked(several) == {"quartz α.cif": cif, "a.hkl": b"1 2 3\n"}
    assert f'filename="{dataset_id}.zip"' in several.headers["content-disposition"]
    named = ada.get(f"/api/datasets/{dataset_id}/download", params={"format": "zip", "named": True})
    assert "quartz%20%CE%B1.cif.zip" in named.headers["content-disposition"]
    failure(ada.get(f"/api/datasets/{dataset_id}/download", params={"format": "tar"}), 400)


def test_a_dataset_without_files_is_an_empty_zip(ada, do):
    made = do.upload(ada)
    assert ada.delete(f"/api/data-files/{do.file_id(made)}").status_code == 204
    assert unpacked(ada.get(f"/api/datasets/{made['qcrbox_dataset_id']}/download")) == {}


def test_ids_of_earlier_versions_are_accepted(ada, do, cif):
    """They were the digits alone."""
    made = do.upload(ada, "a.cif", cif)
    dataset_id, file_id = made["qcrbox_dataset_id"], do.file_id(made)
    old_dataset, old_file = dataset_id.partition("0x")[2], file_id.partition("0x")[2]
    assert (dataset_id.split("_")[1], file_id.split("_")[1]) == ("ds", "df")
    shown = success(ada.get(f"/api/datasets/{old_dataset}"), 200, datasets=listed(DATASET))["datasets"]
    assert shown[0]["qcrbox_dataset_id"] == dataset_id
    assert ada.get(f"/api/data-files/{old_file}/download").content == cif
    more = success(
        upload(ada, f"/api/datasets/{old_dataset}/append", b"x", "b.txt"), 201, appended_file=DATA_FILE
    )
    assert more["appended_file"]["qcrbox_dataset_id"] == dataset_id
    for given in (old_file, {"data_file_id": old_file}, {"data_file_id": file_id}, file_id):
        calculation = do.ended(ada, do.submit(ada, "read", structure=given))
        assert calculation["command_arguments"]["structure"] == {"data_file_id": file_id}
        assert calculation["status"] == "successful"
    alone = do.upload(ada, "alone.cif", cif)["qcrbox_dataset_id"]
    for given in (alone, alone.partition("0x")[2]):
        assert do.ended(ada, do.submit(ada, "read", structure=given))["status"] == "successful"
    for path in (f"/api/datasets/{file_id}", f"/api/data-files/{dataset_id}", f"/api/datasets/{old_file}"):
        failure(ada.get(path), 404)
    lineage = ada.get(f"/api/lineage/data_file/{old_file}").json()["payload"]
    assert file_id in [node["id"] for node in lineage["nodes"]]
    tagged = ada.patch(f"/api/datasets/{old_dataset}", json={"tags": ["good"]})
    assert tagged.json()["payload"]["datasets"][0]["tags"] == ["good"]
    assert ada.delete(f"/api/datasets/{old_dataset}").status_code == 204


def test_data_files(ada, cif):
    made = success(upload(ada, "/api/data-files", cif), 201, data_files=listed(DATA_FILE))
    file_id = made["data_files"][0]["qcrbox_file_id"]
    assert made["data_files"][0]["qcrbox_dataset_id"] is None
    success(ada.get("/api/data-files"), 200, data_files=listed(DATA_FILE))
    success(ada.get(f"/api/data-files/{file_id}"), 200, data_files=listed(DATA_FILE))
    answer = ada.get(f"/api/data-files/{file_id}/download")
    assert (answer.status_code, answer.content) == (200, cif)
    assert ada.delete(f"/api/data-files/{file_id}").status_code == 204
    failure(ada.get(f"/api/data-files/{file_id}/download"), 404)


def test_interactive_sessions(ada):
    body = {"application_slug": "practice", "application_version": "1", "command_arguments": {}}
    made = success(ada.post("/api/interactive-sessions", json=body), 201, interactive_session_id=STR)
    session_id = made["interactive_session_id"]
    found = success(ada.get("/api/interactive-sessions"), 200, interactive_sessions=listed(SESSION))
    assert [one["session_id"] for one in found["interactive_sessions"]] == [session_id]
    success(ada.get(f"/api/interactive-sessions/{session_id}"), 200, interactive_sessions=listed(SESSION))
    # It is a calculation of the same id as well.
    success(ada.get(f"/api/calculations/{session_id}"), 200, calculations=listed(CALCULATION))
    closed = exactly({"session_id": STR, "status": STR})
    answer = ada.post(f"/api/interactive-sessions/{session_id}/close", params={"wait": 60})
    success(answer, 200, interactive_sessions=listed(closed))
    again = ada.post(f"/api/interactive-sessions/{session_id}/close", params={"wait": 60})
    success(again, 200, interactive_sessions=listed(closed))


MISSING = [
    ("GET", "/api/commands/999999"),
    ("GET", "/api/calculations/unknown"),
    ("POST", "/api/calculations/unknown/stop"),
    ("GET", "/api/datasets/unknown"),
    ("GET", "/api/datasets/unknown/download"),
    ("DELETE", "/api/datasets/unknown"),
    ("GET", "/api/data-files/unknown"),
    ("GET", "/api/data-files/unknown/download"),
    ("DELETE", "/api/data-files/unknown"),
    ("GET", "/api/interactive-sessions/unknown"),
    ("POST", "/api/interactive-sessions/unknown/close"),
]


@pytest.mark.parametrize(("method", "path"), MISSING, ids=lambda value: value)
def test_unknown_ids_are_404(ada, method, path):
    failure(ada.request(method, path), 404)


def test_appending_to_an_unknown_dataset_is_404(ada):
    failure(upload(ada, "/api/datasets/unknown/append"), 404)


def test_a_command_id_that_is_no_number_is_400(ada):
    failure(ada.get("/api/commands/noop"), 400)


GOOD = {
    "application_slug": "practice",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {},
}
BAD_COMMANDS = {
    "no body": (b"", 400),
    "no json": (b"{", 400),
    "a list": (b"[]", 400),
    "nothing": (b"{}", 400),
    "deep": (b"[" * 100_000, 400),
    "no utf-8": (b'{"application_slug": "\xff\xfe"}', 400),
    "slug a number": (json.dumps({**GOOD, "application_slug": 1}).encode(), 400),
    "arguments a list": (json.dumps({**GOOD, "command_arguments": []}).encode(), 400),
    "arguments null": (json.dumps({**GOOD, "command_arguments": None}).encode(), 400),
    "unknown application": (json.dumps({**GOOD, "application_slug": "none"}).encode(), 404),
    "unknown version": (json.dumps({**GOOD, "application_version": "9"}).encode(), 404),
    "unknown command": (json.dumps({**GOOD, "command_name": "none"}).encode(), 404),
    "internal command": (json.dumps({**GOOD, "command_name": "__interactive_run"}).encode(), 404),
    "unknown argument": (json.dumps({**GOOD, "command_arguments": {"y": 1}}).encode(), 400),
    "wrong type": (json.dumps({**GOOD, "command_arguments": {"x": "many"}}).encode(), 400),
    "out of range": (json.dumps({**GOOD, "command_arguments": {"x": 11}}).encode(), 400),
    "no choice": (json.dumps({**GOOD, "command_arguments": {"mode": "rough"}}).encode(), 400),
    "missing argument": (json.dumps({**GOOD, "command_name": "read"}).encode(), 400),
    "unknown file": (
        json.dumps({**GOOD, "command_name": "read", "command_arguments": {"structure": {"data_file_id": "x"}}}).encode(),
        404,
    ),
    "nan": (b'{"application_slug":"practice","application_version":"1","command_name":"noop","command_arguments":{"x":NaN}}', 400),
    "wildcards": (json.dumps({**GOOD, "application_slug": "*.>"}).encode(), 404),
    "a very long name": (json.dumps({**GOOD, "command_name": "x" * 100_000}).encode(), 400),
    "nul": (json.dumps({**GOOD, "command_name": "no\x00op"}).encode(), 400),
}  # fmt: skip


@pytest.mark.parametrize("body", BAD_COMMANDS, ids=list(BAD_COMMANDS))
def test_bad_commands_are_refused_in_the_envelope(ada, body):
    content, status = BAD_COMMANDS[body]
    answer = ada.post("/api/commands", content=content, headers={"content-type": "application/json"})
    failure(answer, status)
    assert success(ada.get("/api/calculations"), 200)["calculations"] == []


@pytest.mark.attack(2)
def test_a_form_cannot_submit(ada):
    failure(ada.post("/api/commands", content=json.dumps(GOOD), headers={"content-type": "text/plain"}), 400)


BAD_UPLOADS = {
    "no form": {"content": b"hello", "headers": {"content-type": "text/plain"}},
    "no boundary": {"content": b"hello", "headers": {"content-type": "multipart/form-data"}},
    "no file": {"files": {"other": ("a", b"b")}},
    "a field named file": {"files": {"file": (None, b"text")}},
    "cut off": {
        "content": b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nhalf',
        "headers": {"content-type": "multipart/form-data; boundary=b"},
    },
    "garbage": {"content": b"\x00" * 1000, "headers": {"content-type": "multipart/form-data; boundary=b"}},
}


@pytest.mark.parametrize("content", [b"data_x", b"x" * 200_000], ids=["short", "long"])
def test_a_file_under_another_name_is_a_missing_file(ada, content):
    error = failure(ada.post("/api/datasets", files={"upload": ("a.cif", content)}), 400)
    assert error["what"] == "The form has no part named `file`."
    assert error["why"] == "Its parts: `upload`."


def test_a_long_field_is_too_long(ada):
    answer = ada.post("/api/datasets", files={"file": ("a", b"x")}, data={"description": "x" * 100_000})
    assert "longer than 64 KiB" in failure(answer, 413)["message"]


@pytest.mark.parametrize("bad", BAD_UPLOADS, ids=list(BAD_UPLOADS))
@pytest.mark.parametrize("path", ["/api/datasets", "/api/data-files"])
def test_bad_uploads_are_refused_in_the_envelope(ada, path, bad):
    failure(ada.post(path, **BAD_UPLOADS[bad]), 400)
    assert ada.get("/api/data-files", params={"owner": ada.name}).json()["payload"]["data_files"] == []


NAMES = {
    "../../etc/passwd": "passwd",
    "a/b\\c.cif": "c.cif",
    "-rf.cif": "rf.cif",
    "\u202egnp.exe": "gnp.exe",
    "..": "file",
    "x" * 400 + ".cif": None,
    "größe.cif": "größe.cif",
}


@pytest.mark.attack(10)
@pytest.mark.parametrize("name", NAMES, ids=lambda n: n[:12].encode("unicode_escape").decode())
def test_file_names_are_made_safe(ada, name):
    made = success(upload(ada, "/api/data-files", b"x", name), 201)["data_files"][0]
    expected = NAMES[name]
    if expected is None:
        assert len(made["filename"].encode()) <= 200
        assert made["filename"].endswith(".cif")
    else:
        assert made["filename"] == expected
    answer = ada.get(f"/api/data-files/{made['qcrbox_file_id']}/download")
    assert answer.headers["content-disposition"].startswith("attachment;")


def test_an_empty_file_is_a_file(ada):
    made = success(upload(ada, "/api/data-files", b"", "empty.txt"), 201)["data_files"][0]
    answer = ada.get(f"/api/data-files/{made['qcrbox_file_id']}/download")
    assert (answer.status_code, answer.content) == (200, b"")


def test_a_path_that_is_not_there_is_404_and_a_wrong_method_405(ada):
    failure(ada.get("/api/nothing"), 404)
    failure(ada.put("/api/applications"), 405)


@pytest.mark.parametrize("query", ["limit=0", "limit=x", "limit=100000", "status=busy"])
def test_bad_queries_are_400(ada, query):
    failure(ada.get(f"/api/calculations?{query}"), 400)


def test_the_same_routes_answer_under_the_proxys_prefix(ada):
    success(ada.get("/services/qcrbox/api/applications"), 200, applications=listed(APPLICATION))


@pytest.mark.slow
def test_every_path_of_the_contract_is_in_the_openapi_page(registry):
    with registry.client() as anybody:
        paths = anybody.get("/openapi.json").json()["paths"]
    for path in (
        "/api/healthz", "/api/applications", "/api/commands", "/api/commands/{command_id}", "/api/calculations",
        "/api/calculations/{calculation_id}/stop", "/api/datasets/{dataset_id}/append", "/api/interactive-sessions",
    ):  # fmt: skip
        assert path in paths
