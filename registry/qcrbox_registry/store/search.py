"""Search for datasets by the index of their CIFs: formula, elements, cell, space group, R1; by tag, owner, text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from qcrbox.contract.errors import UserInputError
from sqlalchemy.engine import Connection

from qcrbox_registry.store.paging import Listed, Page, Rows, page_of
from qcrbox_registry.store.tables import cif_index, data_files, datasets, people, tags
from qcrbox_registry.store.visibility import Reach


@dataclass(frozen=True, slots=True)
class Cell:
    """A reduced (Niggli) cell in Å and °, and how far from it a hit may be: lengths relative, angles in °."""

    a: float
    b: float
    c: float
    alpha: float
    beta: float
    gamma: float
    length_tolerance: float = 0.02
    angle_tolerance: float = 2.0


@dataclass(slots=True)
class Wanted:
    """The search: every condition that is given must hold."""

    text: str | None = None
    name: str | None = None
    tag: str | None = None
    owner: str | None = None
    formula: str | None = None
    elements: Sequence[str] = ()
    only_elements: bool = False
    space_group: str | None = None  # number or symbol
    settings: Sequence[
        str
    ] = ()  # symbols of the settings that `space_group` may mean, as the index writes them
    cell: Cell | None = None
    r1_below: float | None = None
    r1_above: float | None = None

    @property
    def needs_index(self) -> bool:
        """Whether a condition is on the index of CIFs."""
        return bool(
            self.formula
            or self.elements
            or self.space_group
            or self.cell
            or self.r1_below is not None
            or self.r1_above is not None
        )


def datasets_page(conn: Connection, reach: Reach | None, wanted: Wanted, page: Page, now: float) -> Listed:
    """Ids of the datasets that fit. Raises UserInputError for an unreadable formula, element or space group."""
    return page_of(conn, Rows(datasets, reach, now), conditions(wanted), page)


def conditions(wanted: Wanted) -> list[sa.ColumnElement[bool]]:
    """Conditions on `datasets`. Raises UserInputError for an unreadable formula, element or space group."""
    found: list[sa.ColumnElement[bool]] = [datasets.c.deleted_at.is_(None)]
    if wanted.name is not None:
        found.append(datasets.c.name == wanted.name)
    if wanted.owner is not None:
        found.append(datasets.c.owner_id.in_(sa.select(people.c.id).where(people.c.name == wanted.owner)))
    if wanted.tag is not None:
        found.append(_tagged(wanted.tag))
    if wanted.text and wanted.text.strip():
        found.append(_with_text(wanted.text))
    if wanted.needs_index:
        found.append(_with_index(wanted))
    return found


def _with_files(*where: sa.ColumnElement[bool], index: bool = False) -> sa.ColumnElement[bool]:
    query = sa.select(data_files.c.dataset_id).where(data_files.c.deleted_at.is_(None), *where)
    if index:
        query = query.join(cif_index, cif_index.c.data_file_id == data_files.c.id)
    return datasets.c.id.in_(query.where(data_files.c.dataset_id.isnot(None)))


def _tagged(tag: str) -> sa.ColumnElement[bool]:
    own = sa.select(tags.c.object_id).where(tags.c.tag == tag, tags.c.kind == "dataset")
    of_file = sa.select(tags.c.object_id).where(tags.c.tag == tag, tags.c.kind == "data_file")
    return sa.or_(datasets.c.id.in_(own), _with_files(data_files.c.id.in_(of_file)))


def _with_text(text: str) -> sa.ColumnElement[bool]:
    words = text.split()[:10]
    return sa.and_(
        *(
            sa.or_(
                datasets.c.name.icontains(word, autoescape=True),
                datasets.c.description.icontains(word, autoescape=True),
                _with_files(data_files.c.filename.icontains(word, autoescape=True)),
                _with_files(cif_index.c.formula_sum.icontains(word, autoescape=True), index=True),
                datasets.c.id.in_(
                    sa.select(tags.c.object_id).where(
                        tags.c.kind == "dataset", tags.c.tag.icontains(word, autoescape=True)
                    )
                ),
            )
            for word in words
        )
    )


def _with_index(wanted: Wanted) -> sa.ColumnElement[bool]:
    where: list[sa.ColumnElement[bool]] = []
    if wanted.formula:
        where.append(cif_index.c.formula_sum == hill(wanted.formula))
    for element in wanted.elements:
        where.append(cif_index.c.elements.contains(f"|{_element(element)}|", autoescape=True))
    if wanted.elements and wanted.only_elements:
        inner = "|".join(sorted({_element(symbol) for symbol in wanted.elements}))
        where.append(cif_index.c.elements == f"|{inner}|")
    if wanted.space_group:
        where.append(_space_group(wanted.space_group, wanted.settings))
    if wanted.cell:
        where += _near(wanted.cell)
    if wanted.r1_below is not None:
        where.append(cif_index.c.r1 < wanted.r1_below)
    if wanted.r1_above is not None:
        where.append(cif_index.c.r1 > wanted.r1_above)
    return _with_files(*where, index=True)


def _near(cell: Cell) -> list[sa.ColumnElement[bool]]:
    where: list[sa.ColumnElement[bool]] = []
    for name in ("a", "b", "c"):
        length, slack = getattr(cell, name), getattr(cell, name) * cell.length_tolerance
        where.append(cif_index.c[f"niggli_{name}"].between(length - slack, length + slack))
    for name in ("alpha", "beta", "gamma"):
        angle, column = getattr(cell, name), cif_index.c[f"niggli_{name}"]
        near = column.between(angle - cell.angle_tolerance, angle + cell.angle_tolerance)
        # Close to 90° a tiny change turns a type I cell into type II: the angle becomes its supplement.
        turned = column.between(180 - angle - cell.angle_tolerance, 180 - angle + cell.angle_tolerance)
        where.append(sa.or_(near, turned) if abs(angle - 90) < 2 * cell.angle_tolerance else near)
    return where


def _space_group(text: str, settings: Sequence[str]) -> sa.ColumnElement[bool]:
    text = text.strip()
    if text.isascii() and text.isdigit():
        number = int(text)
        if not 1 <= number <= 230:
            raise UserInputError(f"There is no space group number {number}; they go from 1 to 230.")
        return cif_index.c.space_group_number == number
    symbols = {each.replace(" ", "").replace("_", "").lower() for each in (text, *settings)}
    column = sa.func.lower(sa.func.replace(sa.func.replace(cif_index.c.space_group_hm, " ", ""), "_", ""))
    return column.in_(sorted(symbols))


def _element(text: str) -> str:
    symbol = text.strip().capitalize()
    if not re.fullmatch(r"[A-Z][a-z]?", symbol):
        raise UserInputError(f"{text[:20]!r} is not an element symbol.")
    return symbol


def hill(formula: str) -> str:
    """A formula in Hill order (C, H, then the alphabet), as the index keeps it: `C10 H10 F2 N4`.

    Raises UserInputError for what is not a formula.
    """
    from qcrbox.crystallography.structure.formula import format_formula, parse_formula  # loads gemmi

    counts = parse_formula(formula.strip().strip("'\""))
    if not counts:
        raise UserInputError(f"{formula[:60]!r} is not a formula.", next="Write it as C10 H10 F2 N4.")
    return format_formula(counts)
