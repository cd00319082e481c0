"""Every instruction of SHELXL-2019: applied, named as not applied, refused, or without effect; and the part that does it.

The table is data: the readers ask it about each line of an input, a test holds it complete, and the page
docs/shelxl_instructions.md is printed from it and from the items in `instruction_keywords`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Treatment(StrEnum):
    """What happens to an instruction. NAMED: it stands in the log, the result and the CIF as not applied.

    SILENT: it steers output or the run of SHELXL alone and changes no number of a result, so nothing is said.
    """

    APPLIED = "applied"
    NAMED = "named"
    REFUSED = "refused"
    SILENT = "without effect"


@dataclass(frozen=True)
class Handling:
    """treatment; part: module of qcrbox_refine that does it; meaning: of the instruction; why: for what is not
    applied, or the limits of what is.
    """

    treatment: Treatment
    part: str
    meaning: str
    why: str = ""


def _applied(part: str, meaning: str, why: str = "") -> Handling:
    return Handling(Treatment.APPLIED, part, meaning, why)


def _named(meaning: str, why: str, part: str = "shelx_input") -> Handling:
    return Handling(Treatment.NAMED, part, meaning, why)


def _silent(meaning: str, why: str, part: str = "shelx_input") -> Handling:
    return Handling(Treatment.SILENT, part, meaning, why)


def _refused(part: str, meaning: str, why: str) -> Handling:
    return Handling(Treatment.REFUSED, part, meaning, why)


INSTRUCTION_TABLE: dict[str, Handling] = {
    "ABIN": _applied("solvent_mask", "Partial structure factors from a .fab file (solvent mask)"),
    "ACTA": _applied(
        "shelxl", "CIF and tables", "A CIF is always written; the stand-in for shelxl requires ACTA."
    ),
    "AFIX": _applied("constraints", "Idealised groups, riding hydrogen, rigid groups"),
    "ANIS": _applied("shelx_input", "Isotropic atoms become anisotropic"),
    "ANSC": _named("Anisotropic scaling: coefficients", "No anisotropic scaling of Fc²."),
    "ANSR": _named("Anisotropic scaling: restraint", "No anisotropic scaling of Fc²."),
    "BASF": _applied("twinning", "Batch and twin fractions"),
    "BEDE": _named("Bond electron density", "Aspherical scattering; spherical atoms are refined."),
    "BIND": _applied("connectivity", "Bond added to the connectivity table"),
    "BLOC": _named("Blocks of parameters in turn", "All parameters are refined together by the full matrix."),
    "BOND": _applied("geometry", "Bond lengths and angles", "All bonds and angles are always written."),
    "BUMP": _applied("restraints", "Anti-bumping restraints"),
    "CELL": _applied("shelx_input", "Wavelength and unit cell"),
    "CGLS": _applied("least_squares", "Conjugate-gradient cycles", "The full matrix is used instead."),
    "CHIV": _applied("restraints", "Chiral volume"),
    "CONF": _silent("Torsion angles", "Changes no number; torsion angles are not written."),
    "CONN": _applied("connectivity", "Radii and numbers of bonds for the connectivity table"),
    "DAMP": _applied("normal_equations", "Damping", "0.7 where an input with SHELX instructions has none."),
    "DANG": _applied("restraints", "1,3 distance"),
    "DEFS": _applied("restraints", "Default s.u. of restraints"),
    "DELU": _applied("restraints", "Rigid bond"),
    "DFIX": _applied("restraints", "Distance; negative: anti-bumping; free variables allowed"),
    "DISP": _applied("scattering", "f' and f'' of an element"),
    "EADP": _applied("constraints", "Equal displacement parameters"),
    "END": _applied("shelx_input", "End of the instructions"),
    "EQIV": _applied("atom_names", "Symmetry operation for names of atoms"),
    "EXTI": _applied("least_squares", "Extinction coefficient"),
    "EXYZ": _applied("constraints", "Equal coordinates"),
    "FEND": _applied("fragments", "End of a fragment"),
    "FLAT": _applied("restraints", "Planarity"),
    "FMAP": _applied("density", "Fourier map", "A difference map is always made; other kinds are not."),
    "FRAG": _applied("fragments", "Coordinates of a fragment, fitted by AFIX"),
    "FREE": _applied("connectivity", "Bond taken out of the connectivity table"),
    "FVAR": _applied("parameters", "Scale factor and free variables"),
    "GRID": _named("Grid of the map", "The grid follows from the resolution of the data."),
    "HFIX": _applied("hydrogens", "Generates hydrogen atoms"),
    "HKLF": _applied(
        "reflections", "Format, scale and matrix of the reflections", "n = 3 and 4; others are refused."
    ),
    "HOPE": _named("Anisotropic scaling (SHELXL-93)", "No anisotropic scaling of Fc²."),
    "HTAB": _applied(
        "hydrogen_bonds",
        "Hydrogen bonds",
        "All hydrogen bonds found by geometry are always written, and those named.",
    ),
    "ISOR": _applied("restraints", "Approximately isotropic displacement parameters"),
    "L.S.": _applied("least_squares", "Least-squares cycles"),
    "LATT": _applied("shelx_input", "Lattice and inversion centre"),
    "LAUE": _refused("reflections", "Wavelength-dependent dispersion", "Laue data are not supported."),
    "LIST": _applied("shelxl", "Format of the reflection list", "4 and 6; others give 4."),
    "LONE": _named("Lone-pair density", "Aspherical scattering; spherical atoms are refined."),
    "MERG": _applied("reflections", "Merging of equivalent reflections"),
    "MOLE": _silent("Molecule number (SHELXTL)", "Changes no number."),
    "MORE": _silent("Amount of output", "Changes no number."),
    "MOVE": _applied("shelx_input", "Shift and inversion of the atoms that follow"),
    "MPLA": _named("Least-squares planes", "No effect on the model; planes are not written."),
    "NCSY": _named("Non-crystallographic symmetry restraints", "Not supported."),
    "NEUT": _applied("scattering", "Neutron data"),
    "OMIT": _applied("reflections", "Reflections and limits left out"),
    "PART": _applied("shelx_input", "Disorder groups"),
    "PLAN": _applied("density", "Number of difference peaks"),
    "PRIG": _named("Prior for free variables in TWST and BEDE models", "Not supported."),
    "REM": _applied("res_output", "Remark"),
    "RESI": _applied("shelx_input", "Residues"),
    "RIGU": _applied("restraints", "Enhanced rigid bond"),
    "RTAB": _named(
        "Tables of chosen distances and angles", "No effect on the model; such tables are not written."
    ),
    "SADI": _applied("restraints", "Equal distances"),
    "SAME": _applied("restraints", "Equal 1,2 and 1,3 distances of two groups"),
    "SFAC": _applied("shelx_input", "Elements, or scattering factors in numbers"),
    "SHEL": _applied("reflections", "Resolution limits"),
    "SIMU": _applied("restraints", "Similar displacement parameters"),
    "SIZE": _applied("chemistry", "Crystal size"),
    "SPEC": _applied("model", "Distance from a special position within which an atom lies on it"),
    "STIR": _named("Resolution in steps", "All data are used from the first cycle."),
    "SUMP": _applied("restraints", "Linear restraint on free variables"),
    "SWAT": _applied("solvent_mask", "Diffuse solvent (Babinet)"),
    "SYMM": _applied("shelx_input", "Symmetry operation"),
    "TEMP": _applied("shelx_input", "Temperature, which sets X-H distances"),
    "TIME": _silent("Time limit", "Changes no number."),
    "TITL": _applied("shelx_input", "Title"),
    "TWIN": _applied("twinning", "Twin law"),
    "TWST": _named("Twin in the restraint sense (SHELXL-2019)", "Not supported."),
    "UNIT": _applied("shelx_input", "Contents of the unit cell"),
    "WGHT": _applied("weighting", "Weights"),
    "WIGL": _named(
        "Random shifts before the refinement", "The refinement starts from the atoms as they are."
    ),
    "WPDB": _silent("PDB file", "Changes no number; no PDB file is written."),
    "XNPD": _named(
        "Correction of non-positive-definite displacements", "They are reported and stay as refined."
    ),
    "ZERR": _applied("shelx_input", "Z and s.u. of the cell"),
}
