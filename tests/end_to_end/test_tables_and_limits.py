"""Through real agents: twins with tables of form factors, wavefunctions of other programs, and refinements that are refused
before they begin.
"""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources

import numpy as np
import pytest
from cctbx.eltbx import xray_scattering
from iodata import load_one
from numpy.typing import NDArray
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.tsc import FormFactorTable, read_tsc, write_tsc, write_tscb

from tests.conftest import ROOT, RunningRegistry

D_MIN = 0.85  # Å
BOHR = 0.529177210544  # Å
ANGLES = ("alpha", "beta", "gamma")
SYMBOLS = {1: "H", 6: "C", 7: "N", 8: "O"}
SHARE = 0.3  # of the second domain
# Label, element, site, U in Å².
ATOMS = [
    ("Fe1", "Fe", (0.187, 0.093, 0.061), 0.018),
    ("C1", "C", (0.105, 0.312, 0.304), 0.020),
    ("O1", "O", (0.402, 0.118, 0.157), 0.030),
    ("N1", "N", (0.311, 0.431, 0.242), 0.022),
]
# Atoms that are not free ones: what is scattered at s is what the free atom scatters at s times the square root of this.
STRETCHED = {"Fe": 1.0, "C": 0.8, "N": 0.9, "O": 1.25}
Indices = NDArray[np.int64]


@dataclass
class Crystal:
    """A centrosymmetric crystal: cell, SYMM cards, and the rotations (3, 3) of half of its operations."""

    cell: tuple[float, ...]
    cards: tuple[str, ...]
    rotations: list[Indices]

    def stol_sq(self, hkl: Indices) -> NDArray[np.float64]:
        a, b, c = self.cell[:3]
        cosines = np.cos(np.radians(self.cell[3:]))
        angles = np.array(
            [[1, cosines[2], cosines[1]], [cosines[2], 1, cosines[0]], [cosines[1], cosines[0], 1]]
        )
        metric = angles * np.outer((a, b, c), (a, b, c))
        return np.einsum("ni,ij,nj->n", hkl, np.linalg.inv(metric), hkl) / 4

    def factor(self, element: str, hkl: Indices) -> NDArray[np.float64]:
        free = xray_scattering.it1992(element).fetch()
        return np.array([free.at_stol_sq(s2 * STRETCHED[element]) for s2 in self.stol_sq(hkl)])

    def f(self, hkl: Indices) -> NDArray[np.float64]:
        total = np.zeros(len(hkl))
        for _, element, site, u in ATOMS:
            phases = sum(np.cos(2 * np.pi * (hkl @ r @ np.array(site))) for r in self.rotations)
            total += 2 * self.factor(element, hkl) * np.exp(-8 * np.pi**2 * u * self.stol_sq(hkl)) * phases
        return total

    def block(self) -> Indices:
        """Indices (n, 3) of the sphere and of its corners, where twin laws lead that are none of the metric."""
        most = [int(length / D_MIN) + 1 for length in self.cell[:3]]
        return np.array(np.meshgrid(*(np.arange(-n, n + 1) for n in most), indexing="ij")).reshape(3, -1).T

    def sphere(self) -> Indices:
        block = self.block()
        s2 = self.stol_sq(block)
        return block[(s2 > 0) & (s2 <= 1 / (4 * D_MIN**2))]

    def unique(self) -> Indices:
        seen: set[tuple[int, ...]] = set()
        kept = []
        for h in self.sphere():
            images = {tuple((sign * h @ r).tolist()) for r in self.rotations for sign in (1, -1)}
            if not images & seen:
                kept.append(h)
            seen |= images
        return np.array(kept)

    def table(self) -> FormFactorTable:
        hkl = self.block()
        values = np.array([self.factor(element, hkl) for _, element, _, _ in ATOMS]).T
        return FormFactorTable(
            [a[0] for a in ATOMS], hkl.astype(np.int32), values.astype(complex), {"SYMM": "expanded"}
        )

    def ins(self, *cards: str, hklf: str) -> str:
        elements = sorted({element for _, element, _, _ in ATOMS})
        lines = [
            "TITL twin",
            "CELL 0.71073 " + " ".join(f"{x:g}" for x in self.cell),
            "ZERR 2 0.001 0.001 0.001 0 0 0",
            "LATT 1",
            *self.cards,
            "SFAC " + " ".join(elements),
            *(f"DISP {element} 0 0 1" for element in elements),
            "UNIT " + " ".join("2" for _ in elements),
            "L.S. 10",
            *cards,
            "WGHT 0 0",
            "FVAR 1",
        ]
        for label, element, site, u in ATOMS:
            x, y, z = site
            lines.append(f"{label} {elements.index(element) + 1} {x:.5f} {y + 0.002:.5f} {z:.5f} 11 {u:.4f}")
        return "\n".join([*lines, hklf, "END", ""])


