"""Reflections: found, read, checked and merged."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from cctbx import miller
from cctbx.array_family import flex
from iotbx.shelx import hklf
from qcrbox.contract.errors import MissingItemsError, UserInputError

from qcrbox_refine.cif_text import CifBlock, read_blocks
from qcrbox_refine.model import Model
from qcrbox_refine.numbers import parse_number


@dataclass
class Reflections:
    """Measured intensities of one crystal.

    measured: all accepted observations (F²); unique: merged, in standard setting, absences out;
    omitted: rows taken out by the user; r_int, r_sigma: of the merging (None without equivalents).
    """

    measured: miller.array
    unique: miller.array
    redundancies: flex.int
    absent: int
    omitted: int
    r_int: float | None
    r_sigma: float
    origin: str
    hkl_text: str


Found = tuple[miller.array, str, str | None]


def find_reflections(model: Model, attached: str | None) -> Found:
    """Intensities, where they came from, and the HKLF 4 text they stood in if they did: an attached file, the embedded hkl text, or CIF loops.

    Raises MissingItemsError when there are none, UserInputError for twin data and for broken files.
    """
    if attached:
        array, origin, text = _from_file(Path(attached), model)
    else:
        found = _from_block(model.source, model) if model.source else None
        if found is None:
            raise MissingItemsError(
                f"refine needs reflections, and '{model.title}' has none.",
                why="Neither an embedded _shelx_hkl_file nor a loop _diffrn_refln_ or _refln_ is there.",
                next=f'Attach them: qc["{model.title}"].attach("{model.title}.hkl"), '
                f'and give reflections=qc["{model.title}"].reflections.',
                items=["_shelx_hkl_file", "_diffrn_refln_index_h", "_refln_index_h"],
            )
        array, origin, text = found
    if array.size() == 0:
        raise UserInputError(
            "there are zero reflections.",
            where=origin,
            why="The file ends before the first reflection (a line 0 0 0 ends it).",
            next="Attach the complete hkl file.",
        )
    return array, origin, text


def prepare(
    model: Model,
    attached: str | None = None,
    omit: list[tuple[int, int, int]] | None = None,
    resolution: float | None = None,
) -> Reflections:
    """Read, take out what is to be omitted and what is absent by symmetry, merge.

    omit: indices taken out with their equivalents; resolution: d_min in Å.
    Friedel opposites are merged in centrosymmetric groups only.
    """
    array, origin, text = find_reflections(model, attached)
    bad = array.sigmas() <= 0
    if bad.count(True):
        model.note(f"{bad.count(True)} reflections with s.u. ≤ 0 were left out.")
        array = array.select(~bad)
    _check_wavelength(array, model)
    hkl_text = text if text and model.hklf == 4 and not model.hkl_matrix else as_hklf4(array)
    before = array.size()
    if resolution:
        array = array.select(array.d_spacings().data() >= resolution)
    if omit:
        array = _omit(array, omit)
    omitted = before - array.size()
    absences = array.sys_absent_flags().data()
    allowed = array.select(~absences)
    if allowed.size() == 0:
        raise UserInputError(
            "no reflection is left.",
            where=origin,
            why=f"{omitted} were omitted, {absences.count(True)} are absent in "
            f"{model.symmetry.space_group_info()}.",
            next="Check the space group and the omit parameters.",
        )
    _warn_strong_absences(array.select(absences), model)
    merging = allowed.merge_equivalents(algorithm="shelx")
    unique = merging.array().set_observation_type_xray_intensity()
    observed = allowed.size() > unique.size()
    return Reflections(
        measured=allowed,
        unique=unique,
        redundancies=merging.redundancies().data(),
        absent=absences.count(True),
        omitted=omitted,
        r_int=merging.r_int() if observed else None,
        r_sigma=flex.sum(unique.sigmas()) / max(flex.sum(unique.data()), 1e-9),
        origin=origin,
        hkl_text=hkl_text,
    )


def as_hklf4(array: miller.array) -> str:
    """SHELX HKLF 4 text (3I4, 2F8.2), scaled down when a number would not fit its eight columns."""
    largest = max(flex.max(flex.abs(array.data())), flex.max(array.sigmas()))
    scale = 1.0 if largest < 99999.0 else 99999.0 / largest
    smallest = flex.min(array.sigmas()) * scale
    decimals = 2 if smallest >= 0.01 else 4 if largest * scale < 999 else 3
    indices = array.indices().as_vec3_double().parts()
    columns = np.column_stack([*(part.as_numpy_array() for part in indices)]).astype(int)
    values = array.data().as_numpy_array() * scale
    sigmas = array.sigmas().as_numpy_array() * scale
    lines = [
        f"{h:4d}{k:4d}{l:4d}{value:8.{decimals}f}{sigma:8.{decimals}f}"
        for (h, k, l), value, sigma in zip(columns, values, sigmas, strict=True)  # noqa: E741
    ]
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


def parse_hklf(text: str, model: Model, origin: str) -> miller.array:
    """SHELX reflections up to the 0 0 0 line. HKLF 4 (F²) or 3 (F), by the model's instruction."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").lstrip("\n").split("\n")
    end = next((i for i, line in enumerate(lines) if _ends(line)), len(lines))
    kept = [line for line in lines[:end] if line.strip()]
    if not kept:
        return _array(model, flex.miller_index(), flex.double(), flex.double())
    try:
        reader = hklf.reader(file_object=io.StringIO("\n".join(kept) + "\n   0   0   0    0.00    0.00\n"))
    except RuntimeError as error:
        raise UserInputError(
            "the reflections are not in SHELX format.",
            where=origin,
            why=f"{error} The first line reads {kept[0]!r}.",
            next="HKLF 4 has h k l F² s.u. in columns of 4, 4, 4, 8, 8 characters.",
        ) from error
    batches = reader.batch_numbers()
    if batches is not None and flex.min(batches) < 0:
        raise UserInputError(
            "these are twin data (HKLF 5).",
            where=origin,
            why="Negative batch numbers mark overlapped reflections of several components.",
            next="Refine twins with SHELXL or Olex2, or export the data of one component as HKLF 4.",
        )
    data, sigmas = reader.data(), reader.sigmas()
    if model.hklf == 3:
        data, sigmas = flex.pow2(data), 2 * flex.abs(data) * sigmas
    indices = reader.indices()
    if model.hkl_matrix:
        indices = _transform(indices, model.hkl_matrix)
    return _array(model, indices, data, sigmas)


