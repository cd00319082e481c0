"""What was diffracted, from what a file says of its radiation, checked against the wavelength."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from qcrbox.cif.document import Block
from qcrbox.crystallography.measurement import stated_wavelength

XRAY, NEUTRON, ELECTRON, GAMMA = "x-ray", "neutron", "electron", "gamma"
# A Fourier map has the unit of the scattering factors for each Å³: electrons, fm of scattering lengths, Å of electrons.
_OF_MAPS = {NEUTRON: "fm Å⁻³", ELECTRON: "Å⁻²"}
# Å; no X-ray source for diffraction is shorter. Electrons of 80 to 300 kV have 0.042 to 0.020 Å.
SHORTEST_XRAYS = 0.06
# Kα in Å (weighted mean), International Tables C, table 4.2.2.1.
K_ALPHA = {
    "Cr": 2.2910,
    "Fe": 1.9374,
    "Co": 1.7903,
    "Cu": 1.5418,
    "Ga": 1.3414,
    "Mo": 0.7107,
    "Ag": 0.5609,
    "In": 0.5136,
}
_TYPE_TAGS = (
    "_diffrn_radiation_probe",
    "_diffrn_radiation_type",
    "_diffrn_source",
    "_diffrn_radiation_source",
)
_LINE = re.compile(rf"\b({'|'.join(K_ALPHA)})\s*-?\s*K", re.IGNORECASE)


@dataclass(frozen=True)
class Radiation:
    """probe: one of the four above, `""` if unknown; stated: as the file writes it; wavelength in Å.

    doubt: in words what does not fit, `""` where all does.
    """

    probe: str
    stated: str
    wavelength: float | None
    doubt: str = ""

    @property
    def shown(self) -> str | None:
        """For a table: what is stated, or `electron?` where only the wavelength says so."""
        return self.stated or (f"{self.probe}?" if self.probe else None)


def read_radiation(block: Block) -> Radiation:
    """The radiation of a block; a wavelength that contradicts it, or is the only evidence, is returned as a doubt in words."""
    texts = [" ".join(text.split()) for tag in _TYPE_TAGS if (text := block.text(tag))]
    stated = texts[0] if texts else ""
    probe = next((found for text in texts if (found := _probe(text))), "")
    wavelength = stated_wavelength(block)[0]
    if wavelength is None:
        return Radiation(probe, stated, None)
    if wavelength < SHORTEST_XRAYS and probe not in (ELECTRON, GAMMA):
        kilovolts = acceleration_voltage(wavelength)
        says = f"the file states {stated}" if stated else "the file does not state its radiation"
        doubt = (
            f"The wavelength {wavelength:g} Å is that of electrons of {kilovolts:.0f} kV; {says}: electrons?"
        )
        return Radiation(probe or ELECTRON, stated, wavelength, doubt)
    return Radiation(
        probe or (XRAY if _line(texts) else ""), stated, wavelength, _wrong_line(texts, wavelength)
    )


def density_unit(probe: str) -> str:
    """The unit of residual densities of data of this probe; e Å⁻³ where it is not known."""
    return _OF_MAPS.get(probe, "e Å⁻³")


def density_unit_of(block: Block) -> str:
    """The unit of the residual densities that a block states."""
    return density_unit(read_radiation(block).probe)


def acceleration_voltage(wavelength: float) -> float:
    """kV of electrons of a wavelength in Å, relativistic: λ = h / √(2 m e U (1 + e U / 2 m c²))."""
    rest = 510.99895  # keV
    momentum = 12.39842 / wavelength  # keV: h c / λ
    return math.hypot(rest, momentum) - rest


def _probe(text: str) -> str:
    lower = text.lower()
    for probe, words in (
        (NEUTRON, ("neutron", "reactor", "spallation")),
        # Some of these words contain "electron", but what is diffracted are X-rays.
        (XRAY, ("x-ray", "xray", "synchrotron", "free-electron", "free electron", "storage ring")),
        (ELECTRON, ("electron", "tem ", "3d ed", "microed")),
        (GAMMA, ("gamma", "γ-ray")),
        (XRAY, ("k\\a", "k-alpha", "kalpha", "kα", "k~", "sealed", "rotating", "microfocus")),
    ):  # fmt: skip
        if any(word in lower for word in words):
            return probe
    return XRAY if _LINE.search(text) else ""


def _line(texts: list[str]) -> str:
    return next((match[1].capitalize() for text in texts if (match := _LINE.search(text))), "")


def _wrong_line(texts: list[str], wavelength: float) -> str:
    """A wavelength that is not that of the anode the file names; Kα1, Kα2 and Kβ of it are."""
    element = _line(texts)
    if not element or 0.88 * K_ALPHA[element] < wavelength < 1.006 * K_ALPHA[element]:
        return ""
    near = next((name for name, line in K_ALPHA.items() if abs(wavelength - line) < 0.006 * line), "")
    return (
        f"The wavelength {wavelength:g} Å is not that of {element} Kα, {K_ALPHA[element]:.4f} Å"
        f"{f'; it is that of {near} Kα' if near else ''}."
    )


def residual_figures(highest: float, lowest: float, probe: str) -> dict[str, float]:
    """Extremes of a residual map as reported figures: their names tell its unit, see `qcrbox.client.metrics`."""
    end = f"_{probe}" if probe in _OF_MAPS else ""
    return {f"residual_max{end}": round(highest, 3), f"residual_min{end}": round(lowest, 3)}
