"""For all tests: where `QCRBOX_NO_SKIPS` is set, a skipped test is a failure of the run; what runs side by side."""

from __future__ import annotations

import gc
import inspect
import os
import re
import shutil
import ssl
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from typing import Any

import httpx._transports.default
import pytest
import structlog
from hypothesis import settings
from qcrbox.quick_imports import quick_imports

# Before numpy: workers side by side, each with a thread per processor, wait for each other most of the time.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")

# As the Makefile does. The suite starts hundreds of processes.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Until all tests are collected: `pytest_collection` closes it.
_QUICK = ExitStack()
_QUICK.enter_context(quick_imports())

import qcrbox.crystallography._gemmi  # noqa: E402, F401 - first: cctbx ends the process where gemmi was imported before it

pytest_plugins = ["tools.file_times"]
# Tests read English words, whatever the machine's language.
os.environ["QCRBOX_LANGUAGE"] = "en"
# People's servers in sandboxes, whatever image this machine happens to have; tests of containers say so themselves.
os.environ.setdefault("QCRBOX_SPAWNER", "sandbox" if shutil.which("bwrap") else "trusted")
# Speed is measured by the bench, not here: a busy machine must not fail a property.
# The same examples in every run, so that no run fails by chance; `--hypothesis-profile=hunt` looks for new ones.
settings.register_profile("untimed", deadline=None, derandomize=True)
settings.register_profile("hunt", deadline=None, max_examples=500)
settings.load_profile("untimed")
# structlog's defaults, except for tracebacks: where `rich` is installed they show every variable, which takes seconds
# when one holds the bytes of a file.
structlog.configure(
    processors=[
        *structlog.get_config()["processors"][:-1],
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback),
    ]
)
# httpx clients time out after 5 s by default, which is too soon on a busy machine. The product sets its own timeouts.
_limits: httpx.Timeout = inspect.signature(httpx.get).parameters["timeout"].default
_limits.connect = _limits.read = _limits.write = _limits.pool = 60.0
# Clients that verify by default share the certificates: reading them takes 30 ms, and a suite makes thousands of clients.
_default_context = cache(httpx.create_ssl_context)


def _shared_context(verify: Any = True, cert: Any = None, trust_env: bool = True) -> ssl.SSLContext:
    default = verify is True and cert is None and not trust_env
    return _default_context(trust_env=False) if default else httpx.create_ssl_context(verify, cert, trust_env)


httpx._transports.default.create_ssl_context = _shared_context


# What takes long comes first, so that no worker is left with one of them at the end.
_FIRST = (
    "tests/browser/",
    # Files of minutes each: the pages of the documentation, and every notebook.
    "tests/documentation/test_site.py",
    "tests/documentation/test_walkthroughs.py",
    "qcrbox_kernel_lib/tests/api/test_notebooks.py",
    "extension/tests/test_front_end.py",
    # Not at once: `.ci/run` builds their images beside the first tests.
    "docker",
    "tests/",
    "hub/",
    "app_images/",
)


@cache
def _docker_tests(path: str) -> re.Pattern[str] | None:
    """The names of a file's tests that use the Docker daemon; None where none does."""
    text = (Path(__file__).parent / path).read_text()
    if re.search(r"^(pytestmark = .*|@)pytest\.mark\.docker", text, re.MULTILINE):
        return re.compile("")
    if path.startswith("tests/sessions/") or "mark.docker" in text:
        return re.compile(r"\[.*(docker|swarm)")
    return None


# Files that share a platform run on one worker. A second worker would start another, for up to ten processor seconds.
_SHARED = re.compile(
    r"(?P<browser>tests/browser/)"
    r"|(?P<administration>hub/tests/admin/(?!test_many))"
    r"|(?P<hub>hub/tests/(?:accounts/test_|jupyterhub/test_crashed_proxy))"
    r"|(?P<teaching>hub/tests/teaching/)"
    r"|(?P<registry>tests/(?:(?:acceptance|end_to_end)/(?!test_compose|test_group_server|test_on_the_hub)"
    r"|attacks/test_command_lines|faults/test_har_attempts))"
    r"|(?P<older_programs>tests/older_programs/)"
    r"|(?P<notebook>qcrbox_kernel_lib/tests/api/test_(?:connection|data_plots|density|errors|export|form_widgets|journey"
    r"|models|projects|publishing|rules|sessions|store|written_results)\.py)"
)


def _group(nodeid: str) -> str:
    """Tests that take turns: those of one file, all in front of a shared platform, all that use the Docker daemon."""
    path, _, name = nodeid.partition("::")
    shared = _SHARED.match(path)
    group = shared.lastgroup if shared and shared.lastgroup else path
    docker = _docker_tests(path)
    return "docker" if group != "browser" and docker and docker.search(name) else group


def _changes_from_process_to_process(item: pytest.Item) -> bool:
    """Whether the name of a test contains a memory address, or a set, whose order depends on the process."""
    callspec = getattr(item, "callspec", None)
    values = list(callspec.params.values()) if callspec else []
    sets = [each for each in values if isinstance(each, set | frozenset) and len(each) > 1]
    return " at 0x" in item.nodeid or any(str(each) in item.nodeid for each in sets)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    # All workers must collect the same tests. A name that changes from process to process fails only some of the runs.
    if changing := [item.nodeid for item in items if _changes_from_process_to_process(item)]:
        raise pytest.UsageError(f"give these tests names that are the same in every process: {changing}")

    def place(item: pytest.Item) -> int:
        name = "docker" if _group(item.nodeid) == "docker" else item.nodeid
        return next((number for number, start in enumerate(_FIRST) if name.startswith(start)), len(_FIRST))

    items.sort(key=place)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[Any]:
    try:
        return (yield)
    finally:
        # All tests stay in memory until the end of the run. Closing freezes them: later collections of garbage skip them.
        gc.collect()
        _QUICK.close()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Whole groups for a worker: fixtures of a file are made once (`--dist loadgroup` reads marks that pytest 9.2 hides from it)."""
    from xdist.scheduler import LoadScopeScheduling

    class Groups(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    config.option.loadscopereorder = False
    return Groups(config, log)


def _forbid_skip(report: Any) -> Any:
    if os.environ.get("QCRBOX_NO_SKIPS") and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr[-1]}"
    return report


# Skipped tests and skipped files count as failures.
@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Iterator[Any]:
    return _forbid_skip((yield))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Iterator[Any]:
    return _forbid_skip((yield))
