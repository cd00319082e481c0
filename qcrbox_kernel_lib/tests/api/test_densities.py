"""Densities and surfaces with their tables and pictures."""

from __future__ import annotations

import pytest
import qcrbox as qc
from qcrbox.api.densities import HirshfeldSurface, hirshfeld
from qcrbox.contract.errors import UserInputError


@pytest.fixture(scope="module")
def surface(urea):
    return hirshfeld(urea, spacing=0.4)


def test_hirshfeld_of_the_package_is_the_function_of_this_layer():
    assert qc.hirshfeld is hirshfeld


def test_surface_is_shown_with_contacts_fingerprint_and_view(surface):
    assert isinstance(surface, HirshfeldSurface)
    shares = {row["contact"]: float(row["both ways / %"]) for row in surface.contacts}
    assert shares["H…O / O…H"] == pytest.approx(surface.share("O", "H"), abs=0.06)
    assert sum(shares.values()) == pytest.approx(100, abs=0.3)
    closest = min(surface.properties["di"] + surface.properties["de"])
    assert f"{surface.area:.1f} Å² of surface" in surface.fingerprint().alt
    assert closest > 1.5
    assert surface.view(neighbours="all").surface is surface


def test_source_without_a_structure_is_refused_with_what_to_give():
    with pytest.raises(UserInputError, match="A str has no structure") as refused:
        hirshfeld("urea")
    assert "Give a dataset" in refused.value.next
