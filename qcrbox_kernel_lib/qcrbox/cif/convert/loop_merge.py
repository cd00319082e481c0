"""Two loops of one category as one: rows of the same key joined, new rows at the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qcrbox.cif.body import columns_of
from qcrbox.cif.convert.columns import Columns, printed_loop, renamed
from qcrbox.cif.convert.loop_keys import BY_POSITION, KEYS, SYMMETRY_OPERATIONS, common_key
from qcrbox.cif.convert.result import warning
from qcrbox.cif.convert.untouched import is_measured, same_texts, untouched_rows
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.language import listed

_ROWS = 8192
_NOT_TOLD_APART = "rows have the same keys"


def merged_loop(source: Loop, output: Loop, block: str, warnings: list[Diagnostic]) -> Loop:
    """The source's loop with the output's cells; unified names in both.

    Same key: the output's cells replace the source's, other cells stay. Rows only in the output are appended;
    unknown cells are `?`. Columns: keys, those of the source, new ones. Where rows have no key in common, or a
    key occurs twice, the output's loop replaces the source's.
    """
    category = source.category
    if category in BY_POSITION:
        return _by_position(source, output, block, warnings)
    if category == SYMMETRY_OPERATIONS:
        return _operations(source, output, block, warnings)
    needed, possible = common_key(category, source.tags, output.tags)
    if not needed:
        if (same := _same_rows(source, output, block, warnings)) is not None:
            return same
        if category in KEYS:
            warnings.append(_replaced(source, output, "the key columns are not in both", block))
        else:
            warnings += _lost(source, output, block)
        return renamed(output, output.tags)
    source_columns = columns_of_loop(source)
    output_columns = columns_of_loop(output)
    source_parts = _key_columns(source_columns, needed, possible, source.n_rows)
    output_parts = _key_columns(output_columns, needed, possible, output.n_rows)
    keys = [*needed, *possible]
    if source_parts == output_parts and _are_unique(source_parts, source.n_rows):
        # The same rows in the same order, as after a refinement: nothing to look up.
        return (
            _joined(source_columns, output_columns, _RowMatch(keys), block, warnings, source.cif2) or source
        )
    place = {key: row for row, key in enumerate(_keys(output_parts))}
    if len(place) != output.n_rows or not _are_unique(source_parts, source.n_rows):
        if (same := _same_rows(source, output, block, warnings)) is not None:
            return same
        warnings.append(_replaced(source, output, _NOT_TOLD_APART, block))
        return renamed(output, output.tags)
    warnings += _vanished(category, source_parts[0], place, block)
    rows = [place.pop(key, -1) for key in _keys(source_parts)]
    rest = sorted(place.values())
    return (
        _joined(source_columns, output_columns, _RowMatch(keys, rows, rest), block, warnings, source.cif2)
        or source
    )


def _same_rows(source: Loop, output: Loop, block: str, warnings: list[Diagnostic]) -> Loop | None:
    """A table without usable keys that the output repeats: same columns, same texts in the same rows.

    Its numbers are then merged by position, so that repeated ones keep their digits; None for another table.
    """
    if source.n_rows != output.n_rows or set(source.tags) != set(output.tags):
        return None
    own, new = columns_of_loop(source), columns_of_loop(output)
    texts = [tag for tag in own if not is_measured(tag, f"{tag}_su" in own or tag.endswith("_su"))]
    if any(own[tag] != new[tag] for tag in texts):
        return None
    return _joined(own, new, _RowMatch(), block, warnings, source.cif2) or source


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


def _key_columns(
    columns: dict[str, list[str]], needed: list[str], possible: list[str], n_rows: int
) -> list[list[str]]:
    """The cells that name each row, column by column, without quotes."""
    parts: list[list[str]] = []
    for tag in [*needed, *possible]:
        column = _column(columns, tag)
        if column is None:
            column = ["."] * n_rows
        elif tag in possible:
            # An unknown symmetry code means the same as none.
            column = ["." if cell in ("?", "1_555") else cell for cell in column]
        if any(cell[0] in "'\";" for cell in set(column)):
            column = [text_of(cell) for cell in column]
        parts.append(column)
    return parts


def _are_unique(parts: list[list[str]], n_rows: int) -> bool:
    return len(set(_keys(parts))) == n_rows


def _keys(parts: list[list[str]]) -> Iterator[str]:
    """The key of each row. One text is found faster than a tuple of texts that lie all over the memory; the
    separator is in no cell, for no encoding gives it."""
    return iter(parts[0]) if len(parts) == 1 else map("\udc00".join, zip(*parts, strict=True))


def _replaced(source: Loop, output: Loop, why: str, block: str) -> Diagnostic:
    lost = lost_columns(source, output)
    more = f" Its columns {', '.join(lost)} are gone." if lost else ""
    return warning(
        "loop-replaced",
        f"The rows of {source.category} were replaced by those of the output: {why}.{more}",
        block,
        tag=source.category,
    )


def lost_columns(source: Loop, output: Loop) -> list[str]:
    """Columns of the source that the output's loop does not have, s.u. left out: they go with their values."""
    return [
        tag
        for tag in source.tags
        if tag not in output and not (tag.endswith("_su") and tag[:-3] in source.tags)
    ]


