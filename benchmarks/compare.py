"""An older commit beside the working tree: the same benches, run in turn, and the ratios of their medians.

    python -m benchmarks.compare COMMIT [NAME…] [--rounds 3] [-- options of the benches]

Each round runs a bench of the commit and then that of the working tree, so that a change of the load of the machine
meets both. The spread is from fastest new / slowest old to slowest new / fastest old, as in the benches.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("qcrbox_kernel_lib", "registry", "app_images/agent", "extension", "hub", "")
# Built by `make`, in no commit: both sides use those of the working tree.
BUILT = "qcrbox_kernel_lib/qcrbox/widgets/static"

Numbers = dict[str, list[float]]


def main() -> int:
    """Compare and print a Markdown table per bench."""
    options = _arguments()
    with tempfile.TemporaryDirectory() as folder:
        old = Path(folder)
        archive = subprocess.run(
            ["git", "archive", options.commit], cwd=ROOT, capture_output=True, check=True
        )
        subprocess.run(["tar", "x", "-C", str(old)], input=archive.stdout, check=True)
        if (ROOT / BUILT).is_dir():
            shutil.copytree(ROOT / BUILT, old / BUILT, dirs_exist_ok=True)
        for name in options.names:
            before, after = _in_turn(name, old, options.rounds, options.rest)
            print(_table(name, options.commit, before, after), flush=True)
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("commit")
    parser.add_argument("names", nargs="*", default=["cif", "notebook"])
    parser.add_argument("--rounds", type=int, default=3)
    own, _, rest = " ".join(sys.argv[1:]).partition(" -- ")
    options = parser.parse_args(own.split())
    options.rest = rest.split()
    return options


def _in_turn(name: str, old: Path, rounds: int, rest: list[str]) -> tuple[Numbers, Numbers]:
    before: Numbers = {}
    after: Numbers = {}
    for _ in range(rounds):
        for root, found in ((old, before), (ROOT, after)):
            for step, values in _run(name, root, rest).items():
                found.setdefault(step, []).extend(values)
    return before, after


def _run(name: str, root: Path, rest: list[str]) -> Numbers:
    """All times of one bench by step; other figures of it (sizes, counts) too."""
    target = root / f"{name}.json"
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(str(root / part) for part in PACKAGES)}
    command = [sys.executable, str(root / "benchmarks" / f"bench_{name}.py"), "--json", str(target), *rest]
    try:
        # A missed goal is an exit code of 1 with all numbers written.
        subprocess.run(command, cwd=root, env=environ, stdout=subprocess.DEVNULL, check=False)
        rows: list[dict[str, Any]] = json.loads(target.read_text())
    finally:
        target.unlink(missing_ok=True)
    return {_step(row): row.get("values") or row["seconds"] for row in rows}


def _step(row: dict[str, Any]) -> str:
    return f"{row['step']}, {row['file']}" if "file" in row else str(row["step"])


def _table(name: str, commit: str, before: Numbers, after: Numbers) -> str:
    lines = [
        f"{name}:",
        "",
        f"| step | {commit} | now | ratio (spread) | runs |",
        "|---|---:|---:|---:|---:|",
    ]
    for step, new in after.items():
        old = before.get(step)
        if not old or not statistics.median(old):
            continue
        ratio = statistics.median(new) / statistics.median(old)
        spread = f"{min(new) / max(old):.2f} to {max(new) / min(old):.2f}" if min(old) else ""
        medians = f"{statistics.median(old):.4g} | {statistics.median(new):.4g}"
        lines.append(f"| {step} | {medians} | {ratio:.2f} ({spread}) | {len(new)} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
