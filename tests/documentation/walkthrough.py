"""Follows a page of `docs/howto` block by block.

- A block after a paragraph that ends with a path in backticks and a colon is that file.
- A `diff` block is applied to the files it names.
- A `sh` block is run, and each line of a `text` block right after it has to be in what it printed.

A block of another kind is an error: nothing on a page goes untested.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("qcrbox_kernel_lib", "registry", "app_images/agent", "extension", "hub")
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"`([^`\s]+)`:\s*$")


@dataclass(frozen=True)
class Block:
    """One fenced block: its language, its text, and the file that the paragraph before it names."""

    language: str
    text: str
    file: str = ""


def blocks(page: str) -> Iterator[Block]:
    """The fenced blocks of a page in order."""
    end = 0
    for fence in _FENCE.finditer(page):
        named = _FILE.search(page[end : fence.start()])
        end = fence.end()
        yield Block(fence.group(1), fence.group(2), named.group(1) if named else "")


class Follower:
    """Somebody who does what a page says, in a folder; `checkout`: a copy of the repository whose code is used."""

    def __init__(self, folder: Path, checkout: Path = ROOT) -> None:
        self.folder = folder
        paths = [str(folder), *(str(checkout / package) for package in PACKAGES)]
        self._environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": os.pathsep.join(paths),
            "PYTHONDONTWRITEBYTECODE": "1",
            "NO_COLOR": "1",
        }
        self._printed: str | None = None

    def follow(self, page: Path) -> None:
        """Do everything that the page says, in its order."""
        for block in blocks(page.read_text(encoding="utf-8")):
            self._do(block)

    def run(self, command: str) -> str:
        """What a shell line prints; fails where it ends with an error."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", command],
            cwd=self.folder,
            env=self._environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
        return done.stdout + done.stderr

    def _do(self, block: Block) -> None:
        printed, self._printed = self._printed, None
        if block.language == "diff":
            self._patch(block.text)
        elif block.language == "sh":
            self._printed = self.run(block.text)
        elif block.language == "text" and printed is not None:
            missing = [line for line in block.text.splitlines() if line.strip() not in printed]
            assert not missing, f"{missing} not in:\n{printed}"
        elif block.file:
            file = self.folder / block.file
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text, encoding="utf-8")
        else:
            raise AssertionError(f"nobody knows what to do with this block ({block.language}):\n{block.text}")

    def _patch(self, text: str) -> None:
        done = subprocess.run(
            # No fuzz: with it a hunk that no longer fits is put where it does not belong.
            ["patch", "-p1", "--no-backup-if-mismatch", "--fuzz=0"],
            cwd=self.folder,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}{done.stderr}\n{text}"


def copy_of_checkout(target: Path, linked: Sequence[str]) -> Path:
    """A copy of the files that git knows or would add; `linked`: built folders that are linked, not copied."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    ).stdout
    names = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
    for name in names:
        file = target / name
        file.parent.mkdir(parents=True, exist_ok=True)
        # Copied, not linked: a patch must not reach the checkout.
        file.write_bytes((ROOT / name).read_bytes())
    for name in linked:
        (target / name).symlink_to(ROOT / name)
    return target
