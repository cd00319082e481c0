"""The table of the slowest test files that ends a run."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from tools.file_times import FileTimes, Recorder, busy_share, table


def test_table_has_the_slowest_files_first_and_the_sum_of_all() -> None:
    files = {
        "a/test_quick.py": FileTimes(tests=3, passed_s=1, preparing_s=0.5, processor_s=0.9),
        "a/test_slow.py": FileTimes(tests=1, passed_s=60, preparing_s=20, processor_s=8),
        "b/test_middle.py": FileTimes(tests=2, passed_s=10, preparing_s=0, processor_s=10),
    }
    lines = table(files, passed_s=40, shown=2)
    assert [line.split()[-1] for line in lines[1:3]] == ["a/test_slow.py", "b/test_middle.py"]
    assert lines[3].split()[:4] == ["71.0", "20.5", "18.9", "6"]
    assert lines[3].endswith("all 3 files, in 40 s")
    assert len(lines) == 4


def test_fixtures_count_apart_and_every_phase_counts_for_its_file() -> None:
    recorder = Recorder()
    for when, duration in (("setup", 2.0), ("call", 3.0), ("teardown", 0.5)):
        report = SimpleNamespace(nodeid="a/test_x.py::test_y", duration=duration, when=when, processor_s=1.0)
        recorder.pytest_runtest_logreport(report)  # type: ignore[arg-type]
    assert recorder.files == {
        "a/test_x.py": FileTimes(tests=1, passed_s=5.5, preparing_s=2.5, processor_s=3.0)
    }


def test_waiting_for_a_disk_counts_as_idle() -> None:
    before = "cpu  100 0 50 1000 10 0 0 0 0 0\ncpu0 1 2 3\n"
    after = "cpu  150 10 70 1080 50 5 5 0 0 0\ncpu0 1 2 3\n"
    assert busy_share(before, after) == pytest.approx(90 / 210)
