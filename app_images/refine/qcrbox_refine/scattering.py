"""Scattering factors of every atom type: X-rays with dispersion, neutrons, electrons; where each number comes from.

Order of trust for f' and f'': the DISP instruction, the numbers of SFAC, `_atom_type_scat_dispersion_*` of the file (at its
own wavelength), then tables: Cromer-Liberman, Sasaki, Henke. For form factors and neutron scattering lengths: the numbers
of SFAC, those of the `_atom_type` loop of the file, then tables.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar

from cctbx import xray
from cctbx.eltbx import e_scattering, henke, neutron, sasaki, xray_scattering
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography._gemmi import gemmi
from qcrbox.crystallography.measurement import stated_wavelength
from qcrbox.crystallography.shelx.scattering_card import ScatteringNumbers, photo_absorption

if TYPE_CHECKING:
    from qcrbox_refine.cif_block import CifBlock
    from qcrbox_refine.model import Model

_Value = TypeVar("_Value")
_EV_TIMES_ANGSTROM = 12398.419843
# Photons of diffraction experiments are longer than this, electrons of 100 keV and more are shorter (Å).
_ELECTRONS_BELOW = 0.05
_LABORATORY = {"Mo Kα": 0.71073, "Cu Kα": 1.54184, "Ag Kα": 0.56087, "Cu Kα1": 1.54056, "Ga Kα": 1.34139}
# Stated and tabulated f', f'' that differ by more electrons than this deserve a word.
_DOUBTFUL = 0.5
# Form factors of a CIF (electrons) and its scattering lengths (fm) this near to the table are those of the table.
_SAME_FORM, _SAME_LENGTH = 0.02, 0.005
_FROM_CIF = "the CIF"
_STOL = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.7, 1.0)
_XRAY_FACTORS = "International Tables Vol C Table 6.1.1.4"


class Radiation(StrEnum):
    """What the crystal was measured with."""

    XRAY = "x-ray"
    NEUTRON = "neutron"
    ELECTRON = "electron"


@dataclass(frozen=True)
class Factors:
    """Of one atom type: form factor (electrons, fm for neutrons, Å for electrons), f', f'' and their source."""

    form: xray_scattering.gaussian
    f_prime: float
    f_double_prime: float
    form_source: str
    dispersion_source: str

    @property
    def source(self) -> str:
        """Text for `_atom_type_scat_source`."""
        if not self.dispersion_source or self.dispersion_source == self.form_source:
            return self.form_source
        return f"{self.form_source}; f' and f'' of {self.dispersion_source}"


def radiation_of_block(block: CifBlock) -> Radiation | None:
    """By `_diffrn_radiation_probe` and `_diffrn_radiation_type`; None when neither says.

    Raises UserInputError for a radiation that is none of the three.
    """
    probe = (block.text("_diffrn_radiation_probe") or "").lower()
    kind = (block.text("_diffrn_radiation_type") or "").lower()
    for radiation in (Radiation.NEUTRON, Radiation.ELECTRON):
        if radiation in probe or radiation in kind:
            return radiation
    if not probe:
        sources = (block.text(tag) or "" for tag in ("_diffrn_source", "_diffrn_radiation_source"))
        of_neutrons = any(re.search("neutron|nuclear|reactor|spallation", text, re.I) for text in sources)
        return Radiation.NEUTRON if of_neutrons and not kind else None
    if re.search(r"x[\s-]?ray|synchrotron|gamma|photon", probe):
        return Radiation.XRAY
    raise UserInputError(
        f"the data are {probe} data.",
        where="_diffrn_radiation_probe",
        why="Scattering factors are known here for X-rays, neutrons and electrons.",
        next='Correct the item, or say radiation="x-ray", "neutron" or "electron".',
    )


def stated_radiation(model: Model) -> Radiation | None:
    """What the user, NEUT, or the CIF says; None when none does."""
    if model.radiation:
        return Radiation(model.radiation)
    if model.settings.neutron:
        return Radiation.NEUTRON
    return radiation_of_block(model.source) if model.source else None


def radiation_of(model: Model) -> Radiation:
    """What is stated, X-rays otherwise. Raises UserInputError for a wavelength that only electrons have."""
    stated = stated_radiation(model)
    if stated:
        return stated
    if model.wavelength is not None and model.wavelength < _ELECTRONS_BELOW:
        raise UserInputError(
            f"the wavelength is {model.wavelength:g} Å: electrons?",
            why="Nothing in the file names the radiation, and no X-ray diffractometer has this wavelength.",
            next='Say radiation="electron" (or "x-ray"), or write _diffrn_radiation_probe into the CIF.',
        )
    return Radiation.XRAY


