"""The commands of the application qcrboxtools: thin, the work is done in `qcrbox.cif`.

Arguments arrive as plain texts and numbers; the text `None` and the empty text mean "not given".
Every function writes its outputs into the working directory and returns the file of its primary one.
"""

from __future__ import annotations

import json
from pathlib import Path

from qcrbox.cif import Document, read
from qcrbox.cif.anisotropic import iso_to_aniso
from qcrbox.cif.convergence import check_convergence
from qcrbox.cif.convert import DEFAULT_CATEGORIES, unify
from qcrbox.cif.document import Block
from qcrbox.cif.replacement import replace_structure


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
    return _write(output_cif, document.to_bytes())


def check_structure_convergence(
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


def _block(path: str) -> Block:
    """The block with atoms of a CIF that holds one structure."""
    return _document(path).sole_block()


def _document(path: str) -> Document:
    return read(Path(path))


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
