"""Summary cards: a dataset or a result at a glance, as HTML and as text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from qcrbox.crystallography.radiation import density_unit_of
from qcrbox.language import tr
from qcrbox.markup import cell_html, escape, pairs_html, space_group_symbol
from qcrbox.markup.colours import WARN
from qcrbox.markup.said import Said, said_html

if TYPE_CHECKING:
    from qcrbox.cif.document import Block

_BOX = "border:1px solid rgba(128,128,128,.35);border-radius:6px;padding:8px 12px;display:inline-block;max-width:100%"
_ITEMS = (
    ("formula", ("_chemical_formula_sum",), ""),
    ("a / Å", ("_cell_length_a",), ""),
    ("b / Å", ("_cell_length_b",), ""),
    ("c / Å", ("_cell_length_c",), ""),
    ("α / °", ("_cell_angle_alpha",), ""),
    ("β / °", ("_cell_angle_beta",), ""),
    ("γ / °", ("_cell_angle_gamma",), ""),
    ("V / Å³", ("_cell_volume",), ""),
    ("space group", ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"), ""),
    ("Hall", ("_space_group_name_Hall",), ""),
    ("Z", ("_cell_formula_units_Z",), ""),
    ("T / K", ("_diffrn_ambient_temperature", "_cell_measurement_temperature"), ""),
    ("λ / Å", ("_diffrn_radiation_wavelength",), ""),
    ("R1", ("_refine_ls_R_factor_gt",), ""),
    ("wR2", ("_refine_ls_wR_factor_ref",), ""),
    ("S", ("_refine_ls_goodness_of_fit_ref",), ""),
    ("Δρ max", ("_refine_diff_density_max",), ""),
    ("Δρ min", ("_refine_diff_density_min",), ""),
    ("max shift/s.u.", ("_refine_ls_shift/su_max",), ""),
    ("Flack", ("_refine_ls_abs_structure_Flack",), ""),
)


def items_of(block: Block) -> list[tuple[str, str]]:
    """(label, text) of the main items of a block; unknown values are left out."""
    found = []
    for label, tags, _ in _ITEMS:
        for tag in tags:
            text = block.text(tag)
            if text is not None and text.strip():
                unit = f" / {density_unit_of(block)}" if label.startswith("Δρ") else ""
                found.append((f"{label}{unit}", _typographic(label, " ".join(text.split()))))
                break
    return found


def _typographic(label: str, text: str) -> str:
    # A true minus for numbers and the overbar of space groups; what is stored stays as written.
    if label == "space group":
        words = text.split()
        return space_group_symbol(
            " ".join(f"{w[1:]}\u0305" if w.startswith("-") and w[1:].isdigit() else w for w in words)
        )
    return text.replace("-", "−", 1) if text.startswith("-") and label != "Hall" else text


@dataclass(frozen=True)
class DatasetSummary:
    """A dataset at a glance: file names, tags, (label, text) of its CIF, and what is embedded in it."""

    name: str
    files: Sequence[str]
    tags: Sequence[str]
    items: Sequence[tuple[str, str]]
    flags: Sequence[str]


def flags_of(block: Block | None, files: Sequence[str]) -> list[str]:
    """Whether reflections and a .res are embedded in the block, or an .hkl lies beside it."""
    flags = []
    if block is not None:
        if "_shelx_hkl_file" in block or block.loop("_refln") or block.loop("_diffrn_refln"):
            flags.append("embedded reflections ✓")
        if "_shelx_res_file" in block:
            flags.append("embedded res ✓")
    if any(name.lower().endswith(".hkl") for name in files):
        flags.append("hkl ✓")
    return flags


def dataset_text(summary: DatasetSummary) -> str:
    """The summary as lines of text."""
    lines = [f"Dataset {summary.name!r}: {', '.join(summary.files) or 'no files'}"]
    lines += [f"  {tr(label)}: {text}" for label, text in summary.items]
    tags = [f"  tags: {', '.join(summary.tags)}"] if summary.tags else []
    flags = [f"  {', '.join(summary.flags)}"] if summary.flags else []
    return "\n".join([*lines, *flags, *tags])


def dataset_html(summary: DatasetSummary) -> str:
    """The summary as an HTML card."""
    files = escape(", ".join(summary.files))
    head = f"<b>{escape(summary.name)}</b> <span style='opacity:.7'>{files}</span>"
    tags = "".join(
        f"<span style='border:1px solid;border-radius:9px;padding:0 7px;margin-left:6px;opacity:.8'>{escape(tag)}</span>"
        for tag in summary.tags
    )
    flags = f"<div style='opacity:.8;margin-top:4px'>{escape(' · '.join(summary.flags))}</div>"
    return f"<div style='{_BOX}'><div>{head}{tags}</div>{pairs_html(summary.items)}{flags}</div>"


def result_html(
    title: str, short_id: str, figures: Sequence[tuple[str, str]], said: Said, files: Sequence[str]
) -> str:
    """A result as an HTML card: title, figures of merit, warnings, notes, file names. Warnings make it amber."""
    sign = f"<span style='color:{WARN}'>⚠</span>" if said.warnings else "✓"
    return (
        f"<div style='{_BOX}'><b>{sign} {cell_html(title)} ({escape(short_id)})</b>{pairs_html(figures)}{said_html(said)}"
        f"<div style='opacity:.7;margin-top:4px'>files: {escape(', '.join(files)) or 'no files'}</div></div>"
    )
