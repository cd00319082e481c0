"""An older commit beside the working tree: the same benches, run in turn, and the ratios of their medians.

    python -m benchmarks.compare COMMIT [NAME…] [--rounds 3] [-- options of the benches]
    python -m benchmarks.compare 7deeeac cif notebook            about 25 minutes
    python -m benchmarks.compare 7deeeac registry -- --quick --only latency --only status --only stored

Each round runs a bench of the commit and then that of the working tree, so that a change of the load of the machine
meets both. The spread goes from new / old of the lower and upper end to that of the upper and lower end of the middle half
(of fewer than four values: of all). Both sides run with the packages of this environment.
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
        done = subprocess.run(command, cwd=root, env=environ, stdout=subprocess.DEVNULL, check=False)
        if not target.is_file():
            sys.exit(f"The bench {name} of {root} wrote no numbers (exit code {done.returncode}).")
        rows: list[dict[str, Any]] = json.loads(target.read_text())
    finally:
        target.unlink(missing_ok=True)
    return {_step(row): _values(row) for row in rows}


def _step(row: dict[str, Any]) -> str:
    if "ours" in row:  # of the registry, beside a peer
        kind = f", {row['durability']}" if row["durability"] else ""
        return f"{row['what']}{kind}, {row['unit']}{' (more is better)' if row['more_is_better'] else ''}"
    return f"{row['step']}, {row['file']}" if "file" in row else str(row["step"])


def _values(row: dict[str, Any]) -> list[float]:
    return list(row.get("ours") or row.get("values") or row.get("seconds") or ())


def _table(name: str, commit: str, before: Numbers, after: Numbers) -> str:
    lines = [
        f"{name}:",
        "",
        f"| step | {commit} | now | ratio (spread) | runs |",
        "|---|---:|---:|---:|---:|",
    ]
    for step, new in after.items():
        old = before.get(step)
        if not old or not new or not statistics.median(old):
            continue
        ratio = statistics.median(new) / statistics.median(old)
        (old_low, old_high), (new_low, new_high) = _middle(old), _middle(new)
        spread = f"{new_low / old_high:.2f} to {new_high / old_low:.2f}" if old_low else ""
        medians = f"{statistics.median(old):.4g} | {statistics.median(new):.4g}"
        lines.append(f"| {step} | {medians} | {ratio:.2f} ({spread}) | {len(new)} |")
    return "\n".join([*lines, ""])


def _middle(values: list[float]) -> tuple[float, float]:
    """The ends of the middle half; of few values the lowest and the highest."""
    if len(values) < 4:
        return min(values), max(values)
    low, _, high = statistics.quantiles(values, n=4)
    return low, high


if __name__ == "__main__":
    sys.exit(main())
