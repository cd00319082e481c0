"""One id from the caller to the agent, readiness that names what is missing, numbers for Prometheus."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
import structlog
from qcrbox.client.http import RegistryClient

NOOP = {
    "application_slug": "practice",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {},
}


def correlation_of(client, calculation_id):
    return client.get(f"/api/calculations/{calculation_id}").json()["payload"]["calculations"][0][
        "correlation_id"
    ]


@pytest.mark.parametrize("path", ["/api/commands", "/api/commands/batch", "/api/interactive-sessions"])
def test_the_callers_id_is_answered_and_kept(ada, path):
    session = {name: NOOP[name] for name in ("application_slug", "application_version", "command_arguments")}
    body = {
        "/api/commands": NOOP,
        "/api/commands/batch": {"commands": [NOOP]},
        "/api/interactive-sessions": session,
    }[path]
    answer = ada.post(path, json=body, headers={"x-correlation-id": "notebook-7"})
    made = answer.json()["payload"]
    one = made.get("calculation_id") or made.get("interactive_session_id") or made["calculation_ids"][0]
    assert answer.headers["x-correlation-id"] == "notebook-7"
    assert correlation_of(ada, one) == "notebook-7"


def test_without_one_the_answers_own_id_is_kept(ada):
    answer = ada.post("/api/commands", json=NOOP)
    one = answer.json()["payload"]["calculation_id"]
    assert correlation_of(ada, one) == answer.headers["x-correlation-id"] != ""


@pytest.mark.parametrize("given", ["x" * 65, "a b", "<script>", "a\u00e9"])
def test_an_id_that_could_harm_a_log_is_not_taken(ada, given):
    answer = ada.post("/api/commands", json=NOOP, headers={"x-correlation-id": given.encode("latin-1")})
    assert answer.status_code == 201
    assert answer.headers["x-correlation-id"] != given


def test_the_registry_logs_the_acceptance_with_the_id(ada):
    with structlog.testing.capture_logs() as lines:
        ada.post("/api/commands", json=NOOP, headers={"x-correlation-id": "notebook-8"})
    (line,) = [one for one in lines if one["event"] == "accepted"]
    assert (line["correlation_id"], line["owner"], line["calculations"]) == ("notebook-8", ada.name, 1)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/api/applications", "GET, HEAD"),
        ("OPTIONS", "/api/datasets", "GET, HEAD, POST"),
        ("PUT", "/api/datasets/x", "DELETE, GET, HEAD, PATCH"),
        ("GET", "/api/commands/batch/x", None),
        ("DELETE", "/api/uploads", "POST"),
    ],
)
def test_refused_methods_say_which_are_allowed(ada, method, path, allowed):
    answer = ada.request(method, path)
    assert answer.headers.get("allow") == allowed
    assert answer.status_code == (405 if allowed else 404)


def test_head_answers_as_get_does_without_the_body(ada, do):
    made = do.upload(ada, "large.bin", os.urandom(3_000_000))
    for path in (
        "/api/healthz",
        f"/api/datasets/{made['qcrbox_dataset_id']}",
        f"/api/data-files/{do.file_id(made)}/download",
    ):
        whole, head = ada.get(path), ada.head(path)
        assert (head.status_code, head.content) == (200, b"")
        kept = ("content-type", "content-length", "etag", "content-disposition")
        assert [head.headers.get(name) for name in kept] == [whole.headers.get(name) for name in kept]
    assert ada.head("/api/events").status_code == 200  # a stream that would never end
    assert ada.head("/api/datasets/unknown").status_code == 404


def test_numbers_of_the_scheduler_the_database_and_the_streams_are_there(person, do):
    keeper = person("applications")
    do.ended(keeper, do.submit(keeper, "noop"))
    numbers = {}
    for line in keeper.get("/metrics").text.splitlines():
        if line and not line.startswith("#"):
            name, _, value = line.rpartition(" ")
            numbers[name] = float(value)
    for name in (
        "qcrbox_up_seconds",
        "qcrbox_commits_total",
        "qcrbox_events_total",
        "qcrbox_resident_bytes",
        "qcrbox_nats_connected",
        "qcrbox_files_bytes",
        "qcrbox_disk_free_bytes",
    ):
        assert numbers[name] > 0, name
    assert 'qcrbox_launcher_answers{launcher="local"}' in numbers
    assert any(name.startswith("qcrbox_stream_messages{") for name in numbers)


# ---------------------------------------------------------------- a whole registry as processes


def free_port():
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return held.getsockname()[1]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A registry with NATS and a process launcher, as `qcrbox registry` runs it, with a real agent's application."""
    data = tmp_path_factory.mktemp("whole")
    application = Path(__file__).parents[3] / "tests" / "faults" / "application"
    port = free_port()
    words = ["--data", str(data), "--port", str(port), "--no-auth", "--launcher", "--no-nats-power-loss-safe"]
    words += ["--log-level", "debug", "--applications", str(application)]
    with (data / "registry.log").open("wb") as log:
        process = subprocess.Popen([sys.executable, "-m", "qcrbox_registry", *words], stdout=log, stderr=log)
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60, trust_env=False)
    try:
        deadline = time.monotonic() + 90
        while True:
            try:
                if client.get("/api/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            assert process.poll() is None, (data / "registry.log").read_text()[-3000:]
            assert time.monotonic() < deadline, (data / "registry.log").read_text()[-3000:]
            time.sleep(0.1)
        yield client, data
    finally:
        client.close()
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def test_one_id_leads_from_the_notebooks_call_to_the_registrys_and_the_agents_log(whole):
    client, data = whole
    notebook = RegistryClient(str(client.base_url))
    command = {"application_slug": "chaos", "application_version": "1", "command_name": "noop"}
    one = notebook.post("/api/commands", command)["calculation_id"]
    notebook.close()
    deadline = time.monotonic() + 120
    while (shown := calculation(client, one))["status"] != "successful":
        assert time.monotonic() < deadline, shown
    given = shown["correlation_id"]
    assert given.startswith("nb-")
    lines = [
        json.loads(line) for line in (data / "registry.log").read_text().splitlines() if line.startswith("{")
    ]
    said = {line["event"] for line in lines if line.get("correlation_id") == given}
    assert {"accepted", "request"} <= said
    while not any(
        f"correlation_id={given}" in log.read_text() for log in (data / "logs" / "agents").glob("*.log")
    ):
        assert time.monotonic() < deadline, "no agent wrote the id into its log"
        time.sleep(0.1)


def calculation(client, calculation_id):
    answer = client.get(f"/api/calculations/{calculation_id}", params={"wait": 30})
    return answer.json()["payload"]["calculations"][0]
