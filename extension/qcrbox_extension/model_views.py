"""What Lab shows of a file, part by part, as plain values. Plain: models in, no HTTP."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import NotFound, QcError

from qcrbox_extension.file_model import FileModel

Json = dict[str, Any]
MOST_ROWS = 200  # of a loop or of a list of reflections; the whole file is one click away
REPORTS = ("docx", "tex", "csv", "html")
PLOTS = {
    "normal_probability": "Normal probability",
    "fo_fc": "Fo against Fc",
    "variance": "Analysis of variance (weights)",
    "resolution": "Completeness and R(int) by resolution",
    "wilson": "Wilson plot",
    "intensity_distribution": "Distribution of intensities",
    "parity": "Parity classes",
    "layer": "Layer hk0",
}


def parts_of(file: FileModel, fcf: FileModel | None = None) -> Json:
    """Names of the parts that the file has; with `problem` where nothing but its text can be shown."""
    try:
        return {"parts": _parts_of(file, fcf)}
    except NotFound as error:
        return {"parts": ["text"], "problem": error.message}


def _parts_of(file: FileModel, fcf: FileModel | None) -> list[str]:
    has = {"structure": file.kind in ("shelx", "cube"), "density": file.kind == "cube"}
    if file.kind == "cif":
        has["structure"] = file.block.find("_atom_site_label") is not None
        has["items"] = True
        has["alerts"] = has["table"] = has["structure"]
        has["density"] = has["structure"] and _has_calculated(fcf or file)
        has["plots"] = True
    has["reflections"] = file.kind == "hkl"
    has["text"] = file.kind in ("cif", "shelx", "hkl")
    return [name for name, there in has.items() if there]


def facts(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The main facts as (label, text), and the remarks of the reader."""
    if file.kind == "cif":
        # Start-up time: the CIF reader is loaded with the first file.
        from qcrbox.display.summary import items_of

        remarks = [f"line {remark.line}: {remark.what}" for remark in file.document.diagnostics[:20]]
        blocks = [block.name for block in file.document.blocks]
        shown = items_of(file.block)
        if len(blocks) > 1:
            shown = [("block", f"{file.block.name} of {len(blocks)}"), *shown]
        return {"facts": shown, "remarks": remarks}
    if file.kind == "hkl":
        found = file.reflections
        return {"facts": [("reflections", f"{len(found):,}"), ("as", "SHELX HKLF 4")], "remarks": []}
    structure = file.structure
    cube = [("grid", " × ".join(map(str, file.cube.values.shape)))] if file.kind == "cube" else []
    shown = [("formula", structure.formula), ("atoms", str(len(structure.atoms.label)))]
    if file.kind == "shelx":
        shown.append(("space group", structure.space_group.hm))
    return {"facts": [*shown, *cube], "remarks": []}


def alerts(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The local checks of the model, most serious first, and what could not run."""
    # Start-up time: numpy and gemmi are loaded when crystals are computed with.
    from qcrbox.analysis.validation import validate

    found = validate(file.block)
    return {
        "alerts": [asdict(alert) | {"atoms": list(alert.atoms)} for alert in found.alerts],
        "not_run": [[name, why] for name, why in found.not_run.items()],
        "notice": found.notice,
    }


def table(file: FileModel, fcf: FileModel | None = None) -> Json:
    """Table 1 and the tables of geometry."""
    # Start-up time: as above.
    from qcrbox.display.report import Report
    from qcrbox.markup import read_text

    report = Report([file], [file.block.name])
    return {
        "tables": [
            {
                "title": made.title,
                "caption": made.caption,
                "heads": list(made.heads),
                "rows": [[read_text(cell) for cell in row] for row in made.rows],
            }
            for made in report.tables
        ]
    }


def report(suffix: str) -> Callable[[FileModel, FileModel | None], Json]:
    """Table 1 and the tables of geometry as a file: name and content."""

    def made(file: FileModel, fcf: FileModel | None = None) -> Json:
        # Start-up time: as above.
        from qcrbox.display.report import Report

        content = Report([file], [file.block.name]).content(suffix)
        return {"filename": f"{Path(file.filename).stem}_tables{suffix}", "content": content}

    return made


def plots(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The plots there are, by name and title; each is made when it is asked for."""
    return {"plots": [[name, title] for name, title in PLOTS.items()]}


def plot(name: str) -> Callable[[FileModel, FileModel | None], Json]:
    """One plot as data for the browser. Raises MissingItemsError where the file lacks what it needs."""

    def made(file: FileModel, fcf: FileModel | None = None) -> Json:
        # Start-up time: as above.
        from qcrbox.display.plots import Plots

        picture = getattr(Plots(file, fcf), name)()
        return {"chart": picture.chart.packed(), "alt": picture.alt, "twin": ""}

    return made


def outliers(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The worst fitting reflections with their indices."""
    # Start-up time: as above.
    from qcrbox.display.plots import Plots
    from qcrbox.markup import read_text

    made = Plots(file, fcf).outliers(12)
    return {
        "heads": list(made.heads[:-1]),
        "rows": [[read_text(cell) for cell in row[:-1]] for row in made.rows],
    }


def reflections(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The first reflections of a .hkl file and how strong they are."""
    found = file.reflections
    rows = [
        [*map(str, hkl), f"{intensity:.2f}", f"{sigma:.2f}"]
        for hkl, intensity, sigma in zip(
            found.hkl[:MOST_ROWS].tolist(), found.intensity[:MOST_ROWS], found.sigma[:MOST_ROWS], strict=True
        )
    ]
    good = found.sigma > 0
    strong = float((found.intensity[good] > 2 * found.sigma[good]).mean()) if good.any() else 0.0
    return {
        "heads": ["h", "k", "l", "Fo²", "σ"],
        "rows": rows,
        "total": len(found),
        "words": f"{len(found):,} reflections, {strong:.0%} with I > 2σ(I).",
    }


def text(file: FileModel, fcf: FileModel | None = None) -> Json:
    """The file as text."""
    return {"text": file.text[:2_000_000], "whole": len(file.text) <= 2_000_000}


PARTS: dict[str, Callable[[FileModel, FileModel | None], Json]] = {
    "parts": parts_of,
    "facts": facts,
    "alerts": alerts,
    "table": table,
    "plots": plots,
    "outliers": outliers,
    "reflections": reflections,
    "text": text,
    **{f"report-{kind}": report(f".{kind}") for kind in REPORTS},
    **{f"plot-{name}": plot(name) for name in PLOTS},
}


def part(name: str, file: FileModel, fcf: FileModel | None = None) -> Json:
    """A part of a file by its name. Raises NotFound for an unknown one, QcError where the file has none."""
    if name not in PARTS:
        raise NotFound(f"There is no part {name[:60]!r} of a file.")
    return PARTS[name](file, fcf)


def _has_calculated(file: FileModel) -> bool:
    try:
        return any(block.loop("_refln") is not None for block in file.document.blocks)
    except QcError:
        return False