def _up_to_end(text: str) -> str:
    """The reflections without the remarks that may follow the 0 0 0 line."""
    lines = [line for line in text.replace("\r\n", "\n").split("\n") if line.strip()]
    end = next((i for i, line in enumerate(lines) if _ends(line)), len(lines))
    return "\n".join([*lines[:end], "   0   0   0    0.00    0.00", ""])


def _ends(line: str) -> bool:
    fields = line[:12].split() if len(line) >= 12 else line.split()[:3]
    return len(fields) >= 3 and all(field.lstrip("-") == "0" for field in fields[:3])


def _transform(indices: flex.miller_index, matrix: tuple[int, ...]) -> flex.miller_index:
    rows = np.array(list(indices)) @ np.array(matrix).reshape(3, 3).T
    return flex.miller_index([tuple(int(x) for x in row) for row in np.rint(rows)])


def _array(model: Model, indices, data, sigmas) -> miller.array:
    anomalous = not model.symmetry.space_group().is_centric()
    miller_set = miller.set(model.symmetry, indices, anomalous_flag=anomalous)
    return miller.array(miller_set, data, sigmas).set_observation_type_xray_intensity()


def _from_file(path: Path, model: Model) -> Found:
    text = path.read_bytes().decode("utf-8", "replace")
    if re.search(r"^\s*data_", text[:200_000], re.MULTILINE | re.IGNORECASE):
        for block in read_blocks(path):
            found = _from_block(block, model)
            if found:
                return found[0], f"{path.name} ({found[1]})", found[2]
        raise MissingItemsError(
            f"{path.name} holds no reflections.",
            why="It is a CIF without embedded hkl text and without reflection loops with s.u.",
            next="Attach the .hkl file of the data reduction.",
            items=["_shelx_hkl_file"],
        )
    return parse_hklf(text, model, path.name), path.name, _up_to_end(text)