def _lost(source: Loop, output: Loop, block: str) -> list[Diagnostic]:
    lost = lost_columns(source, output)
    if not lost:
        return []
    return [
        warning(
            "columns-lost",
            f"The output has a new table of {source.category} without {', '.join(lost)}; "
            f"{'this column' if len(lost) == 1 else 'these columns'} of the source could not be kept.",
            block,
            tag=lost[0],
            next="If the program keeps the rows, its output should have their keys.",
        )
    ]


def _operations(source: Loop, output: Loop, block: str, warnings: list[Diagnostic]) -> Loop:
    """Symmetry operations: by id, or in their order where they are the same ones; else the output's table.

    Operations of the source are never left beside those of the output: half of one group and half of another
    would be no group.
    """
    identifier = f"{SYMMETRY_OPERATIONS}.id"
    operation = f"{SYMMETRY_OPERATIONS}.operation_xyz"
    source_columns, output_columns = columns_of_loop(source), columns_of_loop(output)
    own, new = _column(source_columns, identifier), _column(output_columns, identifier)
    if own is not None and new is not None:
        own, new = [text_of(raw) for raw in own], [text_of(raw) for raw in new]
        place = {name: row for row, name in enumerate(new)}
        if len(place) == len(new) and len(set(own)) == len(own) and place.keys() >= set(own):
            rows = [place.pop(name) for name in own]
            rest = sorted(place.values())
            return (
                _joined(
                    source_columns,
                    output_columns,
                    _RowMatch([identifier], rows, rest),
                    block,
                    warnings,
                    source.cif2,
                )
                or source
            )
    own, new = _column(source_columns, operation), _column(output_columns, operation)
    if (
        own is not None
        and new is not None
        and list(map(plain_operation, own)) == list(map(plain_operation, new))
    ):
        return _joined(source_columns, output_columns, _RowMatch(), block, warnings, source.cif2) or source
    warnings += _lost(source, output, block)
    return renamed(output, output.tags)


def plain_operation(raw: str) -> str:
    """A symmetry operation without quotes, blanks and letter case."""
    return "".join(text_of(raw).lower().split())


def _vanished(category: str, labels: list[str], place: dict[str, int], block: str) -> list[Diagnostic]:
    """Warn of atoms of the source that the program did not write; they are kept."""
    if category != "_atom_site":
        return []
    gone = [label for label in labels if label not in place]
    if not gone or not place:
        return []
    return [
        warning(
            "atoms-kept",
            f"The output has no {listed(gone)}; {'it was' if len(gone) == 1 else 'they were'} kept from the source.",
            block,
            tag="_atom_site.label",
            next="If the program deleted them on purpose, its spec should invalidate _atom_site.*.",
        )
    ]


