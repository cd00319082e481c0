"""Input and output files of one calculation: checked, repeated while the registry is down, refused for good otherwise."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from qcrbox.contract.errors import NotFound, QcError, StorageFull, Unreachable
from qcrbox.contract.messages import CHECKPOINT, Command, FileRef
from qcrbox_agent import files
from qcrbox_agent.checkpoint import Checkpoint
from qcrbox_agent.files import DAMAGED_TRIES, FileClient, FileRoutes

BASE = "http://registry/internal/calculations/c1"
CONTENT = b"data_azu\n" * 1000


class Registry:
    """The file routes; `answers` come first, each a status code or an exception."""

    def __init__(self) -> None:
        self.answers: list[int | Exception | Callable[[], None]] = []
        self.inputs: dict[str, bytes] = {}
        self.stored: list[tuple[str, str, bytes]] = []
        self.checkpoint: bytes | None = None
        self.requests: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        if self.answers:
            answer = self.answers.pop(0)
            if isinstance(answer, Exception):
                raise answer
            if isinstance(answer, int):
                return httpx.Response(answer)
            answer()
        assert request.headers["Authorization"] == "Bearer file-token"
        path = request.url.path.removeprefix("/internal/calculations/c1")
        if request.method == "PUT":
            return await self._put(request)
        if path == "/checkpoint":
            return (
                httpx.Response(404)
                if self.checkpoint is None
                else httpx.Response(200, content=self.checkpoint)
            )
        content = self.inputs.get(path.removeprefix("/inputs/"))
        return httpx.Response(404) if content is None else httpx.Response(200, content=content)

    async def _put(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        asked = request.url.params
        digest = hashlib.sha256(content).hexdigest()
        assert int(request.headers["Content-Length"]) == len(content)
        if digest != asked["sha256"]:
            return httpx.Response(422, json=QcError("The bytes do not have the promised hash.").envelope())
        self.stored.append((asked["name"], asked["filename"], content))
        return httpx.Response(200, json={"payload": {"upload_id": f"u{len(self.stored)}"}})


@pytest.fixture
def registry():
    return Registry()


@pytest.fixture
async def routes(registry, monkeypatch):
    monkeypatch.setattr(files, "FIRST_PAUSE_S", 0.0)
    client = FileClient()
    client._http = httpx.AsyncClient(transport=httpx.MockTransport(registry))
    command = Command(
        calculation_id="c1",
        attempt=1,
        correlation_id="k",
        application_slug="sample",
        application_version="1.0",
        command_name="echo",
        files_url=BASE + "/",
        file_token="file-token",
    )
    yield FileRoutes(client, command)
    await client.close()


def promised(content: bytes) -> FileRef:
    return FileRef(
        data_file_id="f1", filename="azu.cif", sha256=hashlib.sha256(content).hexdigest(), size=len(content)
    )


# ------------------------------------------------------------ inputs


async def test_an_input_has_the_promised_bytes(routes, registry, tmp_path):
    registry.inputs["f1"] = CONTENT
    await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")
    assert (tmp_path / "azu.cif").read_bytes() == CONTENT


@pytest.mark.parametrize("refusal", [408, 425, 429, 500, 502, 503, 504, httpx.ConnectError("down"), httpx.ReadError("cut")], ids=str)  # fmt: skip
async def test_what_may_pass_is_asked_for_again(routes, registry, tmp_path, refusal):
    registry.inputs["f1"] = CONTENT
    registry.answers = [refusal, refusal]
    await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")
    assert (tmp_path / "azu.cif").read_bytes() == CONTENT
    assert len(registry.requests) == 3


@pytest.mark.parametrize("refusal", [400, 401, 403, 409, 413])
async def test_a_refusal_for_good_ends_the_attempt(routes, registry, tmp_path, refusal):
    registry.answers = [refusal]
    with pytest.raises(Unreachable, match=f"HTTP {refusal}"):
        await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")
    assert len(registry.requests) == 1


async def test_the_registrys_own_words_are_the_error(routes, registry, tmp_path):
    refusal = NotFound("There is no such file.")

    async def refuse(request):
        return httpx.Response(refusal.status, json=refusal.envelope())

    routes._client._http = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    with pytest.raises(QcError, match="There is no such file"):
        await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")


async def test_damaged_bytes_are_fetched_again(routes, registry, tmp_path):
    registry.inputs["f1"] = CONTENT[:-1]

    def mend():
        registry.inputs["f1"] = CONTENT

    registry.answers = [lambda: None, mend]
    await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")
    assert (tmp_path / "azu.cif").read_bytes() == CONTENT


async def test_bytes_that_stay_damaged_are_never_given_to_a_program(routes, registry, tmp_path):
    registry.inputs["f1"] = b"something else"
    with pytest.raises(Unreachable, match="arrived damaged"):
        await routes.fetch(promised(CONTENT), tmp_path / "azu.cif")
    assert len(registry.requests) == DAMAGED_TRIES


# ------------------------------------------------------------ outputs


async def test_an_output_is_stored_with_its_hash_and_size(routes, registry, tmp_path):
    path = tmp_path / "refined.cif"
    path.write_bytes(CONTENT)
    stored = await routes.store(path, "refined", "thpp.cif")
    assert stored == ("u1", hashlib.sha256(CONTENT).hexdigest(), len(CONTENT))
    assert registry.stored == [("refined", "thpp.cif", CONTENT)]


async def test_an_empty_output_is_stored(routes, registry, tmp_path):
    (tmp_path / "empty.txt").touch()
    assert await routes.store(tmp_path / "empty.txt", "log", "empty.txt") == (
        "u1",
        hashlib.sha256(b"").hexdigest(),
        0,
    )


async def test_a_large_output_arrives_whole_after_a_cut(routes, registry, tmp_path):
    content = bytes(range(256)) * 4096
    path = tmp_path / "density.cube"
    path.write_bytes(content)
    registry.answers = [httpx.WriteError("cut"), 503]
    await routes.store(path, "cube", "density.cube")
    assert registry.stored == [("cube", "density.cube", content)]


async def test_a_full_store_is_said_and_not_waited_for(routes, registry, tmp_path):
    (tmp_path / "a").write_bytes(b"x")
    full = StorageFull("There is no room.")

    async def refuse(request):
        return httpx.Response(full.status, json=full.envelope())

    routes._client._http = httpx.AsyncClient(transport=httpx.MockTransport(refuse))
    with pytest.raises(StorageFull):
        await routes.store(tmp_path / "a", "a", "a")


async def test_a_file_that_is_replaced_during_its_upload_is_stored_as_it_was(routes, registry, tmp_path):
    """A program renews its checkpoint by renaming: hash, size and bytes must be of one file."""
    path = tmp_path / "state.zip"
    path.write_bytes(b"round 3")
    newer = tmp_path / "state.zip.new"
    newer.write_bytes(b"round 4, which is longer")
    registry.answers = [httpx.WriteError("cut")]
    original = routes._upload

    async def upload(*arguments):
        if newer.exists():
            newer.replace(path)
        return await original(*arguments)

    routes._upload = upload
    _, digest, size = await routes.store(path, CHECKPOINT, "state.zip")
    assert (digest, size) == (hashlib.sha256(b"round 3").hexdigest(), 7)
    assert registry.stored == [(CHECKPOINT, "state.zip", b"round 3")]
    assert path.read_bytes() == b"round 4, which is longer"


# ------------------------------------------------------------ checkpoints


async def test_a_first_attempt_finds_no_checkpoint(routes, tmp_path):
    assert await Checkpoint(tmp_path / "state.zip", routes).restore() is False
    assert list(tmp_path.iterdir()) == []


async def test_a_next_attempt_gets_the_checkpoint_whole(routes, registry, tmp_path):
    registry.checkpoint = CONTENT
    assert await Checkpoint(tmp_path / "state.zip", routes).restore() is True
    assert (tmp_path / "state.zip").read_bytes() == CONTENT
    assert [path.name for path in tmp_path.iterdir()] == ["state.zip"], "no partial file is left"


async def test_a_checkpoint_waits_for_a_registry_that_is_down(routes, registry, tmp_path):
    registry.checkpoint = CONTENT
    registry.answers = [httpx.ConnectError("down"), 503]
    assert await Checkpoint(tmp_path / "state.zip", routes).restore() is True


async def test_what_was_restored_is_not_stored_again(routes, registry, tmp_path):
    registry.checkpoint = CONTENT
    checkpoint = Checkpoint(tmp_path / "state.zip", routes)
    await checkpoint.restore()
    assert await checkpoint.kept() is None
    assert registry.stored == []


async def test_the_newest_state_is_kept(routes, registry, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.zip", routes)
    (tmp_path / "state.zip").write_bytes(b"round 1")
    first = await checkpoint.kept()
    (tmp_path / "state.zip").write_bytes(b"round 2!")
    second = await checkpoint.kept()
    assert (first.size, second.size) == (7, 8)
    assert second.name == CHECKPOINT
    assert [content for *_, content in registry.stored] == [b"round 1", b"round 2!"]


async def test_an_unchanged_state_is_stored_once(routes, registry, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.zip", routes)
    (tmp_path / "state.zip").write_bytes(b"round 1")
    assert (await checkpoint.kept()).upload_id == (await checkpoint.kept()).upload_id == "u1"
    assert len(registry.stored) == 1


async def test_a_command_that_wrote_no_checkpoint_keeps_none(routes, tmp_path):
    assert await Checkpoint(tmp_path / "state.zip", routes).kept() is None


async def test_a_refused_checkpoint_does_not_end_the_calculation(routes, registry, tmp_path):
    """The watch tries the next state; its calculation continues."""
    checkpoint = Checkpoint(tmp_path / "state.zip", routes, look_s=0.001)
    (tmp_path / "state.zip").write_bytes(b"round 1")
    registry.answers = [413]
    checkpoint.watch()
    for _ in range(2000):
        if registry.stored:
            break
        await files.asyncio.sleep(0.001)
    await checkpoint.close()
    assert [content for *_, content in registry.stored] == [b"round 1"]


async def test_closing_twice_is_harmless(routes, tmp_path):
    checkpoint = Checkpoint(tmp_path / "state.zip", routes)
    checkpoint.watch()
    await checkpoint.close()
    await checkpoint.close()


# ------------------------------------------------------------ the client


async def test_a_client_that_was_never_used_is_closed_without_a_connection():
    await FileClient().close()


async def test_proxies_of_the_environment_are_not_asked(monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    client = FileClient()
    assert client.http.trust_env is False
    assert client.http is client.http
    await client.close()


async def test_in_a_container_the_registry_is_behind_a_socket(tmp_path: Path):
    client = FileClient(str(tmp_path / "registry.sock"))
    with pytest.raises(httpx.ConnectError):
        await client.http.get("http://registry/")
    await client.close()
