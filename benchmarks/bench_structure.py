"""How long structures take: packed cells, tables, reflections, the index record; beside cctbx where it does the same.

    python benchmarks/bench_structure.py [--json out.json] [--repeat 5]

Ours and the peer run in turn on the same data; times are in processor seconds (one thread, no waiting). Every run
starts from the text or a fresh object, so nothing cached by an earlier run counts. The index record of a 100 MB
file runs in a separate process, for its peak memory.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "qcrbox_kernel_lib"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import numpy as np
import qcrbox.crystallography._gemmi  # noqa: F401 - before cctbx
from qcrbox.analysis.index import index_file
from qcrbox.crystallography.reflections import merging_statistics, read_hkl, unique_reflections
from qcrbox.crystallography.structure import Structure

try:
    import iotbx.cif
    from cctbx import adptbx, crystal
    from iotbx.shelx import hklf
except ImportError:  # the peer is optional
    iotbx = None


@dataclass
class Result:
    step: str
    data: str
    seconds: list[float] = field(default_factory=list)
    peer_seconds: list[float] = field(default_factory=list)
    peer: str = ""
    peak_mb: float | None = None
    limit_s: float | None = None
    limit_mb: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def met(self) -> bool | None:
        if self.limit_s is None:
            return None
        return self.median <= self.limit_s and (self.limit_mb is None or (self.peak_mb or 0) <= self.limit_mb)

    @property
    def ratio(self) -> float | None:
        return self.median / statistics.median(self.peer_seconds) if self.peer_seconds else None


def crystal_text(molecules: int) -> str:
    """An invented P 21/c structure of zigzag chains of ten carbons with hydrogens, 32 atoms each, on a grid."""
    across = max(1, round(molecules**0.5))
    along = -(-molecules // across)
    a, b, c = 6.5 * across, 9.0, 2 * 17.0 * along
    columns = ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "U_iso_or_equiv"]
    rows, tensors = [], []
    for number in range(molecules):
        x0, z0 = 6.5 * (number % across) + 1.0, 17.0 * (number // across) + 0.5
        for atom in range(10):
            place = (x0 + 0.42 * (-1) ** atom, 1.8, z0 + 1.27 * atom)
            name = f"C{number}_{atom}"
            rows.append((name, "C", place[0] / a, place[1] / b, place[2] / c, 0.03))
            tensors.append(f"{name} 0.03 0.035 0.04 0.001 0.002 0.003")
            for side in (-1, 1):
                h = (place[0] + 0.35 * (-1) ** atom, place[1] + 0.85 * side, place[2])
                rows.append((f"H{number}_{atom}{'AB'[side > 0]}", "H", h[0] / a, h[1] / b, h[2] / c, 0.05))
        for end, step in ((0, -1), (9, 1)):
            place = (x0 + 0.42 * (-1) ** end - 0.45 * (-1) ** end, 1.8, z0 + 1.27 * end + 0.85 * step)
            rows.append((f"H{number}_{end}E", "H", place[0] / a, place[1] / b, place[2] / c, 0.05))
    cell = "".join(f"_cell_length_{n} {v:.4f}(10)\n" for n, v in zip("abc", (a, b, c), strict=True))
    angles = "_cell_angle_alpha 90\n_cell_angle_beta 90.00(1)\n_cell_angle_gamma 90\n"
    body = "\n".join(f"{r[0]} {r[1]} {r[2]:.6f}(30) {r[3]:.6f}(30) {r[4]:.6f}(30) {r[5]}" for r in rows)
    header = "\n".join(f"_atom_site_{name}" for name in columns)
    aniso = "\n".join(
        f"_atom_site_aniso_{n}" for n in ("label", "U_11", "U_22", "U_33", "U_12", "U_13", "U_23")
    )
    return (
        f"data_bench\n{cell}{angles}_space_group_name_H-M_alt 'P 1 21/c 1'\nloop_\n{header}\n{body}\n"
        f"loop_\n{aniso}\n" + "\n".join(tensors) + "\n"
    )


def hkl_text(structure: Structure, count: int) -> bytes:
    """Unmerged reflections: every unique one to 0.65 Å with its equivalents, over and over, with some noise."""
    chance = np.random.default_rng(3)
    unique = unique_reflections(structure.cell, structure.space_group, 0.65)
    rotations = structure.space_group.rotations
    parts, total = [], 0
    while total < count:
        turned = unique @ rotations[chance.integers(len(rotations))] * chance.choice([-1, 1])
        parts.append(turned)
        total += len(turned)
    hkl = np.concatenate(parts)[:count]
    base = np.tile(chance.exponential(500, len(unique)) + 5, len(parts))[:count]
    noisy = base * chance.uniform(0.95, 1.05, count)
    rows = zip(hkl.tolist(), noisy.tolist(), (1 + 0.02 * base).tolist(), strict=True)
    lines = ["{:4d}{:4d}{:4d}".format(*index) + f"{value:8.2f}{su:8.2f}" for index, value, su in rows]
    return ("\n".join(lines) + "\n   0   0   0    0.00    0.00\n").encode()


def timed(call: Callable[[], object]) -> float:
    begun = time.process_time()
    call()
    return time.process_time() - begun


def measure(
    result: Result, repeat: int, ours: Callable[[], object], peer: Callable[[], object] | None = None
) -> Result:
    """Ours and the peer in turn, after one run of each that is not counted."""
    ours()
    if peer is not None:
        peer()
    for _ in range(repeat):
        result.seconds.append(timed(ours))
        if peer is not None:
            result.peer_seconds.append(timed(peer))
    return result


def packed_geometry(text: str) -> Callable[[], object]:
    """From atoms to a packed cell with bonds, their lengths and ellipsoids; the text is read before."""
    structure = Structure.from_cif(text)

    def run() -> object:
        fresh = Structure(structure.cell, structure.space_group, structure.sites)
        packed = fresh.pack()
        return len(packed.bonds), packed.bond_lengths.sum(), packed.principal_axes().rms

    return run


def cctbx_packed_geometry(text: str) -> Callable[[], object] | None:
    """The same steps with cctbx: expand to P 1, bonds by distance, eigenvalues of each tensor."""
    if iotbx is None:
        return None
    model = next(iter(iotbx.cif.reader(input_string=text).build_crystal_structures().values()))

    def run() -> object:
        packed = model.expand_to_p1(sites_mod_positive=True)
        table = packed.pair_asu_table(distance_cutoff=1.92).extract_pair_sym_table()
        cell = packed.unit_cell()
        eigen = [
            adptbx.eigensystem(adptbx.u_star_as_u_cart(cell, s.u_star))
            for s in packed.scatterers()
            if s.flags.use_u_aniso()
        ]
        return table, len(eigen)

    return run


def steps(repeat: int) -> list[Result]:
    results = []
    for molecules, limit in ((16, 0.3), (160, 3.0)):
        text = crystal_text(molecules)
        structure = Structure.from_cif(text)
        atoms = len(structure.pack())
        name = f"packed cell of {atoms} atoms"
        results.append(
            measure(
                Result("pack, bonds, ellipsoids", name, peer="cctbx", limit_s=limit),
                repeat,
                packed_geometry(text),
                cctbx_packed_geometry(text),
            )
        )
        results.append(
            measure(Result("read the CIF", name), repeat, lambda text=text: Structure.from_cif(text))
        )

        def fresh(structure: Structure = structure) -> Structure:
            return Structure(structure.cell, structure.space_group, structure.sites)

        results.append(measure(Result("grow whole molecules", name), repeat, lambda: len(fresh().atoms)))
        results.append(measure(Result("bond table with s.u.", name), repeat, lambda: len(fresh().bonds())))
        results.append(measure(Result("angle table with s.u.", name), repeat, lambda: len(fresh().angles())))
        results.append(measure(Result("short contacts", name), repeat, lambda: len(fresh().short_contacts())))
    results += reflection_steps(repeat)
    return results


def reflection_steps(repeat: int) -> list[Result]:
    structure = Structure.from_cif(crystal_text(16))
    data = hkl_text(structure, 300_000)
    reflections = read_hkl(data)
    name = "300 000 reflections"
    peer_read = peer_merge = None
    if iotbx is not None:
        from io import StringIO

        symmetry = crystal.symmetry(tuple(structure.cell.parameters), "P 1 21/c 1")
        plain = data.decode()

        def peer_read() -> object:
            return hklf.reader(file_object=StringIO(plain)).as_miller_arrays(crystal_symmetry=symmetry)

        array = peer_read()[0]

        def peer_merge() -> object:
            merged = array.remove_systematic_absences().merge_equivalents()
            return merged.r_int(), merged.array().completeness()

    return [
        measure(Result("read .hkl", name, peer="iotbx"), repeat, lambda: read_hkl(data), peer_read),
        measure(
            Result("merge: R(int), completeness, shells", name, peer="cctbx (without shells)"),
            repeat,
            lambda: merging_statistics(reflections, structure.cell, structure.space_group).r_int,
            peer_merge,
        ),
    ]


def large_files(folder: Path) -> dict[str, Path]:
    head = crystal_text(4)
    embedded = head + "_shelx_hkl_file\n;\n" + "   1   2   3 1234.56   12.34\n" * 3_450_000 + ";\n"
    loop = head + (
        "loop_\n_refln_index_h\n_refln_index_k\n_refln_index_l\n_refln_F_squared_meas\n_refln_F_squared_sigma\n"
        + "1 2 -33 1234.56 12.34\n" * 4_550_000
    )
    paths = {"embedded .hkl of 100 MB": folder / "embedded.cif", "loop of 100 MB": folder / "loop.cif"}
    for path, text in zip(paths.values(), (embedded, loop), strict=True):
        path.write_text(text)
    return paths


def index_alone(path: Path) -> None:
    """The child's part: read and index once; seconds and peak memory on standard output."""
    begun = time.process_time()
    record = index_file(path)
    seconds = time.process_time() - begun
    assert record.has_hkl, record.warnings
    line = next(row for row in Path("/proc/self/status").read_text().splitlines() if row.startswith("VmHWM"))
    print(json.dumps({"seconds": seconds, "peak_mb": int(line.split()[1]) / 1024}))


