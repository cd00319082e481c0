"""Reflections of a refinement: transformed, checked and merged."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from cctbx import miller
from cctbx.array_family import flex
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.reflections import su_of_square
from qcrbox.crystallography.reflections.hklf import column_scale, column_texts, shares_spots

from qcrbox_refine import merging
from qcrbox_refine.hkl_file import HklRows
from qcrbox_refine.indices import to_array, to_flex
from qcrbox_refine.model import Model
from qcrbox_refine.reflection_sources import Found, find_reflections
from qcrbox_refine.shelx_settings import Hklf, OmitLimits, is_identity
from qcrbox_refine.twinning import Components, grouped_components

Index = tuple[int, int, int]
# Transformed indices that miss whole numbers by more than this are no reflections of the new cell.
_WHOLE = 0.1


@dataclass
class Reflections:
    """Measured intensities of one crystal.

    measured: all accepted rows (F²); unique: the observations that are refined against, merged and without absences;
    components: which reflections of which domain each observation is the sum of; batches: (n,) batch number of each
    observation or None; wavelengths: (n,) Å or None where one wavelength holds for all; redundancies: (n,) rows in each;
    n_independent: observations with Friedel mates counted once; omitted: rows taken out by the user or the file;
    raised: observations below the threshold of OMIT s that were set to it; weak: those that are not refined against, as data of
    their own, None without any; grouped: observations are sums of listed reflections (HKLF 5 and 6); r_int, r_sigma: of the merging (r_int None
    without equivalents); hkl_text: SHELX text of the measured rows, and hklf: the instruction that reads it;
    hkl_scale: its intensities over those of `measured`.
    """

    measured: miller.array
    unique: miller.array
    components: Components
    redundancies: np.ndarray
    absent: int
    omitted: int
    r_int: float | None
    r_sigma: float
    origin: str
    hkl_text: str
    n_independent: int
    hklf: str = "HKLF 4"
    batches: np.ndarray | None = None
    wavelengths: np.ndarray | None = None
    raised: int = 0
    weak: Reflections | None = None
    grouped: bool = False
    hkl_scale: float = 1.0

    @property
    def suppressed(self) -> int:
        """Number of observations that OMIT s excludes from the refinement; R1 of all data counts them."""
        return self.weak.unique.size() if self.weak else 0


def prepare(model: Model, attached: str | None = None) -> Reflections:
    """Read, transform, take out what is to be omitted and what is absent by symmetry, merge.

    The settings HKLF, MERG, OMIT, SHEL and BASF of the model hold. Omitted reflections go with their equivalents. Friedel
    mates stay apart in non-centrosymmetric groups (MERG 3 and 4 merge them).
    """
    found = _with_free_set(find_reflections(model, attached), model)
    _say_how_it_was_read(found, model)
    rows = _transformed(found, model)
    grouped = _is_grouped(rows, found.hklf)
    components, ends = _components(rows, grouped, powder=abs(found.hklf.code) == 6)
    array = _array(model, rows.indices[ends], rows.values[ends], rows.sigmas[ends])
    _check_wavelength(array, model)
    kept, omitted = _kept(array, model)
    absent = _absent(components, array, grouped) & kept
    allowed = kept & ~absent
    if not allowed.any():
        raise UserInputError(
            "no reflection is left.",
            where=found.origin,
            why=f"{omitted} were omitted, {int(absent.sum())} are absent in {model.symmetry.space_group_info()}.",
            next="Check the space group and the omit parameters.",
        )
    if not grouped:
        _warn_strong_absences(array.select(flex.bool(absent)), model)
    batches = None if grouped else _scaled_batches(rows.batches, model)
    waves = _own_wavelengths(found, rows, model)
    merg = 0 if grouped or waves is not None else model.settings.merg
    measured = array.select(flex.bool(allowed))
    merged = merging.merge(measured, merg, batches[allowed] if batches is not None else None)
    result = replace(
        _observations(measured, components.select(allowed), merged, found.origin),
        absent=int(absent.sum()),
        omitted=omitted,
        wavelengths=None if waves is None else waves[ends][allowed],
        grouped=grouped,
    )
    result.hkl_text, result.hklf = _shelx_text(found, rows, grouped)
    if result.hkl_text is not found.text:
        result.hkl_scale = column_scale(rows.values, rows.sigmas)
    result = _suppress(result, model.settings.omit or OmitLimits())
    return replace(result, n_independent=merging.independent_of_mates(result.unique))


def _say_how_it_was_read(found: Found, model: Model) -> None:
    if not found.rows.fixed:
        model.note(
            f"{found.origin}: the columns are not those of SHELX (3I4, 2F8.2); numbers were read at the blanks (SHELXL cuts at its columns)."
        )
    if found.rows_after_end:
        model.warn(
            f"{found.origin}: {found.rows_after_end} reflections after the line 0 0 0 are not read, because it ends the list."
        )


def _components(rows: HklRows, grouped: bool, *, powder: bool) -> tuple[Components, np.ndarray]:
    """What contributes to each observation, and the rows that are observations."""
    indices = np.rint(rows.indices).astype(int)
    if grouped:
        return grouped_components(indices, _batches(rows), powder=powder)
    return Components.single(indices), np.arange(len(rows))


def _own_wavelengths(found: Found, rows: HklRows, model: Model) -> np.ndarray | None:
    """Wavelength of each row of Laue data (HKLF 2), (n,) in Å; None where one holds for all."""
    if abs(found.hklf.code) != 2 or not rows.wavelengths.any():
        return None
    model.note(
        "Every reflection has its own wavelength (HKLF 2): it enters the extinction; f' and f'' are those of one wavelength."
    )
    return np.where(rows.wavelengths > 0, rows.wavelengths, model.wavelength or 0.0)


def _observations(
    measured: miller.array, components: Components, merged: merging.Merged, origin: str
) -> Reflections:
    """The merged data, or the measured ones where nothing was merged, with their agreement."""
    if merged.rows is None:
        unique, redundancies = merged.array, merged.redundancies
        components = Components.single(_indices(unique))
    else:
        unique, redundancies = measured, np.ones(measured.size(), int)
    unique = unique.set_observation_type_xray_intensity()
    return Reflections(
        measured=measured,
        unique=unique,
        components=components,
        redundancies=redundancies,
        absent=0,
        omitted=0,
        r_int=merged.r_int,
        r_sigma=flex.sum(unique.sigmas()) / max(flex.sum(unique.data()), 1e-9),
        origin=origin,
        hkl_text="",
        n_independent=0,
        batches=merged.batches,
    )


def hkl_text(
    indices: np.ndarray,
    values: np.ndarray,
    sigmas: np.ndarray,
    batches: np.ndarray | None = None,
    wavelengths: np.ndarray | None = None,
) -> str:
    """SHELX text of these rows (3I4, 2F8.2, I4, F8.4), scaled by a power of ten when numbers would not fit or lose digits."""
    lines = []
    numbers = column_texts(values, sigmas)
    for row, ((h, k, l), both) in enumerate(zip(indices.astype(int), numbers, strict=True)):  # noqa: E741
        line = f"{h:4d}{k:4d}{l:4d}{both}"
        if batches is not None:
            line += f"{batches[row]:4d}"
        if wavelengths is not None:
            line += f"{wavelengths[row]:8.4f}"
        lines.append(line)
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


def _shelx_text(found: Found, rows: HklRows, grouped: bool) -> tuple[str, str]:
    """The text to keep and its HKLF instruction: unchanged if possible, otherwise rewritten in the setting of the structure."""
    code = abs(found.hklf.code)
    plain = is_identity(found.hklf.matrix) and found.hklf.scale == 1 and found.hklf.weight == 1
    if found.text and found.rows.fixed and plain and code in (2, 4, 5, 6):
        return found.text, f"HKLF {5 if grouped and code == 4 else code}"
    if code == 2:
        return hkl_text(
            rows.indices, rows.values, rows.sigmas, np.maximum(rows.batches, 1), rows.wavelengths
        ), "HKLF 2"
    batches = rows.batches if rows.batches.any() else None
    return hkl_text(rows.indices, rows.values, rows.sigmas, batches), f"HKLF {code if grouped else 4}"


def _transformed(found: Found, model: Model) -> HklRows:
    """F² in the setting of the structure: HKLF's kind of data, scale, matrix and weight applied."""
    rows, hklf = found.rows, found.hklf
    values, sigmas = rows.values * hklf.scale, rows.sigmas * hklf.scale
    if abs(hklf.code) == 3:
        values, sigmas = values * np.abs(values), su_of_square(values, sigmas)
    if hklf.weight > 0 and hklf.weight != 1:
        sigmas = sigmas / math.sqrt(hklf.weight)
        model.note(f"HKLF: all 1/σ² are multiplied by {hklf.weight:g}.")
    indices = rows.indices @ np.array(hklf.matrix).reshape(3, 3).T
    result = replace(rows, indices=indices, values=values, sigmas=sigmas)
    misses = np.any(np.abs(indices - np.rint(indices)) > _WHOLE, axis=1)
    if misses.any():
        model.warn(
            f"{int(misses.sum())} of {len(rows)} reflections have no whole indices after the matrix of HKLF and were left out."
        )
    infinite = ~(np.isfinite(values) & np.isfinite(sigmas))
    if infinite.any():
        model.warn(f"{int(infinite.sum())} reflections whose F² or s.u. is not finite were left out.")
    bad = ~(sigmas > 0) & ~infinite
    if bad.any():
        model.warn(f"{int(bad.sum())} reflections with s.u. ≤ 0 were left out.")
    if (misses | bad | infinite).any():
        result = _without(result, misses | bad | infinite, _is_grouped(rows, hklf))
    if len(result) == 0:
        raise UserInputError(
            "no reflection has a positive s.u. and whole indices.",
            where=found.origin,
            next="Check the reflections and the HKLF instruction.",
        )
    return replace(result, indices=np.rint(result.indices))