def set_factors(structure: xray.structure, model: Model) -> dict[str, Factors]:
    """Form factors and dispersion of all scatterers; the least squares use f' and f'' from here on.

    Raises MissingItemsError when f' and f'' are needed and neither they nor a wavelength are known, UserInputError for
    an element without factors for this radiation.
    """
    kinds = {scatterer.scattering_type for scatterer in structure.scatterers()}
    factors = factors_of(model, kinds)
    structure.scattering_type_registry(custom_dict={kind: found.form for kind, found in factors.items()})
    merges_mates = (model.settings.merg or 0) >= 4
    for scatterer in structure.scatterers():
        found = factors[scatterer.scattering_type]
        scatterer.fp = found.f_prime
        scatterer.fdp = 0.0 if merges_mates else found.f_double_prime
        scatterer.flags.set_use_fp_fdp(True)
    return factors


def factors_of(model: Model, kinds: set[str]) -> dict[str, Factors]:
    """Factors of these scattering types (`C`, `Cl1-`, `D`). Raises as `set_factors`."""
    of_type = {Radiation.NEUTRON: _neutron, Radiation.ELECTRON: _electron, Radiation.XRAY: _xray}
    make = of_type[radiation_of(model)]
    return {kind: make(kind, model) for kind in sorted(kinds)}


def described(model: Model) -> str:
    """One line for the log: radiation, and where f' and f'' of which elements come from."""
    kinds = {atom.element for atom in model.atoms}
    factors = factors_of(model, kinds)
    radiation = radiation_of(model)
    by_source: dict[str, list[str]] = {}
    for kind, found in factors.items():
        source = found.dispersion_source if radiation is Radiation.XRAY else found.form_source
        if source:
            by_source.setdefault(source, []).append(kind)
    named = "; ".join(f"{', '.join(names)} from {source}" for source, names in by_source.items())
    what = {
        Radiation.XRAY: "X-rays, f' and f''",
        Radiation.NEUTRON: "Neutrons, scattering lengths",
        Radiation.ELECTRON: "Electrons, scattering factors",
    }[radiation]
    return f"{what}: {named or 'none needed'}."


def doubts(model: Model) -> list[str]:
    """Stated f' and f'' of X-rays that are far from the tables: zeros of a template, another wavelength, another sign;
    form factors and scattering lengths of the CIF that are not those of the tables.
    """
    kinds = {atom.element for atom in model.atoms}
    found = [
        f"The scattering factor of {kind} is the one of {factors.form_source}, {factors.form.at_stol(0):.3f} at θ = 0; it is "
        "not that of the tables."
        for kind, factors in factors_of(model, kinds).items()
        if factors.form_source.startswith(_FROM_CIF)
    ]
    ions = sorted(kind for kind in kinds if kind.endswith(("+", "-")) and _stated(kind, model) is None)
    if ions and radiation_of(model) is Radiation.ELECTRON:
        found.append(f"{', '.join(ions)}: the table for electrons has neutral atoms, whose factors are used.")
    if radiation_of(model) is not Radiation.XRAY or model.wavelength is None:
        return found
    for element in sorted({atom.symbol for atom in model.atoms} - {"H", "D", "He"}):
        f_prime, f_double_prime, source = _dispersion(element, model)
        try:
            real, imaginary, table = tabulated_dispersion(element, model.wavelength)
        except UserInputError:
            continue  # no table has this wavelength, so there is nothing to compare with
        if source != table and max(abs(real - f_prime), abs(imaginary - f_double_prime)) > _DOUBTFUL:
            found.append(
                f"f' and f'' of {element} are {f_prime:g} and {f_double_prime:g} by {source}, which is used; tables have "
                f"{real:.3f} and {imaginary:.3f} at {model.wavelength:g} Å."
            )
    return found


def _symbol(kind: str) -> str:
    return re.match(r"[A-Za-z]+", kind).group(0)


def _of_cif(values: dict[str, _Value], kind: str) -> _Value | None:
    """What a CIF states of this ion, else of its element."""
    return values.get(kind, values.get(_symbol(kind)))


