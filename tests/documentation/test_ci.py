"""`.ci/run` fails whenever a part of it does, and a test that is skipped there is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
# Instead of each program: it writes down what it was asked for, and ends with the code that the case states.
PROGRAM = """#!/bin/bash
if [ "$(basename "$0")" = make ]; then what=${!#}; else what=$(basename "$0"); fi
echo "$what" >>"$LOG"
code="code_${what//-/_}"
exit "${!code:-0}"
"""


@pytest.fixture
def run(tmp_path: Path):
    """Run a copy of `.ci/run` with these codes of its programs; its own code, and what it asked for."""
    for place in (".ci", "tools", ".venv/bin", "bin"):
        (tmp_path / place).mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", tmp_path / ".ci" / "run")
    for program in ("tools/system-packages", ".venv/bin/python", "bin/make"):
        (tmp_path / program).write_text(PROGRAM)
        (tmp_path / program).chmod(0o755)

    def run(**codes: int) -> tuple[int, list[str]]:
        log = tmp_path / "log"
        path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
        environment = {f"code_{name}": str(code) for name, code in codes.items()}
        ended = subprocess.run(
            [tmp_path / ".ci" / "run"],
            env={"PATH": path, "LOG": str(log), **environment},
            capture_output=True,
            check=False,
            timeout=60,
        )
        return ended.returncode, log.read_text().split()

    return run


def test_it_passes_when_all_of_it_does(run) -> None:
    code, asked = run()
    assert code == 0
    assert sorted(asked) == ["images", "lint", "python", "setup-dev", "system-packages"]


@pytest.mark.parametrize("part", ["system_packages", "setup_dev", "lint", "images"])
def test_each_part_can_fail_it(run, part: str) -> None:
    assert run(**{part: 3})[0] != 0


@pytest.mark.parametrize(
    "code", [1, 2, 3, 4, 5, 137], ids=["failed", "interrupted", "internal", "usage", "none", "killed"]
)
def test_tests_run_once_and_their_code_is_that_of_the_run(run, code: int) -> None:
    ended, asked = run(python=code)
    assert (ended, asked.count("python")) == (code, 1)


class Skipping(pytest.Collector):
    """A file that is skipped as a whole."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip("not here")


@pytest.mark.parametrize(("no_skips", "outcome"), [("1", "failed"), ("", "skipped")])
def test_what_is_skipped_fails_where_nothing_may_be(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, no_skips: str, outcome: str
) -> None:
    monkeypatch.setenv("QCRBOX_NO_SKIPS", no_skips)
    hook = request.config.hook
    call = pytest.CallInfo.from_call(lambda: pytest.skip("not here"), "call")
    report = hook.pytest_runtest_makereport(item=request.node, call=call)
    of_file = hook.pytest_make_collect_report(collector=Skipping.from_parent(request.session, name="x"))
    assert (report.outcome, of_file.outcome) == (outcome, outcome)
    assert "not here" in str(report.longrepr)
    assert "not here" in str(of_file.longrepr)


def test_a_client_of_a_test_waits_for_a_busy_machine() -> None:
    with httpx.Client() as client, httpx.Client(timeout=2.0) as own:
        assert (client.timeout.connect, client.timeout.read) == (60, 60)
        assert own.timeout.read == 2
