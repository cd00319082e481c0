"""Two loops of one category as one: rows of the same key joined, new rows at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from qcrbox.cif.body import columns_of
from qcrbox.cif.convert.columns import Columns, printed_loop, renamed
from qcrbox.cif.convert.loop_keys import BY_POSITION, KEYS, common_key
from qcrbox.cif.convert.result import warning
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of

_ROWS = 8192
Key = tuple[str, ...]


def merged_loop(source: Loop, output: Loop, block: str, warnings: list[Diagnostic]) -> Loop:
    """The source's loop with the output's cells; unified names in both.

    Same key: the output's cells replace the source's, other cells stay. Rows only in the output are appended;
    unknown cells are `?`. Columns: keys, those of the source, new ones. Where rows have no key in common, or a
    key occurs twice, the output's loop replaces the source's.
    """
    category = source.category
    if category in BY_POSITION:
        return _by_position(source, output, block, warnings)
    needed, possible = common_key(category, source.tags, output.tags)
    if not needed:
        if category in KEYS:
            warnings.append(_replaced(category, "the key columns are not in both", block))
        return renamed(output, output.tags)
    source_columns = columns_of_loop(source)
    output_columns = columns_of_loop(output)
    source_keys = _keys(source_columns, needed, possible, source.n_rows)
    output_keys = _keys(output_columns, needed, possible, output.n_rows)
    same_rows = source_keys == output_keys
    place = {key: row for row, key in enumerate(output_keys)}
    if len(place) != len(output_keys) or not _unique(source_keys, same_rows):
        warnings.append(_replaced(category, "rows are not told apart by their keys", block))
        return renamed(output, output.tags)
    if not same_rows:
        warnings += _vanished(category, source_keys, place, block)
    rows = [place.get(key, -1) for key in source_keys]
    known = set() if same_rows else set(source_keys)
    new_rows = [] if same_rows else [row for row, key in enumerate(output_keys) if key not in known]
    del source_keys, output_keys, place, known
    return _joined(source_columns, output_columns, [*needed, *possible], rows, new_rows)


def columns_of_loop(loop: Loop) -> dict[str, list[str]]:
    """Columns by name, in lower case where the name is known by it; order kept."""
    columns = columns_of(loop.body, range(len(loop.tags)))
    for (row, index), raw in loop.cells.items():
        columns[index][row] = raw
    return dict(zip(loop.tags, columns, strict=True))


def _column(columns: dict[str, list[str]], tag: str) -> list[str] | None:
    if tag in columns:
        return columns[tag]
    return next((column for own, column in columns.items() if own.lower() == tag), None)


def _keys(columns: dict[str, list[str]], needed: list[str], possible: list[str], n_rows: int) -> list[Key]:
    parts: list[list[str]] = []
    for tag in [*needed, *possible]:
        column = _column(columns, tag)
        if column is None:
            column = ["."] * n_rows
        elif tag in possible:
            # An unknown symmetry code means the same as none.
            column = ["." if cell in ("?", "1_555") else cell for cell in column]
        if any("'" in cell or '"' in cell for cell in set(column)):
            column = [text_of(cell) for cell in column]
        parts.append(column)
    return list(zip(*parts, strict=True))


def _unique(keys: list[Key], known_unique: bool) -> bool:
    return known_unique or len(set(keys)) == len(keys)


def _replaced(category: str, why: str, block: str) -> Diagnostic:
    return warning(
        "loop-replaced",
        f"The rows of {category} were replaced by those of the output: {why}.",
        block,
        tag=category,
    )


def _vanished(category: str, keys: list[Key], place: dict[Key, int], block: str) -> list[Diagnostic]:
    """Atoms of the source that the program did not write: they stay, and the user is told."""
    if category != "_atom_site":
        return []
    gone = [key[0] for key in keys if key not in place]
    if not gone or not place:
        return []
    listed = ", ".join(gone[:10]) + (f" and {len(gone) - 10} more" if len(gone) > 10 else "")
    return [
        warning(
            "atoms-kept",
            f"The output has no {listed}; {'it was' if len(gone) == 1 else 'they were'} kept from the source.",
            block,
            tag="_atom_site.label",
            next="If the program deleted them on purpose, its spec should invalidate _atom_site.*.",
        )
    ]


def _joined(
    source: dict[str, list[str]],
    output: dict[str, list[str]],
    keys: Sequence[str],
    rows: list[int],
    new_rows: list[int],
) -> Loop:
    """Compose columns: `rows` gives the output row of each source row (-1 none), `new_rows` those to append."""
    first = [tag for tag in [*source, *output] if tag.lower() in keys]
    first = list(dict.fromkeys(sorted(first, key=lambda tag: keys.index(tag.lower()))))
    tags = list(dict.fromkeys([*first, *source, *output]))
    whole = all(row >= 0 for row in rows)
    columns: dict[str, list[str]] = {}
    for tag in tags:
        own, new = source.pop(tag, None), output.get(tag)
        lost_su = new is None and tag.endswith("_su") and tag[:-3] in output
        columns[tag] = _composed(own, new, rows, new_rows, lost_su=lost_su)
    output.clear()
    for tag in [tag for tag in tags if tag.endswith("_su") and tag[:-3] in columns]:
        # Every value was replaced by one without s.u.
        if whole and all(cell in ("?", ".") for cell in columns[tag]):
            del columns[tag]
    return printed_loop(list(columns), _sliced(columns))


def _composed(
    own: list[str] | None, new: list[str] | None, rows: list[int], new_rows: list[int], *, lost_su: bool
) -> list[str]:
    if own is None:
        assert new is not None
        cells = [new[row] if row >= 0 else "?" for row in rows]
    elif new is None:
        cells = [cell if row < 0 else "?" for cell, row in zip(own, rows, strict=True)] if lost_su else own
    else:
        cells = [new[row] if row >= 0 else cell for cell, row in zip(own, rows, strict=True)]
    return [*cells, *(("?" if new is None else new[row]) for row in new_rows)] if new_rows else cells


def _sliced(columns: dict[str, list[str]]) -> Iterator[Columns]:
    listed = list(columns.values())
    for start in range(0, len(listed[0]) if listed else 0, _ROWS):
        piece: Columns = [column[start : start + _ROWS] for column in listed]
        yield piece


def _by_position(source: Loop, output: Loop, block: str, warnings: list[Diagnostic]) -> Loop:
    """Rows without key: joined where both loops have as many rows with the same indices, else replaced."""
    indices = [f"{source.category}.index_{axis}" for axis in "hkl"]
    shared = [tag for tag in indices if tag in source and tag in output]
    same = source.n_rows == output.n_rows and source.columns(*shared) == output.columns(*shared)
    if not same:
        warnings.append(
            _replaced(source.category, "the measurements are not the same ones in the same order", block)
        )
        return renamed(output, output.tags)
    rows = list(range(source.n_rows))
    return _joined(columns_of_loop(source), columns_of_loop(output), shared, rows, [])