def _stated(kind: str, model: Model) -> ScatteringNumbers | None:
    """Numbers of SFAC for this ion, else for its element."""
    return model.settings.scattering.get(kind) or model.settings.scattering.get(_symbol(kind))


def card_numbers(kind: str, model: Model) -> ScatteringNumbers | None:
    """What SFAC must say of an element or ion in numbers: those of the input, and those of ions for X-rays; else None."""
    stated, element = _stated(kind, model), _symbol(kind)
    own = _of_cif(model.types.form_factors, kind) or _of_cif(model.types.neutron_lengths, kind)
    is_ion = kind.endswith(("+", "-")) and radiation_of(model) is Radiation.XRAY
    if stated is not None or not (is_ion or own):
        return stated
    factors = factors_of(model, {kind})[kind]
    # SFAC has four Gaussian functions.
    if factors.form.n_terms() > 4 or not (is_ion or factors.form_source.startswith(_FROM_CIF)):
        return None
    none = [0.0] * (4 - factors.form.n_terms())
    return ScatteringNumbers(
        a=[*factors.form.array_of_a(), *none],
        b=[*factors.form.array_of_b(), *none],
        c=factors.form.c(),
        f_prime=factors.f_prime,
        f_double_prime=factors.f_double_prime,
        mu=photo_absorption(factors.f_double_prime, model.wavelength or 0.0),
        radius=gemmi.Element(element).covalent_r,
        weight=gemmi.Element(element).weight,
    )


def _gaussian(given: ScatteringNumbers) -> xray_scattering.gaussian:
    """Without terms of 0: a constant alone is what cctbx knows as a scattering length."""
    terms = [(a, b) for a, b in zip(given.a, given.b, strict=True) if a]
    return xray_scattering.gaussian([a for a, _ in terms], [b for _, b in terms], given.c)


def _xray(kind: str, model: Model) -> Factors:
    given = _stated(kind, model)
    if given is not None:
        form, form_source = _gaussian(given), "SFAC in the input"
    else:
        form, form_source = xray_scattering.it1992(kind).fetch(), _XRAY_FACTORS
        own = _of_cif(model.types.form_factors, kind)
        if own is not None:
            stated = xray_scattering.gaussian(own.a, own.b, own.c)
            if max(abs(stated.at_stol(s) - form.at_stol(s)) for s in _STOL) > _SAME_FORM:
                form, form_source = stated, f"{_FROM_CIF} (_atom_type_scat_Cromer_Mann_*)"
    f_prime, f_double_prime, source = _dispersion(kind, model)
    return Factors(form, f_prime, f_double_prime, form_source, source)


def _dispersion(kind: str, model: Model) -> tuple[float, float, str]:
    """f', f'' and their source, by the order of trust."""
    element = _symbol(kind)
    stated = model.settings.dispersion.get(kind) or model.settings.dispersion.get(element)
    if stated is not None:
        return stated.f_prime, stated.f_double_prime, "DISP in the input"
    given = _stated(kind, model)
    if given is not None:
        return given.f_prime, given.f_double_prime, "SFAC in the input"
    if element in model.dispersion and own_wavelength(model):
        return *model.dispersion[element], "the CIF (_atom_type_scat_dispersion_*)"
    if element in ("H", "D", "He"):
        return 0.0, 0.0, ""
    if model.wavelength is None:
        raise MissingItemsError(
            f"the structure has no wavelength, and no dispersion factors for {element}.",
            why="The least squares need f' and f'' of every element.",
            next="Give it, for example wavelength=0.71073 (Mo Kα) or wavelength=1.54184 (Cu Kα).",
            items=["_diffrn_radiation_wavelength"],
        )
    return tabulated_dispersion(element, model.wavelength)


def own_wavelength(model: Model) -> bool:
    """Whether the refinement uses the wavelength that the dispersion factors of the file belong to."""
    stated = stated_wavelength(model.source.block)[0] if model.source else None
    return stated is None or model.wavelength is None or abs(stated - model.wavelength) < 1e-3


