"""What GPAW itself says of a density: run by path under the Python that has it. Arguments: request (JSON), file for the answer."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "qcrbox_har" / "periodic"))

import gpaw_program


def main() -> None:
    """Computes a density as the program does, and writes GPAW's all-electron density on its own grid, e/bohr³."""
    crystal = gpaw_program.Crystal()
    found = crystal.run(json.loads(sys.argv[1]), lambda iteration, energy: None)
    calculator = crystal._calculator
    assert calculator is not None
    density, grid = calculator.density.get_all_electron_density(calculator.atoms, gridrefinement=2)
    np.savez(sys.argv[2], density=density[0], electrons=density.sum() * grid.dv, **found)


if __name__ == "__main__":
    main()
