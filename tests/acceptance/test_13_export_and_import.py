"""13. After export and import of every test CIF nothing differs in meaning, and all s.u. are the same strings."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path

import pytest
from qcrbox.analysis.difference import semantic_difference
from qcrbox.api.box import Box
from qcrbox.api.exporting import export
from qcrbox.api.stored_files import CifFile
from qcrbox.cif import names, read
from qcrbox.cif.document import Block

PACKAGES = ("iotbx", "cctbx", "smtbx", "chmpy", "gemmi")
EXAMPLES = Path(__file__).parents[2] / "app_images"
MOST_BYTES = 2_000_000
# What a journal's ASCII file cannot say in the same characters is its markup.
_SU = re.compile(r"^[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\((\d+)\)$")


def test_cifs() -> list[Path]:
    found = set(EXAMPLES.glob("*/examples/*.cif"))
    for package in PACKAGES:
        spec = importlib.util.find_spec(package)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            found.update(Path(folder).rglob("*.cif"))
    return sorted(path for path in found if path.stat().st_size <= MOST_BYTES)


test_cifs.__test__ = False  # type: ignore[attr-defined]
FILES = test_cifs()


def values_with_su(block: Block) -> set[tuple[str, str]]:
    """Every value that has its s.u. in brackets, as written, with the name its item has in the dictionary."""
    found = {(names.canonical(item.tag), item.raw) for item in block.items}
    for loop in block.loops:
        found |= {(names.canonical(tag), raw) for tag in loop.tags for raw in loop.column(tag)}
    return {(name, raw) for name, raw in found if _SU.match(raw)}


def test_there_are_files() -> None:
    assert len(FILES) >= 10


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_exported_and_stored_again_it_says_the_same(box: Box, path: Path, tmp_path: Path) -> None:
    stored = box.add(path)
    first = next(iter(stored.files.values()))
    assert isinstance(first, CifFile)
    for name in first.blocks:
        one = first[name]
        target = export(one, stored.files, tmp_path / f"{name or 'nameless'}.cif", ())
        again = next(iter(box.add(target).files.values()))
        assert isinstance(again, CifFile)
        difference = semantic_difference(read(first.bytes), read(again.bytes), blocks=(name, name))
        assert not difference.changes[:5]
        assert values_with_su(read(again.bytes)[name]) == values_with_su(read(first.bytes)[name])


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_what_is_stored_and_loaded_is_the_file_itself(box: Box, path: Path) -> None:
    stored = box.add(path)
    assert next(iter(stored.files.values())).bytes == path.read_bytes()
