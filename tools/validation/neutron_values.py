"""X-H distances that neutrons found in the very crystals of the data sets, beside ours and those of another program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

WITHIN = 1.5  # s.u. of ours that a distance may be off


@dataclass(frozen=True)
class Bond:
    """x, hydrogen: labels in the data set; length: in Å, by neutrons."""

    x: str
    hydrogen: str
    length: float


# Urea at 123 K: Swaminathan, Craven & McMullan, Acta Cryst. B40 (1984) 300, as Table 4 of Wall, IUCrJ 3 (2016) 237 quotes it, without
# s.u. H1 is the hydrogen atom on the side of the oxygen.
NEUTRON = {"urea": (Bond("N", "H1", 1.006), Bond("N", "H2", 1.000))}
# R(F) of 817 reflections and X-H distances with s.u. in units of 0.001 Å, in the order above: Hirshfeld atom refinement of the same
# measurements by Tonto (docs/REPORT_ON_SALVADOR_MODELS.md and docs/REPORT_ON_MODE_FITTING.md of its public repository). "charges" is
# the same field as ours: charges and dipoles of the molecules within 8 Å. None: not printed there.
TONTO: dict[tuple[str, str], tuple[float | None, tuple[str, ...]]] = {
    ("urea", "HF/def2-SVP"): (0.0181, ("1.028(5)", "0.986(6)")),
    ("urea", "HF/def2-TZVP"): (0.0167, ("1.025(4)", "0.989(5)")),
    ("urea", "B3LYP/def2-SVP"): (None, ("1.018(4)", "0.992(5)")),
    ("urea", "B3LYP/def2-SVP, charges"): (None, ("1.007(4)", "1.001(4)")),
}
_COLUMNS = (
    "data set",
    "level",
    "R1 / of Tonto",
    "bond",
    "neutron / Å",
    "X-H / Å",
    "by Tonto",
    "off / s.u.",
    "within 1.5 s.u.",
)


def table(rows: list[tuple[str, str, dict[str, Any]]]) -> str:
    """Rows of Markdown for the data sets whose neutron values are known; empty without any.

    rows: (data set, level, figures of the refinement), as `hirshfeld.in_order` gives them.
    """
    lines = [line for name, level, row in rows if "refused" not in row for line in _lines(name, level, row)]
    if not lines:
        return ""
    return (
        "\nBonds of these crystals themselves. Urea at 123 K by neutrons: Swaminathan, Craven & McMullan, Acta Cryst. B40 (1984) 300, as "
        "quoted by Wall, IUCrJ 3 (2016) 237, Table 4, without s.u.; so the differences are in s.u. of our distances. Tonto refined the same "
        "measurements with Hirshfeld atoms (817 of the reflections; its public repository, docs/REPORT_ON_SALVADOR_MODELS.md and "
        "docs/REPORT_ON_MODE_FITTING.md). No neutron values of L-alanine near 23 K were found that could be cited with certainty.\n\n"
        f"| {' | '.join(_COLUMNS)} |\n" + "|---" * len(_COLUMNS) + "|\n" + "".join(lines)
    )


def _lines(name: str, level: str, row: dict[str, Any]) -> list[str]:
    found = {(bond["x"], bond["hydrogen"]): bond for bond in row["hydrogen"]}
    r, theirs = TONTO.get((name, level), (None, ()))
    made = []
    for i, known in enumerate(NEUTRON.get(name, ())):
        bond = found.get((known.x, known.hydrogen))
        if bond is None or bond["har"] is None or not bond["har_su"]:
            continue
        off = (bond["har"] - known.length) / bond["har_su"]
        cells = (
            *(name, level, f"{row['har']['R1']:.4f} / {'-' if r is None else f'{r:.4f}'}"),
            *(f"{known.x}-{known.hydrogen}", f"{known.length:.3f}"),
            f"{bond['har']:.3f}({max(round(bond['har_su'] * 1000), 1)})",
            *(theirs[i] if theirs else "-", f"{off:+.1f}", "yes" if abs(off) <= WITHIN else "no"),
        )
        made.append(f"| {' | '.join(cells)} |\n")
    return made
