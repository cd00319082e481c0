"""Run the unit tests of layers and rooms and print the share of lines and branches they run.

    python -m tools.coverage_table [NAME…]       all when none is named; exit code 1 below a promised share

A share counts lines and branches together, as coverage.py does, and only what the unit tests of the room itself run:
code of the contract that the registry's tests run does not count for the contract.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_KERNEL_TESTS = "qcrbox_kernel_lib/tests"


@dataclass(frozen=True)
class Measured:
    """A package, the tests that count for it, and the promised share of lines and branches (0 is none)."""

    package: str
    tests: tuple[str, ...]
    floor: float = 0.0


PACKAGES = {
    "contract": Measured("qcrbox_kernel_lib/qcrbox/contract", (f"{_KERNEL_TESTS}/contract",), 0.85),
    "cif": Measured("qcrbox_kernel_lib/qcrbox/cif", (f"{_KERNEL_TESTS}/cif",), 0.85),
    "crystallography": Measured(
        "qcrbox_kernel_lib/qcrbox/crystallography", (f"{_KERNEL_TESTS}/crystallography",), 0.85
    ),
    "analysis": Measured("qcrbox_kernel_lib/qcrbox/analysis", (f"{_KERNEL_TESTS}/analysis",)),
    "spec": Measured("qcrbox_kernel_lib/qcrbox/spec", (f"{_KERNEL_TESTS}/spec",)),
    "client": Measured("qcrbox_kernel_lib/qcrbox/client", (f"{_KERNEL_TESTS}/client",)),
    "kernel_lib": Measured("qcrbox_kernel_lib/qcrbox", (_KERNEL_TESTS,)),
    "store": Measured("registry/qcrbox_registry/store", ("registry/tests/store",), 0.85),
    "scheduler": Measured("registry/qcrbox_registry/scheduler", ("registry/tests/scheduler",), 0.85),
    "access": Measured("registry/qcrbox_registry/access", ("registry/tests/access",), 0.85),
}


def main() -> int:
    """Measure the named packages and print a Markdown table."""
    parser = argparse.ArgumentParser(prog="python -m tools.coverage_table", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(PACKAGES)}")
    names = parser.parse_args().names or list(PACKAGES)
    unknown = [name for name in names if name not in PACKAGES]
    if unknown:
        parser.error(f"There is no package {unknown[0]!r}; there are: {', '.join(PACKAGES)}.")
    below = 0
    print("| package | lines and branches | branches | promised |\n|---|---:|---:|---:|")
    for name in names:
        totals = measure(PACKAGES[name])
        share = totals["percent_covered"] / 100
        branches = totals["covered_branches"] / max(1, totals["num_branches"])
        floor = PACKAGES[name].floor
        below += share < floor
        print(f"| {name} | {share:.1%} | {branches:.1%} | {f'{floor:.0%}' if floor else ''} |", flush=True)
    return 1 if below else 0


def measure(measured: Measured) -> dict[str, Any]:
    """The totals of coverage.py for a package under its own tests."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "COVERAGE_FILE": str(Path(folder) / "data")}
        coverage = [sys.executable, "-m", "coverage"]
        tests = [*coverage, "run", "-m", "pytest", "-q", "--no-header", *measured.tests]
        ran = subprocess.run(tests, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True, check=False)
        if ran.returncode:
            sys.stderr.write(ran.stdout[-4000:])
        report = [*coverage, "json", "--quiet", "--include", f"{measured.package}/*", "-o", "-"]
        answer = subprocess.run(report, cwd=ROOT, env=environ, capture_output=True, text=True, check=True)
        totals: dict[str, Any] = json.loads(answer.stdout)["totals"]
        return totals


if __name__ == "__main__":
    sys.exit(main())
