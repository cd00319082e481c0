"""Run every bench_*.py, keep its JSON and its own table, and join them in docs/benchmarks.md.

    python -m benchmarks [NAME…] [--quick]

Each bench is a separate program: `python benchmarks/bench_NAME.py --json FILE`, which prints its table. A bench that
fails or whose peer cannot be installed does not stop the others; the page says so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PAGE = ROOT / "docs" / "benchmarks.md"
RESULTS = ROOT / "benchmarks" / "results"


def main() -> int:
    options = _arguments()
    RESULTS.mkdir(exist_ok=True)
    names = options.names or sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    failed = []
    for name in names:
        print(f"== {name}", flush=True)
        if not _run(name, options.rest):
            failed.append(name)
    _write_page()
    print(f"Tables: {PAGE.relative_to(ROOT)}; numbers: {RESULTS.relative_to(ROOT)}/")
    if failed:
        print(f"Failed: {', '.join(failed)}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="which benches; all when none is named")
    options, options.rest = parser.parse_known_args()
    return options


def _run(name: str, rest: list[str]) -> bool:
    """Run one bench; its output is shown as it comes and kept as the table of the page."""
    target = RESULTS / f"{name}.json"
    command = [sys.executable, str(HERE / f"bench_{name}.py"), "--json", str(target), *rest]
    begun = time.strftime("%Y-%m-%d %H:%M")
    lines: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as running:
        assert running.stdout is not None
        for line in running.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip("\n"))
    about = {"begun": begun, "exit_code": running.returncode, "machine": _machine(), "lines": lines}
    (RESULTS / f"{name}.table.json").write_text(json.dumps(about, indent=1) + "\n")
    return running.returncode == 0


def _machine() -> str:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} processors, {memory:.0f} GiB, {platform.system()} {platform.release().split('-')[0]}, Python {platform.python_version()}"


def _write_page() -> None:
    parts = [
        "# Benchmarks\n\nWritten by `make bench`. Ours and its peer in one run on one machine; ratios with their spread. "
        "The durability class stands in each row where it matters: A survives the crash of a process, B a loss of power.\n"
    ]
    for path in sorted(RESULTS.glob("*.table.json")):
        about = json.loads(path.read_text())
        name = path.name.removesuffix(".table.json")
        state = "" if about["exit_code"] == 0 else f" **This run ended with exit code {about['exit_code']}.**"
        parts.append(
            f"\n## {name}\n\n{about['begun']}, {about['machine']}.{state}\n\n"
            + _as_markdown(about["lines"])
            + "\n"
        )
    PAGE.write_text("".join(parts))


def _as_markdown(lines: list[str]) -> str:
    """A bench may print Markdown tables; anything else is shown as it was printed."""
    if any(line.startswith("|") for line in lines):
        return "\n".join(lines).strip()
    return "```\n" + "\n".join(lines).strip() + "\n```"


if __name__ == "__main__":
    sys.exit(main())
