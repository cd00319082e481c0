"""The peers as people run them: Redis with Celery's workers, Dask's local cluster."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORKERS = 4


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Celery:
    """Redis and four Celery workers (prefork), late acknowledgement: a killed worker loses nothing, as with us.

    fsync `everysec` is class A (append-only file written before the answer), `always` is class B.
    """

    def __init__(self, fsync: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bench-redis-"))
        self.port = free_port()
        redis = shutil.which("redis-server")
        if redis is None:
            raise RuntimeError("redis-server is not installed (Debian: apt-get install redis-server)")
        self.redis = subprocess.Popen(
            [
                redis,
                "--port",
                str(self.port),
                "--bind",
                "127.0.0.1",
                "--dir",
                str(self.folder),
                "--appendonly",
                "yes",
                "--appendfsync",
                fsync,
                "--save",
                "",
            ],
            stdout=subprocess.DEVNULL,
        )
        _wait_port(self.port)
        os.environ["BENCH_REDIS"] = f"redis://127.0.0.1:{self.port}/0"
        self.workers = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "celery",
                "-A",
                "benchmarks.registry.celery_app",
                "worker",
                "--concurrency",
                str(WORKERS),
                "--pool",
                "prefork",
                "--loglevel",
                "ERROR",
                "--without-gossip",
                "--without-mingle",
                "--without-heartbeat",
            ],
            cwd=Path(__file__).resolve().parents[2],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        import importlib

        from benchmarks.registry import celery_app

        self.module = importlib.reload(celery_app)
        self.module.noop.delay().get(timeout=60)

    def run(self, count: int) -> float:
        """Seconds to submit `count` no-ops and have all their results."""
        from celery.result import ResultSet

        begun = time.perf_counter()
        results = ResultSet([self.module.noop.delay() for _ in range(count)], app=self.module.app)
        results.join_native(timeout=600)
        return time.perf_counter() - begun

    def one(self) -> float:
        begun = time.perf_counter()
        self.module.noop.delay().get(timeout=60)
        return time.perf_counter() - begun

    def close(self) -> None:
        self.module.app.close()
        for process in (self.workers, self.redis):
            process.terminate()
            process.wait(30)
        shutil.rmtree(self.folder, ignore_errors=True)


class Dask:
    """Four single-threaded workers in processes. Nothing is durable there."""

    def __init__(self) -> None:
        from distributed import Client, LocalCluster

        self.cluster = LocalCluster(
            n_workers=WORKERS, threads_per_worker=1, processes=True, dashboard_address=None, host="127.0.0.1"
        )
        self.client = Client(self.cluster)
        self.run(100)

    def run(self, count: int) -> float:
        begun = time.perf_counter()
        futures = self.client.map(_noop, range(count), pure=False)
        self.client.gather(futures)
        return time.perf_counter() - begun

    def close(self) -> None:
        self.client.close()
        self.cluster.close()


def _noop(_: int) -> None:
    return None


def _wait_port(port: int, timeout_s: float = 20.0) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise TimeoutError(f"nothing listens on {port}")
