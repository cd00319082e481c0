"""The short run. The long ones: `make chaos`, `python -m tests.faults.chaos --kills 100`."""

from __future__ import annotations

import pytest

from tests.faults.chaos import Chaos


@pytest.mark.slow
@pytest.mark.parametrize("seed", [11])
def test_nothing_is_lost_or_doubled_whatever_dies(tmp_path, seed):
    report = Chaos(seed, tmp_path, pause_s=0.4).run(15.0, gap_s=2.0)
    assert report.violations == [], report.shown()
    assert report.accepted > 0
    assert report.ends["successful"] > 0
