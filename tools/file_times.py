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


def _processor_s() -> float:
    spent = os.times()
    return spent.user + spent.system + spent.children_user + spent.children_system


class Recorder:
    """Adds up the reports of all workers; in a worker, notes on each report what it cost there."""

    def __init__(self) -> None:
        self.files: defaultdict[str, FileTimes] = defaultdict(FileTimes)
        self.started = time.monotonic()
        self.noted_s = _processor_s()

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
        if len(self.files) > 1:
            terminalreporter.section("slowest files, in seconds")
            for line in table(self.files, time.monotonic() - self.started):
                terminalreporter.line(line)


def pytest_configure(config: pytest.Config) -> None:
    config.pluginmanager.register(Recorder(), "file times")
