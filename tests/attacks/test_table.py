"""docs/attacks.md says which tests try what, and it is true."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT

FOLDERS = ("tests", "registry/tests", "app_images", "extension/tests", "hub/tests", "qcrbox_kernel_lib/tests")


def numbers_in(node: ast.AST) -> Iterator[int]:
    """Of every `attack(n)` in an expression."""
    for call in ast.walk(node):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "attack":
            yield from (one.value for one in call.args if isinstance(one, ast.Constant))


def attacked(path: Path) -> set[int]:
    """Numbers of the attacks a file's tests are marked with."""
    found: set[int] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and any(
            getattr(one, "id", "") == "pytestmark" for one in node.targets
        ):
            found |= set(numbers_in(node.value))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in node.decorator_list:
                found |= set(numbers_in(decorator))
    return found


@pytest.mark.slow
def test_every_attack_is_in_the_table_with_the_files_that_try_it() -> None:
    table: dict[int, set[str]] = {}
    for line in (ROOT / "docs" / "attacks.md").read_text().splitlines():
        if row := re.match(r"\| (\d+) \|", line):
            table[int(row.group(1))] = set(re.findall(r"`([\w/.]+\.py)`", line))
    tried: dict[int, set[str]] = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("test_*.py"):
            if "node_modules" not in path.parts:
                for number in attacked(path):
                    tried.setdefault(number, set()).add(str(path.relative_to(ROOT)))
    assert set(range(1, 31)) <= set(table)
    for number, files in table.items():
        assert files, f"attack {number}: nothing tries it"
        assert files <= tried.get(number, set()), f"attack {number}: run python tools/attacks_page.py"
    assert set(tried) <= set(table), "an attack without a row"
