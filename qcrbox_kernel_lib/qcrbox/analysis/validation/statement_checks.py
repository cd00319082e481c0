"""Checks of what a block states: missing items, and statements that contradict each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from qcrbox.analysis.validation.alerts import Alert
from qcrbox.cif.document import Block
from qcrbox.crystallography.radiation import SHORTEST_XRAYS, read_radiation
from qcrbox.crystallography.shelx.checksum import wrong_checksums
from qcrbox.crystallography.structure.formula import formula_units, parse_formula, weight
from qcrbox.crystallography.structure.structure import Structure
from qcrbox.language import minus

# Items a publication needs; the list is that of the notes for authors, as far as a program can look for them.
_NEEDED: tuple[tuple[str, str], ...] = (
    ("_chemical_formula_sum", "A"),
    ("_chemical_formula_moiety", "C"),
    ("_chemical_formula_weight", "B"),
    ("_cell_formula_units_Z", "A"),
    ("_cell_volume", "B"),
    ("_cell_measurement_temperature", "C"),
    ("_diffrn_ambient_temperature", "B"),
    ("_diffrn_radiation_wavelength", "A"),
    ("_diffrn_radiation_type", "C"),
    ("_diffrn_reflns_theta_max", "B"),
    ("_diffrn_measured_fraction_theta_full", "C"),
    ("_exptl_crystal_density_diffrn", "B"),
    ("_exptl_absorpt_coefficient_mu", "B"),
    ("_exptl_absorpt_correction_type", "C"),
    ("_exptl_crystal_colour", "C"),
    ("_refine_ls_R_factor_gt", "A"),
    ("_refine_ls_wR_factor_ref", "A"),
    ("_refine_ls_goodness_of_fit_ref", "B"),
    ("_refine_ls_number_reflns", "B"),
    ("_refine_ls_number_parameters", "B"),
    ("_refine_ls_shift/su_max", "B"),
    ("_refine_diff_density_max", "B"),
    ("_refine_diff_density_min", "B"),
    ("_refine_ls_weighting_details", "C"),
)
# Relative to the lengths of two axes; 0.01° of an angle are 1.7e-4, twice counted where an operation turns its sign.
_METRIC_SLACK = 2e-4
_AVOGADRO_PER_A3 = 1.66053907  # g/cm³ for one g/mol in one Å³


def missing_items(block: Block, structure: Structure) -> Iterator[Alert]:
    """Items that journals or checkCIF ask for and the block lacks."""
    del structure
    for tag, level in _NEEDED:
        values = block.column(tag)
        if not values or all(value in ("?", ".") for value in values):
            yield Alert("MISSING", level, 1, f"{tag} is missing or unknown.", advice="Add it.")


def symmetry_statements(block: Block, structure: Structure) -> Iterator[Alert]:
    """Contradictions and remarks found while the space group was read."""
    del block
    for text in structure.space_group.contradictions:
        yield Alert("SYMMETRY_STATEMENTS", "B", 1, text)
    for text in structure.space_group.notes:
        yield Alert("SYMMETRY_STATEMENTS", "C", 1, text)


def radiation(block: Block, structure: Structure) -> Iterator[Alert]:
    """A wavelength that another radiation, or another anode, has."""
    del structure
    found = read_radiation(block)
    if found.doubt:
        electrons = found.wavelength is not None and found.wavelength < SHORTEST_XRAYS
        yield Alert(
            "RADIATION",
            "B",
            1,
            found.doubt,
            advice="State _diffrn_radiation_probe electron; X-ray form factors do not hold for electrons."
            if electrons
            else "Correct the wavelength or the radiation.",
        )


def cell_and_system(block: Block, structure: Structure) -> Iterator[Alert]:
    """Cell parameters that the crystal system does not allow, and a stated volume that is not that of the cell."""
    group, metric = structure.space_group, structure.cell.metric
    # Every operation of the group leaves lengths as they are: Rᵀ G R = G.
    turned = np.swapaxes(group.rotations, 1, 2) @ metric @ group.rotations
    lengths = np.sqrt(np.diag(metric))
    if (np.abs(turned - metric) > _METRIC_SLACK * np.outer(lengths, lengths)).any():
        yield Alert(
            "CELL_SYSTEM", "A", 1, f"The cell does not fit the {group.crystal_system} space group {group.hm}."
        )
    stated = block.number("_cell_volume")
    if stated is not None:
        slack = max(3 * (stated.su or 0), 1e-3 * structure.cell.volume)
        if abs(stated.value - structure.cell.volume) > slack:
            yield Alert(
                "CELL_VOLUME",
                "B",
                1,
                f"The stated volume is {stated.text} Å³, the cell has {structure.cell.volume:.2f} Å³.",
                like="CELLV02",
            )


def formula_and_content(block: Block, structure: Structure) -> Iterator[Alert]:
    """Sum formula times Z against the atoms of the model; formula weight; density. Without Z, the ratios alone."""
    stated = parse_formula(structure.formula_sum)
    if stated:
        yield from _content(stated, structure)
        yield from _weight_and_density(stated, block, structure)
    elif structure.formula_sum:
        yield Alert("FORMULA", "B", 1, f"The sum formula '{structure.formula_sum}' cannot be read.")


def _content(stated: Mapping[str, float], structure: Structure) -> Iterator[Alert]:
    content, z = structure.cell_content, structure.z
    units = z or formula_units(stated, content)
    odd = []
    for element in sorted({*stated, *content}):
        expected, found = stated.get(element, 0) * units, content.get(element, 0)
        if abs(expected - found) > max(0.05, 0.005 * expected):
            odd.append(f"{element} {found / units:.2f} instead of {stated.get(element, 0):g}")
    if odd:
        hydrogen_only = all(text.startswith(("H ", "D ")) for text in odd)
        yield Alert(
            "FORMULA_CONTENT",
            "C" if hydrogen_only else "B",
            1,
            "The atoms of the model do not add up to the sum formula"
            f"{'' if z else f', taken {units:g} times'}: {', '.join(odd)}.",
            advice="Hydrogen atoms may be missing." if hydrogen_only else "Check formula, Z and occupancies.",
            like="PLAT041",
        )


def _weight_and_density(stated: Mapping[str, float], block: Block, structure: Structure) -> Iterator[Alert]:
    computed = weight(stated)
    given = block.number("_chemical_formula_weight")
    if given is not None and abs(given.value - computed) > max(0.05, 5e-4 * computed):
        yield Alert(
            "FORMULA_WEIGHT",
            "B",
            1,
            f"The stated weight is {given.text}, the formula has {computed:.2f}.",
            like="PLAT043",
        )
    density = computed * (structure.z or 0) / structure.cell.volume * _AVOGADRO_PER_A3
    given = block.number("_exptl_crystal_density_diffrn")
    if density and given is not None and abs(given.value - density) > 0.01 * density:
        yield Alert(
            "DENSITY",
            "B",
            1,
            f"The stated density is {given.text}, formula, Z and cell give {density:.3f} g/cm³.",
            like="PLAT046",
        )


def checksums(block: Block, structure: Structure) -> Iterator[Alert]:
    """Embedded SHELX texts that do not match their checksum."""
    del structure
    for tag, stated, computed in wrong_checksums(block):
        yield Alert(
            "CHECKSUM",
            "B",
            1,
            f"{tag} has the checksum {computed}, the file states {stated}: it was changed after SHELXL wrote it.",
            advice="Embed the original file again.",
        )


def solvent_mask(block: Block, structure: Structure) -> Iterator[Alert]:
    """A solvent mask without a description of the masked content."""
    del structure
    used = any(
        tag.lower().startswith(("_platon_squeeze_", "_smtbx_masks_"))
        or tag.lower().replace(".", "_") == "_shelx_fab_file"
        for tag in block.tags
    )
    details = ("_platon_squeeze_details", "_smtbx_masks_special_details", "_refine_special_details")
    if used and not any(block.text(tag) for tag in details):
        yield Alert(
            "SOLVENT_MASK",
            "B",
            1,
            "A solvent mask was used, but the masked content is not described.",
            advice="Give electrons, volume and probable solvent in _platon_squeeze_details or _refine_special_details.",
        )


def reading_notes(block: Block, structure: Structure) -> Iterator[Alert]:
    """Remarks found while the atoms and bonds were read."""
    del block
    known = {*structure.space_group.contradictions, *structure.space_group.notes}
    _ = structure.edges  # bonds that do not fit the coordinates are noted when they are looked at
    for text in structure.notes:
        if text not in known and "not positive definite" not in text:
            yield Alert("READING", "C", 1, text)


def absolute_structure(block: Block, structure: Structure) -> Iterator[Alert]:
    """The Flack parameter of a structure in a group without inversion."""
    if structure.space_group.centrosymmetric:
        return
    flack = block.number("_refine_ls_abs_structure_Flack")
    if flack is None:
        yield Alert(
            "FLACK",
            "C",
            1,
            "No Flack parameter is given for a non-centrosymmetric structure.",
            like="PLAT032",
        )
    elif flack.value - 3 * (flack.su or 0) > 0.5:
        yield Alert("FLACK", "A", 2, minus(f"The Flack parameter is {flack.text}: invert the structure."))
    elif (flack.su or 0) > 0.3:
        yield Alert(
            "FLACK", "G", 4, minus(f"The Flack parameter {flack.text} decides nothing."), like="PLAT032"
        )
