from __future__ import annotations

import os
import subprocess
import sys

from qcrbox_registry.launcher.stale_displays import sweep_displays


def test_folders_of_agents_that_are_gone_are_removed_and_no_others(tmp_path):
    agent = subprocess.Popen([sys.executable, "-c", "input()", "qcrbox_agent"], stdin=subprocess.PIPE)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    folders = {
        "of an agent that runs": tmp_path / f"qcrbox-display-{agent.pid}-abc",
        "of one that has ended": tmp_path / f"qcrbox-display-{ended.pid}-abc",
        "whose number another program has": tmp_path / f"qcrbox-display-{os.getpid()}-abc",
        "of something else": tmp_path / "qcrbox-display-notes",
    }
    for folder in folders.values():
        (folder / "runtime").mkdir(parents=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / f"qcrbox-display-{ended.pid}-link").symlink_to(elsewhere)
    sweep_displays(tmp_path)
    agent.communicate(b"\n")
    left = {what for what, folder in folders.items() if folder.exists()}
    assert left == {"of an agent that runs", "of something else"}
    assert elsewhere.exists()
