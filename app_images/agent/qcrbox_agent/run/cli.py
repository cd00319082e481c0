"""Command-line programs: `bash -c` with the rendered call pattern, in its own process group."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from qcrbox_agent.logs import Logs
from qcrbox_agent.run import groups
from qcrbox_agent.run.ended import Ended, from_exit_code
from qcrbox_agent.run.pipes import Pipe


class CliProgram:
    """One run of one call. `run` once; `terminate` from another task."""

    def __init__(self, guard: Callable[[int], None], release: Callable[[int], None]) -> None:
        self._guard, self._release = guard, release
        self._group = 0
        self._wanted = True

    async def run(self, text: str, cwd: Path, environment: Mapping[str, str], logs: Logs) -> Ended:
        """Run to the end. Output goes to `logs`; what the shell leaves behind in its group is killed."""
        stdout = Pipe(lambda data: logs.feed("stdout", data))
        stderr = Pipe(lambda data: logs.feed("stderr", data))
        try:
            process = subprocess.Popen(
                ["bash", "-c", text],
                cwd=cwd,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=stdout.write_fd,
                stderr=stderr.write_fd,
                start_new_session=True,
            )
        except OSError as error:
            stdout.close()
            stderr.close()
            return Ended(None, f"The program could not be started: {error}.")
        self._group = process.pid
        groups.add(self._group)
        self._guard(self._group)
        stdout.given()
        stderr.given()
        if not self._wanted:
            groups.send(self._group, groups.signal.SIGKILL)
        try:
            await _exited(process.pid)
            _, status, usage = os.wait4(process.pid, 0)
        except asyncio.CancelledError:
            groups.send(self._group, groups.signal.SIGKILL)
            os.wait4(process.pid, 0)
            raise
        finally:
            process.returncode = 0  # waited for above; subprocess must not wait again
            groups.send(self._group, groups.signal.SIGKILL)
            groups.remove(self._group)
            self._release(self._group)
            for pipe in (stdout, stderr):
                pipe.drain()
                pipe.close()
        return from_exit_code(os.waitstatus_to_exitcode(status), usage.ru_maxrss * 1024)

    async def terminate(self, grace_s: float) -> None:
        """End the process group: SIGTERM, then SIGKILL after `grace_s` seconds."""
        self._wanted = False
        if self._group:
            await groups.terminate(self._group, grace_s)


async def _exited(pid: int) -> None:
    """Wait until `pid` has exited, without reaping it."""
    loop = asyncio.get_running_loop()
    done = asyncio.Event()
    fd = os.pidfd_open(pid)
    loop.add_reader(fd, done.set)
    try:
        await done.wait()
    finally:
        loop.remove_reader(fd)
        os.close(fd)