def index_steps(repeat: int) -> list[Result]:
    results = []
    with tempfile.TemporaryDirectory(prefix="bench_structure_") as folder:
        for name, path in large_files(Path(folder)).items():
            size = path.stat().st_size / 2**20
            result = Result("read and index", name, limit_s=15.0, limit_mb=4 * size)
            for _ in range(min(repeat, 3)):
                command = [sys.executable, __file__, "--index", str(path)]
                answer = json.loads(
                    subprocess.run(command, capture_output=True, text=True, check=True).stdout
                )
                result.seconds.append(answer["seconds"])
                result.peak_mb = max(result.peak_mb or 0, round(answer["peak_mb"], 1))
            results.append(result)
    return results


def line_of(result: Result) -> str:
    times = f"{1000 * result.median:9.1f} ms ({1000 * min(result.seconds):.1f} to {1000 * max(result.seconds):.1f})"
    text = f"{result.data:<28}{result.step:<38}{times:<36}"
    if result.peak_mb is not None:
        text += f"{result.peak_mb:7.0f} MB"
    if result.ratio is not None:
        low = min(result.seconds) / max(result.peer_seconds)
        high = max(result.seconds) / min(result.peer_seconds)
        text += f"   {result.ratio:.2f} x {result.peer} ({low:.2f} to {high:.2f})"
    if result.met is not None:
        limit = f"{result.limit_s} s" + (f", {result.limit_mb:.0f} MB" if result.limit_mb else "")
        text += f"   goal {limit}: {'met' if result.met else 'MISSED'}"
    return text


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each step (default 5)")
    parser.add_argument("--quick", action="store_true", help="one run of each step")
    parser.add_argument("--index", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.index:
        index_alone(options.index)
        return 0
    repeat = 1 if options.quick else options.repeat
    results = [*steps(repeat), *index_steps(repeat)]
    for result in results:
        print(line_of(result))
    if options.json:
        rows = [{**asdict(r), "median_s": r.median, "ratio": r.ratio, "met": r.met} for r in results]
        options.json.write_text(json.dumps(rows, indent=1) + "\n")
    return 1 if any(result.met is False for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
