"""X-H distances of the aspherical refinements, bond by bond, beside neutron means and beside whole molecules."""

from __future__ import annotations

from typing import Any

Rows = list[tuple[str, str, dict[str, Any]]]


def table(rows: Rows) -> str:
    """Mean X-H distances of each class with the mean's s.u., for each model; then fragments beside whole molecules."""
    done = [(name, level, row) for name, level, row in rows if "refused" not in row]
    if not done:
        return ""
    lines = [
        "\n| data set | bonds | neutron / Å | "
        + " | ".join(["level", "mean X-H / Å", "off / s.u. of the mean"])
        + " |\n",
        "|---|---|---|---|---|---|\n",
    ]
    shown: set[str] = set()
    for name, level, row in done:
        if name not in shown:
            shown.add(name)
            lines += _lines(name, "spherical", row["hydrogen"], "iam")
        lines += _lines(name, level, row["hydrogen"], "har")
    return "".join([*lines, "\n", *_fragments(done)])


def _lines(name: str, level: str, hydrogen: list[dict[str, Any]], which: str) -> list[str]:
    classes: dict[str, list[dict[str, Any]]] = {}
    for bond in hydrogen:
        if bond[which] is not None and bond[f"{which}_su"]:
            classes.setdefault(bond["bond_class"], []).append(bond)
    carbon = [bond for title, members in classes.items() if title.startswith("C-H") for bond in members]
    groups = sorted(classes.items())
    if len(carbon) > max(map(len, classes.values()), default=0):
        groups.append(("C-H together", carbon))
    return [_line(name, level, title, members, which) for title, members in groups]


def _line(name: str, level: str, title: str, members: list[dict[str, Any]], which: str) -> str:
    """Mean of some bonds beside the mean of their neutron values."""
    count = len(members)
    mean, neutron = (sum(bond[key] for bond in members) / count for key in (which, "neutron"))
    su = sum(bond[f"{which}_su"] ** 2 for bond in members) ** 0.5 / count
    return (
        f"| {name} | {count} {title} | {neutron:.3f} | {level} | {mean:.3f}({max(round(su * 1000), 1)}) | "
        f"{(mean - neutron) / su:+.1f} |\n"
    )


def _fragments(rows: Rows) -> list[str]:
    """Largest difference of an X-H distance between fragments and whole molecules of the same level, and of times."""
    found = {(name, level): row for name, level, row in rows}
    made = []
    for (name, level), row in found.items():
        whole = found.get((name, level.removesuffix(", fragments")))
        if not level.endswith(", fragments") or whole is None:
            continue
        lengths = {(bond["x"], bond["hydrogen"]): bond["har"] for bond in whole["hydrogen"]}
        differences = [
            abs(bond["har"] - length)
            for bond in row["hydrogen"]
            if bond["har"] is not None and (length := lengths.get((bond["x"], bond["hydrogen"]))) is not None
        ]
        made.append(
            f"- {name}, fragments: X-H distances differ by at most {max(differences, default=0.0):.4f} Å from those of whole "
            f"molecules of {whole['atoms']} atoms; processors {row['processor_s']:.0f} s beside {whole['processor_s']:.0f} s.\n"
        )
    return made
