"""Checks of the model: displacement parameters, occupancies, bonds, contacts."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from qcrbox.analysis.validation.alerts import Alert
from qcrbox.cif.document import Block
from qcrbox.crystallography.structure import adps
from qcrbox.crystallography.structure.elements import is_metal
from qcrbox.crystallography.structure.formula import parse_formula
from qcrbox.crystallography.structure.origin import multiplicity_mismatch
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import minus

_MOST_NEIGHBOURS = {"H": 1, "D": 1, "C": 4, "N": 4, "O": 3, "F": 2}
_MOST_LISTED = 20
# Bonds between sp3 carbon atoms, Å: outside these they are worth a look, outside by _SP3_FAR hardly possible.
_SP3_SHORT, _SP3_LONG, _SP3_FAR = 1.45, 1.64, 0.05


def positive_definite(block: Block, structure: Structure) -> Iterator[Alert]:
    """Displacement tensors that are not positive definite."""
    del block
    npd = structure.principal_axes().npd
    for row in np.flatnonzero(npd):
        yield Alert(
            "ADP_NPD",
            "A",
            2,
            f"The displacement tensor of {structure.sites.label[row]} is not positive definite.",
            (structure.sites.label[row],),
            "Check element, disorder and absorption.",
            "PLAT211",
        )


def adp_shape(block: Block, structure: Structure) -> Iterator[Alert]:
    """Ratio of the largest to the smallest mean-square displacement."""
    del block
    eigenvalues = structure.principal_axes().eigenvalues
    known = np.isfinite(structure.sites.u_cif).all(axis=(1, 2)) & (eigenvalues[:, 0] > 0)
    for row in np.flatnonzero(known):
        ratio = float(eigenvalues[row, 2] / eigenvalues[row, 0])
        if ratio > 5 and structure.sites.is_atom[row]:
            label = structure.sites.label[row]
            level = "B" if ratio > 10 else "C"
            yield Alert(
                "ADP_SHAPE",
                level,
                2,
                f"Largest to smallest U of {label} is {ratio:.1f}: perhaps disorder.",
                (label,),
                like="PLAT213",
            )


def rigid_bond(block: Block, structure: Structure) -> Iterator[Alert]:
    """Hirshfeld's test: the mean-square displacements of two bonded atoms along their bond are nearly equal.

    Hirshfeld, Acta Cryst. A32 (1976) 239. Tested between non-metals without hydrogen, outside disorder.
    """
    del block
    edges, sites, images = structure.edges, structure.sites, structure.images
    usable = np.isfinite(sites.u_cif).all(axis=(1, 2)) & ~sites.is_hydrogen & (sites.group == 0)
    usable &= ~np.array([is_metal(element) for element in sites.element])
    rows = np.flatnonzero(usable[edges.first] & usable[edges.second] & (edges.first < edges.second))
    if not len(rows):
        return
    grown = images.make(edges.second[rows], edges.operation[rows], edges.translation[rows])
    direction = grown.cartesian - images.cartesian[edges.first[rows]]
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    first = np.einsum("mi,mij,mj->m", direction, structure.u_cart[edges.first[rows]], direction)
    turned = adps.rotate(
        sites.u_cif[edges.second[rows]], images.rotations[edges.operation[rows]], structure.cell
    )
    second = np.einsum("mi,mij,mj->m", direction, adps.u_to_cartesian(turned, structure.cell), direction)
    su = np.sqrt(
        np.trace(sites.u_cif_su[edges.first[rows]] ** 2, axis1=1, axis2=2) / 3
        + np.trace(sites.u_cif_su[edges.second[rows]] ** 2, axis1=1, axis2=2) / 3
    )
    difference = np.abs(first - second)
    for place in np.flatnonzero((difference > 0.01) & (difference > 5 * su))[:_MOST_LISTED]:
        one, other = (sites.label[int(side[rows[place]])] for side in (edges.first, edges.second))
        yield Alert(
            "RIGID_BOND",
            "C",
            2,
            f"Along {one}-{other} the mean-square displacements differ by {difference[place]:.3f} Å².",
            (one, other),
            like="PLAT230",
        )


def multiplicities(block: Block, structure: Structure) -> Iterator[Alert]:
    """Multiplicities of sites as the file states them, against those that symmetry and coordinates give."""
    sites = structure.sites
    found = structure.images.symmetry.multiplicity
    mismatch, stated = multiplicity_mismatch(block, sites, found, structure.space_group.order)
    wrong = np.flatnonzero(mismatch)
    for row in wrong:
        label = sites.label[row]
        yield Alert(
            "MULTIPLICITY",
            "B" if len(wrong) > 0.2 * len(sites) else "C",
            1,
            f"{label} has multiplicity {found[row]}, the file states {stated[row]:g}.",
            (label,),
            "Check the space group, its setting and origin, and the coordinates.",
        )


def occupancies(block: Block, structure: Structure) -> Iterator[Alert]:
    """Occupancies beyond 0 to 1, and groups of one assembly that add up to more than one."""
    del block
    sites = structure.sites
    for row in np.flatnonzero((sites.occupancy <= 0) | (sites.occupancy > 1.001)):
        yield Alert(
            "OCCUPANCY",
            "A",
            1,
            minus(f"The occupancy of {sites.label[row]} is {sites.occupancy[row]:g}."),
            (sites.label[row],),
        )
    for assembly in dict.fromkeys(sites.assembly):
        member = np.array([name == assembly for name in sites.assembly])
        if not assembly:
            continue  # unnamed groups may belong to several independent disorders
        groups = sorted(set(sites.group[member].tolist()) - {0})
        total = sum(float(sites.occupancy[member & (sites.group == group)].mean()) for group in groups)
        if groups and abs(total - 1) > 0.02 and min(groups) > 0:
            yield Alert(
                "OCCUPANCY_SUM",
                "C",
                2,
                f"The groups of assembly {assembly} add up to {total:.3f}.",
                like="PLAT299",
            )


def neighbours(block: Block, structure: Structure) -> Iterator[Alert]:
    """Atoms with no or too many bonds."""
    del block
    edges, sites = structure.edges, structure.sites
    counts = np.diff(edges.start)
    ordered = sites.group == 0
    metal = np.array([is_metal(element) for element in sites.element])
    to_metal = (
        np.bincount(edges.first, metal[edges.second], minlength=len(sites))
        if len(edges)
        else np.zeros(len(sites))
    )
    in_disorder = np.zeros(len(sites), dtype=bool)
    partial = (sites.group != 0) | (sites.occupancy < 0.999)
    in_disorder[edges.first[partial[edges.second]]] = True
    for row in np.flatnonzero(sites.is_atom & ordered & ~in_disorder):
        label, element = sites.label[row], sites.element[row]
        if counts[row] == 0 and element in ("H", "D", "C"):
            yield Alert("ISOLATED", "B", 2, f"{label} has no bonds.", (label,))
        limit = _MOST_NEIGHBOURS.get(element)
        if limit is not None and counts[row] - to_metal[row] > limit:
            yield Alert("COORDINATION", "C", 2, f"{label} has {int(counts[row])} bonds.", (label,))


def precision_of_bonds(block: Block, structure: Structure) -> Iterator[Alert]:
    """Mean s.u. of C-C bonds."""
    del block
    sites = structure.sites
    carbon = {label for label, element in zip(sites.label, sites.element, strict=True) if element == "C"}
    su = [
        bond.length.su
        for bond in structure.bonds(hydrogens=False)
        if bond.length.su and bond.label_1 in carbon and bond.label_2 in carbon
    ]
    if su:
        mean = float(np.mean(su))
        level = next(
            (level for limit, level in ((0.03, "A"), (0.015, "B"), (0.01, "C")) if mean > limit), None
        )
        if level:
            yield Alert("C_C_SU", level, 3, f"The mean s.u. of C-C bonds is {mean:.4f} Å.", like="PLAT340")


def carbon_bonds(block: Block, structure: Structure) -> Iterator[Alert]:
    """Bonds between two carbon atoms with four neighbours each, against the usual length of such a bond.

    1.53 Å on average (Allen et al., J. Chem. Soc. Perkin Trans. 2 (1987) S1), 1.51 Å in cyclopropane. Ordered atoms only:
    a carbon atom has its four neighbours only where the model has its hydrogen atoms.
    """
    del block
    sites = structure.sites
    counts = np.diff(structure.edges.start)
    ordered = (sites.group == 0) & (sites.occupancy > 0.999)
    carbon = np.array([element == "C" for element in sites.element])
    # Carbon of a cyclopentadienyl ring has its metal as the fourth neighbour and is no sp3 carbon.
    metal = np.array([is_metal(element) for element in sites.element])
    on_metal = np.zeros(len(sites), dtype=bool)
    on_metal[structure.edges.first[metal[structure.edges.second]]] = True
    sp3 = {sites.label[row] for row in np.flatnonzero(carbon & ordered & ~on_metal & (counts == 4))}
    for bond in structure.bonds(hydrogens=False):
        if bond.label_1 not in sp3 or bond.label_2 not in sp3:
            continue
        length, su = bond.length.value, bond.length.su or 0.0
        # Beyond its own s.u.: an imprecise length is the matter of another check.
        short, long = _SP3_SHORT - length > 3 * su, length - _SP3_LONG > 3 * su
        if not (short or long):
            continue
        far = length < _SP3_SHORT - _SP3_FAR or length > _SP3_LONG + _SP3_FAR
        yield Alert(
            "SP3_BOND",
            "B" if far else "C",
            2,
            f"{bond.label_1}-{bond.label_2} is {bond.length} Å between two sp3 carbon atoms: "
            f"{'shorter' if short else 'longer'} than usual (1.53 Å).",
            (bond.label_1, bond.label_2),
            "Perhaps disorder, libration, or hydrogen atoms too many." if short else "Perhaps disorder.",
            "PLAT360" if short else "PLAT361",
        )


def close_contacts(block: Block, structure: Structure) -> Iterator[Alert]:
    """Contacts between molecules far shorter than the sum of radii that no hydrogen bond explains."""
    del block
    sites = structure.sites
    contacts = structure.short_contacts()
    first, second, shorter = contacts.first, contacts.second, contacts.shorter_by
    polar = np.array([element in ("N", "O", "F", "S", "Cl", "Br", "I", "Se") for element in sites.element])
    metal = np.array([is_metal(element) for element in sites.element])
    hydrogens = sites.is_hydrogen[first].astype(int) + sites.is_hydrogen[second]
    # Hydrogen bonds; donors and acceptors of hydrogen bonds, and halogen bonds; what metals bind.
    explained = (hydrogens == 1) & (polar[first] | polar[second])
    explained |= (polar[first] & polar[second]) | metal[first] | metal[second]
    limits = np.where(hydrogens == 2, 0.25, 0.35)
    seen: set[frozenset[str]] = set()
    for row in np.flatnonzero(~explained & (shorter > limits)):
        names = (sites.label[first[row]], sites.label[second[row]])
        if len(seen) >= _MOST_LISTED:
            return
        if frozenset(names) in seen:
            continue
        seen.add(frozenset(names))
        yield Alert(
            "CONTACT",
            "B" if shorter[row] > 2 * limits[row] else "C",
            2,
            f"{names[0]}...{names[1]} are {contacts.distance[row]:.2f} Å apart, "
            f"{shorter[row]:.2f} Å less than their radii.",
            names,
            like="PLAT411" if hydrogens[row] == 2 else "PLAT432",
        )


def missing_hydrogens(block: Block, structure: Structure) -> Iterator[Alert]:
    """No hydrogen atom in a model whose formula has some."""
    del block
    stated = parse_formula(structure.formula_sum)
    if (stated.get("H") or stated.get("D")) and not structure.sites.is_hydrogen.any():
        yield Alert(
            "NO_HYDROGENS",
            "B",
            2,
            "The formula has hydrogen, the model has no hydrogen atom.",
            like="PLAT041",
        )
