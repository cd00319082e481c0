"""Tables that no database sorts."""

from __future__ import annotations

import pytest
from qcrbox_hub.admin.tables import Asked, arrange

ROWS = [
    {"name": "beta", "memory": 5},
    {"name": "Alpha", "memory": None},
    {"name": "gamma", "memory": 40},
    {"name": "", "memory": 7},
]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked("/"), ["beta", "Alpha", "gamma", ""]),
        (Asked("/", sort="name"), ["Alpha", "beta", "gamma", ""]),
        (Asked("/", sort="-name"), ["gamma", "beta", "Alpha", ""]),
        (Asked("/", sort="memory"), ["beta", "", "gamma", "Alpha"]),
        (Asked("/", sort="-memory"), ["gamma", "", "beta", "Alpha"]),
        (Asked("/", text="MM"), ["gamma"]),
        (Asked("/", text="5"), []),
    ],
)
def test_rows_are_searched_and_sorted_and_empty_ones_come_last(asked: Asked, expected: list[str]) -> None:
    assert [row["name"] for row in arrange(ROWS, asked, ("name",))] == expected


def test_pages_are_cut_without_loss() -> None:
    rows = list(range(7))
    pages = [Asked("/", page=page, size=3).cut(rows) for page in (1, 2, 3, 4)]
    assert pages == [[0, 1, 2], [3, 4, 5], [6], []]
