"""What agents that were killed left in the folder for temporary files."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from pathlib import Path

# Agents that are processes make the folder of a session's display as `qcrbox-display-<their pid>-…`
# (app_images/agent/qcrbox_agent/run/display.py): it holds a socket, whose path may not be long.
_DISPLAY = re.compile(r"qcrbox-display-(\d+)-\w+")


def sweep_displays(folder: Path | None = None) -> list[Path]:
    """Remove display folders of this user whose agent is gone; which they were."""
    removed = []
    for path in Path(folder or tempfile.gettempdir()).glob("qcrbox-display-*"):
        found = _DISPLAY.fullmatch(path.name)
        with contextlib.suppress(OSError):
            mine = path.stat(follow_symlinks=False).st_uid == os.geteuid()
            if found and mine and path.is_dir() and not _is_agent(int(found.group(1))):
                shutil.rmtree(path, ignore_errors=True)
                removed.append(path)
    return removed


def _is_agent(pid: int) -> bool:
    """Whether this process is an agent; a number may have gone to another program since."""
    try:
        return b"qcrbox_agent" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
