"""Write qcrbox/analysis/density/data/atom_densities.tsv: electron densities of free atoms, spherically averaged.

    pip install pyscf && OMP_NUM_THREADS=1 python tools/build_atom_densities.py qcrbox/analysis/density/data/atom_densities.tsv

Non-relativistic Hartree-Fock with fractional occupation (open shells spread evenly, so that the atom is a sphere), in
the configuration that PySCF tabulates for this (`NRSRHF_CONFIGURATION`), with the primitives of ANO-RCC (Roos et al.,
J. Phys. Chem. A 108 (2004) 2851; 109 (2005) 6575), uncontracted. PySCF is not needed to use the table.
"""

from __future__ import annotations

import sys
import warnings
from pathlib import Path

import numpy as np
from pyscf import gto
from pyscf.data.elements import ELEMENTS, NRSRHF_CONFIGURATION
from pyscf.scf.atom_hf import get_atm_nrhf

BOHR = 0.529177210903
STEP = 0.05  # Å
STEPS = 160  # to 8 Å
HEAVIEST = 54


def density(symbol: str, radii: np.ndarray) -> np.ndarray:
    """Electrons per Å³ at distances in Å from the nucleus."""
    number = ELEMENTS.index(symbol)
    # A spherical atom mixes no angular momenta: functions beyond the occupied ones change nothing.
    occupied_l = [momentum for momentum, electrons in enumerate(NRSRHF_CONFIGURATION[number]) if electrons]
    shells = [shell for shell in gto.uncontract(gto.basis.load("ano", symbol)) if shell[0] in occupied_l]
    molecule = gto.M(atom=f"{symbol} 0 0 0", basis={symbol: shells}, spin=None, verbose=0)
    _, _, orbitals, occupation = get_atm_nrhf(molecule)[symbol]
    occupied = occupation > 0
    points = np.zeros((len(radii), 3))
    points[:, 2] = radii / BOHR
    # One direction is enough: shells are filled evenly, so the density has no angles.
    values = molecule.eval_gto("GTOval_sph", points) @ orbitals[:, occupied]
    return (values**2 @ occupation[occupied]) / BOHR**3


def counted(rho: np.ndarray, radii: np.ndarray) -> float:
    return float(np.trapezoid(4 * np.pi * radii**2 * rho, radii))


def main() -> None:
    warnings.simplefilter("ignore")
    radii = STEP * np.arange(STEPS + 1)
    fine = np.concatenate([[0], np.geomspace(1e-4, 20, 20000)])
    lines = [
        "# ln(electrons / A^3) of free atoms, spherically averaged Hartree-Fock in uncontracted ANO-RCC; made by",
        f"# tools/build_atom_densities.py with PySCF. Columns: element, then r = 0, {STEP}, ... {STEP * STEPS:g} A.",
    ]
    for number in range(1, HEAVIEST + 1):
        symbol = ELEMENTS[number]
        electrons = counted(density(symbol, fine), fine)
        if abs(electrons - number) > 0.002 * number:
            raise SystemExit(f"{symbol}: the density holds {electrons:.3f} electrons")
        logarithms = np.log(np.maximum(density(symbol, radii), 1e-30))
        lines.append("\t".join([symbol, *(f"{value:.3f}" for value in logarithms)]))
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
