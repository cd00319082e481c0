"""Containers and sessions beside the bare thing: `docker run` of the same image, VNC without our tunnel.

    python benchmarks/bench_containers.py [--json out.json] [--quick]

Needs a Docker daemon and, for the session's latency, root (the display's socket is looked up in the container).
Ratios are medians of one run, ours over the peer's, with their spread.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import docker  # noqa: E402
from qcrbox.contract.messages import Limits  # noqa: E402
from qcrbox_registry.launcher.approvals import Approvals  # noqa: E402
from qcrbox_registry.launcher.catalogue import Catalogue  # noqa: E402
from qcrbox_registry.launcher.managers.base import AgentPlan  # noqa: E402
from qcrbox_registry.launcher.managers.docker import DockerManager  # noqa: E402

from tests.conftest import RunningRegistry  # noqa: E402
from tests.rfb_viewer import StreamTransport, Viewer  # noqa: E402
from tests.sessions.conftest import WINDOW, Sessions, approve, shows  # noqa: E402

SAMPLE = ROOT / "app_images" / "agent" / "tests" / "fixtures" / "sample"
RED = (0xC0, 0x10, 0x10)
SHIFT = 0xFFE1
Row = dict[str, Any]


def row(name: str, ours: list[float], peer: list[float] | None = None, limit: str = "") -> Row:
    """Seconds to a row in ms."""
    made: Row = {"name": name, "ours_ms": [1000 * value for value in ours], "limit": limit}
    made["median_ms"] = statistics.median(made["ours_ms"])
    if peer:
        made["peer_ms"] = [1000 * value for value in peer]
        made["peer_median_ms"] = statistics.median(made["peer_ms"])
        made["ratio"] = made["median_ms"] / made["peer_median_ms"]
        made["spread"] = [min(ours) / max(peer), max(ours) / min(peer)]
    return made


async def timed(act: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await act()
    return time.perf_counter() - begun


# ---------------------------------------------------------------- starting


async def starts(data: Path, repeat: int, at_once: int) -> list[Row]:
    manager = DockerManager(data=str(data), nats_url="nats://127.0.0.1:1")
    await manager.setup()
    application = Catalogue(data / "approved").approve(SAMPLE)
    image = Approvals(data).image("sample", "1.0")
    assert image is not None

    def plan(name: str) -> AgentPlan:
        return AgentPlan(name, application, Limits(), "token", "nats://127.0.0.1:1", "local")

    bare: list[str] = []

    async def docker_run() -> None:
        run = await asyncio.create_subprocess_exec(
            "docker",
            "run",
            "-d",
            "--entrypoint",
            "sleep",
            image.image_id,
            "600",
            stdout=asyncio.subprocess.PIPE,
        )
        bare.append((await run.communicate())[0].decode().strip())
        if run.returncode:
            raise SystemExit("the bare `docker run` failed: there is nothing to compare with")

    try:
        ours, peer = [], []
        for number in range(repeat):
            # Each is ended before the next: what its agent does after the start is not what is measured.
            ours.append(await timed(lambda n=number: manager.start(plan(f"one-{n}"))))
            for found in await manager.list():
                await manager.stop(found.handle, 0)
            peer.append(await timed(docker_run))
            subprocess.run(["docker", "rm", "-f", bare[-1]], stdout=subprocess.DEVNULL, check=True)
        rows = [
            row("start of a container / bare `docker run`", ours, peer, "at most 1.25 times, or 150 ms more")
        ]

        async def many_of_ours() -> None:
            await asyncio.gather(*(manager.start(plan(f"many-{n}")) for n in range(at_once)))

        async def many_bare() -> None:
            await asyncio.gather(*(docker_run() for _ in range(at_once)))

        rows.append(
            row(f"{at_once} starts at once / bare", [await timed(many_of_ours)], [await timed(many_bare)])
        )
        return rows
    finally:
        await manager.end_platform()
        nothing = subprocess.DEVNULL  # most are gone already, and that they are is said
        subprocess.run(["docker", "rm", "-f", *bare], stdout=nothing, stderr=nothing, check=False)


# ---------------------------------------------------------------- commands


def commands(sessions: Sessions, repeat: int) -> list[Row]:
    def no_op() -> tuple[float, float]:
        """(asked to done over REST, accepted to begun by the agent), s; all clocks are this machine's."""
        body = {"application_slug": "sample", "application_version": "1.0", "command_name": "no_op", "command_arguments": {}}  # fmt: skip
        begun = time.perf_counter()
        made = sessions.call("POST", "/api/commands", json=body)["calculation_id"]
        one = sessions.call("GET", f"/api/calculations/{made}", params={"wait": 60})["calculations"][0]
        passed = time.perf_counter() - begun
        assert one["status"] == "successful", one
        at = {event["status"]: datetime.fromisoformat(event["timestamp"]) for event in one["status_events"]}
        return passed, (at["running"] - at["submitted"]).total_seconds()

    # A launcher that is still starting is not what is measured.
    while not sessions.call("GET", "/api/status")["launchers"]:
        time.sleep(0.05)
    cold, _ = no_op()
    warm = [no_op() for _ in range(20 * repeat)]
    return [
        row("first command of an application, its container cold, asked to done over REST", [cold]),
        row("hand-out to a warm container: accepted to begun there", [one[1] for one in warm], limit="20 ms"),
        row("command on a warm container, asked to done over REST", [one[0] for one in warm]),
    ]


