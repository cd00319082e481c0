"""`python -m qcrbox_hub.walls.home_sizes HOMES LABEL…`: bytes of homes as JSON, measured in a process that gives way to others.

Walking through the files of a large home takes Python's lock for seconds, which the hub cannot spare.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

from qcrbox_hub.walls.homes import Homes

LIMIT_S = 300.0


async def measure(root: Path, labels: list[str], limit_s: float = LIMIT_S) -> dict[str, int]:
    """Bytes of each home; empty when they could not be measured in time."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", "-m", "qcrbox_hub.walls.home_sizes", str(root), *labels),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        async with asyncio.timeout(limit_s):
            text, _ = await process.communicate()
    except TimeoutError:
        process.kill()
        await process.wait()
        return {}
    return json.loads(text) if process.returncode == 0 else {}


def main(arguments: list[str]) -> int:
    """Print the sizes; returns the exit code."""
    os.nice(10)
    homes = Homes(Path(arguments[0]), Path(arguments[0]))
    json.dump({label: homes.bytes_used(label) for label in arguments[1:]}, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
