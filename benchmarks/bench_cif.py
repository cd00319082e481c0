"""How long the CIF layer takes, beside gemmi's bare reading and writing of the same file and iotbx.cif.

    python benchmarks/bench_cif.py [--json out.json] [--repeat 5] [--only reflections]

Every step runs in a separate process, so that its peak memory is its own: the process reads nothing but its file.
Times are of the step without interpreter start and imports, in processor seconds: all steps are one thread without
waiting, and other programs on the machine then count less. Seconds on the clock are in the JSON too. A ratio is the
step's median over gemmi's; its spread is fastest ours / slowest theirs to slowest ours / fastest theirs.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "qcrbox_kernel_lib"))

HKL = ["_refln_index_h", "_refln_index_k", "_refln_index_l"]
N_REFLECTIONS = 300_000


@dataclass(frozen=True)
class Case:
    """One step on one file, with what it must keep to (seconds, MB of peak memory)."""

    step: str
    file: str
    limit_s: float | None = None
    limit_mb: float | None = None


CASES = [
    *(
        Case(step, "reflections", 2.0, 200)
        for step in ("read", "unify", "specific", "specific with merged su", "merge back", "read and write")
    ),
    Case("unify", "reflections with su", 2.0, 200),
    Case("specific with merged su", "reflections with su", 2.0, 200),
    *(
        Case(step, "structure of 143 kB", 0.020)
        for step in ("read", "unify", "specific", "specific with merged su", "merge back", "read and write")
    ),
    Case("read and index", "loop of 100 MB", 15.0, 400),
    Case("read and index", "text of 100 MB", 15.0, 400),
    Case("read and index", "quoted loop of 100 MB", 15.0, 400),
    Case("one million names", "names"),
    Case("load the table of names", "names", 0.030),
]
PEERS = {
    "gemmi read and write": ("reflections", "reflections with su", "structure of 143 kB"),
    "iotbx read and write": ("reflections", "structure of 143 kB"),
}


@dataclass
class Result:
    step: str
    file: str
    size_mb: float
    seconds: list[float] = field(default_factory=list)  # of the processor
    clock_s: list[float] = field(default_factory=list)
    peak_mb: float = 0.0
    limit_s: float | None = None
    limit_mb: float | None = None
    ratio_to_gemmi: float | None = None
    ratio_spread: tuple[float, float] | None = None
    ratio_to_iotbx: float | None = None
    error: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def met(self) -> bool | None:
        if self.error:
            return False
        if self.limit_s is None:
            return None
        return self.median <= self.limit_s and (self.limit_mb is None or self.peak_mb <= self.limit_mb)


# Files


def reflections() -> Iterator[tuple[int, int, int, float, float]]:
    chance = random.Random(20)
    count = 0
    for h in range(-60, 61):
        for k in range(-60, 61):
            for l in range(30):  # noqa: E741 - the name of the index
                if count == N_REFLECTIONS:
                    return
                intensity = chance.expovariate(1 / 500)
                yield h, k, l, intensity, 0.7 * intensity**0.5 + 1
                count += 1


def loop_of(columns: list[str], rows: Iterator[str]) -> str:
    return "loop_\n" + "\n".join(columns) + "\n" + "\n".join(rows) + "\n"


def make_files(folder: Path) -> dict[str, Path]:
    """Invented files of the sizes that matter."""
    cell = "data_bench\n_cell_length_a 10.123(4)\n_cell_length_b 11.0\n"
    plain = loop_of(
        [*HKL, "_refln_F_squared_meas", "_refln_F_squared_sigma"],
        (f"{h} {k} {m} {f:.2f} {s:.2f}" for h, k, m, f, s in reflections()),
    )
    with_su = loop_of(
        [*HKL, "_refln_F_squared_meas"],
        (f"{h} {k} {m} {f:.2f}({max(1, round(100 * s))})" for h, k, m, f, s in reflections()),
    )
    output = loop_of(
        [*HKL, "_refln_F_squared_calc"], (f"{h} {k} {m} {f:.2f}" for h, k, m, f, _ in reflections())
    )
    texts = {
        "reflections": cell + plain,
        "reflections with su": cell + with_su,
        "output of reflections": cell + output,
        "structure of 143 kB": structure(),
        "output of structure": "data_out\n_cell_length_a 10.2(1)\n" + atoms(120, 0.01),
        "loop of 100 MB": "data_x\nloop_\n_a\n_b\n_c\n_d\n_e\n" + "1 2 -33 1234.56 12.34\n" * 4_550_000,
        "text of 100 MB": "data_x\n_shelx_hkl_file\n;\n"
        + "   1   2   3 1234.56   12.34\n" * 3_450_000
        + ";\n",
        "quoted loop of 100 MB": "data_x\nloop_\n_a\n_b\n_c\n_d\n"
        + "C1 'x y z' -33 1234.56(12)\n" * 3_700_000,
        "names": "data_x\n_cell_length_a 1\n",
    }
    paths: dict[str, Path] = {}
    for number, (name, text) in enumerate(texts.items()):
        paths[name] = folder / f"{number}.cif"
        paths[name].write_text(text)
    return paths


def atoms(count: int, shift: float) -> str:
    return loop_of(
        ["_atom_site_label", "_atom_site_fract_x", "_atom_site_fract_y", "_atom_site_U_iso_or_equiv"],
        (f"C{n} {0.001 * n + shift:.5f}(12) 0.{n:04d}(3) 0.0{n % 9 + 1}2(5)" for n in range(1, count + 1)),
    )


def structure() -> str:
    """A structure as SHELXL writes it: items, atoms, bonds, and the reflections as an embedded text."""
    items = "".join(f"_refine_ls_my_item_{n} '{n} and text'\n" for n in range(120))
    bonds = loop_of(
        [
            "_geom_bond_atom_site_label_1",
            "_geom_bond_atom_site_label_2",
            "_geom_bond_distance",
            "_geom_bond_publ_flag",
        ],
        (f"C{n} C{n + 1} 1.5{n % 10}(3) ?" for n in range(1, 300)),
    )
    head = "data_bench\n_cell_length_a 10.123(4)\n_cell_length_b 11.0\n" + items + atoms(120, 0) + bonds
    line = "   1   2   3 1234.56   12.34\n"
    return head + "_shelx_hkl_file\n;\n" + line * ((143_000 - len(head)) // len(line)) + ";\n"


# Steps, in the process of their own


def step_of(name: str, path: Path, other: Path | None) -> Callable[[], object]:
    """A call that does the step on bytes that are in memory already."""
    data = path.read_bytes()
    if name.startswith(("gemmi", "iotbx")):
        return _peer(name, data)
    from qcrbox.cif import Document, names, read
    from qcrbox.cif.convert import InputEntries, OutputEntries, merge_back, specific, unify

    if name == "load the table of names":
        return lambda: names.canonical("_cell_length_a")
    if name == "one million names":
        tags = ["_cell_length_a", "_my_unknown", "_ATOM_SITE_FRACT_X", "_refine_ls_shift/su_max"] * 250_000
        names.canonical("_x")
        return lambda: [names.canonical(tag) for tag in tags]
    tag = "_refln_F_squared_meas" if b"_refln_" in data else "_atom_site_fract_x"
    wanted = InputEntries(required=["_cell_length_a", tag])
    merged = InputEntries(required=["_cell_length_a", tag], merge_su=True)
    steps: dict[str, Callable[[], object]] = {
        "read": lambda: read(data),
        "read and index": lambda: [(loop.tags, loop.n_rows) for loop in read(data).sole_block().loops],
        "read and write": lambda: Document(read(data).blocks).to_bytes(),
        "unify": lambda: unify(data).bytes,
        "specific": lambda: specific(data, wanted).bytes,
        "specific with merged su": lambda: specific(data, merged).bytes,
    }
    if other is not None:
        output = other.read_bytes()
        steps["merge back"] = lambda: merge_back(output, data, OutputEntries(required=["all_unified"])).bytes
    return steps[name]


def _peer(name: str, data: bytes) -> Callable[[], object]:
    text = data.decode()
    if name.startswith("gemmi"):
        import gemmi

        return lambda: gemmi.cif.read_string(text).as_string()
    import io

    import iotbx.cif

    return lambda: iotbx.cif.reader(input_string=text).model().show(out=io.StringIO())


def run_one(name: str, path: Path, other: Path | None) -> None:
    """The child's part: run the step once and print seconds and peak memory in MB."""
    call = step_of(name, path, other)
    clock, processor = time.perf_counter(), time.process_time()
    call()
    seconds, clock_s = time.process_time() - processor, time.perf_counter() - clock
    print(json.dumps({"seconds": seconds, "clock_s": clock_s, "peak_mb": peak_mb()}))


