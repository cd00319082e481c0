"""What the instructions of a SHELX text say about data, weights, twins and cycles, with types.

One `ShelxSettings` comes from every input: an .ins or .res file, the .res text in a CIF, and a CIF without one (then
all are None or SHELXL's defaults). Values are as the file states them; the parts that use them decide about units.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field

from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.shelx import Instruction, decoded, shelx_number
from qcrbox.crystallography.shelx.scattering_card import ScatteringNumbers

Matrix = tuple[float, float, float, float, float, float, float, float, float]
IDENTITY: Matrix = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
INVERSION: Matrix = (-1.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0, -1.0)
# a b c d e f of WGHT: w = q / [σ²(Fo²) + (aP)² + bP + d + e sin θ/λ], P = f max(Fo², 0) + (1 - f) Fc².
_WEIGHT_DEFAULTS = (0.1, 0.0, 0.0, 0.0, 0.0, 1 / 3)


@dataclass(frozen=True)
class Hklf:
    """HKLF n s r11 … r33 sm m. matrix: row-major, h' = r11 h + r12 k + r13 l, may hold fractions."""

    code: int = 4
    scale: float = 1.0
    matrix: Matrix = IDENTITY
    weight: float = 1.0
    offset: int = 0


@dataclass(frozen=True)
class Twin:
    """TWIN: matrix as for HKLF, n components; n < 0: |n|/2 of them, each also inverted (a racemic twin)."""

    matrix: Matrix = INVERSION
    n: int = 2


@dataclass(frozen=True)
class TwinFraction:
    """One number of BASF: its value and whether it is fixed (10 + value)."""

    value: float
    fixed: bool = False


@dataclass(frozen=True)
class OmitLimits:
    """OMIT s 2θ. s: threshold of Fo² in units of σ(Fo²)/2, negative Fo² below it are set to it; 2θ in degrees.

    A negative two_theta leaves out reflections above it and hides nothing else, as SHELXL does for 2θ itself.
    """

    s: float = -2.0
    two_theta: float = 180.0


@dataclass(frozen=True)
class Dispersion:
    """DISP: f', f'' in electrons, and the absorption coefficient in barns per atom where given."""

    f_prime: float
    f_double_prime: float
    mu: float | None = None


@dataclass(frozen=True)
class RestraintDefaults:
    """DEFS: sd of DFIX and SADI, sf of FLAT, su of DELU, ss of SIMU, maxsof. Å, Å³, Å²."""

    sd: float = 0.02
    sf: float = 0.1
    su: float = 0.01
    ss: float = 0.04
    max_occupancy: float = 1.0


@dataclass
class ShelxSettings:
    """Instructions other than atoms, constraints and restraints. None: the text does not have the instruction.

    weights: a b c d e f of WGHT, completed by SHELXL's defaults; recommended_weights: the same after END;
    extinction: of EXTI; solvent: g and U of SWAT; basf: its numbers over all lines; omitted: OMIT h k l; resolution:
    SHEL as (d max, d min) in Å, infinite and 0 where open; merg: n of MERG; fab: n1, n2 of ABIN; cycles: nls of L.S. or
    CGLS; cycle_options: nrf and nextra; damping: damp and limse of DAMP, limse None where it is not given; peaks: npeaks of PLAN; list_code: of LIST;
    temperature_k: of TEMP; equivalents: EQIV by number, as triplets; laue: elements of LAUE.
    """

    weights: tuple[float, ...] | None = None
    recommended_weights: tuple[float, ...] | None = None
    extinction: float | None = None
    solvent: tuple[float, float] | None = None
    twin: Twin | None = None
    basf: list[TwinFraction] = field(default_factory=list)
    hklf: Hklf | None = None
    merg: int | None = None
    omit: OmitLimits | None = None
    omitted: list[tuple[int, int, int]] = field(default_factory=list)
    resolution: tuple[float, float] | None = None
    fab: tuple[float, float] | None = None
    neutron: bool = False
    dispersion: dict[str, Dispersion] = field(default_factory=dict)
    scattering: dict[str, ScatteringNumbers] = field(default_factory=dict)
    laue: list[str] = field(default_factory=list)
    wavelength: float | None = None
    cycles: int | None = None
    cycle_options: tuple[float, float] = (0.0, 0.0)
    conjugate_gradient: bool = False
    damping: tuple[float, float | None] | None = None
    resolution_steps: tuple[float, float] | None = None
    twist: int | None = None
    prior: float | None = None
    min_u: float | None = None
    anisotropic_scale: tuple[float, ...] | None = None
    anisotropic_scale_restraint: float | None = None
    defaults: RestraintDefaults = RestraintDefaults()
    equivalents: dict[str, str] = field(default_factory=dict)
    temperature_k: float | None = None
    peaks: int | None = None
    list_code: int | None = None
    acta: bool = False

    @classmethod
    def of(cls, instructions: list[Instruction], ending: list[Instruction], file: str) -> ShelxSettings:
        """Raises UserInputError with file and line for numbers that cannot be right."""
        settings = cls()
        for instruction in instructions:
            take = _TAKE.get(instruction.name)
            if take is None:
                continue
            try:
                take(settings, instruction)
            except (ValueError, IndexError, OverflowError) as error:
                raise UserInputError(
                    f"'{instruction.text[:70]}' cannot be understood.",
                    where=f"{file} {instruction.place}",
                    why=f"{error}.",
                    next="Correct its numbers, or delete the line.",
                    line=instruction.line,
                ) from error
        for instruction in ending:
            if instruction.name == "WGHT" and instruction.numbers:
                settings.recommended_weights = _weights(instruction)
        return settings


