"""Observed and calculated structure factors as a file, in the forms of SHELXL's LIST 4 and LIST 6."""

from __future__ import annotations

import cmath
import math
from collections.abc import Iterator

import numpy as np
from qcrbox.crystallography.reflections import map_terms as map_terms_of_cif

from qcrbox_refine.density import map_terms
from qcrbox_refine.fit import Fit

_FCF_COLUMNS = {
    4: ("F_squared_calc", "F_squared_meas", "F_squared_sigma", "observed_status"),
    6: ("F_squared_meas", "F_squared_sigma", "F_calc", "phase_calc"),
}
_FCF_TITLES = {
    4: "h,k,l, Fc-squared, Fo-squared, sigma(Fo-squared) and status flag",
    6: "h,k,l, Fo-squared, sigma(Fo-squared), Fc and phase (degrees)",
}


def fcf_text(fit: Fit, list_code: int = 4) -> str:
    """Reflections on the scale of Fc as SHELXL LIST 4 (h k l Fc² Fo² σ(Fo²)) or LIST 6 (h k l Fo² σ(Fo²) Fc φ, for maps).

    LIST 4 of twins, batches, extinct crystals and solvent masks has the terms of the difference map in a loop of its own.
    """
    cell = fit.model.symmetry.unit_cell().parameters()
    names = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
    lines = [
        "#",
        f"# {_FCF_TITLES[list_code]}",
        "#",
        f"data_{fit.model.title}",
        f"_shelx_refln_list_code          {list_code}",
        *(f"_cell_{name:<27} {_trimmed(value)}" for name, value in zip(names, cell, strict=True)),
        "",
        "loop_",
        " _space_group_symop_operation_xyz",
        *(f" '{operation.as_xyz()}'" for operation in fit.model.symmetry.space_group()),
        "",
        "loop_",
        *(f" _refln_{name}" for name in ("index_h", "index_k", "index_l", *_FCF_COLUMNS[list_code])),
        *(_fcf_rows(fit) if list_code == 4 else _fcf_rows_with_phases(fit)),
    ]
    if list_code == 4 and _is_corrected(fit):
        lines += ["", "loop_", *(f" {tag}" for tag in map_terms_of_cif.TAGS), *_map_rows(fit)]
    return "\n".join(lines) + "\n"


def _is_corrected(fit: Fit) -> bool:
    """Whether Fc² of the list is not |F|² of one crystal, so that a map cannot be made from it."""
    own = fit.corrections
    several = own.domains.kind != "single" or fit.reflections.grouped
    return bool(several or own.extinction or own.solvent or own.mask)


def _map_rows(fit: Fit) -> Iterator[str]:
    """Coefficients of the difference map of this refinement."""
    coefficients = map_terms(fit).coefficients()
    for (h, k, l), value in zip(coefficients.indices(), coefficients.data(), strict=True):  # noqa: E741
        size, phase = cmath.polar(value)
        yield f"{h:4d} {k:3d} {l:3d} {size:12.6g} {math.degrees(phase) % 360.0:8.3f}"


def _trimmed(value: float) -> str:
    """A cell parameter with four to six decimals."""
    text = f"{value:.6f}"
    return text[:-2] + text[-2:].rstrip("0")


def _decimals(sigma: np.ndarray) -> int:
    """Two decimals, and more where F² are so small (electrons, neutrons) that s.u. would lose their digits."""
    smallest = float(sigma[sigma > 0].min(initial=1.0))
    return max(2, min(8, 1 - math.floor(math.log10(smallest))))


def _fcf_rows(fit: Fit) -> Iterator[str]:
    """Calculated and observed intensities as they were refined: twins, extinction and f'' are in Fc²."""
    fo_sq, sigma, fc_sq = fit.equations.on_fc_scale()
    n = _decimals(sigma)
    for index, f_o, s, f_c in zip(fit.reflections.unique.indices(), fo_sq, sigma, fc_sq, strict=True):
        h, k, l = index  # noqa: E741
        yield f"{h:4d} {k:3d} {l:3d} {f_c:12.{n}f} {f_o:12.{n}f} {s:10.{n}f} {'o' if f_o > 2 * s else '<'}"


def _fcf_rows_with_phases(fit: Fit) -> Iterator[str]:
    """Friedel mates averaged, Fc and φ of the model with f'' = 0, and Fo that differs from Fc by what the map shows."""
    terms = map_terms(fit)
    amplitudes, phases = terms.fc.amplitudes().data(), terms.fc.phases(deg=True).data()
    n = _decimals(terms.sigma)
    rows = zip(terms.fc.indices(), terms.difference, terms.sigma, amplitudes, phases, strict=True)
    for (h, k, l), difference, sigma, f_c, phase in rows:  # noqa: E741
        f_o = max(f_c + difference, 0.0) ** 2
        yield f"{h:4d} {k:3d} {l:3d} {f_o:11.{n}f} {sigma:9.{n}f} {f_c:9.{n}f} {phase % 360.0:6.1f}"
