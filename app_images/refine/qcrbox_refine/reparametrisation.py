"""Independent parameters of the least squares, and the Jacobian from them to the parameters of the atoms.

A `Reparametrisation` is a list of blocks. Each block owns some independent parameters (perhaps none), moves them by a
shift, and writes what they are to the atoms: rows of ∂(atom parameter)/∂(independent parameter). Later blocks may
build on the rows of earlier ones (a riding atom on those of its pivot).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from cctbx import xray
from scitbx import sparse
from scitbx.array_family import flex

from qcrbox_refine.parameter_blocks import Block, Rows, State


class Reparametrisation:
    """The parameters of one structure.

    blocks: in the order in which they build on each other. free_variables: FVAR from the second on; the list is updated
    by `store`.
    """

    def __init__(
        self,
        structure: xray.structure,
        blocks: Iterable[Block],
        connectivity_table: Any,
        *,
        free_variables: list[float] | None = None,
    ) -> None:
        self.structure, self.blocks = structure, list(blocks)
        self.connectivity_table = connectivity_table
        self.pair_sym_table = connectivity_table.pair_asu_table.extract_pair_sym_table(
            skip_j_seq_less_than_i_seq=False, all_interactions_from_inside_asu=True
        )
        self.free_variables = [] if free_variables is None else free_variables
        self.state = state_of(structure, [1.0, *self.free_variables])
        self.n_independents = 0
        for block in self.blocks:
            block.start = self.n_independents
            self.n_independents += block.size
        self.apply_shifts(flex.double(self.n_independents, 0.0))
        self.linearise()
        self.store()

    def apply_shifts(self, shifts: flex.double) -> None:
        """Apply the shifts of all independent parameters to the state, block by block."""
        values = np.array(shifts)
        for block in self.blocks:
            block.shift(self.state, values[block.start : block.start + block.size])

    def linearise(self) -> None:
        """Compute the derivatives of all atomic parameters at the present state."""
        n = len(self.state.sites)
        self.rows = Rows(
            [{} for _ in range(n)],
            [{} for _ in range(n)],
            [{} for _ in range(n)],
            [{} for _ in self.state.variables],
        )
        for block in self.blocks:
            block.rows(self.state, self.rows)
        self._jacobian: Any = None

    def store(self) -> None:
        """Write the values into the structure and the list of free variables."""
        state = self.state
        self.free_variables[:] = [float(value) for value in state.variables[1:]]
        for i, scatterer in enumerate(self.structure.scatterers()):
            scatterer.site = tuple(float(x) for x in state.sites[i])
            scatterer.occupancy = float(state.occupancy[i])
            if scatterer.flags.use_u_aniso():
                scatterer.u_star = tuple(float(x) for x in state.u[i])
            else:
                scatterer.u_iso = float(state.u[i][0])

    def independent_names(self) -> list[str]:
        """What each independent parameter is, for messages."""
        return [name for block in self.blocks for name in block.names()]

    def parameter_map(self) -> Any:
        """Where the parameters of each atom stand among the gradients of Fc."""
        return xray.parameter_map(self.structure.scatterers())

    @property
    def component_annotations(self) -> list[str]:
        """Names of the parameters of the atoms in the order of the gradients of Fc."""
        names: list[str] = []
        for scatterer in self.structure.scatterers():
            label, flags = scatterer.label, scatterer.flags
            if flags.grad_site():
                names += [f"{label}.{axis}" for axis in "xyz"]
            if flags.grad_u_iso():
                names.append(f"{label}.uiso")
            if flags.grad_u_aniso():
                names += [f"{label}.u{ij}" for ij in ("11", "22", "33", "12", "13", "23")]
            if flags.grad_occupancy():
                names.append(f"{label}.occ")
        return names

    def jacobian_transpose_matching_grad_fc(self) -> sparse.matrix:
        """(independent, atom parameters in the order of the gradients of Fc)."""
        if self._jacobian is None:
            parameters = self.parameter_map()
            jacobian = sparse.matrix(self.n_independents, parameters.n_parameters)
            self._fill(jacobian, parameters)
            self._jacobian = jacobian
        return self._jacobian

    def jacobian_transpose_of_restraints(self) -> sparse.matrix:
        """The same with columns for the free variables (2, 3, …) behind, on which restraints may act."""
        parameters = self.parameter_map()
        n = parameters.n_parameters
        jacobian = sparse.matrix(self.n_independents, n + len(self.state.variables) - 1)
        self._fill(jacobian, parameters)
        for number, row in enumerate(self.rows.variables[1:]):
            for theta, value in row.items():
                jacobian[theta, n + number] = float(value[0])
        return jacobian

    def _fill(self, jacobian: sparse.matrix, parameters: Any) -> None:
        for i, p in enumerate(parameters):
            u_start = p.u_aniso if p.u_aniso >= 0 else p.u_iso
            for start, row in (
                (p.site, self.rows.sites[i]),
                (u_start, self.rows.u[i]),
                (p.occupancy, self.rows.occupancy[i]),
            ):
                if start < 0:
                    continue
                for theta, values in row.items():
                    for k, value in enumerate(values):
                        if value:
                            jacobian[theta, start + k] = float(value)


def state_of(structure: xray.structure, variables: Sequence[float] = (1.0,)) -> State:
    """The values of a structure."""
    cell = structure.unit_cell()
    orthogonal = np.array(cell.orthogonalization_matrix()).reshape(3, 3)
    scatterers = structure.scatterers()
    return State(
        cell=cell,
        sites=np.array([scatterer.site for scatterer in scatterers]).reshape(-1, 3),
        u=[
            np.array(scatterer.u_star if scatterer.flags.use_u_aniso() else [scatterer.u_iso])
            for scatterer in scatterers
        ],
        occupancy=np.array([scatterer.occupancy for scatterer in scatterers]),
        variables=np.array(variables, dtype=float),
        orthogonal=orthogonal,
        fractional=np.linalg.inv(orthogonal),
    )
