"""A pytest plugin: the test files that took longest, with the processor time of each, at the end of a run.

Processor time counts the threads of the worker and the processes that ended while the file ran; containers belong to the
Docker daemon and do not count. Where it is far below the time that passed, the file waits.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

FILES_SHOWN = 40


@dataclass
class FileTimes:
    """Sums over the tests of one file, in seconds; `preparing_s` is the part of `passed_s` in fixtures."""

    tests: int = 0
    passed_s: float = 0
    preparing_s: float = 0
    processor_s: float = 0


def table(files: dict[str, FileTimes], passed_s: float, shown: int = FILES_SHOWN) -> list[str]:
    """Lines of the table, the slowest file first, ending with what the files together took. `passed_s`: the whole run."""
    lines = [f"{'passed':>8} {'fixtures':>8} {'processor':>9} {'tests':>6}  file"]
    slowest = sorted(files.items(), key=lambda item: item[1].passed_s, reverse=True)
    for path, times in slowest[:shown]:
        lines.append(_line(times, path))
    total = FileTimes()
    for times in files.values():
        total.tests += times.tests
        total.passed_s += times.passed_s
        total.preparing_s += times.preparing_s
        total.processor_s += times.processor_s
    return [*lines, _line(total, f"all {len(files)} files, in {passed_s:.0f} s")]


def _line(times: FileTimes, name: str) -> str:
    return f"{times.passed_s:8.1f} {times.preparing_s:8.1f} {times.processor_s:9.1f} {times.tests:6d}  {name}"


def busy_share(before: str, after: str) -> float:
    """How much of the machine's processors was used between two readings of /proc/stat, between 0 and 1."""
    ticks = [[int(word) for word in text.split("\n", 1)[0].split()[1:9]] for text in (before, after)]
    passed = [late - early for early, late in zip(*ticks, strict=True)]
    idle = passed[3] + passed[4]  # idle, and idle while a disk is waited for
    return 1 - idle / max(1, sum(passed))


def _machine() -> str:
    stat = Path("/proc/stat")
    return stat.read_text() if stat.is_file() else ""


def _processor_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


class Recorder:
    """Adds up the reports of all workers; in a worker, notes on each report what it cost there."""

    def __init__(self) -> None:
        self.files: defaultdict[str, FileTimes] = defaultdict(FileTimes)
        self.started = time.monotonic()
        self.noted_s = _processor_s()
        self.machine = _machine()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Iterator[Any]:
        report = yield
        spent = _processor_s()
        report.processor_s = spent - self.noted_s  # xdist carries attributes of a report to its controller
        self.noted_s = spent
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        times = self.files[report.nodeid.partition("::")[0]]
        times.passed_s += report.duration
        times.processor_s += getattr(report, "processor_s", 0)
        if report.when == "call":
            times.tests += 1
        else:
            times.preparing_s += report.duration

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.files:
            terminalreporter.section("slowest files, in seconds")
            for line in table(self.files, time.monotonic() - self.started):
                terminalreporter.line(line)
            if self.machine:
                terminalreporter.line(
                    f"The processors were busy {busy_share(self.machine, _machine()):.0%} of the time."
                )


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(), "file times")
