"""12 and 30: a registry without a hub, whose disk is filled and whose audit trail is lied to."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from tests.conftest import ROOT

pytestmark = pytest.mark.slow
MB = 1024 * 1024
DISK_MB = 300
TOOLS = ROOT / "app_images" / "qcrboxtools"


@dataclass
class OwnDisk:
    """A registry whose data folder is a disk of its own; `folder` leads to it."""

    http: httpx.Client
    folder: Path

    @contextlib.contextmanager
    def full(self) -> Iterator[None]:
        """Nothing more can be written to the disk."""
        path = self.folder / "filler"
        try:
            with path.open("wb", buffering=0) as file, contextlib.suppress(OSError):
                while True:
                    file.write(bytes(64 * 1024))
            yield
        finally:
            path.unlink()


@pytest.fixture(scope="module")
def own_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnDisk]:
    """A small disk in memory, in a mount namespace that any user may make where the system allows it."""
    folder = tmp_path_factory.mktemp("disk")
    own = ["unshare", "--user", "--map-root-user", "--mount"] if os.geteuid() else ["unshare", "--mount"]
    try:
        mounting = [*own, "mount", "-t", "tmpfs", "tmpfs", str(folder)]
        can = (
            shutil.which("unshare")
            and subprocess.run(mounting, capture_output=True, check=False).returncode == 0
        )
    except OSError:
        can = False
    if not can:
        pytest.skip("this system gives no mount namespace for a small disk")
    command = (
        f'mount -t tmpfs -o size={DISK_MB}m tmpfs "$1" && exec "$2" -m qcrbox_hub registry --data "$1/data" '
    )
    command += '--port 0 --no-auth --applications "$3"'
    with (folder.parent / "stderr").open("w") as errors:
        process = subprocess.Popen(
            [*own, "sh", "-c", command, "sh", str(folder), sys.executable, str(TOOLS)],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=os.environ | {"NO_COLOR": "1"},
        )
        assert process.stdout
        line = process.stdout.readline()
    found = re.search(r"http://127\.0\.0\.1:\d+", line)
    assert found, line + (folder.parent / "stderr").read_text()
    # The namespace's view of the disk, from outside.
    inside = Path(f"/proc/{process.pid}/root") / folder.relative_to("/")
    with httpx.Client(base_url=found[0], timeout=60, trust_env=False) as client:
        yield OwnDisk(client, inside)
    process.send_signal(signal.SIGINT)
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def sent(disk: OwnDisk, size: int) -> httpx.Response:
    return disk.http.post("/api/datasets", files={"file": ("a.bin", os.urandom(size))})


def pieces(megabytes: int) -> Iterator[bytes]:
    """A form whose length nobody announces."""
    yield b'--xyz\r\nContent-Disposition: form-data; name="file"; filename="a.bin"\r\n\r\n'
    for number in range(megabytes):
        yield number.to_bytes(4, "big") * (MB // 4)
    yield b"\r\n--xyz--\r\n"


def refused(answer: httpx.Response) -> str:
    assert answer.status_code == 507, answer.text
    error = answer.json()["error"]
    assert (error["kind"], bool(error["next"])) == ("storage_full", True)
    return error["message"]


@pytest.mark.attack(12)
def test_12_what_the_disk_has_no_room_for_is_refused_before_it_is_taken(own_disk: OwnDisk) -> None:
    assert sent(own_disk, MB).status_code == 201
    assert "MiB are needed" in refused(sent(own_disk, (DISK_MB - 40) * MB))
    announced = own_disk.http.post("/api/uploads", json={"filename": "a", "size": (DISK_MB - 100) * MB})
    assert "MiB are needed" in refused(announced)  # it lies in the data folder, and is then stored beside
    kind = {"content-type": "multipart/form-data; boundary=xyz"}
    assert "are kept" in refused(own_disk.http.post("/api/datasets", content=pieces(DISK_MB), headers=kind))
    assert sent(own_disk, MB).status_code == 201


@pytest.mark.attack(12)
def test_12_a_full_disk_is_said_at_once_and_is_not_the_end(own_disk: OwnDisk) -> None:
    made = sent(own_disk, 1000).json()["payload"]
    file_id = made["data_files"][0]["qcrbox_file_id"]
    with own_disk.full():
        began = time.monotonic()
        assert "disk is full" in refused(sent(own_disk, 1000))
        command = {
            "application_slug": "qcrboxtools",
            "application_version": "1.0",
            "command_name": "to_unified_cif",
            "command_arguments": {"input_cif": {"data_file_id": file_id}},
        }
        assert "disk is full" in refused(own_disk.http.post("/api/commands", json=command))
        # Not even the log can be written; the answer is the one of the contract all the same.
        dataset = f"/api/datasets/{made['datasets'][0]['qcrbox_dataset_id']}"
        assert "disk is full" in refused(own_disk.http.delete(dataset))
        assert len(own_disk.http.get(f"/api/data-files/{file_id}/download").content) == 1000
        assert own_disk.http.get("/api/healthz").status_code == 200
        assert "disk" in own_disk.http.get("/api/readyz").json()["missing"]
        assert time.monotonic() - began < 10  # it was 40 s each
    deadline = time.monotonic() + 60
    while (again := sent(own_disk, 1000)).status_code != 201:
        assert time.monotonic() < deadline, again.text
        time.sleep(0.2)
    assert own_disk.http.delete(dataset).status_code == 204


@pytest.mark.attack(30)
@pytest.mark.parametrize("header", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP"])
def test_30_the_audit_trail_has_the_address_of_the_caller_and_not_one_that_it_claims(
    own_disk: OwnDisk, header: str
) -> None:
    claim = "for=198.51.100.7" if header == "Forwarded" else "198.51.100.7"
    answer = own_disk.http.post("/api/datasets", files={"file": ("a.txt", b"x")}, headers={header: claim})
    made = answer.json()["payload"]["datasets"][0]["qcrbox_dataset_id"]
    trail = own_disk.http.get("/api/audit", params={"limit": 20}).json()["payload"]["audit"]
    (entry,) = (one for one in trail if one["object_id"] == made)
    assert entry["address"] == "127.0.0.1"