def tabulated_dispersion(element: str, wavelength: float) -> tuple[float, float, str]:
    """f' and f'' in electrons at a wavelength (Å), and the table. Raises UserInputError where no table reaches.

    Cromer & Liberman, Acta Cryst. A37 (1981) 267 with the relativistic correction of Kissel & Pratt (what International
    Tables Vol C 4.2.6.8 are made from), 5 to 100 keV; Sasaki, KEK Report 88-14 (1989); Henke, Gullikson & Davis (1993).
    """
    number = gemmi.Element(element).atomic_number
    energy = _EV_TIMES_ANGSTROM / wavelength
    if 3 <= number <= 92 and 3000 <= energy <= 150_000:
        f_prime, f_double_prime = gemmi.cromer_liberman(number, energy)
        if f_double_prime >= 0:
            return f_prime, f_double_prime, f"Cromer & Liberman (1981) at {wavelength:g} Å"
    for name, module in (("Sasaki (1989)", sasaki), ("Henke et al. (1993)", henke)):
        try:
            # Without `exact` the tables of cctbx take Cf for C.
            value = module.table(element, True).at_angstrom(wavelength)
            if value.is_valid():
                return value.fp(), value.fdp(), f"{name} at {wavelength:g} Å"
        except (ValueError, RuntimeError):
            continue  # the table lacks this element or wavelength
    raise UserInputError(
        f"there are no dispersion factors for {element} at {wavelength:g} Å.",
        why="The tables of Cromer-Liberman, Sasaki and Henke cover Li to U and about 0.1 to 4 Å.",
        next="Check element and wavelength, or give f' and f'' in the file (DISP, _atom_type_scat_dispersion_*).",
    )


def wavelength_by_dispersion(dispersion: dict[str, tuple[float, float]]) -> tuple[str, float] | None:
    """The laboratory radiation whose f' and f'' these are; None when none fits within about a tenth."""
    dispersion = {element: values for element, values in dispersion.items() if element not in ("H", "D")}
    if not dispersion or not any(values[1] for values in dispersion.values()):
        return None
    best = min(
        ((_misfit(dispersion, wavelength), name) for name, wavelength in _LABORATORY.items()), default=None
    )
    return (best[1], _LABORATORY[best[1]]) if best and best[0] < 0.12 else None


def _misfit(dispersion: dict[str, tuple[float, float]], wavelength: float) -> float:
    worst = 0.0
    for element, (f_prime, f_double_prime) in dispersion.items():
        try:
            real, imaginary, _ = tabulated_dispersion(element, wavelength)
        except UserInputError:
            return float("inf")
        worst = max(
            worst,
            abs(imaginary - f_double_prime) / (abs(imaginary) + 0.01),
            abs(real - f_prime) / (abs(real) + 0.1),
        )
    return worst


def _neutron(kind: str, model: Model) -> Factors:
    """Bound coherent scattering length in fm; its absorption part counts as f''."""
    element, given = _symbol(kind), _stated(kind, model)
    if given is not None:
        return Factors(
            _gaussian(given),
            given.f_prime,
            given.f_double_prime,
            "SFAC in the input",
            "",
        )
    try:
        length = neutron.neutron_news_1992_table(element, True).bound_coh_scatt_length()
    except (ValueError, RuntimeError):
        length = None
    stated = _of_cif(model.types.neutron_lengths, kind)
    if stated is not None and (length is None or abs(stated - length.real) > _SAME_LENGTH):
        absorption = 0.0 if length is None else abs(length.imag)
        return Factors(
            xray_scattering.gaussian([], [], stated),
            0.0,
            absorption,
            f"{_FROM_CIF} (_atom_type_scat_length_neutron)",
            "",
        )
    if length is None:
        raise _no_factors(element, "neutrons")
    return Factors(
        xray_scattering.gaussian([], [], length.real),
        0.0,
        abs(length.imag),
        "Neutron News 3 (1992) 26, bound coherent scattering lengths",
        "",
    )


def _electron(kind: str, model: Model) -> Factors:
    """Elastic scattering factor of the neutral atom in Å."""
    element, given = _symbol(kind), _stated(kind, model)
    if given is not None:
        return Factors(_gaussian(given), 0.0, 0.0, "SFAC in the input", "")
    form = e_scattering.ito_vol_c_2011_table_4_3_2_2_entry_as_gaussian(
        "H" if element == "D" else element, True
    )
    if form is None:
        raise _no_factors(element, "electrons")
    return Factors(form, 0.0, 0.0, "International Tables Vol C (2011) Table 4.3.2.2", "")


def _no_factors(element: str, radiation: str) -> UserInputError:
    return UserInputError(
        f"there are no scattering factors of {element} for {radiation}.",
        why="The table does not hold this element.",
        next="Give them in the .ins file: SFAC with numbers.",
    )
