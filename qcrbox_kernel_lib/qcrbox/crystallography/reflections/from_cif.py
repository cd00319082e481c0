"""Finding the reflections of a CIF block: embedded SHELX text, loops, and FCF files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.contract.errors import MissingItemsError
from qcrbox.crystallography.reflections.data import Reflections
from qcrbox.crystallography.reflections.hklf import read_hkl
from qcrbox.crystallography.reflections.hklf_card import hklf_card, instruction_cards

Array = NDArray[np.float64]
HKL_TAG = "_shelx_hkl_file"
_MOST_WAVES = 8
NO_SU = "Some reflections have no s.u."
# Status codes of reflections that are not to be used: unreliable, beyond the limits of resolution.
EXCLUDED = ("x", "h", "l")
_OTHER_HKL_TAGS = ("_iucr_refine_reflections_details", "_refln_hkl_file")
# Per kind of loop: indices, then (value, s.u. names, is F) in order of preference.
_LOOPS = (
    (
        "_diffrn_refln_index_",
        (
            (
                "_diffrn_refln_intensity_net",
                ("_diffrn_refln_intensity_u", "_diffrn_refln_intensity_sigma"),
                False,
            ),
        ),
    ),
    (
        "_refln_index_",
        (
            ("_refln_F_squared_meas", ("_refln_F_squared_sigma",), False),
            ("_refln_intensity_meas", ("_refln_intensity_sigma", "_refln_intensity_meas_su"), False),
            ("_refln_F_meas", ("_refln_F_sigma", "_refln_F_meas_sigma"), True),
        ),
    ),
)


def find_reflections(block: Block, *, prefer: str = "embedded") -> Reflections:
    """The observed reflections of a block: embedded hkl text first, then unmerged, then merged loops.

    prefer: `embedded`, or `loop` to look at loops first (FCF files).
    Raises MissingItemsError when there are none and CifError when they cannot be read.
    """
    finders = [_embedded, _looped] if prefer == "embedded" else [_looped, _embedded]
    for finder in finders:
        found = finder(block)
        if found is not None:
            return found
    raise MissingItemsError(
        "There are no reflections.",
        where=f"block {block.name}",
        next="Give a .hkl file, or a CIF with an embedded _shelx_hkl_file or a loop of reflections.",
        items=[HKL_TAG, "_refln_index_h"],
    )


def has_reflections(block: Block) -> bool:
    """Whether a block holds reflections, without reading them."""
    if any(block.find(tag) is not None for tag in (HKL_TAG, *_OTHER_HKL_TAGS)):
        return True
    for stem, columns in _LOOPS:
        loop = block.find(f"{stem}h")
        if isinstance(loop, Loop) and any(name in loop for name, _, _ in columns):
            return True
    return False


def embedded_hkl_text(block: Block) -> str | None:
    """The text of an embedded .hkl file, its list only; None when there is none."""
    for tag in (HKL_TAG, *_OTHER_HKL_TAGS):
        text = block.text(tag)
        if text and text.strip():
            return text
    return None


def _embedded(block: Block) -> Reflections | None:
    text = embedded_hkl_text(block)
    if text is None:
        return None
    found = read_hkl(text, source=f"block {block.name} {HKL_TAG}")
    card = hklf_card(block)
    return _on_one_scale(found if card is None else card.applied(found), block)


def _on_one_scale(data: Reflections, block: Block) -> Reflections:
    """Batches that have scale factors of their own (BASF without a twin) on the scale of the first one, in place."""
    if data.batch is None or data.twin or instruction_cards(block, "TWIN"):
        return data
    words = [word for card in instruction_cards(block, "BASF") for word in card.split()[1:]]
    try:
        codes = [float(word) for word in words]
    except ValueError:
        return data
    # 10 + k keeps k fixed.
    scales = np.array([1.0, *(code - 10 if code > 5 else code for code in codes)])
    numbers = np.maximum(np.abs(data.batch), 1) - 1
    if len(scales) < 2 or numbers.max(initial=0) < 1 or not (scales > 0).all():
        return data
    scale = np.where(numbers < len(scales), scales[np.minimum(numbers, len(scales) - 1)], 1.0)
    if data.is_f:
        scale = np.sqrt(scale)
    data.intensity, data.sigma = data.intensity / scale, data.sigma / scale
    data.notes.append(
        f"Batches of reflections are on the scale of the first one: divided by BASF {' '.join(f'{k:g}' for k in scales[1:])}."
    )
    return data


def _looped(block: Block) -> Reflections | None:
    for stem, choices in _LOOPS:
        loop = block.find(f"{stem}h")
        if not isinstance(loop, Loop) or f"{stem}k" not in loop or f"{stem}l" not in loop:
            continue
        given = [choice for choice in choices if choice[0] in loop]
        for value_tag, su_tags, is_f in given:
            # A column may be there and hold nothing but `?`.
            if len(given) == 1 or np.isfinite(loop.numbers(value_tag)).any():
                return _from_loop(loop, stem, value_tag, su_tags, is_f)
    return None


def _from_loop(loop: Loop, stem: str, value_tag: str, su_tags: tuple[str, ...], is_f: bool) -> Reflections:
    indices = np.column_stack([loop.numbers(f"{stem}{axis}") for axis in "hkl"])
    value, sigma, notes = *_values(loop, value_tag, su_tags), []
    with np.errstate(invalid="ignore"):
        known = (np.abs(indices) < 1e6).all(axis=1) & np.isfinite(value)
    if not known.all():
        notes.append(f"{int((~known).sum())} rows without indices or value were left out.")
    status_tag = next((t for t in ("_refln_observed_status", "_refln_include_status") if t in loop), None)
    status = loop.texts(status_tag) if status_tag else None
    for wrong, why in (
        (
            np.abs(indices - np.rint(indices)).max(axis=1, initial=0) > 1e-6,
            "whose indices are no whole numbers",
        ),
        (satellites(loop, stem), "that are satellites of a modulated structure"),
        (_excluded(status, len(loop)), f"marked as not to be used (status {', '.join(EXCLUDED)})"),
    ):
        if (wrong & known).any():
            notes.append(f"{int((wrong & known).sum())} reflections {why} were left out.")
            known &= ~wrong
    if np.isnan(sigma[known]).any():
        notes.append(NO_SU)
    notes += mixed_measurements(loop, stem)
    calculated = _calculated(loop, is_f) if stem == "_refln_index_" else None
    phase = loop.numbers("_refln_phase_calc") if "_refln_phase_calc" in loop else None
    rows = np.flatnonzero(known)
    return Reflections(
        np.rint(indices[rows]).astype(np.int64),
        value[rows],
        sigma[rows],
        is_f=is_f,
        merged=stem == "_refln_index_",
        calculated=None if calculated is None else calculated[rows],
        phase=None if phase is None else phase[rows],
        status=None if status is None else [status[row] for row in rows.tolist()],
        source=f"loop of {value_tag}",
        notes=notes,
    )


def _excluded(status: list[str] | None, count: int) -> NDArray[np.bool_]:
    """Which of the rows have a status that takes them out."""
    if status is None:
        return np.zeros(count, dtype=bool)
    return np.array([text.strip().lower() in EXCLUDED for text in status], dtype=bool)


def mixed_measurements(loop: Loop, stem: str) -> list[str]:
    """Sentences on reflections of several scales or wavelengths, which are read as if they had one.

    stem: of the names of the indices, as `_refln_index_`.
    """
    prefix, found = stem.removesuffix("index_"), []
    for name, what in (
        ("scale_group_code", "scale factors"),
        ("wavelength", "wavelengths"),
        ("wavelength_id", "wavelengths"),
    ):
        if (tag := f"{prefix}{name}") in loop:
            values = {text for text in loop.texts(tag) if text not in ("?", ".")}
            if len(values) > 1:
                found.append(
                    f"The reflections have {len(values)} {what} ({tag}); they are read as if they had one."
                )
    return found


def _values(loop: Loop, value_tag: str, su_tags: tuple[str, ...]) -> tuple[Array, Array]:
    for tag in (*su_tags, f"{value_tag}_su", f"{value_tag}_sigma"):
        if tag in loop:
            return loop.numbers(value_tag), loop.numbers(tag)
    return loop.numbers_and_su(value_tag)


def satellites(loop: Loop, stem: str) -> NDArray[np.bool_]:
    """(n,) True where an index m of a modulation wave is not 0. stem: of the names of the indices, as `_refln_index_`."""
    found: NDArray[np.bool_] = np.zeros(len(loop), dtype=bool)
    for wave in range(1, _MOST_WAVES + 1):
        if (tag := f"{stem}m_{wave}") in loop:
            found |= np.nan_to_num(loop.numbers(tag)) != 0
    return found


def _calculated(loop: Loop, is_f: bool) -> Array | None:
    """F²(calc), or F(calc) for `is_f`, from whichever column has it; None without one."""
    for tag, power in (
        *((("_refln_F_calc", 1), ("_refln_F_squared_calc", 2)) if is_f else ()),
        ("_refln_F_squared_calc", 2),
        ("_refln_intensity_calc", 2),
        ("_refln_F_calc", 1),
    ):
        if tag in loop and np.isfinite(values := loop.numbers(tag)).any():
            return _as_power(values, power, 1 if is_f else 2)
    if "_refln_A_calc" in loop and "_refln_B_calc" in loop:
        squares = loop.numbers("_refln_A_calc") ** 2 + loop.numbers("_refln_B_calc") ** 2
        return _as_power(squares, 2, 1 if is_f else 2)
    return None


def _as_power(values: Array, power: int, wanted: int) -> Array:
    if power == wanted:
        return values
    return np.sqrt(np.maximum(values, 0)) if wanted == 1 else values**2
