"""A launcher exchanges its code once and keeps what it got, readable by its account alone."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from qcrbox.contract.errors import NotFound, QcError, Unreachable, UserInputError
from qcrbox_registry.launcher import __main__ as program
from qcrbox_registry.launcher import joining
from qcrbox_registry.launcher.launcher import Credential

GOOD = {"launcher": "gpu", "nats_url": "nats://127.0.0.1:4222", "token": "launcher.claims.signature"}


class Answers(BaseHTTPRequestHandler):
    def do_POST(self):
        length = int(self.headers["Content-Length"])
        self.server.asked.append((self.path, json.loads(self.rfile.read(length))))
        status, body = self.server.answer
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def registry():
    server = HTTPServer(("127.0.0.1", 0), Answers)
    server.asked = []
    server.answer = (200, json.dumps({"status": "success", "payload": GOOD}).encode())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    server.url = f"http://127.0.0.1:{server.server_port}/services/qcrbox"
    yield server
    server.shutdown()
    server.server_close()


def test_code_is_exchanged_and_the_token_kept_private(registry, tmp_path):
    joined = joining.join(tmp_path, registry.url + "/", "abcd-efgh")
    assert registry.asked == [("/services/qcrbox/api/launchers/join", {"code": "abcd-efgh"})]
    assert (joined.launcher, joined.nats_url) == ("gpu", GOOD["nats_url"])
    file = tmp_path / "secrets" / joining.FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert joining.read(tmp_path) == joined
    assert GOOD["token"] not in repr(joined)


def test_later_join_replaces_the_earlier_one(registry, tmp_path):
    joining.join(tmp_path, registry.url, "first")
    registry.answer = (200, json.dumps({"payload": {**GOOD, "launcher": "cpu"}}).encode())
    joining.join(tmp_path, registry.url, "second")
    assert joining.read(tmp_path).launcher == "cpu"
    assert not list((tmp_path / "secrets").glob("*.draft"))


def test_refused_code_says_what_the_registry_says_and_keeps_nothing(registry, tmp_path):
    registry.answer = (404, json.dumps(NotFound("This join code does not hold.").envelope()).encode())
    with pytest.raises(NotFound, match="does not hold"):
        joining.join(tmp_path, registry.url, "wrong")
    assert joining.read(tmp_path) is None


@pytest.mark.parametrize(
    "body", [b"<html>", b"[]", b"{}", b'{"payload": {"launcher": "x"}}', b'{"payload": null}']
)
def test_address_that_is_no_registry_is_said(registry, tmp_path, body):
    registry.answer = (200, body)
    with pytest.raises(Unreachable, match="not the address of a registry"):
        joining.join(tmp_path, registry.url, "code")


def test_registry_that_does_not_answer_is_said(tmp_path):
    with pytest.raises(Unreachable, match="does not answer"):
        joining.join(tmp_path, "http://127.0.0.1:9", "code")


def test_code_without_an_address_says_what_to_add(tmp_path):
    with pytest.raises(UserInputError, match="--registry"):
        joining.join(tmp_path, "", "code")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"launcher": "x"}', '{"launcher":"x","nats_url":"n","token":"t","more":1}']
)
def test_damaged_file_counts_as_none(tmp_path, text):
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / joining.FILE).write_text(text)
    assert joining.read(tmp_path) is None


class Given:
    join = registry = ""
    seed_file = None
    name = "local"


def test_launcher_with_a_seed_here_does_not_become_another_one(registry, tmp_path):
    """The platform's own launcher shares the folder with what joined in it."""
    joining.join(tmp_path, registry.url, "code")
    assert program._joined(Given(), tmp_path).launcher == "gpu"
    (tmp_path / "secrets" / "nats_launcher-local.nk").write_text("SUA…")
    assert program._joined(Given(), tmp_path) is None


def test_missing_seed_is_said_with_its_place(tmp_path):
    with pytest.raises(UserInputError, match=r"nats_launcher-local\.nk"):
        program._seed_of(Given(), tmp_path)


def test_credential_is_seed_or_token_and_not_printed():
    assert Credential(seed="S").options() == {"nkeys_seed_str": "S"}
    assert Credential(token="T").options() == {"token": "T"}
    assert "secret" not in repr(Credential(seed="secret", token="secret"))


def test_main_reports_a_refused_code_in_words(registry, tmp_path, capsys):
    registry.answer = (404, json.dumps(NotFound("This join code does not hold.").envelope()).encode())
    code = program.main(["--data", str(tmp_path), "--join", "wrong", "--registry", registry.url])
    assert code == 2
    assert "does not hold" in capsys.readouterr().err
    assert issubclass(NotFound, QcError)
