"""Exchange and correlation on a fine grid at the price of a coarse one.

V(P) = V_coarse(P) + [V_fine(P₀) - V_coarse(P₀)]: the error of the coarse grid changes little with the density, so it is
computed once at a density P₀ nearby and kept. At P₀ itself the potential is that of the fine grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyscf import dft, gto

from qcrbox_har.method import COARSE_GRID_BYTES

Array = NDArray[np.float64]


class TwoGrids(dft.numint.NumInt):
    """Integrates on `coarse` and adds the difference to the grid of the field, taken where `renew` was called last.

    coarse: level of the cheap grid, 0 to 9.
    """

    def __init__(self, molecule: gto.Mole, coarse: int) -> None:
        super().__init__()
        self.coarse = dft.gen_grid.Grids(molecule)
        self.coarse.level = coarse
        self.coarse.build(with_non0tab=True)
        self._orbitals: dict[int, list[tuple[Any, ...]]] = {}
        self._at: Array | None = None
        self._energy: float = 0.0
        self._potential: Array = np.zeros(0)

    def renew(self) -> None:
        """Take the difference of the grids anew at the next density."""
        self._at = None

    def nr_rks(self, mol, grids, xc_code, dms, *arguments, **keywords):
        """As PySCF's: electrons, energy and potential matrix."""
        engine = super().nr_rks
        return self._integrate(lambda at: engine(mol, at, xc_code, dms, *arguments, **keywords), grids, dms)

    def nr_uks(self, mol, grids, xc_code, dms, *arguments, **keywords):
        """As PySCF's: electrons, energy and potential matrices of both spins."""
        engine = super().nr_uks
        return self._integrate(lambda at: engine(mol, at, xc_code, dms, *arguments, **keywords), grids, dms)

    def block_loop(self, mol, grids, nao=None, deriv=0, *arguments, **keywords):
        """As PySCF's: (values of the atomic orbitals, mask, weights, points). Those of the coarse grid are kept."""
        points = len(grids.weights)
        size = points * mol.nao * ((deriv + 1) * (deriv + 2) * (deriv + 3) // 6) * 8
        if grids is not self.coarse or size > COARSE_GRID_BYTES:
            yield from super().block_loop(mol, grids, nao, deriv, *arguments, **keywords)
            return
        if deriv not in self._orbitals:
            # In one block: PySCF writes every block to the same memory.
            whole = -(-points // dft.gen_grid.BLKSIZE) * dft.gen_grid.BLKSIZE
            self._orbitals[deriv] = list(super().block_loop(mol, grids, nao, deriv, blksize=whole))
        yield from self._orbitals[deriv]

    def _integrate(self, on_grid, grids, dms) -> tuple[Any, Any, Any]:
        """on_grid: integrates on the grid that it is given."""
        count, energy, potential = on_grid(self.coarse)
        density = np.array(dms)
        if self._at is None or self._at.shape != density.shape:
            fine = on_grid(grids)
            self._at, self._energy, self._potential = density, fine[1] - energy, fine[2] - potential
            return fine
        change = float(np.sum(self._potential * (density - self._at)))
        return count, energy + self._energy + change, potential + self._potential
