"""Small models from SHELX lines or from a list of atoms, for tests that need no reflections."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from cctbx import crystal
from qcrbox_refine.constraints import Parametrisation
from qcrbox_refine.model import Atom, Model
from qcrbox_refine.reparametrisation import Reparametrisation
from qcrbox_refine.shelx_input import parse_shelx
from scitbx.array_family import flex

MONOCLINIC = "0.71073 9.1 10.3 11.7 90 101 90"


def ins_text(
    atoms: str,
    *cards: str,
    cell: str = MONOCLINIC,
    latt: int = -1,
    symm: Sequence[str] = (),
    elements: str = "C H N O",
    variables: str = "1 0.6 0.04 0.25",
    hklf: str = "HKLF 4",
) -> str:
    """A .ins file; free variables 2, 3 and 4 are 0.6, 0.04 and 0.25."""
    return "\n".join(
        [
            "TITL small",
            f"CELL {cell}",
            "ZERR 4 0 0 0 0 0 0",
            f"LATT {latt}",
            *(f"SYMM {operation}" for operation in symm),
            f"SFAC {elements}",
            "UNIT " + " ".join("4" for _ in elements.split()),
            *cards,
            f"FVAR {variables}",
            atoms.strip(),
            hklf,
            "END",
            "",
        ]
    )


def shelx_model(atoms: str, *cards: str, **options) -> Model:
    """The model of `ins_text` with the same arguments."""
    return parse_shelx(ins_text(atoms, *cards, **options), "x.ins")


def model_in(cell: Sequence[float], group: str, atoms: list[Atom], **fields) -> Model:
    """A model without instructions, at the wavelength of Mo Kα."""
    return Model(crystal.symmetry(tuple(cell), group), atoms, wavelength=0.71073, **fields)


def atom_parameters(made: Reparametrisation) -> np.ndarray:
    """Coordinates, U and occupancies of all atoms in the order of the gradients of Fc."""
    places = made.parameter_map()
    values = np.zeros(places.n_parameters)
    for i, place in enumerate(places):
        u_start = place.u_aniso if place.u_aniso >= 0 else place.u_iso
        for start, own in (
            (place.site, made.state.sites[i]),
            (u_start, made.state.u[i]),
            (place.occupancy, [made.state.occupancy[i]]),
        ):
            if start >= 0:
                values[start : start + len(own)] = own
    return values


def difference_quotients(made: Reparametrisation, step: float = 1e-5) -> np.ndarray:
    """∂(parameter of the atoms)/∂(independent parameter), (independent, atom parameters), by central differences."""
    return _quotients(made, lambda: atom_parameters(made), step)


def _quotients(made: Reparametrisation, values: Callable[[], np.ndarray], step: float) -> np.ndarray:
    rows = []
    for k in range(made.n_independents):
        shift = flex.double(made.n_independents, 0.0)
        shift[k] = step
        made.apply_shifts(shift)
        ahead = values()
        made.apply_shifts(-2 * shift)
        behind = values()
        made.apply_shifts(shift)
        rows.append((ahead - behind) / (2 * step))
    return np.array(rows).reshape(made.n_independents, -1)


def restraint_derivatives(made: Parametrisation, step: float = 1e-6) -> tuple[np.ndarray, np.ndarray]:
    """∂(residual)/∂(independent parameter), (independent, residuals): as the least squares use it, and by central differences."""
    own = made.reparametrisation
    frame, equations = made.restraints.equations(made.structure, own.parameter_map())
    rows = frame.linearised(equations).design_matrix * own.jacobian_transpose_of_restraints().transpose()

    def residuals() -> np.ndarray:
        own.store()
        _, now = made.restraints.equations(made.structure, own.parameter_map())
        return np.array([equation.residual for equation in now])

    return rows.as_dense_matrix().as_numpy_array().T, _quotients(own, residuals, step)


def jacobian(made: Reparametrisation) -> np.ndarray:
    """The same as the least squares use it."""
    made.linearise()
    return made.jacobian_transpose_matching_grad_fc().as_dense_matrix().as_numpy_array()
