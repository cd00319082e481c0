"""Real sandboxes; where the machine has none, the tests say so and are skipped."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import qcrbox
from qcrbox.sandbox import bubblewrap, seccomp
from qcrbox.sandbox.probe import Sandboxes, probe
from qcrbox.sandbox.user_ids import first_user_id

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def sandboxes() -> Sandboxes:
    found = probe()
    if not found.available:
        pytest.skip(f"no sandboxes on this machine: {found.reason}")
    return found


@pytest.fixture
def run(sandboxes: Sandboxes, tmp_path: Path) -> Run:
    """Runs a command in a sandbox with a home of its own and returns what it said."""
    first = first_user_id()
    uid = None if first is None else first + 7
    home, accounts = tmp_path / "home", tmp_path / "etc"
    home.mkdir(mode=0o700)
    if uid is not None:
        os.chown(home, uid, uid)
    bubblewrap.write_accounts(accounts, "ada", "/home/ada", uid or os.getuid())
    sandbox = bubblewrap.Sandbox(
        "ada",
        "/home/ada",
        uid,
        read_only=bubblewrap.python_environment([Path(qcrbox.__file__).parent]),
        writable={"/home/ada": home},
        memory_files_bytes=16 * 1024**2,
    )

    def go(*command: str, **options: object) -> subprocess.CompletedProcess[str]:
        with tempfile.TemporaryFile() as program:
            program.write(seccomp.bpf())
            program.seek(0)
            return subprocess.run(
                sandbox.wrap(list(command), accounts, program.fileno()),
                pass_fds=[program.fileno()],
                capture_output=True,
                text=True,
                timeout=60,
                check=False,
                env={"PATH": "/usr/local/bin:/usr/bin:/bin"},
                **options,  # type: ignore[call-overload]
            )

    return go
