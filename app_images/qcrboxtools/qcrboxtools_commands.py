"""The commands of the application qcrboxtools: thin, the work is done in `qcrbox.cif`.

Arguments arrive as plain texts and numbers; the text `None` and the empty text mean "not given".
Every function writes its outputs into the working directory and returns the file of its primary one.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

from qcrbox.analysis.convergence import check_convergence
from qcrbox.analysis.difference import crystal_difference, semantic_difference
from qcrbox.analysis.quality import quality_indicators as indicators_of
from qcrbox.analysis.validation import validate as run_checks
from qcrbox.cif import read
from qcrbox.cif.convert import DEFAULT_CATEGORIES, is_cif, unify
from qcrbox.cif.document import Block
from qcrbox.contract.errors import CifError, MissingItemsError, UserInputError
from qcrbox.crystallography import shelx
from qcrbox.crystallography.anisotropic import iso_to_aniso
from qcrbox.crystallography.aspheric import form_factor_document, read_form_factors
from qcrbox.crystallography.replacement import replace_structure
from qcrbox.crystallography.structure import Structure
from qcrbox.crystallography.structure.reading import read_space_group
from qcrbox.crystallography.tsc import read_tsc, write_tsc, write_tscb
from qcrbox.display.glb import ortep_glb


def to_unified_cif(
    input_cif: str,
    custom_categories: str | None = None,
    split_su: bool = True,
    output_cif: str = "unified.cif",
) -> str:
    """Write a CIF of any dialect as unified CIF."""
    categories = _listed(custom_categories) or list(DEFAULT_CATEGORIES)
    conversion = unify(Path(input_cif), custom_categories=categories, split_su=split_su)
    for remark in conversion.warnings:
        print(remark)  # noqa: T201 - the log of the calculation
    return _write(output_cif, conversion.bytes)


def iso2aniso(
    input_cif: str,
    select_names: str | None = None,
    select_elements: str | None = None,
    select_regexes: str | None = None,
    overwrite: bool = False,
    output_cif: str = "anisotropic.cif",
) -> str:
    """Give isotropic atoms anisotropic displacement parameters; the three ways of choosing add up."""
    conversion = unify(Path(input_cif))
    changed = iso_to_aniso(
        conversion.block,
        by_name=_listed(select_names),
        by_element=_listed(select_elements),
        by_regex=_listed(select_regexes),
        overwrite=overwrite,
    )
    print(f"{len(changed)} atoms made anisotropic: {', '.join(changed) or 'none'}")  # noqa: T201
    return _write(output_cif, conversion.document.to_bytes())


def replace_structure_from_cif(
    input_cif: str,
    structure_cif: str,
    keep_weighting: bool = True,
    force: bool = False,
    output_cif: str = "replaced.cif",
) -> str:
    """Put the atoms of `structure_cif` into `input_cif`."""
    document = replace_structure(
        Path(input_cif), Path(structure_cif), keep_weighting=keep_weighting, force=force
    )
    for remark in document.diagnostics:
        print(remark)  # noqa: T201 - the log of the calculation
    return _write(output_cif, document.to_bytes())


def check_structure_convergence(  # noqa: PLR0913 - parameters of a command, by name
    cif1: str,
    cif2: str,
    max_abs_position: float | None = None,
    mean_abs_position: float | None = None,
    max_position_su: float | None = None,
    mean_position_su: float | None = None,
    max_abs_uij: float | None = None,
    mean_abs_uij: float | None = None,
    max_uij_su: float | None = None,
    mean_uij_su: float | None = None,
    output_json: str = "convergence.json",
) -> str:
    """Compare two structures and write `{"converged": ..., "values": ...}`."""
    answer = check_convergence(
        _block(cif1),
        _block(cif2),
        {
            "max abs position": max_abs_position,
            "mean abs position": mean_abs_position,
            "max position/su": max_position_su,
            "mean position/su": mean_position_su,
            "max abs uij": max_abs_uij,
            "mean abs uij": mean_abs_uij,
            "max uij/su": max_uij_su,
            "mean uij/su": mean_uij_su,
        },
    )
    return _write(output_json, answer.to_json().encode())


def compare_cifs(
    cif1: str, cif2: str, ignore: str | None = None, su: float = 0.0, output_json: str = "difference.json"
) -> str:
    """Differences of two CIFs by meaning and, where both have a structure, as crystal structures."""
    meaning = semantic_difference(Path(cif1), Path(cif2), ignore=_listed(ignore), su=su)
    answer: dict[str, object] = {
        "semantic": [asdict(change) for change in meaning.changes],
        "cut": meaning.cut,
    }
    try:
        first, second = Structure.from_cif(Path(cif1)), Structure.from_cif(Path(cif2))
    except (CifError, MissingItemsError) as error:
        answer["crystal"], answer["crystal_not_compared"] = None, error.message
    else:
        answer["crystal"] = asdict(crystal_difference(first, second))
    return _write_json(output_json, answer)


def export_hkl(input_cif: str, output_hkl: str = "reflections.hkl") -> str:
    """Write the reflections of a CIF as a SHELX .hkl file."""
    notes: list[str] = []
    text = shelx.export_hkl(_block(input_cif), notes)
    for note in notes:
        print(note)  # noqa: T201 - the log of the calculation
    return _write(output_hkl, text.encode("latin-1", "replace"))


def export_ins(
    input_cif: str,
    embedded: bool = True,
    wavelength: float | None = None,
    cycles: int = 10,
    output_ins: str = "structure.ins",
) -> str:
    """Write the structure of a CIF as a SHELX .ins file."""
    text, notes = shelx.export_ins(_block(input_cif), embedded=embedded, wavelength=wavelength, cycles=cycles)
    for note in notes:
        print(note)  # noqa: T201 - the log of the calculation
    return _write(output_ins, text.encode("latin-1", "replace"))


def symmetry_cards(input_cif: str, output_cards: str = "symmetry.txt") -> str:
    """Write the LATT and SYMM cards of the space group, as SHELXT and SHELXL read them."""
    structure = read_space_group(_block(input_cif))
    for note in (*structure.contradictions, *structure.notes):
        print(note)  # noqa: T201
    return _write(output_cards, ("\n".join(shelx.symmetry_cards(structure)) + "\n").encode())


def afix_table(instructions: str, output_table: str = "afix.csv") -> str:
    """Write the AFIX codes of a .ins or .res file, or of the one embedded in a CIF, as a CSV table."""
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow(("label", "afix", "pivot", "meaning"))
    for row in shelx.afix_table(_instructions(instructions)):
        writer.writerow((row.label, row.code, row.pivot, row.meaning))
    return _write(output_table, table.getvalue().encode())


def apply_afix_table(instructions: str, table: str, output_ins: str = "with_afix.ins") -> str:
    """Write a .ins file with AFIX cards as a CSV table wants (columns label, afix)."""
    with Path(table).open(newline="", encoding="utf-8-sig") as file:
        rows = list(csv.DictReader(file))
    if rows and not {"label", "afix"} <= set(rows[0]):
        raise UserInputError("The table needs the columns label and afix.", where=Path(table).name)
    try:
        codes = {row["label"]: int(row["afix"]) for row in rows}
    except (TypeError, ValueError) as problem:
        raise UserInputError(
            "An AFIX code is no whole number.", where=Path(table).name, why=str(problem)
        ) from problem
    labels = [row["label"].upper() for row in rows]
    twice = sorted({label for label in labels if labels.count(label) > 1})
    if twice:
        raise UserInputError(
            f"The table names {', '.join(twice)} more than once.",
            where=Path(table).name,
            next="Give one AFIX code for each atom.",
        )
    return _write(
        output_ins, shelx.apply_afix(_instructions(instructions), codes).encode("latin-1", "replace")
    )


def ortep_scene(
    input_cif: str, probability: float = 0.5, grow: str = "molecule", disorder: str = "all"
) -> str:
    """Write a scene of displacement ellipsoids and bonds as a binary glTF file."""
    structure = Structure.from_cif(Path(input_cif))
    atoms = structure.pack(disorder=disorder) if grow == "cell" else structure.grow(grow, disorder=disorder)
    return _write("structure.glb", ortep_glb(atoms, probability, structure.name))


def convert_form_factors(table: str, to: str = "other", structure_cif: str | None = None) -> str:
    """Turn a .tsc, a .tscb or the form factors in a CIF into another of the three.

    The form is recognised by content. `other` makes a .tsc of a .tscb or a CIF, and a .tscb of a .tsc.
    """
    data, name = Path(table).read_bytes(), Path(table).name
    in_cif = is_cif(data)
    factors = read_form_factors(_block(table)).table if in_cif else read_tsc(data, name)
    if to == "other":
        to = "tscb" if not in_cif and b"DATA:" in data else "tsc"
    if to == "cif":
        source = _block(structure_cif or table) if structure_cif or in_cif else None
        if source is None:
            raise UserInputError(
                "Form factors in a CIF need the cell and atoms they belong to.",
                next="Give the CIF of the structure as structure_cif.",
            )
        return _write(
            f"{Path(table).stem}_form_factors.cif", form_factor_document(factors, source).to_bytes()
        )
    return _write(f"{Path(table).stem}.{to}", write_tscb(factors) if to == "tscb" else write_tsc(factors))


def validate(
    input_cif: str, output_report: str = "validation.txt", output_json: str = "validation.json"
) -> str:
    """Run the local subset of structure checks."""
    answer = run_checks(_block(input_cif))
    print(answer.notice)  # noqa: T201
    _write_json(output_json, answer.to_dict())
    return _write(output_report, answer.to_text().encode())


def quality_indicators(input_cif: str, shells: int = 10, output_json: str = "quality.json") -> str:
    """Compute the quality indicators of data and model."""
    return _write_json(output_json, indicators_of(_block(input_cif), shells=shells).to_dict())


def _instructions(path: str) -> str:
    """The text of a .ins or .res file, or the one embedded in a CIF."""
    data = Path(path).read_bytes()
    if not is_cif(data):
        return data.decode("latin-1")
    block = read(data).sole_block()
    text = block.text("_shelx_res_file") or block.text("_iucr_refine_instructions_details")
    if not text:
        raise MissingItemsError(
            "The CIF holds no SHELX instructions.", where=Path(path).name, items=["_shelx_res_file"]
        )
    return text


def _block(path: str) -> Block:
    """The block of a CIF that holds one."""
    return read(Path(path)).sole_block()


def _listed(text: str | None) -> list[str]:
    """`C1, C2` to [C1, C2]; nothing, `None` and empty parts to []."""
    if text is None or text.strip() in ("", "None"):
        return []
    return [part.strip() for part in text.split(",") if part.strip()]


def _write(name: str, content: bytes) -> str:
    Path(name).write_bytes(content)
    return name


def _write_json(name: str, content: object) -> str:
    return _write(name, json.dumps(content, indent=2, ensure_ascii=False, allow_nan=False).encode())
