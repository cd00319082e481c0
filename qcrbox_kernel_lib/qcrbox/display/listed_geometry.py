"""Lengths and angles that a CIF lists, for tables: their s.u. come from all covariances, which coordinates alone do not tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from qcrbox.cif.convert.su import as_written
from qcrbox.cif.document import Block
from qcrbox.cif.loop import Loop
from qcrbox.cif.values import Number, parse_number

# Å and degrees by which a listed value may miss the one of the coordinates, beside half of its last digit: these are
# rounded too.
_LENGTH, _ANGLE = 5e-4, 0.03


@dataclass
class ListedGeometry:
    """Numbers by the labels of their atoms. estimated: whether a table needed an s.u. that the file does not list."""

    block: Block
    estimated: bool = False
    _tables: dict[str, dict[tuple[str, ...], list[tuple[Number, str]]]] = field(default_factory=dict)

    def bond(self, labels: Sequence[str], code: str, computed: Number) -> str:
        """A bond length as the file lists it, else as it was computed. code: of the second atom."""
        return self._text("_geom_bond_distance", "_geom_bond_atom_site_label_", "12", labels, code, computed)

    def angle(self, labels: Sequence[str], codes: tuple[str, str], computed: Number) -> str:
        """An angle as the file lists it, else as it was computed. codes: of the first and the last atom."""
        stem = "_geom_angle_atom_site_label_"
        return self._text("_geom_angle", stem, "123", labels, " ".join(codes), computed, _ANGLE)

    def hydrogen_bond(self, labels: Sequence[str], name: str, computed: Number) -> str:
        """A number of a hydrogen bond by the end of its name, `distance_DA` or `angle_DHA`."""
        slack = _ANGLE if name.startswith("angle") else _LENGTH
        stem = "_geom_hbond_atom_site_label_"
        return self._text(f"_geom_hbond_{name}", stem, "DHA", labels, "", computed, slack)

    def _text(  # noqa: PLR0913 - private: what is looked up, and with what it must agree
        self,
        tag: str,
        stem: str,
        places: str,
        labels: Sequence[str],
        code: str,
        computed: Number,
        slack: float = _LENGTH,
    ) -> str:
        if tag not in self._tables:
            self._tables[tag] = _table(self.block, tag, stem, places)
        code = " ".join(map(_plain, code.split(" ")))
        rows = [
            (number, own_code)
            for number, own_code in self._tables[tag].get(tuple(labels), [])
            if abs(float(number.value) - float(computed.value)) <= slack + 0.5 * _last_digit(number)
        ]
        own = [number for number, own_code in rows if own_code == code]
        texts = {str(number) for number in own or [number for number, _ in rows]}
        if len(texts) == 1:
            return texts.pop()
        self.estimated = self.estimated or bool(computed.su)
        return str(computed)


def _table(block: Block, tag: str, stem: str, places: str) -> dict[tuple[str, ...], list[tuple[Number, str]]]:
    """Numbers and symmetry codes by the labels in both directions; none of a list without any s.u."""
    loop = block.loop(tag)
    names = [f"{stem}{place}" for place in places]
    found: dict[tuple[str, ...], list[tuple[Number, str]]] = {}
    if loop is None or not all(name in loop for name in (tag, *names)):
        return found
    labels = list(zip(*(loop.texts(name) for name in names), strict=True))
    codes = _codes(loop, stem, places)
    numbers = [parse_number(text) for text in _texts(loop, tag)]
    if not any(number.su for number in numbers if number is not None):
        return found
    for row, number in enumerate(numbers):
        if number is None:
            continue
        found.setdefault(labels[row], []).append((number, codes[row]))
        if places != "DHA":
            turned = "" if places == "12" else " ".join(reversed(codes[row].split(" ")))
            found.setdefault(labels[row][::-1], []).append((number, turned))
    return found


def _codes(loop: Loop, stem: str, places: str) -> list[str]:
    """The symmetry code of the second atom of a bond, or those of both ends of an angle."""
    ends = {"12": "2", "123": "13"}.get(places, "")
    columns = []
    for end in ends:
        tag = f"{stem.removesuffix('atom_site_label_')}site_symmetry_{end}"
        texts = loop.texts(tag) if tag in loop else ["."] * loop.n_rows
        columns.append([_plain(text) for text in texts])
    return [" ".join(row) for row in zip(*columns, strict=True)] if columns else [""] * loop.n_rows


def _plain(code: str) -> str:
    """A symmetry code without the translation of none; `.` for the atom in its own place."""
    short = code.removesuffix("_555")
    return "." if short in ("?", "1", "") else short


def _texts(loop: Loop, tag: str) -> list[str]:
    """Values with their s.u. in brackets, as the author wrote them, also where a column of its own holds the s.u."""
    values = loop.texts(tag)
    if f"{tag}_su" not in loop:
        return values
    return [
        value
        if "(" in value or not (number := parse_number(su)) or not number.value
        else as_written(value, su)
        for value, su in zip(values, loop.texts(f"{tag}_su"), strict=True)
    ]


def _last_digit(number: Number) -> float:
    value = str(number).partition("(")[0].lower()
    return 0.1 ** len(value.partition(".")[2]) if "e" not in value else 0.0
