"""Crystal structures: `Structure.from_block(block)`, `Structure.from_cif(source, block=None)`."""

from qcrbox.crystallography.structure.adps import PrincipalAxes, probability_scale
from qcrbox.crystallography.structure.atoms import Atoms
from qcrbox.crystallography.structure.contacts import Contacts, HydrogenBond
from qcrbox.crystallography.structure.sites import Sites
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.crystallography.structure.tables import Angle, Bond, HydrogenBondRow

__all__ = [
    "Angle",
    "Atoms",
    "Bond",
    "Contacts",
    "HydrogenBond",
    "HydrogenBondRow",
    "PrincipalAxes",
    "Sites",
    "Structure",
    "probability_scale",
]
