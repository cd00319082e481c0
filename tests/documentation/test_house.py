"""What the house table promises for every room: no circle of imports, reasons for imports inside functions, documented public functions, and unit tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from tools.house import ROOMS, Measured, count_front_ends, measure

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = 0.95
# Lines of unit tests for each line of code.
TESTED = 0.8


@cache
def measured(room: str) -> Measured:
    package, tests = ROOMS[room]
    return measure(ROOT / package, ROOT / tests)


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_files_of_a_room_import_no_circle(room):
    assert measured(room).circles() == []


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_imports_inside_functions_give_their_reason(room):
    assert [place for place, reason in measured(room).deferred.items() if not reason] == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("import a\n", ""),
        ("import a  # half a second\n", "half a second"),
        ("import a  # noqa: PLC0415\n", ""),
        ("# Optional: few have it.\n    import a\n", "Optional: few have it."),
        ("# Start-up time: rare.\n    import b\n    import a\n", "Start-up time: rare."),
        ("# Start-up time: rare.\n    b = 1\n    import a\n", ""),
    ],
    ids=["none", "behind", "for a checker", "above", "above the first", "above something else"],
)
def test_a_reason_stands_above_or_behind_an_import(tmp_path, body, reason):
    (tmp_path / "file.py").write_text(f"def f():\n    {body}")
    assert list(measure(tmp_path).deferred.values())[-1] == reason


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_public_functions_and_classes_have_docstrings(room):
    found = measured(room)
    share = found.documented / found.public
    assert share >= DOCUMENTED, f"{share:.1%} of {room}; without: {', '.join(found.undocumented)}"


@pytest.mark.slow
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_has_unit_tests_of_its_own(room):
    found = measured(room)
    assert found.test_lines / found.lines >= TESTED, room


def test_front_ends_have_unit_tests():
    counted = count_front_ends(ROOT)
    assert counted.test_lines / sum(counted.lines_per_file) >= TESTED
