"""The list of export formats: the answer of Jupyter's own handler, without its cost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from jupyter_server.auth.authorizer import AllowAllAuthorizer
from jupyter_server.auth.identity import IdentityProvider
from jupyter_server.services.nbconvert.handlers import NbconvertRootHandler
from nbconvert.exporters import base
from qcrbox_extension import export_formats
from qcrbox_extension.export_formats import ExportFormatsHandler, keep, read
from tornado.web import Application
from traitlets.config import Config

TOKEN = "of-this-test"


@asynccontextmanager
async def serve(kept: Path, **config: object) -> AsyncIterator[httpx.AsyncClient]:
    """Jupyter's handler at /theirs, ours at /ours, in front of Jupyter's own checks of who asks."""
    application = Application(
        [("/theirs", NbconvertRootHandler), ("/ours", ExportFormatsHandler, {"kept": kept})],
        identity_provider=IdentityProvider(token=TOKEN),
        authorizer=AllowAllAuthorizer(),
        config=Config(config),
        base_url="/",
        cookie_secret="0" * 32,
        login_url="/login",
        xsrf_cookies=True,
    )
    server = application.listen(0, "127.0.0.1")
    (socket,) = server._sockets.values()
    try:
        async with httpx.AsyncClient(
            base_url=f"http://127.0.0.1:{socket.getsockname()[1]}", trust_env=False
        ) as client:
            yield client
    finally:
        server.stop()


SIGNED_IN = {"Authorization": f"token {TOKEN}"}


@pytest.fixture
def uncalled(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """After this, whoever looks at an exporter fails."""

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("an exporter was imported")

    def uncall() -> None:
        monkeypatch.setattr(base, "get_exporter", refuse)
        monkeypatch.setattr(base, "get_export_names", refuse)

    return uncall


@pytest.mark.slow
async def test_kept_answer_is_that_of_jupyters_handler(tmp_path: Path, uncalled: Callable[[], None]) -> None:
    kept = tmp_path / "formats.json"
    async with serve(kept) as client:
        theirs = await client.get("/theirs", headers=SIGNED_IN)
        first = await client.get("/ours", headers=SIGNED_IN)
        uncalled()
        second = await client.get("/ours", headers=SIGNED_IN)
    assert theirs.json()["latex"] == {"output_mimetype": "text/latex"}
    assert first.json() == second.json() == theirs.json()
    assert second.headers["content-type"] == theirs.headers["content-type"]


@pytest.mark.slow
async def test_strangers_are_refused_as_by_jupyters_handler(tmp_path: Path) -> None:
    kept = tmp_path / "formats.json"
    keep(kept)
    async with serve(kept) as client:
        assert (await client.get("/ours")).status_code == (await client.get("/theirs")).status_code == 403


async def test_exporters_that_a_site_switches_off_are_not_offered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "formats.json"
    kept.write_text(json.dumps({"installed": export_formats._installed(), "formats": {"latex": {}}}))
    # nbconvert reads the configuration of the running application.
    monkeypatch.setattr(base, "get_config", lambda: Config({"LatexExporter": {"enabled": False}}))
    async with serve(kept) as client:
        assert "latex" in (await client.get("/ours", headers=SIGNED_IN)).json()
    async with serve(kept, LatexExporter={"enabled": False}) as client:
        answer = (await client.get("/ours", headers=SIGNED_IN)).json()
    assert "html" in answer
    assert "latex" not in answer


def test_kept_answer_is_void_once_other_exporters_are_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "formats.json"
    keep(kept)
    assert read(kept)
    monkeypatch.setattr(export_formats, "_installed", lambda: [["another"]])
    assert read(kept) is None


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"installed": 1}', "\xff"])
def test_damaged_file_is_no_answer(tmp_path: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export_formats, "formats", lambda: {"html": {"output_mimetype": "text/html"}})
    kept = tmp_path / "formats.json"
    kept.write_bytes(text.encode("latin-1"))
    assert read(kept) is None
    keep(kept)
    assert json.loads(kept.read_bytes())["formats"] == read(kept)
    assert [each.name for each in tmp_path.iterdir()] == ["formats.json"]


def test_a_file_that_cannot_be_written_leaves_no_draft(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export_formats, "formats", lambda: {"html": {"output_mimetype": "text/html"}})
    kept = tmp_path / "formats.json"
    kept.mkdir()
    assert keep(kept) == {"html": {"output_mimetype": "text/html"}}
    assert list(tmp_path.iterdir()) == [kept]


@pytest.mark.slow
def test_servers_ask_this_handler(browser: httpx.Client, server_url: str) -> None:
    """Not Jupyter's own, which has the same address: the answer is the one kept beside the package."""
    assert browser.get("/api/nbconvert").json() == read()
    assert httpx.get(f"{server_url}api/nbconvert", trust_env=False).status_code in (302, 403)