@dataclass(frozen=True)
class _RowMatch:
    """Which row of the output belongs to which of the source.

    keys: names of the key columns; rows: the output row of each source row, -1 for none, None where all are the same;
    new_rows: rows of the output to append.
    """

    keys: Sequence[str] = ()
    rows: list[int] | None = None
    new_rows: Sequence[int] = ()


def _joined(
    source: dict[str, list[str]],
    output: dict[str, list[str]],
    match: _RowMatch,
    block: str,
    warnings: list[Diagnostic],
    cif2: bool,
) -> Loop | None:
    """The composed loop; None where the output changes nothing.

    Values that the output only repeats keep the source's digits and s.u.
    """
    keys, rows, new_rows = match.keys, match.rows, match.new_rows
    first = [tag for tag in [*source, *output] if tag.lower() in keys]
    first = list(dict.fromkeys(sorted(first, key=lambda tag: keys.index(tag.lower()))))
    tags = list(dict.fromkeys([*first, *source, *output]))
    whole = rows is None or all(row >= 0 for row in rows)
    kept = {tag: _untouched(tag, source, output, rows) for tag in tags if tag in source and tag in output}
    columns: dict[str, list[str]] = {}
    unchanged = not new_rows and len(tags) == len(source)
    for tag in tags:
        value = tag[:-3] if tag.endswith("_su") and tag[:-3] in output else tag
        own, new = source.pop(tag, None), output.get(tag)
        lost_su = new is None and value != tag
        columns[tag] = _composed(own, new, rows, new_rows, kept.get(value), lost_su=lost_su)
        unchanged = unchanged and columns[tag] is own
    if unchanged:
        return None
    gone = [
        tag
        for tag in tags
        if tag.endswith("_su") and tag[:-3] in columns and tag not in output
        # Every value was replaced by one without s.u.
        if whole and all(cell in ("?", ".") for cell in columns[tag])
    ]
    for tag in gone:
        del columns[tag]
    if gone:
        warnings.append(
            warning(
                "su-lost",
                f"The output gives new values without s.u.; {', '.join(gone)} of the source went with the old ones.",
                block,
                tag=gone[0],
            )
        )
    output.clear()
    return printed_loop(list(columns), _sliced(columns), cif2=cif2)


def _untouched(
    tag: str, source: dict[str, list[str]], output: dict[str, list[str]], rows: list[int] | None
) -> bytearray | None:
    own_su = source.get(tag + "_su")
    if not is_measured(tag, own_su is not None):
        return same_texts(source[tag], output[tag], rows)
    return untouched_rows(source[tag], own_su, output[tag], output.get(tag + "_su"), rows)


def _composed(
    own: list[str] | None,
    new: list[str] | None,
    rows: list[int] | None,
    new_rows: Sequence[int],
    kept: bytearray | None,
    *,
    lost_su: bool,
) -> list[str]:
    """One column; rows with a flag in `kept` stay those of the source."""
    if own is None:
        assert new is not None
        cells = new if rows is None else [new[row] if row >= 0 else "?" for row in rows]
    elif (new is None and not lost_su) or (kept is not None and all(kept)):
        cells = own
    elif rows is None and new is not None and (kept is None or not any(kept)):
        cells = new
    else:
        stays = kept or bytearray(len(own))
        places = range(len(own)) if rows is None else rows
        cells = [
            cell if place < 0 or stays[row] else "?" if new is None else new[place]
            for row, (cell, place) in enumerate(zip(own, places, strict=True))
        ]
    if new_rows:
        return [*cells, *(("?" if new is None else new[row]) for row in new_rows)]
    return own if own is not None and cells == own else cells


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
            _replaced(source, output, "the measurements are not the same ones in the same order", block)
        )
        return renamed(output, output.tags)
    own, new = columns_of_loop(source), columns_of_loop(output)
    return _joined(own, new, _RowMatch(shared), block, warnings, source.cif2) or source
