"""Which registry a server asks, with whose token, and that no address leads elsewhere."""

from __future__ import annotations

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import qcrbox
from qcrbox.contract.errors import NotFound, NotSignedIn, Unreachable
from qcrbox_extension import LABEXTENSION, develop, front_end
from qcrbox_extension.display import _short
from qcrbox_extension.upstream import Upstream, new_client

REGISTRY = Upstream("http://registry.example:8001", "s3cret")


@pytest.mark.parametrize(
    ("path", "query", "address"),
    [
        ("datasets", "", "/api/datasets"),
        ("datasets/3f", "limit=5&text=a%26b", "/api/datasets/3f?limit=5&text=a%26b"),
        ("datasets/a%20b", "", "/api/datasets/a%20b"),
        ("datasets/", "", "/api/datasets/"),
        ("files/x%3Fy", "", "/api/files/x%3Fy"),
        ("a...b/..c", "", "/api/a...b/..c"),
    ],
)
def test_an_address_is_passed_on_as_it_was_encoded(path: str, query: str, address: str) -> None:
    made = REGISTRY.address(path, query)
    assert (made.host, made.port) == ("registry.example", 8001)
    assert made.raw_path.decode() == address


@pytest.mark.parametrize(
    "path",
    [
        "..",
        ".",
        "a/../b",
        "a/%2e%2e/b",
        "a/%2E./b",
        "a%2fb",
        "a%5cb",
        "a%00",
        "a%0d%0aHost: x",
        "a//b",
        "/a",
    ],
)
def test_no_path_leads_out_of_the_api(path: str) -> None:
    with pytest.raises(NotFound):
        REGISTRY.address(path)


def test_a_registry_below_a_path_keeps_its_path() -> None:
    below = Upstream("http://hub.example/services/registry/", "")
    assert below.address("me").raw_path == b"/services/registry/api/me"


def test_a_server_of_no_platform_says_how_to_start_one() -> None:
    with pytest.raises(Unreachable) as error:
        Upstream("", "").address("me")
    assert "qcrbox up" in error.value.next
    assert not Upstream("", "").configured


def test_the_platform_says_by_variables_which_registry_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("QCRBOX_URL", "JUPYTERHUB_API_TOKEN", "QCRBOX_TOKEN_FILE"):
        monkeypatch.delenv(name, raising=False)
    assert Upstream.from_environment() == Upstream("", "", "")
    monkeypatch.setenv("QCRBOX_URL", "http://127.0.0.1:8001/")
    monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "t")
    monkeypatch.setenv("QCRBOX_TOKEN_FILE", "/run/token")
    assert Upstream.from_environment() == Upstream("http://127.0.0.1:8001", "t", "/run/token")


def test_a_token_in_a_file_is_read_each_time(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("old\n")
    upstream = Upstream("http://x", "of the hub", str(file))
    assert upstream.authorization() == {"Authorization": "Bearer old"}
    file.write_text("new\n")
    assert upstream.authorization() == {"Authorization": "Bearer new"}


def test_a_token_that_cannot_be_read_is_no_other_token(tmp_path: Path) -> None:
    with pytest.raises(NotSignedIn) as error:
        Upstream("http://x", "of the hub", str(tmp_path / "none")).authorization()
    assert error.value.where == str(tmp_path / "none")


def test_without_a_token_no_header_is_sent() -> None:
    assert Upstream("http://x", "").authorization() == {}
    assert REGISTRY.authorization() == {"Authorization": "Bearer s3cret"}


def test_the_client_keeps_no_cookies_follows_nothing_and_uses_no_proxy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Cookie"))
            self.send_response(302)
            self.send_header("Location", "/elsewhere")
            self.send_header("Set-Cookie", "who=ada")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")

    async def ask() -> list[int]:
        async with new_client() as client:
            url = f"http://127.0.0.1:{server.server_port}/"
            return [(await client.get(url)).status_code for _ in range(2)]

    try:
        assert asyncio.run(ask()) == [302, 302]
        assert seen == [None, None]
    finally:
        server.shutdown()


@pytest.mark.parametrize(
    ("reason", "short"),
    [("", ""), ("It ended.", "It ended."), ("x" * 200, "x" * 123), ("Å" * 100, "Å" * 61)],
)
def test_a_close_reason_has_at_most_123_bytes_and_no_half_letter(reason: str, short: str) -> None:
    assert _short(reason) == short
    assert len(_short(reason).encode()) <= 123


# ---------------------------------------------------------------- a checkout


def test_a_checkout_is_linked_where_jupyter_looks(tmp_path: Path) -> None:
    develop.link(tmp_path)
    for place, source in develop.links(tmp_path).items():
        assert place.is_symlink()
        assert place.resolve() == source.resolve()


def test_what_stands_in_the_place_of_a_link_is_replaced(tmp_path: Path) -> None:
    panel, config = develop.links(tmp_path)
    panel.mkdir(parents=True)
    (panel / "old.js").write_text("")
    config.parent.mkdir(parents=True)
    config.symlink_to(tmp_path / "gone")
    develop.link(tmp_path)
    develop.link(tmp_path)
    assert panel.resolve() == LABEXTENSION.resolve()
    assert not config.is_symlink() or config.resolve() != (tmp_path / "gone").resolve()
    assert (panel / "old.js").exists() is (LABEXTENSION / "old.js").exists()


def test_the_built_panel_has_the_version_of_the_product(tmp_path: Path) -> None:
    file = tmp_path / "package.json"
    file.write_text(json.dumps({"name": "@qcrbox/lab", "version": "0.0.0"}))
    develop.write_version(tmp_path)
    assert json.loads(file.read_text()) == {"name": "@qcrbox/lab", "version": qcrbox.__version__}
    before = file.stat().st_mtime_ns
    develop.write_version(tmp_path)
    assert file.stat().st_mtime_ns == before


def test_an_installed_package_has_nothing_to_link(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(develop, "EXTENSION", tmp_path)
    monkeypatch.setattr(develop, "link", lambda _: pytest.fail("it was linked"))
    assert develop.main() == 0
    assert "not a checkout" in capsys.readouterr().err


def test_a_panel_that_is_not_built_is_an_error_with_the_way_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "package.json").write_text("{}")
    monkeypatch.setattr(develop, "EXTENSION", tmp_path)
    monkeypatch.setattr(develop, "LABEXTENSION", tmp_path / "none")
    monkeypatch.setattr(develop, "link", lambda _: None)
    assert develop.main() == 1
    assert "npm run build" in capsys.readouterr().err


# ---------------------------------------------------------------- versions


def test_kernels_are_told_the_versions_that_are_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(front_end, "_PACKAGES", ("qcrbox", "no-such-package"))
    monkeypatch.delenv(front_end.VARIABLE, raising=False)
    front_end.tell_kernels()
    assert json.loads(front_end.os.environ[front_end.VARIABLE]) == {"qcrbox": qcrbox.__version__}
    monkeypatch.delenv(front_end.VARIABLE)
