"""For all tests: where `QCRBOX_NO_SKIPS` is set, a skipped test is a failure of the run; what may not run side by side."""

from __future__ import annotations

import os
import shutil

import pytest
import qcrbox.crystallography._gemmi  # noqa: F401 - first: cctbx ends the process where gemmi was imported before it

# Tests read English words, whatever the machine's language.
os.environ["QCRBOX_LANGUAGE"] = "en"
# People's servers in sandboxes, whatever image this machine happens to have; tests of containers say so themselves.
os.environ.setdefault("QCRBOX_SPAWNER", "sandbox" if shutil.which("bwrap") else "trusted")
_skipped: list[str] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Side by side by file (`-n 2 --dist loadgroup`); there is one Docker daemon, so its tests take turns."""
    for item in items:
        shared = "docker" if item.get_closest_marker("docker") else str(item.path)
        item.add_marker(pytest.mark.xdist_group(shared))


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.skipped and not hasattr(report, "wasxfail"):
        _skipped.append(report.nodeid)


def pytest_sessionfinish(session: pytest.Session) -> None:
    if _skipped and os.environ.get("QCRBOX_NO_SKIPS"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _skipped and os.environ.get("QCRBOX_NO_SKIPS"):
        terminalreporter.section("skipped where nothing may be skipped", red=True)
        for nodeid in _skipped:
            terminalreporter.line(nodeid)