TETRAGONAL = Crystal(
    (7.9, 7.9, 8.6, 90, 90, 90),
    ("SYMM -X, -Y, Z", "SYMM -Y, X, Z", "SYMM Y, -X, Z"),
    [
        np.array(r)
        for r in (
            [[1, 0, 0], [0, 1, 0], [0, 0, 1]],
            [[-1, 0, 0], [0, -1, 0], [0, 0, 1]],
            [[0, -1, 0], [1, 0, 0], [0, 0, 1]],
            [[0, 1, 0], [-1, 0, 0], [0, 0, 1]],
        )
    ],
)
TRICLINIC = Crystal((5.9, 6.7, 7.3, 84, 76, 81), (), [np.eye(3, dtype=np.int64)])


def merohedral() -> tuple[str, str]:
    """.ins and .hkl of P 4/m, each reflection with h and k exchanged in the second domain."""
    hkl = TETRAGONAL.unique()
    total = (1 - SHARE) * TETRAGONAL.f(hkl) ** 2 + SHARE * TETRAGONAL.f(hkl[:, [1, 0, 2]] * [1, 1, -1]) ** 2
    ins = TETRAGONAL.ins("TWIN 0 1 0 1 0 0 0 0 -1 2", "BASF 0.15", hklf="HKLF 4")
    return ins, rows(hkl, np.zeros(len(hkl), dtype=int), total)


def overlapped() -> tuple[str, str]:
    """.ins and .hkl of two lattices: reflections with l even overlap with those of the other, the others do not."""
    hkl = TRICLINIC.unique()
    first = (1 - SHARE) * TRICLINIC.f(hkl) ** 2
    mates = hkl * [1, -1, -1]
    second = SHARE * TRICLINIC.f(mates) ** 2
    written, batch, total = [], [], []
    for h, mate, a, b in zip(hkl, mates, first, second, strict=True):
        if h[2] % 2:
            written, batch, total = [*written, h], [*batch, 1], [*total, a]
        else:
            written, batch, total = [*written, mate, h], [*batch, -2, 1], [*total, a + b, a + b]
    ins = TRICLINIC.ins("BASF 0.15", hklf="HKLF 5")
    return ins, rows(np.array(written), np.array(batch), np.array(total))


def rows(hkl: Indices, batch: Indices, intensity: NDArray[np.float64]) -> str:
    """A .hkl file with σ = 1 % and noise of that size, equal for all rows of one measurement."""
    intensity = intensity * 9000 / intensity.max()
    sigma = 0.01 * intensity + 0.002 * intensity.mean()
    ends = batch >= 0
    draws = np.random.default_rng(5).standard_normal(int(ends.sum()))
    of_row = np.concatenate([[0], np.cumsum(ends)[:-1]])
    measured = intensity + sigma * draws[of_row]
    lines = [
        "".join(f"{index:4d}" for index in h) + f"{i:8.2f}{s:8.3f}" + (f"{b:4d}" if b else "")
        for h, i, s, b in zip(hkl, measured, sigma, batch, strict=True)
    ]
    return "\n".join([*lines, "   0   0   0    0.00    0.00", ""])


@pytest.fixture(scope="module")
def box(registry: RunningRegistry) -> Iterator[Box]:
    made = Box(RegistryClient(registry.url))
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("crystal", "data", "ending", "write"),
    [(TETRAGONAL, merohedral, "tsc", write_tsc), (TRICLINIC, overlapped, "tscb", write_tscb)],
    ids=["TWIN", "HKLF 5"],
)
def test_a_twin_is_refined_with_the_table_of_its_atoms(box, crystal, data, ending, write, tmp_path):
    for name, text in zip(("twin.ins", "twin.hkl"), data(), strict=True):
        (tmp_path / name).write_text(text)
    (tmp_path / f"atoms.{ending}").write_bytes(write(crystal.table()))
    stored = box.add(tmp_path / "twin.ins", tmp_path / "twin.hkl", name=f"twin {ending}")
    table = box.add(tmp_path / f"atoms.{ending}", name=f"atoms {ending}")
    settings = {"weighting": "keep", "cycles": 20}
    free = box.refine.refine_shelx(stored.files["twin.ins"], stored.files["twin.hkl"], **settings).result(240)
    bound = box.refine.refine_tsc(free, table.files[f"atoms.{ending}"], **settings).result(240)
    assert float(free.cif["_refine_ls_goodness_of_fit_ref"]) > 1.3
    assert float(bound.cif["_refine_ls_goodness_of_fit_ref"]) == pytest.approx(1, abs=0.1)
    instructions = bound.files["refined.res"].text
    share = next(line for line in instructions.splitlines() if line.startswith("BASF"))
    assert float(share.split()[1]) == pytest.approx(SHARE, abs=0.01)
    assert "SHA-256" in bound.cif.text