def is_identity(matrix: Matrix) -> bool:
    """Whether an HKLF matrix is the identity within 1e-9."""
    return all(abs(a - b) < 1e-9 for a, b in zip(matrix, IDENTITY, strict=True))


def _weights(instruction: Instruction) -> tuple[float, ...]:
    numbers = instruction.numbers
    return (*numbers[:6], *_WEIGHT_DEFAULTS[len(numbers) :])


def _matrix(numbers: tuple[float, ...], what: str) -> Matrix:
    m = (
        numbers[0],
        numbers[1],
        numbers[2],
        numbers[3],
        numbers[4],
        numbers[5],
        numbers[6],
        numbers[7],
        numbers[8],
    )
    determinant = (
        m[0] * (m[4] * m[8] - m[5] * m[7])
        - m[1] * (m[3] * m[8] - m[5] * m[6])
        + m[2] * (m[3] * m[7] - m[4] * m[6])
    )
    if abs(determinant) < 1e-6:
        raise ValueError(f"The matrix of {what} has the determinant 0")
    return m


def _take_weights(settings: ShelxSettings, i: Instruction) -> None:
    settings.weights = _weights(i)


def _take_extinction(settings: ShelxSettings, i: Instruction) -> None:
    settings.extinction = i.number(0, 0.0)


def _take_solvent(settings: ShelxSettings, i: Instruction) -> None:
    settings.solvent = (i.number(0, 0.0), i.number(1, 2.0))


def _take_twin(settings: ShelxSettings, i: Instruction) -> None:
    numbers = i.numbers
    if len(numbers) not in (0, 9, 10):
        raise ValueError(f"TWIN has a matrix of nine numbers, and this one has {len(numbers)} numbers")
    matrix = _matrix(numbers, "TWIN") if numbers else INVERSION
    n = round(i.number(9, 2))
    if abs(n) < 2 or (n < 0 and n % 2):
        raise ValueError(
            f"TWIN counts at least two components, and a racemic twin an even number; this is {n}"
        )
    settings.twin = Twin(matrix, n)


def _take_basf(settings: ShelxSettings, i: Instruction) -> None:
    for number in i.numbers:
        multiple, rest = decoded(number)
        settings.basf.append(TwinFraction(rest, True) if multiple == 1 else TwinFraction(number))


def _take_hklf(settings: ShelxSettings, i: Instruction) -> None:
    numbers = i.numbers
    matrix = _matrix(numbers[2:11], "HKLF") if len(numbers) >= 11 else IDENTITY
    if 2 < len(numbers) < 11:
        raise ValueError(
            f"HKLF has a matrix of nine numbers after n and s, and this one has {len(numbers) - 2}"
        )
    code = round(i.number(0, 4))
    if not 1 <= abs(code) <= 6:
        raise ValueError(f"HKLF has a number from 1 to 6, and this is {code}")
    settings.hklf = Hklf(code, i.number(1, 1.0), matrix, i.number(11, 1.0), round(i.number(12, 0)))


def _take_merg(settings: ShelxSettings, i: Instruction) -> None:
    settings.merg = round(i.number(0, 2))
    if settings.merg not in range(5):
        raise ValueError(f"MERG has a number from 0 to 4, and this is {settings.merg}")


def _take_omit(settings: ShelxSettings, i: Instruction) -> None:
    numbers = i.numbers
    if len(numbers) == 3:
        if any(number != round(number) for number in numbers):
            raise ValueError("OMIT h k l has three whole numbers")
        settings.omitted.append((round(numbers[0]), round(numbers[1]), round(numbers[2])))
    elif len(numbers) > 3:
        raise ValueError("OMIT has a threshold and 2θ, or three indices")
    else:
        settings.omit = OmitLimits(i.number(0, -2.0), i.number(1, 180.0))


def _take_shel(settings: ShelxSettings, i: Instruction) -> None:
    limits = [i.number(0, math.inf), i.number(1, 0.0)]
    settings.resolution = (max(limits), min(limits))


def _take_fab(settings: ShelxSettings, i: Instruction) -> None:
    settings.fab = (i.number(0, 0.0), i.number(1, 0.0))


def _take_neutron(settings: ShelxSettings, i: Instruction) -> None:
    settings.neutron = True


