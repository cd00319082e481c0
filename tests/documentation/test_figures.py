"""Figures of merit have the digits of one table (`qcrbox.client.metrics.FIGURES`) wherever code writes them."""

from __future__ import annotations

import re
from pathlib import Path

from qcrbox.client.metrics import FIGURES

ROOT = Path(__file__).parents[2]
ROOMS = (
    "qcrbox_kernel_lib/qcrbox",
    "registry/qcrbox_registry",
    "hub/qcrbox_hub",
    "extension/qcrbox_extension",
    "app_images",
)
# `R1 {value:.4f}`, `wR2 = {value:.4f}`, and the items of CIF that mean the same.
WRITTEN = re.compile(r"""(?<![\w|])(R1|wR2|S|GooF|goof)\b["':= ]{0,4}\{[^{}]*:\.(\d)f\}""")
ITEMS = re.compile(r'"_refine_ls_(R_factor|wR_factor|goodness_of_fit)_\w+": f"\{[^{}]*:\.(\d)f\}')
DIGITS = {
    **{name: str(FIGURES[name].decimals) for name in ("R1", "wR2", "S")},
    **dict.fromkeys(("GooF", "goof", "goodness_of_fit"), str(FIGURES["S"].decimals)),
    "R_factor": str(FIGURES["R1"].decimals),
    "wR_factor": str(FIGURES["wR2"].decimals),
}


def written() -> list[tuple[str, str, str]]:
    """(file:line, figure, digits) of each place in the code that writes a figure of merit."""
    found = []
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.py")):
            if "tests" in file.parts:
                continue
            for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
                matches = [*WRITTEN.finditer(line), *ITEMS.finditer(line)]
                found += [(f"{file.relative_to(ROOT)}:{number}", match[1], match[2]) for match in matches]
    return found


def test_figures_have_the_digits_of_the_table() -> None:
    found = written()
    assert {name for _, name, _ in found} >= {"R1", "wR2", "S", "R_factor", "goodness_of_fit"}
    other = [
        f"{place} writes {name} with {digits} decimals"
        for place, name, digits in found
        if digits != DIGITS[name]
    ]
    assert not other
