"""A structural model from one CIF data block."""

from __future__ import annotations

import math
import re

from cctbx import crystal, sgtbx, uctbx
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError

from qcrbox_refine import weighting
from qcrbox_refine.cif_instructions import ITEMS, follow_instructions, is_shelx, kept_restraints
from qcrbox_refine.cif_text import UNKNOWN, CifBlock, read_blocks
from qcrbox_refine.model import Atom, Model, element_symbol, scattering_type
from qcrbox_refine.numbers import parse_number

_CELL = ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma")
_U_NAMES = ("U_11", "U_22", "U_33", "U_12", "U_13", "U_23")
_B_TO_U = 1 / (8 * math.pi**2)


def model_from_cif_file(path: str, block_name: str | None = None) -> Model:
    """The model of the chosen block, else of the first block with atoms."""
    blocks = read_blocks(path)
    if block_name:
        chosen = [block for block in blocks if block.name.lower() == block_name.lower()]
    else:
        chosen = [block for block in blocks if block.column("_atom_site_label")]
    if not chosen:
        names = ", ".join(block.name for block in blocks)
        raise MissingItemsError(
            f"no block {block_name!r} here." if block_name else "the CIF has no atoms (_atom_site_label).",
            where=str(path).rpartition("/")[2],
            why=f"Its data blocks: {names}.",
            next="Least squares start from a model: solve the structure first, or choose another file.",
            items=["_atom_site_label"],
        )
    model = model_from_block(chosen[0])
    if len(chosen) > 1:
        model.note(f"The CIF has {len(chosen)} structures; {chosen[0].name} is refined.")
    return model


def model_from_block(block: CifBlock) -> Model:
    """Raises MissingItemsError (all missing items at once), CifError (values that are none)."""
    symmetry, cell_su = _symmetry(block)
    model = Model(symmetry=symmetry, atoms=[], cell_su=cell_su, title=block.name, source=block)
    wavelength = block.number("_diffrn_radiation_wavelength")
    model.wavelength = wavelength[0] if wavelength else None
    temperature = block.number("_diffrn_ambient_temperature", "_cell_measurement_temperature")
    model.temperature_k = temperature[0] if temperature else None
    z = block.number("_cell_formula_units_Z")
    model.z = z[0] if z else None
    if (block.text("_qcrbox_formula_from_atoms") or "no") != "yes":
        model.formula = parse_formula(block.text("_chemical_formula_sum"))
    model.weights = weighting.parse_details(block.text("_refine_ls_weighting_details")) or None
    extinction = block.number("_refine_ls_extinction_coef")
    model.extinction = extinction[0] if extinction else None
    _refuse_what_is_not_supported(block)
    model.dispersion = _dispersion(block)
    model.atoms = _atoms(block, model)
    kept = block.text("_qcrbox_refine_restraints")
    if kept:
        kept_restraints(model, kept)
    for item in ITEMS:
        text = block.text(item)
        if text and is_shelx(text):
            follow_instructions(model, text, f"data_{block.name} {item}")
            break
    return model


def parse_formula(text: str | None) -> dict[str, float]:
    """`C10 H10 F2 N4` as counts; charges and brackets are left out."""
    found = re.findall(r"\b([A-Z][a-z]?)(\d*\.?\d*)(?=\s|$|,)", text or "")
    return {element: float(count or 1) for element, count in found}


def _symmetry(block: CifBlock) -> tuple[crystal.symmetry, tuple[float, ...]]:
    cell = [block.number(f"_cell_{name}") for name in _CELL]
    missing = [f"_cell_{name}" for name, value in zip(_CELL, cell, strict=True) if value is None]
    group = space_group(block)
    if group is None:
        missing.append("_space_group_symop_operation_xyz")
    if missing:
        raise MissingItemsError(
            f"the CIF has no {', '.join(missing)}.",
            where=f"data_{block.name}",
            why="A refinement needs the unit cell and the space group.",
            next="Add them to the CIF.",
            items=missing,
        )
    parameters = [value[0] for value in cell]
    try:
        unit_cell = uctbx.unit_cell(parameters)
        symmetry = crystal.symmetry(
            unit_cell=unit_cell, space_group=group, assert_is_compatible_unit_cell=False
        )
    except (RuntimeError, ValueError, AssertionError) as error:
        raise CifError(
            f"the unit cell {parameters} is impossible.",
            where=f"data_{block.name}",
            why=str(error),
            next="Correct the six _cell_ values.",
            block=block.name,
            tag="_cell_length_a",
        ) from error
    if not group.is_compatible_unit_cell(unit_cell, 0.01, 1.0):
        raise CifError(
            f"the unit cell {' '.join(f'{p:g}' for p in parameters)} does not fit space group "
            f"{sgtbx.space_group_info(group=group)}.",
            where=f"data_{block.name}",
            why="The symmetry operations would change its lengths or angles.",
            next="Check cell, setting (for example P 21/c or P 21/n) and crystal system.",
            block=block.name,
            tag="_cell_length_a",
        )
    return symmetry, tuple(value[1] for value in cell)


