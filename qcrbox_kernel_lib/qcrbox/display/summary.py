"""Summary cards: a dataset or a result at a glance, as HTML and as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from qcrbox.contract.errors import QcError
from qcrbox.display import show
from qcrbox.display.show import escape
from qcrbox.language import tr

if TYPE_CHECKING:
    from qcrbox.api.datasets import Dataset
    from qcrbox.api.results import Result

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
    ("Δρ max / e Å⁻³", ("_refine_diff_density_max",), ""),
    ("Δρ min / e Å⁻³", ("_refine_diff_density_min",), ""),
    ("max shift/s.u.", ("_refine_ls_shift/su_max",), ""),
    ("Flack", ("_refine_ls_abs_structure_Flack",), ""),
)


def items_of(block: Any) -> list[tuple[str, str]]:
    """(label, text) of what the block says of itself; unknown values are left out."""
    found = []
    for label, tags, _ in _ITEMS:
        for tag in tags:
            text = block.text(tag)
            if text is not None:
                found.append((label, _typographic(label, text)))
                break
    return found


def _typographic(label: str, text: str) -> str:
    # A true minus for numbers and the overbar of space groups; what is stored stays as written.
    if label == "space group":
        words = text.split()
        return " ".join(f"{w[1:]}\u0305" if w.startswith("-") and w[1:].isdigit() else w for w in words)
    return text.replace("-", "−", 1) if text.startswith("-") and label != "Hall" else text


def _about(dataset: Dataset) -> list[tuple[str, str]]:
    try:
        return items_of(dataset.cif.block)
    except QcError as error:
        return [("note", error.message)]


def _flags(dataset: Dataset) -> list[str]:
    names = [name.lower() for name in dataset.files]
    flags = []
    try:
        block = dataset.cif.block
        if "_shelx_hkl_file" in block or block.loop("_refln") or block.loop("_diffrn_refln"):
            flags.append("embedded reflections ✓")
        if "_shelx_res_file" in block:
            flags.append("embedded res ✓")
    except QcError:
        pass
    if any(name.endswith(".hkl") for name in names):
        flags.append("hkl ✓")
    return flags


def dataset_text(dataset: Dataset) -> str:
    lines = [f"Dataset {dataset.name!r}: {', '.join(dataset.files) or 'no files'}"]
    lines += [f"  {tr(label)}: {text}" for label, text in _about(dataset)]
    tags = [f"  tags: {', '.join(dataset.tags)}"] if dataset.tags else []
    flags = [f"  {', '.join(_flags(dataset))}"] if _flags(dataset) else []
    return "\n".join([*lines, *flags, *tags])


def dataset_html(dataset: Dataset) -> str:
    head = f"<b>{escape(dataset.name)}</b> <span style='opacity:.7'>{escape(', '.join(dataset.files))}</span>"
    tags = "".join(
        f"<span style='border:1px solid;border-radius:9px;padding:0 7px;margin-left:6px;opacity:.8'>{escape(tag)}</span>"
        for tag in dataset.tags
    )
    flags = f"<div style='opacity:.8;margin-top:4px'>{escape(' · '.join(_flags(dataset)))}</div>"
    return f"<div style='{_BOX}'><div>{head}{tags}</div>{pairs_html(_about(dataset))}{flags}</div>"


def pairs_html(pairs: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<div style='min-width:7.5em'><div style='opacity:.65;font-size:.85em'>{escape(tr(label))}</div>"
        f"<div>{escape(text)}</div></div>"
        for label, text in pairs
    )
    return f"<div style='display:flex;flex-wrap:wrap;gap:6px 16px;margin-top:6px'>{cells}</div>"


def result_html(result: Result) -> str:
    figures = pairs_html(result._figures())
    warnings = "".join(f"<div>⚠ {escape(warning)}</div>" for warning in result.warnings)
    files = ", ".join(escape(name) for name in result.files) or "no files"
    head = f"<b>✓ {escape(result.name)}</b>"
    return (
        f"<div style='{_BOX}'>{head}{figures}{warnings}"
        f"<div style='opacity:.7;margin-top:4px'>files: {files}</div></div>"
    )


def dataset_table(
    datasets: list[Dataset], title: str, when_empty: str = "Nothing here yet: qc.add(…) stores."
) -> show.Table:
    rows = []
    for dataset in datasets:
        index = next((f.said.get("index") for f in dataset.files.values() if f.said.get("index")), None) or {}
        rows.append(
            (
                dataset.name,
                index.get("formula_sum") or "",
                index.get("space_group_hm") or "",
                index.get("r1"),
                ", ".join(dataset.files),
                ", ".join(dataset.tags),
                dataset.said.get("owner") or "",
                str(dataset.said.get("created_at") or "")[:16].replace("T", " "),
            )
        )
    heads = ("name", "formula", "space group", "R1", "files", "tags", "owner", "stored")
    return show.Table(heads, rows, title=title, caption="" if rows else when_empty)
