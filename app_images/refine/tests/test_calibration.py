"""s.u. against the scatter of refinements whose truth is known (docs/validation.md has the table of 100 runs)."""

import pytest

from tools.validation.calibration import CASES, calibrate


@pytest.mark.slow
@pytest.mark.parametrize("name", ["centrosymmetric", "common", "twinned", "merged"])
def test_scatter_is_that_of_the_su(name):
    found = calibrate(CASES[name], 24)
    assert found.parameters == pytest.approx(1, abs=0.12)
    assert found.distances == pytest.approx(1, abs=0.2)
    assert found.angles == pytest.approx(1, abs=0.2)
    if name == "twinned":
        assert found.fraction == pytest.approx(1, abs=0.4)


@pytest.mark.slow
def test_the_flack_parameter_scatters_as_its_su_says():
    found = calibrate(CASES["independent"], 30)
    assert 0.7 < found.flack < 1.3
    assert found.parameters < 0.85
