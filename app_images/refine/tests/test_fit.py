"""s.u. of displacement parameters from the covariance of U*, beside numerical differences and simulation."""

from types import SimpleNamespace

import numpy as np
import pytest
from cctbx import adptbx
from qcrbox_refine.fit import equivalent_u_su, u_cif_su
from qcrbox_refine.model import Atom
from scitbx.array_family import flex
from small_models import model_in

CELLS = {
    "orthorhombic": (7.0, 8.0, 9.0, 90.0, 90.0, 90.0),
    "monoclinic": (7.0, 8.0, 9.0, 90.0, 118.0, 90.0),
    "triclinic": (7.0, 8.0, 9.0, 71.0, 103.0, 96.0),
    "hexagonal": (7.0, 7.0, 9.0, 90.0, 90.0, 120.0),
}
U_CIF = (0.02, 0.03, 0.04, 0.006, 0.008, 0.005)


@pytest.fixture
def fit_in():
    """What the functions read of a fit, with an isotropic atom before the anisotropic one; and the covariance of its U*."""

    def make(cell, seed=1):
        atoms = [
            Atom("H1", "H", (0.3, 0.3, 0.3), u_iso=0.04),
            Atom("C1", "C", (0.1, 0.2, 0.3), u_iso=0.03, u_aniso=U_CIF),
        ]
        structure = model_in(cell, "P 1", atoms).structure()
        for scatterer in structure.scatterers():
            scatterer.flags.set_grad_site(True)
            scatterer.flags.set_grad_u_iso(not scatterer.flags.use_u_aniso())
            scatterer.flags.set_grad_u_aniso(scatterer.flags.use_u_aniso())
        n = structure.parameter_map().n_parameters
        root = np.random.default_rng(seed).normal(size=(n, n)) * 1e-5
        covariance = root @ root.T
        packed = flex.double(np.ascontiguousarray(covariance[np.triu_indices(n)]))
        fit = SimpleNamespace(
            parametrisation=SimpleNamespace(structure=structure),
            covariance=packed,
            su=np.sqrt(np.diag(covariance)),
        )
        start = structure.parameter_map()[1].u_aniso
        return fit, covariance[start : start + 6, start : start + 6]

    return make


def gradient(function, point):
    """∂function/∂point by central differences, (values, 6)."""
    columns = []
    for k in range(6):
        step = np.zeros(6)
        step[k] = 1e-7
        ahead, behind = (np.atleast_1d(function(tuple(point + s * step))) for s in (1, -1))
        columns.append((ahead - behind) / 2e-7)
    return np.array(columns).T


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_su_of_u_eq_is_that_of_numerical_derivatives(fit_in, cell):
    fit, covariance = fit_in(cell)
    unit_cell = fit.parametrisation.structure.unit_cell()
    star = np.array(fit.parametrisation.structure.scatterers()[1].u_star)
    slope = gradient(lambda u: adptbx.u_star_as_u_iso(unit_cell, u), star)
    assert equivalent_u_su(fit, 1) == pytest.approx(
        float(np.sqrt(slope @ covariance @ slope.T).item()), rel=1e-5
    )


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_su_of_u_eq_is_the_scatter_of_u_eq(fit_in, cell):
    """A third of the trace of U(cart), of tensors drawn from the covariance."""
    fit, covariance = fit_in(cell, seed=4)
    unit_cell = fit.parametrisation.structure.unit_cell()
    star = np.array(fit.parametrisation.structure.scatterers()[1].u_star)
    draws = np.random.default_rng(2).multivariate_normal(star, covariance, size=4000)
    traces = [sum(adptbx.u_star_as_u_cart(unit_cell, tuple(u))[:3]) / 3 for u in draws.tolist()]
    assert equivalent_u_su(fit, 1) == pytest.approx(np.std(traces), rel=0.05)


@pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS.keys())
def test_su_of_u_ij_of_cif_are_those_of_numerical_derivatives(fit_in, cell):
    fit, covariance = fit_in(cell)
    unit_cell = fit.parametrisation.structure.unit_cell()
    star = np.array(fit.parametrisation.structure.scatterers()[1].u_star)
    slopes = gradient(lambda u: np.array(adptbx.u_star_as_u_cif(unit_cell, u)), star)
    assert u_cif_su(fit, 1) == pytest.approx(np.sqrt(np.diag(slopes @ covariance @ slopes.T)), rel=1e-5)


def test_an_isotropic_atom_has_no_su_of_u_eq(fit_in):
    assert equivalent_u_su(fit_in(CELLS["monoclinic"])[0], 0) == 0.0