def space_group(block: CifBlock) -> sgtbx.space_group | None:
    """By operations, else Hall symbol, else Hermann-Mauguin symbol, else number: that order of trust."""
    operations = block.column("_space_group_symop_operation_xyz")
    if not operations and block.text("_space_group_symop_operation_xyz"):
        operations = [block.text("_space_group_symop_operation_xyz")]
    try:
        if operations:
            group = sgtbx.space_group()
            for operation in operations:
                group.expand_smx(sgtbx.rt_mx(operation.replace(" ", "").lower()))
            return group
        hall = block.text("_space_group_name_Hall")
        if hall:
            return sgtbx.space_group(hall)
        name = block.text("_space_group_name_H-M_alt") or block.text("_space_group_IT_number")
        if name:
            return sgtbx.space_group_info(symbol=re.sub(r"\((\d)\)", r"\1", name)).group()
    except (RuntimeError, ValueError) as error:
        raise CifError(
            "the space group cannot be understood.",
            where=f"data_{block.name}",
            why=str(error),
            next="Correct _space_group_symop_operation_xyz or the symbol.",
            block=block.name,
            tag="_space_group_symop_operation_xyz",
        ) from error
    return None


def _refuse_what_is_not_supported(block: CifBlock) -> None:
    if block.column("_cell_wave_vector_seq_id") or block.text("_space_group_ssg_name"):
        raise UserInputError(
            "this is a modulated structure.",
            where=f"data_{block.name}",
            why="The least squares here know three dimensions only.",
            next="Refine it with a program for superspace groups.",
        )


def _dispersion(block: CifBlock) -> dict[str, tuple[float, float]]:
    symbols = block.column("_atom_type_symbol") or []
    real = block.column("_atom_type_scat_dispersion_real") or []
    imaginary = block.column("_atom_type_scat_dispersion_imag") or []
    found = {}
    for symbol, fp, fdp in zip(symbols, real, imaginary, strict=False):
        values = parse_number(fp), parse_number(fdp)
        if all(values) and re.match(r"[A-Za-z]+", symbol):
            found[element_symbol(symbol)] = (values[0][0], values[1][0])
    return found


def _atoms(block: CifBlock, model: Model) -> list[Atom]:
    labels = block.column("_atom_site_label") or []
    columns = {
        key: block.column(f"_atom_site_{key}")
        for key in [
            "type_symbol",
            "fract_x",
            "fract_y",
            "fract_z",
            "occupancy",
            "U_iso_or_equiv",
            "B_iso_or_equiv",
            "calc_flag",
            "refinement_flags_posn",
            "refinement_flags",
            "disorder_assembly",
            "disorder_group",
            "adp_type",
        ]
    }
    repeated = sorted({label for label in labels if labels.count(label) > 1})
    if repeated:
        raise CifError(
            f"the atom label {repeated[0]} stands for more than one atom.",
            where=f"data_{block.name}",
            why=f"Labels given twice: {', '.join(repeated[:10])}.",
            next="Give every atom its own label.",
            block=block.name,
            tag="_atom_site_label",
        )
    tensors = _tensors(block, model)

    def cell(key: str, row: int) -> str:
        column = columns[key]
        return column[row].strip() if column and column[row].strip() not in UNKNOWN else ""

    atoms = []
    for row, label in enumerate(labels):
        site = [parse_number(cell(f"fract_{axis}", row)) for axis in "xyz"]
        if None in site:
            if cell("calc_flag", row) == "dum":
                continue
            raise CifError(
                f"atom {label} has no coordinates.",
                where=f"data_{block.name}",
                next="Complete or delete the atom.",
                block=block.name,
                tag="_atom_site_fract_x",
            )
        occupancy = parse_number(cell("occupancy", row))
        u_iso = parse_number(cell("U_iso_or_equiv", row))
        b_iso = parse_number(cell("B_iso_or_equiv", row))
        flags = cell("refinement_flags_posn", row) or cell("refinement_flags", row)
        atom = Atom(
            label=label,
            element=scattering_type(cell("type_symbol", row), label),
            site=tuple(value[0] for value in site),
            occupancy=occupancy[0] if occupancy else 1.0,
            u_iso=u_iso[0] if u_iso else b_iso[0] * _B_TO_U if b_iso else 0.05,
            u_aniso=tensors.get(label.upper()),
            part=_part(cell("disorder_group", row)),
            assembly=cell("disorder_assembly", row),
        )
        atom.riding = atom.is_hydrogen and ("R" in flags or cell("calc_flag", row).startswith("c"))
        atoms.append(atom)
    return atoms


def _part(group: str) -> int:
    if not group:
        return 0
    if re.fullmatch(r"-?\d+", group):
        return int(group)
    return ord(group[0].upper()) - ord("A") + 1


def _tensors(block: CifBlock, model: Model) -> dict[str, tuple[float, ...]]:
    labels = block.column("_atom_site_aniso_label") or []
    columns = [block.column(f"_atom_site_aniso_{name}") for name in _U_NAMES]
    factor = 1.0
    if None in columns:
        columns = [block.column(f"_atom_site_aniso_{name.replace('U', 'B')}") for name in _U_NAMES]
        factor = _B_TO_U
    if None in columns:
        if labels:
            model.note("The table of anisotropic displacement parameters is incomplete and was left out.")
        return {}
    tensors = {}
    for label, *texts in zip(labels, *columns, strict=True):
        values = [parse_number(text) for text in texts]
        if all(values):
            tensors[label.upper()] = tuple(value[0] * factor for value in values)
    return tensors
