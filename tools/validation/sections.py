"""The sections of docs/validation.md. A new one: a function that takes a Context and returns Markdown, in SECTIONS."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# Of the file's values: R factors (absolute), shifts (s.u. of the file), ratio of s.u.
R_TOLERANCE, SHIFT_TOLERANCE, SU_RATIO = 0.0005, 1.0, (0.95, 1.05)
# A file that states a larger last shift/s.u. is not converged.
NOT_CONVERGED = 0.05


@dataclass(frozen=True)
class Context:
    """data_sets: folder of further CIFs, or None; runs: refinements of a calibration; seconds: most for one structure, of aspherical ones by their estimate.

    rows: patterns (`thpp*`), one of which the title of an aspherical refinement must fit to run anew; without any, all run.
    """

    data_sets: Path | None
    runs: int = 100
    seconds: float = 900.0
    rows: tuple[str, ...] = ()

    def wants(self, title: str) -> bool:
        """Whether a row of this title is to be computed, and not taken from the last run."""
        return not self.rows or any(fnmatch(title.lower(), pattern.lower()) for pattern in self.rows)


@dataclass(frozen=True)
class Section:
    """title and introduction of a section, and what makes its body."""

    title: str
    introduction: str
    body: Callable[[Context], str]


def in_packages(context: Context) -> str:
    """Published data that come inside Python packages of the development environment."""
    smtbx, iotbx = _package("smtbx"), _package("iotbx")
    pairs = [
        (smtbx / "regression/test_data/thpp.cif", smtbx / "regression/test_data/thpp.hkl"),
        (iotbx / "regression/data/cu3182sup1.cif", iotbx / "regression/data/cu3182Isup2.hkl"),
    ]
    pairs += _source_distribution("gemmi", ["2242624.cif", "4003024.cif"])
    return comparison([run(cif, hkl, context) for cif, hkl in pairs])


def _source_distribution(package: str, names: list[str]) -> list[tuple[Path, Path | None]]:
    """CIFs (and .hkl files beside them) in the tests of a package's source distribution; kept in .cache/validation."""
    folder = ROOT / ".cache" / "validation" / package
    if not list(folder.glob("*.tar.gz")):
        command = ["pip", "download", "--quiet", "--no-deps", "--no-binary", package, "--dest", str(folder)]
        done = subprocess.run(
            [sys.executable, "-m", *command, f"{package}=={version(package)}"], check=False, timeout=900
        )
        if done.returncode:
            sys.stderr.write(f"The source distribution of {package} could not be downloaded.\n")
            return []
    with tarfile.open(next(folder.glob("*.tar.gz"))) as archive:
        wanted = {Path(name).stem for name in names}
        for member in archive.getmembers():
            path = Path(member.name)
            if path.stem in wanted and path.suffix in (".cif", ".hkl") and member.isfile():
                (folder / path.name).write_bytes(archive.extractfile(member).read())
    found = [
        (folder / name, (folder / name).with_suffix(".hkl")) for name in names if (folder / name).exists()
    ]
    return [(cif, hkl if hkl.exists() else None) for cif, hkl in found]


def in_folder(context: Context) -> str:
    """Every CIF of the folder that was given."""
    if context.data_sets is None:
        return "No folder was given: `make validate DATA_SETS=/path/to/cifs` adds one.\n"
    rows = []
    for cif in sorted(context.data_sets.glob("**/*.cif")):
        hkl = next((cif.with_suffix(s) for s in (".hkl", ".fcf") if cif.with_suffix(s).exists()), None)
        embedded = "_shelx_hkl_file" in cif.read_text("utf-8", "replace")
        row = run(cif, None if embedded else hkl, context)
        sys.stderr.write(
            f"{row['name']}: {row.get('refused') or not_comparable(row) or verdict(row) or 'agrees'} ({row['seconds']} s)\n"
        )
        rows.append(row)
    return comparison(rows)


def _package(name: str) -> Path:
    return Path(importlib.util.find_spec(name).origin).parent


def run(cif: Path, hkl: Path | None, context: Context) -> dict:
    """One row, refined in a separate process."""
    command = [sys.executable, "-m", "tools.validation.one", str(cif), *([str(hkl)] if hkl else [])]
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=context.seconds,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {
            "name": cif.stem,
            "refused": f"not finished after {context.seconds:g} s",
            "seconds": context.seconds,
        }
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        return {"name": cif.stem, "refused": f"crashed: {done.stderr.strip()[-300:]}", "seconds": 0.0}
    return json.loads(lines[-1])


# Less than this share of the reflections of the file's own fit: another data set.
ENOUGH = 0.9


def not_comparable(row: dict) -> str:
    """Why the values of the file are those of other data than the ones at hand; empty where they are comparable."""
    stated, found = row["stated"].get("reflections"), row["found"]["reflections"]
    if stated and found < ENOUGH * stated:
        return f"not comparable: {found} of the {stated:g} reflections of the file's fit are at hand"
    if "cut" in row:
        return "not comparable: SHELXL cut the wide columns of the file, see the row below"
    return ""