def _take_dispersion(settings: ShelxSettings, i: Instruction) -> None:
    element = i.words[0].lstrip("$").capitalize() if i.words else ""
    numbers = [number for number in map(shelx_number, i.words[1:]) if number is not None]
    if len(numbers) < 2:
        raise ValueError("DISP has an element, f' and f''")
    settings.dispersion[element] = Dispersion(
        numbers[0], numbers[1], numbers[2] if len(numbers) > 2 else None
    )


def _take_sfac(settings: ShelxSettings, i: Instruction) -> None:
    numbers = [number for number in map(shelx_number, i.words[1:]) if number is not None]
    if not numbers:
        return
    if len(numbers) != 14:
        raise ValueError(f"SFAC with numbers has 14 of them, and this one has {len(numbers)}")
    n = numbers
    settings.scattering[i.words[0].lstrip("$").capitalize()] = ScatteringNumbers(
        (n[0], n[2], n[4], n[6]), (n[1], n[3], n[5], n[7]), *n[8:14]
    )


def _take_laue(settings: ShelxSettings, i: Instruction) -> None:
    settings.laue.append(i.words[0].lstrip("$").capitalize() if i.words else "")


def _take_cell(settings: ShelxSettings, i: Instruction) -> None:
    settings.wavelength = i.numbers[0]


def _take_cycles(settings: ShelxSettings, i: Instruction) -> None:
    settings.cycles = abs(round(i.number(0, 0)))
    settings.cycle_options = (i.number(1, 0), i.number(2, 0))
    settings.conjugate_gradient = i.name == "CGLS"


def _take_damping(settings: ShelxSettings, i: Instruction) -> None:
    settings.damping = (i.number(0, 0.7), i.numbers[1] if len(i.numbers) > 1 else None)


def _take_stir(settings: ShelxSettings, i: Instruction) -> None:
    settings.resolution_steps = (i.numbers[0], i.number(1, 0.01))


def _take_twist(settings: ShelxSettings, i: Instruction) -> None:
    settings.twist = round(i.number(0, 0))


def _take_prior(settings: ShelxSettings, i: Instruction) -> None:
    settings.prior = i.number(0, 0.0)


def _take_min_u(settings: ShelxSettings, i: Instruction) -> None:
    settings.min_u = i.number(0, -0.001)


def _take_anisotropic_scale(settings: ShelxSettings, i: Instruction) -> None:
    settings.anisotropic_scale = i.numbers or (1.0, 1.0, 1.0, 0.0, 0.0, 0.0)


def _take_anisotropic_restraint(settings: ShelxSettings, i: Instruction) -> None:
    settings.anisotropic_scale_restraint = i.number(0, 0.001)


def _take_defaults(settings: ShelxSettings, i: Instruction) -> None:
    d = RestraintDefaults()
    settings.defaults = RestraintDefaults(
        i.number(0, d.sd),
        i.number(1, d.sf),
        i.number(2, d.su),
        i.number(3, d.ss),
        i.number(4, d.max_occupancy),
    )


def _take_equivalent(settings: ShelxSettings, i: Instruction) -> None:
    if not i.words or not i.words[0].startswith("$"):
        raise ValueError("EQIV names a symmetry operation, for example EQIV $1 -x, y, -z")
    settings.equivalents[i.words[0].lstrip("$")] = " ".join(i.words[1:])


def _take_temperature(settings: ShelxSettings, i: Instruction) -> None:
    settings.temperature_k = i.number(0, 20.0) + 273.15


def _take_plan(settings: ShelxSettings, i: Instruction) -> None:
    settings.peaks = abs(round(i.number(0, 20)))


def _take_list(settings: ShelxSettings, i: Instruction) -> None:
    settings.list_code = round(i.number(0, 4))


def _take_acta(settings: ShelxSettings, i: Instruction) -> None:
    settings.acta = True


_TAKE: dict[str, Callable[[ShelxSettings, Instruction], None]] = {
    "WGHT": _take_weights,
    "EXTI": _take_extinction,
    "SWAT": _take_solvent,
    "TWIN": _take_twin,
    "BASF": _take_basf,
    "HKLF": _take_hklf,
    "MERG": _take_merg,
    "OMIT": _take_omit,
    "SHEL": _take_shel,
    "ABIN": _take_fab,
    "NEUT": _take_neutron,
    "DISP": _take_dispersion,
    "SFAC": _take_sfac,
    "LAUE": _take_laue,
    "CELL": _take_cell,
    "L.S.": _take_cycles,
    "CGLS": _take_cycles,
    "DAMP": _take_damping,
    "STIR": _take_stir,
    "TWST": _take_twist,
    "PRIG": _take_prior,
    "XNPD": _take_min_u,
    "ANSC": _take_anisotropic_scale,
    "ANSR": _take_anisotropic_restraint,
    "DEFS": _take_defaults,
    "EQIV": _take_equivalent,
    "TEMP": _take_temperature,
    "PLAN": _take_plan,
    "LIST": _take_list,
    "ACTA": _take_acta,
}
