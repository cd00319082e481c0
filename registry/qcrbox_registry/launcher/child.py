"""A process launcher as a child of the registry, for a registry that is started by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator

from qcrbox import lifeline
from qcrbox.waiting import within

from qcrbox_registry.settings import Settings

GRACE_S = 8.0


@contextlib.asynccontextmanager
async def launcher(settings: Settings, nats_url: str) -> AsyncIterator[None]:
    """Run `python -m qcrbox_registry.launcher` on this data folder until the end.

    It has its own lifeline, whose other end is held here: however this process ends, it takes the launcher and
    its agents along.
    """
    read_end, write_end = os.pipe()
    (settings.data / "logs").mkdir(parents=True, exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "qcrbox_registry.launcher",
        "--data",
        str(settings.data),
        "--nats-url",
        nats_url,
    ]
    for folder in settings.applications:
        command += ["--applications", str(folder)]
    with (settings.data / "logs" / "launcher.log").open("ab") as log:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(read_end,),
            env={**os.environ, lifeline.VARIABLE: str(read_end)},
            start_new_session=True,  # Ctrl-C is for us to pass on, in order
        )
    os.close(read_end)
    try:
        yield
    finally:
        os.close(write_end)
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await within(process.wait(), GRACE_S)
        except TimeoutError:
            process.kill()
            await process.wait()
