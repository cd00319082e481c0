"""A file of two gigabytes over REST: memory of the registry while it goes in and out, and what a cut leaves behind."""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import time
from collections.abc import Iterator

import httpx
import psutil

from benchmarks.registry.rows import Row
from benchmarks.registry.stack import Registry

MB = 1_000_000
PIECE = os.urandom(MB)
HEAD = b'--b\r\nContent-Disposition: form-data; name="file"; filename="large.bin"\r\n\r\n'
TAIL = b"\r\n--b--\r\n"
GOAL_MIB = "≤ 20"


def content(count: int) -> Iterator[bytes]:
    """`count` MB, each megabyte different."""
    for number in range(count):
        yield number.to_bytes(8, "big") + PIECE[8:]


def digest_of(count: int) -> str:
    digest = hashlib.sha256()
    for piece in content(count):
        digest.update(piece)
    return digest.hexdigest()


@contextlib.contextmanager
def growth(registry: Registry, found: list[float]) -> Iterator[None]:
    """Append by how many MiB the registry's memory rose above its start while the block ran."""
    process, over = psutil.Process(registry.registry.pid), threading.Event()
    before = highest = process.memory_info().rss

    def watch() -> None:
        nonlocal highest
        while not over.wait(0.02):
            highest = max(highest, process.memory_info().rss)

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    found.append((highest - before) / 2**20)


def upload(registry: Registry, count: int) -> str:
    """The id of a new data file of `count` MB."""
    size = len(HEAD) + count * MB + len(TAIL)

    def body() -> Iterator[bytes]:
        yield HEAD
        yield from content(count)
        yield TAIL

    headers = {"content-type": "multipart/form-data; boundary=b", "content-length": str(size)}
    answer = registry.client.post("/api/data-files", content=body(), headers=headers, timeout=1200)
    answer.raise_for_status()
    return str(answer.json()["payload"]["data_files"][0]["qcrbox_file_id"])


def download(registry: Registry, file_id: str) -> str:
    digest = hashlib.sha256()
    with registry.client.stream("GET", f"/api/data-files/{file_id}/download", timeout=1200) as answer:
        for piece in answer.iter_raw(MB):
            digest.update(piece)
    return digest.hexdigest()


def cut_off(registry: Registry, count: int) -> float:
    """Send half of an upload, break the connection; seconds until the store holds no more than before."""
    before = bytes_kept(registry)
    head = (
        f"POST /api/data-files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {2 * count * MB}\r\n"
        "Content-Type: multipart/form-data; boundary=b\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", registry.port)) as wire:
        wire.sendall(head.encode() + HEAD)
        for piece in content(count):
            wire.sendall(piece)
    begun = time.perf_counter()
    while bytes_kept(registry) != before:
        if time.perf_counter() - begun > 300:
            raise TimeoutError("chunks of the cut upload are still there")
        time.sleep(0.02)
    return time.perf_counter() - begun


def bytes_kept(registry: Registry) -> int:
    """Bytes of file contents in the store, as the metrics page reports."""
    for line in registry.client.get("/metrics").text.splitlines():
        if line.startswith("qcrbox_files_bytes "):
            return int(float(line.rpartition(" ")[2]))
    raise LookupError("the metrics page does not tell how many bytes of files are stored")


def resumed(registry: Registry, count: int) -> float:
    """A resumable upload that is cut in the middle and resumed; MB that had to be sent twice."""
    sha256 = digest_of(count)
    body = {"filename": "large.bin", "size": count * MB, "sha256": sha256, "purpose": "data_file"}
    begun = registry.client.post("/api/uploads", json=body)
    begun.raise_for_status()
    path = f"/api/uploads/{begun.json()['payload']['upload_id']}"
    head = (
        f"PATCH {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpload-Offset: 0\r\nContent-Length: {count * MB}\r\n"
        "Content-Type: application/offset+octet-stream\r\n\r\n"
    )
    sent = 0
    with socket.create_connection(("127.0.0.1", registry.port)) as wire:
        wire.sendall(head.encode())
        for piece in content(count // 2):
            wire.sendall(piece)
            sent += len(piece)
    offset = -1
    while (now := int(registry.client.head(path).headers["upload-offset"])) != offset:
        offset = now
        time.sleep(1.0)  # what was on its way when the connection broke still arrives

    def rest() -> Iterator[bytes]:
        at = 0
        for piece in content(count):
            if at + len(piece) > offset:
                yield piece[max(offset - at, 0) :]
            at += len(piece)

    headers = {"upload-offset": str(offset), "content-type": "application/offset+octet-stream"}
    headers["content-length"] = str(count * MB - offset)
    while True:
        try:
            done = registry.client.patch(path, content=rest(), headers=headers, timeout=1200)
            done.raise_for_status()
            break
        except httpx.HTTPStatusError as error:
            if error.response.status_code != 409:  # the broken request may still hold the upload for a moment
                raise
            time.sleep(0.5)
    if download(registry, done.json()["payload"]["data_file_id"]) != sha256:
        raise ValueError("the resumed file is not the one that was sent")
    return (sent - offset) / MB


def measure(quick: bool) -> list[Row]:
    count = 200 if quick else 2000
    registry = Registry(agents=0).start()
    into: list[float] = []
    out: list[float] = []
    going_on: list[float] = []
    try:
        # Once before: buffers and modules that stay are not counted as growth.
        download(registry, upload(registry, 64))
        with growth(registry, into):
            file_id = upload(registry, count)
        with growth(registry, out):
            sound = download(registry, file_id) == digest_of(count)
        if not sound:
            raise ValueError("the file that came out is not the one that went in")
        left = [cut_off(registry, count // 2)]
        with growth(registry, going_on):
            twice = [resumed(registry, count)]
    finally:
        registry.close()
    what = f"{count / 1000:g} GB"
    return [
        Row(f"registry's memory rises while {what} go in", "MiB", into, "", [], "B", GOAL_MIB, False),
        Row(f"registry's memory rises while {what} go out", "MiB", out, "", [], "B", GOAL_MIB, False),
        Row(f"registry's memory rises while a cut upload of {what} resumes", "MiB", going_on, "", [], "B", GOAL_MIB, False),
        Row(f"until an upload that was cut after {count / 2000:g} GB has left nothing behind", "s", left, "", [], "B", "≤ 60", False),
        Row("sent twice by a resumable upload that was cut in the middle", "MB", twice, "", [], "B", "≤ 10", False),
    ]  # fmt: skip