def _without(rows: HklRows, bad: np.ndarray, grouped: bool) -> HklRows:
    """Rows without the bad ones; a group of overlapping reflections goes as a whole."""
    if grouped:
        batches = _batches(rows)
        group = np.concatenate([[0], np.cumsum(batches > 0)[:-1]])
        bad = np.isin(group, group[bad])
    kept = ~bad
    return HklRows(
        rows.indices[kept],
        rows.values[kept],
        rows.sigmas[kept],
        rows.batches[kept],
        rows.wavelengths[kept],
        rows.fixed,
    )


def _batches(rows: HklRows) -> np.ndarray:
    return np.where(rows.batches == 0, 1, rows.batches)


def _is_grouped(rows: HklRows, hklf: Hklf) -> bool:
    """HKLF 5 or 6, or negative batch numbers, which nothing but them has."""
    return abs(hklf.code) in (5, 6) or bool((rows.batches < 0).any())


def _with_free_set(found: Found, model: Model) -> Found:
    """Rows whose negative batch numbers mark a free R set (L.S. 10 -1) instead of joining overlapped reflections."""
    batches = found.rows.batches
    marked = int((batches < 0).sum())
    if not marked or abs(found.hklf.code) in (5, 6):
        return found
    if model.settings.cycle_options[0] != -1 and shares_spots(batches, found.rows.values, found.rows.sigmas):
        return found
    model.not_applied(
        f"The free R set of {found.origin} ({marked} reflections with negative batch numbers) is not left out: all data are "
        "refined against."
    )
    return replace(found, rows=replace(found.rows, batches=np.abs(batches)))


