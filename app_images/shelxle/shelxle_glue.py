"""ShelXle works on name.res and name.hkl; the platform on CIF: what is done before its window opens and after.

The working files are `model.*`. ShelXle saves name.ins or name.res, and its Refine button writes name.ins and
reads the name.res that our `shelxl` makes of it; the newest of them is what the person left behind.
"""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

from qcrbox import cif
from qcrbox.contract.errors import MissingItemsError, QcError, UserInputError
from qcrbox.crystallography.measurement import stated_wavelength
from qcrbox.crystallography.shelx import export_hkl, export_ins
from qcrbox_refine import cif_output  # cctbx is loaded before a person waits for it
from qcrbox_refine.refinement import prepare_model
from qcrbox_refine.scattering import wavelength_by_dispersion
from qcrbox_refine.shelx_input import read_shelx
from qcrbox_refine.shelxl import refine_shelx_files

NAME = "model"
PREPARED = Path(".prepared.res")


def prepare(structure: str, reflections: str | None = None, wavelength: float | None = None) -> None:
    """Write model.res and, where there are reflections, model.hkl into the working directory."""
    block = _structure_block(structure)
    try:
        text, notes = export_ins(block, wavelength=wavelength or wavelength_told_by_dispersion(block))
    except MissingItemsError as problem:
        raise UserInputError(
            f"ShelXle cannot open this structure: {problem.what}", next=problem.next
        ) from None
    text = with_acta(text)
    Path(f"{NAME}.res").write_text(text, encoding="utf-8")
    PREPARED.write_text(text, encoding="utf-8")
    for note in notes:
        print(note, flush=True)  # noqa: T201 - the session's log is where the person reads it
    if _write_reflections(block, reflections):
        write_first_map(text)


def _write_reflections(block: cif.Block, reflections: str | None) -> bool:
    hkl = Path(f"{NAME}.hkl")
    if reflections:
        shutil.copyfile(reflections, hkl)
        return True
    notes: list[str] = []
    try:
        hkl.write_text(export_hkl(block, notes), encoding="utf-8")
    except MissingItemsError:
        print("There are no reflections: no density maps, and Refine cannot work.", flush=True)  # noqa: T201
        return False
    for note in notes:
        print(note, flush=True)  # noqa: T201
    return True


def write_first_map(text: str) -> None:
    """model.fcf of the model as it is, so that the density is there when the window opens. A failure is one line in the log."""
    folder = Path(".first-map")
    folder.mkdir()
    kept = [
        line
        for line in text.splitlines()
        if not line.upper().startswith(("L.S.", "CGLS", "LIST", "ACTA", "PLAN"))
    ]
    unit = next((i for i, line in enumerate(kept) if line.upper().startswith("UNIT")), 0)
    ins = folder / f"{NAME}.ins"
    ins.write_text(
        "\n".join([*kept[: unit + 1], "LIST 6", "L.S. 0", *kept[unit + 1 :]]) + "\n", encoding="utf-8"
    )
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # its listing says nothing the window does not
            refine_shelx_files(ins, f"{NAME}.hkl")
        shutil.copyfile(folder / f"{NAME}.fcf", f"{NAME}.fcf")
    except QcError as problem:
        print(f"No density map at the beginning: {problem.message}", flush=True)  # noqa: T201
    finally:
        shutil.rmtree(folder)


def finalise(edited: str, res: str) -> list[str] | None:
    """The saved model as CIF and .res; None when nothing was changed."""
    saved = newest()
    if saved is None or same_instructions(saved.read_text(errors="replace"), PREPARED.read_text()):
        print("Nothing was changed.", flush=True)  # noqa: T201
        return None
    refined = Path(f"{NAME}.cif")
    if refined.is_file() and was_refined_last(refined):
        shutil.copyfile(refined, edited)
        Path(res).write_text(_embedded_res(refined), encoding="utf-8")
    else:
        shutil.copyfile(saved, res)
        Path(edited).write_text(cif_of(saved), encoding="utf-8")
    return [edited, res]


def _structure_block(structure: str) -> cif.Block:
    """The block with atoms; files of several blocks begin with one that has none."""
    blocks = cif.read(Path(structure)).blocks
    return next((block for block in blocks if block.loop("_atom_site_label") is not None), blocks[0])


def wavelength_told_by_dispersion(block: cif.Block) -> float | None:
    """For a file that gives none: the one that its f' and f'' belong to, in Å; None when it gives one."""
    if stated_wavelength(block)[0] is not None:
        return None
    loop = block.loop("_atom_type_scat_dispersion_real")
    names = ("_atom_type_symbol", "_atom_type_scat_dispersion_real", "_atom_type_scat_dispersion_imag")
    if loop is None or not all(name in loop for name in names):
        return None
    elements = loop.column(names[0])
    real, imaginary = (loop.numbers(name).tolist() for name in names[1:])
    found = wavelength_by_dispersion(
        {element: (fp, fdp) for element, fp, fdp in zip(elements, real, imaginary, strict=True)}
    )
    return found[1] if found else None


def with_acta(text: str) -> str:
    """With the instruction that makes a refinement write a CIF: its s.u. are wanted at the end."""
    lines = text.splitlines()
    if any(line.upper().startswith("ACTA") for line in lines):
        return text
    at = next((i for i, line in enumerate(lines) if line.upper().startswith("UNIT")), None)
    if at is None:
        return text
    return "\n".join([*lines[: at + 1], "ACTA", *lines[at + 1 :]]) + "\n"


def newest() -> Path | None:
    """What was saved last; a .res that a refinement wrote after the .ins it came from counts as later."""
    files = [path for path in (Path(f"{NAME}.ins"), Path(f"{NAME}.res")) if path.is_file()]
    return max(files, key=lambda path: (path.stat().st_mtime_ns, path.suffix), default=None)


def was_refined_last(refined: Path) -> bool:
    """True when nothing was saved after the last refinement but what went into it or came out of it."""
    saved = newest()
    if saved is None:
        return False
    # The stand-in writes .res, .lst, .fcf and .cif in one go.
    if saved.stat().st_mtime_ns <= refined.stat().st_mtime_ns:
        return True
    text, went_in = saved.read_text(errors="replace"), Path(".refined.ins")
    known = [_embedded_res(refined)] + ([went_in.read_text(errors="replace")] if went_in.is_file() else [])
    return any(same_instructions(text, other) for other in known)


def _embedded_res(refined: Path) -> str:
    return (cif.read(refined).blocks[0].text("_shelx_res_file") or "").strip("\n") + "\n"


def same_instructions(one: str, other: str) -> bool:
    """Equal up to blanks, and to what stands after END (peaks of the density, suggested weights)."""
    return _instructions(one) == _instructions(other)


def _instructions(text: str) -> list[str]:
    lines = []
    for line in text.splitlines():
        words = " ".join(line.split())
        if words.upper() == "END":
            break
        if words:
            lines.append(words)
    return lines


def cif_of(saved: Path) -> str:
    """A CIF of the model in a SHELX file: no s.u., since nothing was refined."""
    model = read_shelx(saved)
    prepare_model(model)
    block = cif_output.model_block(model)
    block.set("_shelx_res_file", saved.read_text(errors="replace"))
    return str(block)
