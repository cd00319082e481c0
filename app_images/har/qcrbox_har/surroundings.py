"""The field of the neighbours in the crystal: point charges and dipoles of the partition itself."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qcrbox.crystallography.structure.atoms import Atoms
from qcrbox.crystallography.structure.structure import Structure

from qcrbox_har.method import Charges
from qcrbox_har.molecules import Molecule

Array = NDArray[np.float64]


class Surroundings:
    """Neighbours of one molecule, found once; their charges and dipoles follow those of the sites.

    radius: whole molecules that come nearer than this to an atom of the molecule, Å.
    """

    def __init__(self, structure: Structure, molecule: Molecule, radius: float) -> None:
        self._structure = structure
        rows = structure.images.make(molecule.site, molecule.operation, molecule.translation)
        centre = Atoms(structure.images, structure.edges, rows)
        cluster = structure.grow("radius", atoms=centre, radius=radius, whole=True, disorder="major")
        outside = ~np.isin(cluster.key, centre.key)
        # Alternatives of the molecule's own atoms are not its neighbours.
        near = np.linalg.norm(cluster.cartesian[:, None] - centre.cartesian, axis=2).min(axis=1)
        self._atoms = cluster.select(outside & (near > 1.0))
        group, cell = structure.space_group, structure.cell
        self._rotations = np.array(
            [
                cell.orthogonalisation @ r @ cell.fractionalisation
                for r in group.rotations[self._atoms.operation]
            ]
        ).reshape(-1, 3, 3)

    def __len__(self) -> int:
        return len(self._atoms)

    def at(self, sites: Array, charges: Array, dipoles: Array) -> Charges:
        """sites (s, 3) fractional, charges (s,) e, dipoles (s, 3) e Å of the asymmetric unit in its own place."""
        atoms, group = self._atoms, self._structure.space_group
        rotated = np.einsum("nij,nj->ni", group.rotations[atoms.operation].astype(float), sites[atoms.site])
        fract = rotated + group.translations[atoms.operation] + atoms.translation
        return Charges(
            self._structure.cell.to_cartesian(fract),
            charges[atoms.site],
            np.einsum("nij,nj->ni", self._rotations, dipoles[atoms.site]),
        )