def _scaled_batches(batches: np.ndarray, model: Model) -> np.ndarray | None:
    """Batch numbers where BASF gives them scale factors of their own; they are no matter otherwise."""
    settings = model.settings
    if settings.twin is not None or not settings.basf or batches.max(initial=0) < 2:
        return None
    return np.maximum(batches, 1)


def _kept(array: miller.array, model: Model) -> tuple[np.ndarray, int]:
    """Which rows are not omitted by indices or resolution, and how many are."""
    settings = model.settings
    d = array.d_spacings().data().as_numpy_array()
    kept = np.ones(array.size(), bool)
    if settings.resolution:
        kept &= (d <= settings.resolution[0] + 1e-9) & (d >= settings.resolution[1] - 1e-9)
    two_theta = abs(settings.omit.two_theta) if settings.omit else 180.0
    if settings.omit and settings.omit.two_theta < 0:
        model.note(
            f"OMIT: 2θ of {settings.omit.two_theta:g}° is read as an upper limit; its sign is ignored."
        )
    if two_theta < 180.0 and model.wavelength:
        kept &= d >= model.wavelength / (2 * math.sin(math.radians(two_theta / 2))) - 1e-9
    if settings.omitted:
        kept &= ~_equivalent_to(array, settings.omitted)
    if two_theta < 180.0 and not model.wavelength:
        model.not_applied(f"OMIT with 2θ = {two_theta:g}° is not applied: the wavelength is not known.")
    return kept, int((~kept).sum())


