"""What a dataset and a result have in common: each stands for a crystal, the one of its CIF."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qcrbox.api.stored import Stored

if TYPE_CHECKING:
    from qcrbox.api.stored_files import CifFile


class StoredCrystal(Stored):
    """A stored object with a CIF."""

    @property
    @abstractmethod
    def cif(self) -> CifFile:
        """Its CIF. Raises UserInputError, or MissingItemsError, when there is none or the choice is not clear."""

    def __contains__(self, name: str) -> bool:
        """Whether its CIF has an item."""
        return name in self.cif

    # No sequence of its items: Python would ask for self[0], self[1] and so on.
    __iter__ = None

    @property
    def structure(self) -> Any:
        """Cell, space group, sites and geometry of its CIF."""
        return self.cif.structure

    @property
    def cell(self) -> Any:
        """Unit cell of its CIF."""
        return self.cif.cell

    @property
    def formula(self) -> str:
        """Chemical formula of its CIF."""
        return self.cif.formula

    @property
    def space_group(self) -> Any:
        """Space group of its CIF."""
        return self.structure.space_group

    @property
    def atoms(self) -> Any:
        """Atoms of its CIF by label."""
        return self.cif.atoms

    def to_gemmi(self) -> Any:
        """The asymmetric unit of its CIF as `gemmi.SmallStructure`."""
        return self.structure.to_gemmi()

    def to_cctbx(self) -> Any:
        """The asymmetric unit of its CIF as `cctbx.xray.structure`. Raises UserInputError without cctbx."""
        return self.structure.to_cctbx()

    def to_ase(self, *, disorder: str | Mapping[str, int] = "major") -> Any:
        """One unit cell of its CIF as `ase.Atoms`; other disorder groups are left out and named.

        Raises UserInputError without ASE.
        """
        return self.structure.to_ase(disorder=disorder)

    def to_pymatgen(self) -> Any:
        """One unit cell of its CIF as `pymatgen.core.Structure`.

        Raises UserInputError without pymatgen, or where one place is more than full.
        """
        return self.structure.to_pymatgen()

    def to_py3dmol(self, *, disorder: str | Mapping[str, int] = "major") -> Any:
        """Complete molecules of its CIF as `py3Dmol.view`, which works without a network.

        Raises UserInputError without py3Dmol.
        """
        return self.structure.to_py3dmol(disorder=disorder)