def _from_block(block: CifBlock, model: Model) -> Found | None:
    text = block.text("_shelx_hkl_file", "_iucr_refine_reflections_details")
    if text:
        if (block.text("_shelx_hklf") or "4").strip() == "5" or _res_says_twin(block):
            raise UserInputError(
                "these are twin data (HKLF 5 or TWIN).",
                where=f"data_{block.name}",
                next="Refine twins with SHELXL or Olex2, or export the data of one component as HKLF 4.",
            )
        origin = "embedded _shelx_hkl_file"
        return parse_hklf(text, model, origin), origin, _up_to_end(text)
    for prefix, value, sigma, power in (
        ("_diffrn_refln", "intensity_net", "intensity_u", 2),
        ("_refln", "F_squared_meas", "F_squared_sigma", 2),
        ("_refln", "intensity_meas", "intensity_sigma", 2),
        ("_refln", "F_meas", "F_sigma", 1),
    ):
        array = _from_loop(block, model, prefix, value, sigma, power)
        if array is not None:
            return array, f"loop {prefix}_{value}", None
    return None


def _res_says_twin(block: CifBlock) -> bool:
    res = block.text("_shelx_res_file") or ""
    return bool(re.search(r"^(HKLF\s+5|TWIN\b)", res, re.MULTILINE | re.IGNORECASE))


def _from_loop(
    block: CifBlock, model: Model, prefix: str, value: str, sigma: str, power: int
) -> miller.array | None:
    columns = [block.column(f"{prefix}_index_{axis}") for axis in "hkl"]
    values, sigmas = block.column(f"{prefix}_{value}"), block.column(f"{prefix}_{sigma}")
    if None in columns or values is None:
        return None
    indices, data, errors = flex.miller_index(), flex.double(), flex.double()
    for row, (h, k, l) in enumerate(zip(*columns, strict=True)):  # noqa: E741
        number = parse_number(values[row])
        if number is None:
            continue
        error = (parse_number(sigmas[row]) or (0.0,))[0] if sigmas else number[1]
        amount = number[0]
        if power == 1:
            amount, error = amount * amount, 2 * abs(amount) * error
        indices.append((int(h), int(k), int(l)))
        data.append(amount)
        errors.append(error)
    if not data.size() or flex.max(errors) <= 0:
        return None
    return _array(model, indices, data, errors)


def _omit(array: miller.array, omit: list[tuple[int, int, int]]) -> miller.array:
    group = array.space_group()
    unwanted = {
        tuple(equivalent.h())
        for index in omit
        for equivalent in miller.sym_equiv_indices(group, index).indices()
    }
    unwanted |= {tuple(-x for x in index) for index in unwanted}
    return array.select(flex.bool(tuple(index) not in unwanted for index in array.indices()))


def _check_wavelength(array: miller.array, model: Model) -> None:
    """Reflections beyond sin θ = 1 mean another wavelength or another cell."""
    d_min = array.d_min()
    if model.wavelength and d_min < model.wavelength / 2:
        raise UserInputError(
            f"the reflections reach d = {d_min:.3f} Å, which {model.wavelength:g} Å cannot measure.",
            why=f"The limit is λ/2 = {model.wavelength / 2:.3f} Å.",
            next="Check wavelength and unit cell, or whether these reflections belong to this structure.",
        )


def _warn_strong_absences(absent: miller.array, model: Model) -> None:
    if absent.size() < 3:
        return
    ratio = absent.data() / absent.sigmas()
    if flex.mean(ratio) > 3:
        model.note(
            f"{absent.size()} systematically absent reflections have a mean I/σ of {flex.mean(ratio):.1f}: "
            "is the space group right?"
        )