# ---------------------------------------------------------------- sessions


async def session(sessions: Sessions, repeat: int) -> list[Row]:
    sessions.close(sessions.open(), "discard")  # a warm agent
    first_frames = []
    session_id = ""
    for _ in range(repeat):
        if session_id:
            sessions.close(session_id, "discard")
        begun = time.perf_counter()
        session_id = await asyncio.to_thread(sessions.open)
        viewer = await sessions.viewer(session_id)
        await shows(viewer, RED)
        first_frames.append(time.perf_counter() - begun)
    rows = [row("session opened to the program's first frame, warm", first_frames, limit="3000 ms")]
    socket = display_socket()
    if socket is not None:
        direct = await Viewer(StreamTransport(*await asyncio.open_unix_connection(str(socket)))).start()
        await shows(direct, RED)
        rounds = 40 * repeat
        through, beside = [], []
        for _ in range(4):  # in turns: the machine's other load meets both
            through += await latencies(viewer, rounds // 4)
            beside += await latencies(direct, rounds // 4)
        rows.append(row("key pressed to changed picture, tunnel / direct VNC", through, beside, "1.5 times"))
    sessions.close(session_id, "discard")
    return rows


def display_socket() -> Path | None:
    """The display of the only session, seen through its container's processes. Needs root."""
    for container in docker.from_env().containers.list():
        if container.labels.get("org.qcrbox.slug") == "window" and os.geteuid() == 0:
            pid = container.attrs["State"]["Pid"]
            found = list(Path(f"/proc/{pid}/root/tmp").glob("qcrbox-display-*/rfb"))
            if found:
                return found[0]
    return None


async def latencies(viewer: Viewer, rounds: int) -> list[float]:
    """From a key's press or release to the end of the update that shows it."""
    height, width = viewer.picture.shape[:2]
    at = (height // 4, width // 4)
    await viewer.whole()
    found, down = [], 1
    for number in range(rounds + 6):  # even together with `rounds`: the key is up at the end
        before = viewer.picture[at].copy()
        await viewer.ask(incremental=True)
        begun = time.perf_counter()
        await viewer._transport.send(struct.pack(">BBxxI", 4, down, SHIFT))
        async with asyncio.timeout(20):
            while (viewer.picture[at] == before).all():
                await viewer.update()
                await viewer.ask(incremental=True)
        if number >= 6:
            found.append(time.perf_counter() - begun)
        down = 1 - down
        await asyncio.sleep(0.01)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--json", type=Path)
    parser.add_argument("--quick", action="store_true", help="fewer repetitions")
    given = parser.parse_args()
    repeat, at_once = (3, 5) if given.quick else (7, 20)
    with tempfile.TemporaryDirectory(prefix="qcrbox-bench-") as folder:
        data = Path(folder) / "data"
        approve(data, SAMPLE, WINDOW)
        rows = asyncio.run(starts(data, repeat, at_once))
        running = RunningRegistry(data, SAMPLE, WINDOW, manager="docker").start()
        try:
            sessions = Sessions(running)
            rows += commands(sessions, repeat)
            rows += asyncio.run(session(sessions, repeat))
        finally:
            running.stop()
    print("| what | ours, ms | peer, ms | ratio (spread) | wanted |\n|---|---|---|---|---|")
    for one in rows:
        peer = f"{one['peer_median_ms']:.1f}" if "peer_ms" in one else ""
        ratio = f"{one['ratio']:.2f} ({one['spread'][0]:.2f}–{one['spread'][1]:.2f})" if peer else ""
        print(f"| {one['name']} | {one['median_ms']:.1f} | {peer} | {ratio} | {one['limit']} |")
    if given.json:
        given.json.write_text(json.dumps({"rows": rows}, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