def peak_mb() -> float:
    """Peak memory of this process. Linux hands `ru_maxrss` on from parent to child, so /proc is asked first."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    unit = 1024 * 1024 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def measured(step: str, file: str, paths: dict[str, Path], repeat: int) -> Result:
    path = paths[file]
    other = paths["output of structure" if file.startswith("structure") else "output of reflections"]
    result = Result(step, file, round(path.stat().st_size / 1e6, 2))
    command = [sys.executable, __file__, "--one", step, str(path), str(other)]
    for _ in range(repeat):
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode:
            result.error = done.stderr.strip().rpartition("\n")[2]
            break
        answer = json.loads(done.stdout)
        result.seconds.append(answer["seconds"])
        result.clock_s.append(answer["clock_s"])
        result.peak_mb = max(result.peak_mb, round(answer["peak_mb"], 1))
    return result


def run(repeat: int = 5, only: str = "", report: Callable[[str], None] = print) -> list[Result]:
    """All measurements; `only` keeps the files whose name holds it."""
    with tempfile.TemporaryDirectory(prefix="bench_cif_") as folder:
        paths = make_files(Path(folder))
        peers: dict[tuple[str, str], Result] = {}
        results: list[Result] = []
        for step, files in PEERS.items():
            for file in files:
                if only in file:
                    peers[step, file] = measured(step, file, paths, repeat)
                    report(line_of(peers[step, file]))
        for case in CASES:
            if only not in case.file:
                continue
            result = measured(case.step, case.file, paths, repeat)
            result.limit_s, result.limit_mb = case.limit_s, case.limit_mb
            _compare(result, peers)
            results.append(result)
            report(line_of(result))
    return [*peers.values(), *results]


def _compare(result: Result, peers: dict[tuple[str, str], Result]) -> None:
    gemmi = peers.get(("gemmi read and write", result.file))
    if gemmi and gemmi.seconds and result.seconds:
        result.ratio_to_gemmi = round(result.median / gemmi.median, 2)
        result.ratio_spread = (
            round(min(result.seconds) / max(gemmi.seconds), 2),
            round(max(result.seconds) / min(gemmi.seconds), 2),
        )
    iotbx = peers.get(("iotbx read and write", result.file))
    if iotbx and iotbx.seconds and result.seconds:
        result.ratio_to_iotbx = round(result.median / iotbx.median, 3)


def line_of(result: Result) -> str:
    head = f"{result.file:<24}{result.step:<26}"
    if result.error:
        return f"{head} FAILED: {result.error}"
    times = f"{1000 * result.median:9.1f} ms ({1000 * min(result.seconds):.1f} to {1000 * max(result.seconds):.1f})"
    text = f"{head}{times:<40}{result.peak_mb:7.0f} MB"
    if result.ratio_to_gemmi is not None and result.ratio_spread is not None:
        low, high = result.ratio_spread
        text += f"   {result.ratio_to_gemmi:.2f} x gemmi ({low:.2f} to {high:.2f})"
    if result.met is not None:
        limit = f"{result.limit_s} s" + (f", {result.limit_mb:.0f} MB" if result.limit_mb else "")
        text += f"   goal {limit}: {'met' if result.met else 'MISSED'}"
    return text


def as_json(results: list[Result]) -> list[dict[str, Any]]:
    return [
        {**asdict(result), "median_s": result.median if result.seconds else None, "met": result.met}
        for result in results
    ]


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write all numbers there")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each step (default 5)")
    parser.add_argument("--only", default="", help="only files whose name holds this")
    parser.add_argument("--one", nargs=3, metavar=("STEP", "FILE", "OUTPUT"), help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.one:
        run_one(options.one[0], Path(options.one[1]), Path(options.one[2]))
        return 0
    results = run(options.repeat, options.only)
    if options.json:
        options.json.write_text(json.dumps(as_json(results), indent=1) + "\n")
    return 1 if any(result.met is False for result in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