def _equivalent_to(array: miller.array, chosen: Sequence[Index]) -> np.ndarray:
    """Which reflections are symmetry equivalents of the chosen ones; Friedel mates are where the group is centrosymmetric."""
    group = array.space_group()
    unwanted = {
        tuple(equivalent.h())
        for index in chosen
        for equivalent in miller.sym_equiv_indices(group, index).indices()
    }
    return np.array([tuple(index) in unwanted for index in array.indices()])


def _absent(components: Components, array: miller.array, grouped: bool) -> np.ndarray:
    """Which observations are absent by symmetry: all of their components are."""
    if not grouped:
        return array.sys_absent_flags().data().as_numpy_array()
    flags = array.customized_copy(
        indices=to_flex(components.indices),
        data=None,
        sigmas=None,
    ).sys_absent_flags()
    present = np.zeros(array.size(), int)
    np.add.at(present, components.observation, ~flags.data().as_numpy_array())
    return present == 0


def _suppress(data: Reflections, limits: OmitLimits) -> Reflections:
    """OMIT s: Fo² below s σ(Fo²)/2 is set to it for negative s (SHELXL's default is -2), and not refined against else."""
    fo_sq, sigma = data.unique.data().as_numpy_array(), data.unique.sigmas().as_numpy_array()
    threshold = 0.5 * limits.s * sigma
    low = fo_sq < threshold
    if not low.any():
        return data
    if limits.s < 0:
        raised = flex.double(np.where(low, threshold, fo_sq))
        return replace(data, unique=data.unique.customized_copy(data=raised), raised=int(low.sum()))
    return replace(_selected(data, ~low), weak=_selected(data, low))


def _selected(data: Reflections, chosen: np.ndarray) -> Reflections:
    """Some of the observations: (n,) of bool."""
    return replace(
        data,
        unique=data.unique.select(flex.bool(chosen)),
        components=data.components.select(chosen),
        redundancies=data.redundancies[chosen],
        batches=data.batches[chosen] if data.batches is not None else None,
        wavelengths=data.wavelengths[chosen] if data.wavelengths is not None else None,
    )


def _indices(array: miller.array) -> np.ndarray:
    return to_array(array.indices())


def _array(model: Model, indices: np.ndarray, data: np.ndarray, sigmas: np.ndarray) -> miller.array:
    anomalous = not model.symmetry.space_group().is_centric()
    hkl = to_flex(indices)
    miller_set = miller.set(model.symmetry, hkl, anomalous_flag=anomalous)
    return miller.array(
        miller_set, flex.double(np.ascontiguousarray(data)), flex.double(np.ascontiguousarray(sigmas))
    ).set_observation_type_xray_intensity()


def _check_wavelength(array: miller.array, model: Model) -> None:
    """Reflections beyond sin θ = 1 mean another wavelength or another cell."""
    d_min = array.d_min()
    if model.wavelength and d_min < model.wavelength / 2 and not model.settings.laue:
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
        model.warn(
            f"{absent.size()} systematically absent reflections have a mean I/σ of {flex.mean(ratio):.1f}: "
            "is the space group right?"
        )
