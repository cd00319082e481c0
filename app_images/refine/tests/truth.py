"""Crystals computed by plain sums with numpy, apart from everything that refines them.

F(h) = Σ over atoms and operations of occ (f0(s) + f' + i f'') exp(-8π² U s²) exp(2πi h·x), s = sin θ/λ.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

# Coefficients a1 b1 … a4 b4 c of International Tables Vol C, Table 6.1.1.4.
FORM = {
    "C": (2.3100, 20.8439, 1.0200, 10.2075, 1.5886, 0.5687, 0.8650, 51.6512, 0.2156),
    "N": (12.2126, 0.0057, 3.1322, 9.8933, 2.0125, 28.9975, 1.1663, 0.5826, -11.529),
    "O": (3.0485, 13.2771, 2.2868, 5.7011, 1.5463, 0.3239, 0.8670, 32.9089, 0.2508),
    "Br": (17.1789, 2.1723, 5.2358, 16.5796, 5.6377, 0.2609, 3.9851, 41.4328, 2.9557),
    "Fe": (11.7695, 4.7611, 7.3573, 0.3072, 3.5222, 15.3535, 2.3045, 76.8805, 1.0369),
}
# f' and f'' chosen for these tests, and written into the files as DISP.
DISPERSION = {
    "C": (0.018, 0.009),
    "N": (0.031, 0.018),
    "O": (0.050, 0.032),
    "Br": (-0.68, 1.28),
    "Fe": (-1.13, 3.20),
}
NEUTRON = {"C": 6.646, "N": 9.36, "O": 5.803, "H": -3.739, "Fe": 9.45}

OPERATIONS = {
    "P 21/c": (1, ["-X, 0.5+Y, 0.5-Z"]),
    "P 21": (-1, ["-X, 0.5+Y, -Z"]),
    "P 1": (-1, []),
    "P -1": (1, []),
    "P 4": (-1, ["-X, -Y, Z", "-Y, X, Z", "Y, -X, Z"]),
    "P 4/m": (1, ["-X, -Y, Z", "-Y, X, Z", "Y, -X, Z"]),
}
CELLS = {
    "P 4": (7.9, 7.9, 8.6, 90.0, 90.0, 90.0),
    "P 4/m": (7.9, 7.9, 8.6, 90.0, 90.0, 90.0),
    "P 1": (5.9, 6.7, 7.3, 84.0, 76.0, 81.0),
    "P -1": (5.9, 6.7, 7.3, 84.0, 76.0, 81.0),
}
MONOCLINIC = (6.1, 9.4, 7.7, 90.0, 104.0, 90.0)
SITES = [
    ("C1", "C", (0.105, 0.212, 0.304), 0.020),
    ("C2", "C", (0.312, 0.301, 0.391), 0.025),
    ("O1", "O", (0.402, 0.118, 0.157), 0.030),
    ("N1", "N", (0.211, 0.431, 0.142), 0.022),
    ("C3", "C", (0.337, 0.062, 0.433), 0.028),
]


@dataclass
class Truth:
    """A crystal whose parameters are known. heavy: element of the atom added to SITES, None for none."""

    group: str = "P 21/c"
    heavy: str | None = "Fe"
    wavelength: float = 1.54184
    lengths: dict[str, float] | None = None
    form: dict[str, tuple[float, ...]] = field(default_factory=lambda: FORM)
    dispersion: dict[str, tuple[float, float]] = field(default_factory=lambda: DISPERSION)

    def __post_init__(self) -> None:
        self.cell = CELLS.get(self.group, MONOCLINIC)
        heavy = [(f"{self.heavy}1", self.heavy, (0.187, 0.093, 0.061), 0.018)] if self.heavy else []
        self.atoms = heavy + SITES
        self.centric = OPERATIONS[self.group][0] > 0
        a, b, c = self.cell[:3]
        cosines, sines = np.cos(np.radians(self.cell[3:])), np.sin(np.radians(self.cell[3:]))
        metric = np.array(
            [
                [a * a, a * b * cosines[2], a * c * cosines[1]],
                [a * b * cosines[2], b * b, b * c * cosines[0]],
                [a * c * cosines[1], b * c * cosines[0], c * c],
            ]
        )
        self.reciprocal = np.linalg.inv(metric)
        assert sines.all()

    def operations(self) -> list[tuple[np.ndarray, np.ndarray]]:
        lattice, texts = OPERATIONS[self.group]
        found = [(np.eye(3), np.zeros(3))]
        for text in texts:
            rows, shift = np.zeros((3, 3)), np.zeros(3)
            for i, part in enumerate(text.replace(" ", "").split(",")):
                for sign, axis in zip("+++---", "XYZXYZ", strict=True):
                    if sign + axis in "+" + part if part[0] not in "+-" else sign + axis in part:
                        rows[i, "XYZ".index(axis)] = 1 if sign == "+" else -1
                shift[i] = 0.5 if "0.5" in part else 0.0
            found.append((rows, shift))
        for rows, _ in found[1:]:
            assert abs(abs(np.linalg.det(rows)) - 1) < 1e-9, rows
        return found + [(-r, -t) for r, t in found] if lattice > 0 else found

    def stol_sq(self, hkl: np.ndarray) -> np.ndarray:
        return np.einsum("ni,ij,nj->n", hkl, self.reciprocal, hkl) / 4

    def f(self, hkl: np.ndarray) -> np.ndarray:
        """F (n,) of whole or fractional indices (n, 3)."""
        s2 = self.stol_sq(hkl)
        total = np.zeros(len(hkl), complex)
        for _, element, site, u in self.atoms:
            if self.lengths is not None:
                factor = np.full(len(hkl), complex(self.lengths[element]))
            else:
                coefficients = self.form[element]
                factor = (
                    sum(coefficients[2 * i] * np.exp(-coefficients[2 * i + 1] * s2) for i in range(4))
                    + coefficients[8]
                    + complex(*self.dispersion[element])
                )
            phases = sum(np.exp(2j * np.pi * (hkl @ (r @ np.array(site) + t))) for r, t in self.operations())
            total += factor * np.exp(-8 * np.pi**2 * u * s2) * phases
        return total

    def indices(self, d_min: float = 0.85) -> np.ndarray:
        """All h k l of the sphere but 0 0 0 and the absent ones; one of each Friedel pair in centrosymmetric groups."""
        limit = [int(length / d_min) + 1 for length in self.cell[:3]]
        grid = np.array(np.meshgrid(*(np.arange(-n, n + 1) for n in limit), indexing="ij")).reshape(3, -1).T
        s2 = self.stol_sq(grid)
        grid = grid[(s2 > 0) & (s2 <= 1 / (4 * d_min**2))]
        grid = grid[~self.absent(grid)]
        return unique_of(grid, self)

    def absent(self, hkl: np.ndarray) -> np.ndarray:
        flags = np.zeros(len(hkl), bool)
        for r, t in self.operations():
            flags |= np.all(hkl @ r == hkl, axis=1) & (np.abs(np.exp(2j * np.pi * (hkl @ t)) - 1) > 1e-6)
        return flags

    def ins(self, *cards: str, shift: float = 0.0, hklf: str = "HKLF 4", neutron: bool = False) -> str:
        """A .ins file with this model, sites moved by `shift` (fractional, alternating)."""
        lattice, symmetry = OPERATIONS[self.group]
        elements = sorted({atom[1] for atom in self.atoms})
        lines = [
            "TITL truth",
            f"CELL {self.wavelength} " + " ".join(f"{x:g}" for x in self.cell),
            "ZERR 4 0.001 0.001 0.001 0 0 0",
            f"LATT {lattice}",
            *(f"SYMM {text}" for text in symmetry),
            *(["NEUT"] if neutron else []),
            "SFAC " + " ".join(elements),
        ]
        if self.lengths is None:
            lines += [f"DISP {e} {self.dispersion[e][0]} {self.dispersion[e][1]} 1" for e in elements]
        lines += ["UNIT " + " ".join("4" for _ in elements), "L.S. 10", *cards]
        if not any(card.startswith("WGHT") for card in cards):
            lines.append("WGHT 0 0")
        lines.append("FVAR 1")
        for i, (label, element, site, u) in enumerate(self.atoms):
            moved = [x + shift * (-1) ** (i + k) * (i > 0) for k, x in enumerate(site)]
            lines.append(
                f"{label} {elements.index(element) + 1} "
                + " ".join(f"{x:.6f}" for x in moved)
                + f" 11 {u:.5f}"
            )
        return "\n".join([*lines, hklf, "END", ""])


def unique_of(hkl: np.ndarray, truth: Truth) -> np.ndarray:
    """One of each set of equivalents; Friedel mates stay apart without a centre of symmetry."""
    limit = int(np.abs(hkl).sum(axis=1).max()) + 1
    digits = np.array([(2 * limit) ** 2, 2 * limit, 1])
    # A set of equivalents is known by its first member.
    first = np.min([(hkl @ r + limit) @ digits for r, _ in truth.operations()], axis=0)
    return hkl[np.sort(np.unique(first, return_index=True)[1])]


def noisy(
    intensity: np.ndarray, noise: float, seed: int, mates: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Intensities with normal noise, and their σ = noise · I + a floor. mates: noise of equal numbers is common to them."""
    sigma = noise * intensity + 0.002 * intensity.mean()
    random = np.random.default_rng(seed)
    draws = random.standard_normal(len(intensity))
    if mates is not None:
        draws = random.standard_normal(mates.max() + 1)[mates]
    return intensity + sigma * draws, sigma


def hkl_text(
    hkl: np.ndarray, intensity: np.ndarray, sigma: np.ndarray, batch: np.ndarray | None = None
) -> str:
    scale = 9000 / intensity.max()
    lines = []
    for i, (h, k, l) in enumerate(hkl.astype(int)):  # noqa: E741
        end = "" if batch is None else f"{batch[i]:4d}"
        lines.append(
            f"{h:4d}{k:4d}{l:4d}{intensity[i] * scale:8.3f}"[:20] + f"{sigma[i] * scale:8.4f}"[:8] + end
        )
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


def write(folder: Path, ins: str, hkl: str, name: str = "truth") -> tuple[str, str]:
    (folder / f"{name}.ins").write_text(ins)
    (folder / f"{name}.hkl").write_text(hkl)
    return str(folder / f"{name}.ins"), str(folder / f"{name}.hkl")