def verdict(row: dict) -> list[str]:
    """What misses the goals; empty where everything stated is met.

    A file that states a last shift above 0.05 s.u. was not converged: its parameters may differ by that much more, and s.u.
    are not compared.
    """
    stated, found, missed = row["stated"], row["found"], []
    last = stated.get("shift") or 0.0
    converged = last <= NOT_CONVERGED
    for name in ("reflections", "parameters"):
        if stated.get(name) is not None and round(stated[name]) != found[name]:
            missed.append(f"{name} {found[name]} instead of {stated[name]:g}")
    for name, title in (("r1", "R1"), ("wr2", "wR2")):
        if stated.get(name) is not None and abs(stated[name] - found[name]) > R_TOLERANCE:
            missed.append(f"{title} {found[name]:.4f} instead of {stated[name]:g}")
    for name in ("position", "displacement"):
        summary = row.get(name)
        if summary and summary["largest"] > SHIFT_TOLERANCE + (0.0 if converged else last):
            missed.append(f"{summary['where']} {summary['largest']:.1f} s.u. off")
        rounding = 2 * summary["su_rounding"] if summary else 0.0
        if (
            summary
            and converged
            and not SU_RATIO[0] - rounding <= summary["su_ratio"] <= SU_RATIO[1] + rounding
        ):
            missed.append(f"s.u. of {name}s {summary['su_ratio']:.2f} of the file's")
    return missed


def comparison(rows: list[dict]) -> str:
    """Table of ours / the file's, and what explains the rows that differ."""
    head = "| data set | reflections | parameters | R1 | wR2 | S | shift x / U (s.u.) | s.u. ratio x / U | agrees |\n"
    lines = [head + "|---|---|---|---|---|---|---|---|---|\n"]
    remarks = []
    for row in [part for one in rows for part in (one, one.get("cut")) if part]:
        if "refused" in row:
            lines.append(f"| {row['name']} | | | | | | | | refused |\n")
            remarks.append(f"- {row['name']}: {_flat(row['refused'])}\n")
            continue
        stated, found = row["stated"], row["found"]
        both = [_both(found[name], stated.get(name), form) for name, form in _COLUMNS]
        shift = " / ".join(_of(row.get(name), "largest") for name in ("position", "displacement"))
        ratio = " / ".join(_of(row.get(name), "su_ratio") for name in ("position", "displacement"))
        missed = verdict(row)
        known = any(value is not None for value in stated.values())
        other = not_comparable(row)
        result = "not comparable" if other else "no" if missed else "yes" if known else "nothing stated"
        lines.append(f"| {row['name']} | {' | '.join(both)} | {shift} | {ratio} | {result} |\n")
        last = stated.get("shift") or 0.0
        unfinished = (
            [f"the file's last shift is {last:g} s.u.: not converged"] if last > NOT_CONVERGED else []
        )
        if other or missed or unfinished or row["notes"]:
            text = "; ".join([*([other] if other else missed), *unfinished, *row["notes"]])
            remarks.append(f"- {row['name']}: {_flat(text)}\n")
    return "".join([*lines, "\n", *remarks])


_COLUMNS = (("reflections", "d"), ("parameters", "d"), ("r1", ".4f"), ("wr2", ".4f"), ("s", ".3f"))


def _both(found: float, stated: float | None, form: str) -> str:
    if stated is None:
        return f"{found:{form}} / -"
    return f"{found:{form}} / {round(stated) if form == 'd' else stated:{form}}"


def _of(summary: dict | None, name: str) -> str:
    return f"{summary[name]:.2f}" if summary else "-"


def _flat(text: str) -> str:
    return " ".join(text.split())


def uncertainties(context: Context) -> str:
    """Calibration of the s.u. by many noisy refinements."""
    from tools.validation import calibration  # loads cctbx

    return calibration.table(context.runs)


def aspherical(context: Context) -> str:
    """Hirshfeld atom refinements at several levels."""
    from tools.validation import hirshfeld

    return hirshfeld.table(context)


def aspherical_uncertainties(context: Context) -> str:
    """Calibration of the s.u. of aspherical refinements."""
    from tools.validation import hirshfeld_calibration

    return hirshfeld_calibration.table(context.runs)


SECTIONS = [
    Section(
        "Data inside Python packages",
        "Each cell is ours / the file's. thpp is shipped without a published result; of cu3182 the package has 867 of 4,528 "
        "reflections, so its R values have no published counterpart. 2242624 and 4003024 are entries of the Crystallography Open "
        "Database in the source distribution of gemmi.",
        in_packages,
    ),
    Section(
        "Published structures with their measurements",
        "Every structure is refined as its file says: its instructions, weights and data, from its own model to convergence.",
        in_folder,
    ),
    Section(
        "Standard uncertainties",
        "Root mean square of (found - true) / s.u. over noisy refinements of crystals computed by plain sums; 1 is right, and its own "
        "uncertainty is about 0.02 for coordinates and 0.05 for distances, angles and single parameters. Noise that Friedel mates share is the usual case; "
        "where it is independent the s.u. are on the safe side by the square root of two (docs/refinement.md).",
        uncertainties,
    ),
    Section(
        "Standard uncertainties of Hirshfeld atoms",
        "Scatter of noisy refinements against a fixed table of form factors over their s.u.; 1 is right.",
        aspherical_uncertainties,
    ),
    Section(
        "Aspherical atoms",
        "Hirshfeld atom refinement at several levels, beside the spherical atoms it began from. Deviations of X-H are from the neutron "
        "means of Allen & Bruno, Acta Cryst. B66 (2010) 380, so 0.01 Å is what real structures scatter by; single bonds in a class differ "
        "as their hydrogen bonds do. The similarity of U is the mean index of Whitten & Spackman, Acta Cryst. B62 (2006) 875, between "
        "spherical and aspherical model over the atoms heavier than hydrogen; 0 is equal. Times are of the machine as it was, with its "
        "load beside them; what compares is the ratio, in seconds of processors, of the whole refinement to one self-consistent field of "
        "each molecule as PySCF runs it from scratch, in the same run (start-up, some 2 s of processors, outweighs the field of a small "
        "molecule). Every time: f(000) of each atom against its electrons, and the electrons of each molecule. The "
        "figures are kept in tools/validation/aspherical.json with the day of each row. In thpp C6 has two places (docs/aspherical.md).",
        aspherical,
    ),
]
