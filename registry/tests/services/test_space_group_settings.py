"""Symbols as people type them find what the index has written."""

from __future__ import annotations

import gemmi
import pytest
from qcrbox.crystallography.space_group import SpaceGroup
from qcrbox_registry.services.space_group_settings import settings_of


@pytest.mark.parametrize(
    ("typed", "settings"),
    [
        ("P21/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("p 21/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("P2(1)/c", ["P 1 21/c 1", "P 21/c 1 1"]),
        ("P2\N{SUBSCRIPT ONE}/n", ["P 1 21/n 1", "P 1 1 21/n", "P 21/n 1 1"]),
        ("P 1 21/c 1", ["P 1 21/c 1"]),
        ("C2/c", ["C 1 2/c 1", "C 2/c 1 1"]),
        ("Pnma", ["P n m a"]),
        ("P 21/n 21/m 21/a", ["P n m a"]),
        ("R-3c", ["R -3 c:H", "R -3 c:R"]),
        ("R-3c:R", ["R -3 c:R"]),
        ("Fd-3m", ["F d -3 m:1", "F d -3 m:2"]),
        ("Fd-3m:2", ["F d -3 m:2"]),
        ("", []),
        ("thymine", []),
    ],
)
def test_a_symbol_is_that_of_its_settings(typed: str, settings: list[str]) -> None:
    assert settings_of(typed) == settings


@pytest.mark.parametrize("entry", list(gemmi.spacegroup_table())[::23], ids=lambda entry: entry.xhm())
def test_what_the_index_writes_is_found_by_it(entry: gemmi.SpaceGroup) -> None:
    written = SpaceGroup.from_hall(entry.hall).hm
    assert written in settings_of(written)
