"""Crystal structures: `Structure.from_block(block)`, `Structure.from_cif(source, block=None)`."""

from qcrbox.cif.structure.adps import PrincipalAxes, probability_scale
from qcrbox.cif.structure.atoms import Atoms
from qcrbox.cif.structure.contacts import Contacts, HydrogenBond
from qcrbox.cif.structure.sites import Sites
from qcrbox.cif.structure.structure import Structure
from qcrbox.cif.structure.tables import Angle, Bond, HydrogenBondRow

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