SHIPPED = resources.files("iodata.test.data")
THPP = [str(resources.files("smtbx") / f"regression/test_data/thpp.{ending}") for ending in ("cif", "hkl")]
UREA = [ROOT / "app_images/har/examples" / name for name in ("urea.cif", "urea.hkl")]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "electrons"),
    [("h2o_sto3g.fchk", 10), ("nh3_orca.molden", 10), ("water_sto3g_hf.wfx", 10), ("ethanol.mkl", 26)],
)
def test_form_factors_come_from_the_wavefunction_of_another_program(box, tmp_path, name, electrons):
    """Gaussian, ORCA and AIM files as IOData ships them, each in a crystal of its molecule at its geometry."""
    content = SHIPPED.joinpath(name).read_bytes()
    (tmp_path / name).write_bytes(content)
    (tmp_path / "crystal.cif").write_text(crystal_of(str(tmp_path / name)))
    stored = box.add(tmp_path / "crystal.cif", name=f"crystal of {name}")
    wavefunction = box.add(tmp_path / name, name=name).files[name]
    result = box.har.form_factors(stored, wavefunction=wavefunction, d_min=3.0).result(240)
    table = read_tsc(result.files["form_factors.tsc"].bytes)
    lowest = np.abs(table.hkl).sum(axis=1) == 1
    assert lowest.sum() == 6
    # sin θ/λ = 0.05 Å⁻¹: some per cent below the electrons.
    assert 0.90 * electrons < table.values[lowest].real.sum(axis=1).min() < electrons
    assert "wavefunction" in str(result.cif["_aspheric_ffs.source"])


@pytest.mark.slow
def test_a_wavefunction_of_another_molecule_is_refused(box, tmp_path):
    (tmp_path / "other.fchk").write_bytes(SHIPPED.joinpath("hf_sto3g.fchk").read_bytes())
    other = box.add(tmp_path / "other.fchk", name="hydrogen fluoride").files["other.fchk"]
    calculation = box.har.refine_har(box.add(*UREA, name="urea"), **SMALL, wavefunction=other)
    with pytest.raises(QcError, match="The file has HF, the crystal CH4N2O"):
        calculation.result(240)


def crystal_of(path: str) -> str:
    """A CIF of one molecule in a cube of 10 Å without symmetry."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        molecule = load_one(path)
    places = molecule.atcoords * BOHR / 10
    places += 0.5 - places.mean(axis=0)
    lines = ["data_x", *(f"_cell_length_{a} 10" for a in "abc"), *(f"_cell_angle_{a} 90" for a in ANGLES)]
    lines += ["_space_group_name_H-M_alt 'P 1'", "loop_"]
    lines += [
        f"_atom_site_{n}" for n in ("label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv")
    ]
    for i, (number, place) in enumerate(zip(molecule.atnums, places, strict=True), 1):
        element = SYMBOLS[int(number)]
        lines.append(f"{element}{i} {element} {' '.join(f'{x:.6f}' for x in place)} 0.02")
    return "\n".join([*lines, ""])


SMALL = {"functional": "hf", "basis": "sto-3g", "hydrogens": "isotropic", "weighting": "0, 0"}


@pytest.mark.slow
def test_a_refinement_beyond_its_time_is_refused_before_it_begins(box):
    calculation = box.har.refine_har(
        box.add(*THPP, name="thpp"),
        basis="def2-QZVP",
        crystal_field="charges",
        missing_hydrogens="place",
        most_hours=0.01,
    )
    with pytest.raises(QcError, match=r"would take about .*, more than the 0\.01 h allowed") as error:
        calculation.result(240)
    assert "Or allow more: most_hours=" in str(error.value)
    assert "Round 1" not in str(calculation.log)


@pytest.mark.slow
def test_a_refinement_beyond_the_memory_of_its_agent_is_refused_before_it_begins(tmp_path):
    """The launcher grants an agent what its application asks for; the machine has more."""
    applications = tmp_path / "app_images"
    for name in ("har", "refine"):
        shutil.copytree(
            ROOT / "app_images" / name, applications / name, ignore=shutil.ignore_patterns("tests")
        )
    about = applications / "har" / "application.yaml"
    place = '    callable_name: "refine_har"\n'
    assert about.read_text().count(place) == 1
    about.write_text(about.read_text().replace(place, f'{place}    memory: "1500 MB"\n'))
    running = RunningRegistry(tmp_path / "data", applications).start()
    try:
        box = Box(RegistryClient(running.url))
        urea = box.add(*UREA, name="urea")
        calculation = box.har.refine_har(urea, **SMALL | {"basis": "cc-pV5Z"})
        with pytest.raises(QcError, match=r"needs about .* GB of memory, and there are 1\.5 GB") as error:
            calculation.result(240)
        assert "Choose a smaller basis set" in str(error.value)
        assert "Round 1" not in str(calculation.log)
        assert box.har.refine_har(urea, **SMALL).result(240).R1 < 0.06
        box.close()
    finally:
        running.stop()
