from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from qcrbox.api import connection
from qcrbox.client import saved_tokens, signing_in
from qcrbox.contract.errors import NotSignedIn, Unreachable, UserInputError

from ..small_server import Raw, refusal


def test_import_is_light_and_silent():
    code = (
        "import sys; import qcrbox as qc; dir(qc.QcError); "
        "heavy = {'httpx', 'numpy', 'gemmi', 'matplotlib', 'ipywidgets', 'anywidget'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    env = {key: value for key, value in os.environ.items() if not key.startswith("QCRBOX")}
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_private_names_never_reach_for_the_registry(monkeypatch):
    import qcrbox

    monkeypatch.setattr(connection, "current", lambda: pytest.fail("asked the registry"))
    with pytest.raises(AttributeError):
        qcrbox._repr_html_  # noqa: B018 - the look-up is the test
    assert not hasattr(qcrbox, "_ipython_canary_method_should_not_exist_")


def test_hub_token_is_taken_from_the_environment():
    found = connection.discover({"QCRBOX_URL": "http://127.0.0.1:1", "JUPYTERHUB_API_TOKEN": "t"})
    assert (found.url, found.token) == ("http://127.0.0.1:1", "t")
    assert "'t'" not in repr(found)


def test_token_file_goes_before_the_hub_token(tmp_path):
    (tmp_path / "token").write_text("solo\n")
    env = {
        "QCRBOX_URL": "http://x",
        "QCRBOX_TOKEN_FILE": str(tmp_path / "token"),
        "JUPYTERHUB_API_TOKEN": "hub",
    }
    assert connection.discover(env).token == "solo"


def test_unreadable_token_file_is_named(tmp_path):
    env = {"QCRBOX_URL": "http://x", "QCRBOX_TOKEN_FILE": str(tmp_path / "none")}
    with pytest.raises(NotSignedIn, match="none"):
        connection.discover(env)


def test_running_platform_of_this_person_is_found(tmp_path):
    (tmp_path / "run").mkdir()
    token = tmp_path / "solo_token"
    token.write_text("secret")
    said = {"registry_url": "http://127.0.0.1:5", "solo_token_file": str(token)}
    (tmp_path / "run" / "platform.json").write_text(json.dumps(said))
    found = connection.discover({"QCRBOX_DATA": str(tmp_path), "HOME": str(tmp_path)})
    assert (found.url, found.token) == ("http://127.0.0.1:5", "secret")


def test_platform_file_of_somebody_else_is_not_believed(tmp_path, monkeypatch):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "platform.json").write_text(json.dumps({"registry_url": "http://evil"}))
    monkeypatch.setattr(connection.os, "getuid", lambda: 12345)
    assert connection.discover({"QCRBOX_DATA": str(tmp_path), "HOME": str(tmp_path)}) is None


def test_saved_tokens_are_readable_by_their_owner_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    saved_tokens.put("http://box", "secret")
    store = tmp_path / "qcrbox" / "tokens.json"
    assert store.stat().st_mode & 0o077 == 0
    assert saved_tokens.get("http://box") == "secret"
    assert saved_tokens.get("http://other") is None


@pytest.mark.parametrize("url", ["http://box.example.org", "ftp://box", "box.example.org", ""])
def test_address_that_would_show_the_token_to_others_is_refused_before_anything_is_sent(url, monkeypatch):
    monkeypatch.setattr(signing_in, "registry_address", lambda _: pytest.fail("something was sent"))
    with pytest.raises(UserInputError):
        connection.connect(url)


@pytest.mark.parametrize("url", ["https://box.example.org", "http://127.0.0.1:8000", "http://localhost/a"])
def test_encrypted_and_local_addresses_are_safe(url):
    signing_in.require_safe(url)


def test_network_that_is_trusted_may_be_named(monkeypatch):
    asked = []

    def nobody(url):
        asked.append(url)
        raise Unreachable("nobody")

    monkeypatch.setattr(signing_in, "registry_address", nobody)
    with pytest.raises(Unreachable):
        connection.connect("http://box.example.org", insecure=True)
    assert asked == ["http://box.example.org"]


def test_registry_itself_is_found_at_its_own_address(registry_url):
    assert signing_in.registry_address(f"{registry_url}/") == registry_url


@pytest.mark.parametrize("content", ["[]", "5", "null", "no json", "{}", '{"registry_url": ""}'])
def test_a_platform_file_that_holds_something_else_names_no_registry(tmp_path, content):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "platform.json").write_text(content)
    assert connection.discover({"QCRBOX_DATA": str(tmp_path), "HOME": str(tmp_path)}) is None


@pytest.mark.parametrize("url", ["https://box.example", "https://box.example/", "https://box.example//"])
def test_a_kept_token_is_found_whatever_slash_ends_the_address(tmp_path, monkeypatch, url):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    saved_tokens.put("https://box.example", "kept")
    found = connection.discover({"QCRBOX_URL": url})
    assert (found.url, found.token) == ("https://box.example", "kept")


@pytest.mark.parametrize("url", ["", "/", None])
def test_an_empty_address_is_none(tmp_path, url):
    env = {"HOME": str(tmp_path), **({} if url is None else {"QCRBOX_URL": url})}
    assert connection.discover(env) is None


@pytest.fixture
def kernel(monkeypatch, tmp_path):
    """A kernel that is connected to nothing, with a home of its own."""
    monkeypatch.setattr(connection, "_current", None)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("QCRBOX_URL", "QCRBOX_DATA", "XDG_DATA_HOME", "JUPYTERHUB_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    yield tmp_path
    connection.forget()


def registry(server, *, token=None):
    """A registry that takes this token alone."""
    server["GET /api/healthz"] = Raw('{"status": "ok"}')

    def applications(request):
        if token and request.headers.get("authorization") != f"Bearer {token}":
            return refusal(401, "not_signed_in", "No valid token.")
        return {"applications": []}

    server["GET /api/applications"] = applications


def test_a_given_token_is_used_kept_and_found_by_the_next_kernel(kernel, server):
    registry(server, token="t")
    box = connection.connect(server.url, "t")
    assert connection.current() is box
    connection.forget()
    connection.connect(f"{server.url}/")
    assert saved_tokens.get(server.url) == "t"


def test_a_token_that_is_not_to_be_remembered_is_not_kept(kernel, server):
    registry(server, token="t")
    connection.connect(server.url, "t", remember=False)
    assert saved_tokens.get(server.url) is None


def test_a_refused_token_is_neither_kept_nor_replaced_by_another(kernel, server):
    """A saved token may be that of another person."""
    registry(server, token="right")
    saved_tokens.put(server.url, "right")
    with pytest.raises(
        NotSignedIn, match=r"requires you to sign in.*Get its token from the person who started it"
    ):
        connection.connect(server.url, "wrong")
    assert {request.headers.get("authorization") for request in server.sent("GET /api/applications")} == {
        "Bearer wrong"
    }
    assert saved_tokens.get(server.url) == "right"
    assert connection._current is None


def test_a_failed_change_of_registry_keeps_the_one_before(kernel, server):
    registry(server)
    box = connection.connect(server.url)
    with pytest.raises(Unreachable):
        connection.connect("http://127.0.0.1:9")
    assert connection.current() is box


def test_without_any_registry_the_error_says_how_to_start_or_name_one(kernel):
    with pytest.raises(Unreachable, match=r"No QCrBox registry was found.*qcrbox up.*qc.connect"):
        connection.current()
    assert not connection.is_configured()
    assert "not connected" in connection.place()
