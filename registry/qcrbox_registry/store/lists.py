"""Lists of datasets, data files, calculations and sessions: what a request may filter by, as SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from qcrbox_registry.store import people, tags, trash
from qcrbox_registry.store.paging import Listed, Page, Rows, page_of
from qcrbox_registry.store.tables import calculations, data_files, datasets, groups, sessions
from qcrbox_registry.store.visibility import Filter, Reach


@dataclass(frozen=True, slots=True)
class Common:
    """Filters of every list: names of owner and object, a tag, a text."""

    owner: str | None = None
    tag: str | None = None
    name: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class DatasetFilter:
    """`deleted`: datasets that can be restored, instead of present ones."""

    common: Common = Common()
    kind: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class DataFileFilter:
    """`deleted`: files that can be restored, instead of present ones."""

    common: Common = Common()
    filetype: str | None = None
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class CalculationFilter:
    """`states`: one of these; empty: any."""

    common: Common = Common()
    states: Sequence[str] = ()
    application: str | None = None
    batch: str | None = None
    group: str | None = None


def _common(kind: str, table: sa.Table, name: str, texts: Sequence[str], common: Common) -> list[Filter]:
    where: list[Filter] = []
    if common.owner is not None:
        where.append(table.c.owner_id.in_(people.named(common.owner)))
    if common.tag is not None:
        where.append(table.c.id.in_(tags.having(kind, common.tag)))
    if common.name is not None:
        where.append(table.c[name] == common.name)
    if common.text:
        where.append(sa.or_(*(table.c[column].icontains(common.text, autoescape=True) for column in texts)))
    return where


def datasets_page(
    conn: Connection, reach: Reach | None, asked: DatasetFilter, page: Page, now: float
) -> Listed:
    """Ids of datasets."""
    where = _common("dataset", datasets, "name", ("name", "description"), asked.common)
    deleted_at = datasets.c.deleted_at
    where += [deleted_at.isnot(None), trash.restorable()] if asked.deleted else [deleted_at.is_(None)]
    if asked.kind is not None:
        where.append(datasets.c.kind == asked.kind)
    return page_of(conn, Rows(datasets, reach, now), where, page)


def data_files_page(
    conn: Connection, reach: Reach | None, asked: DataFileFilter, page: Page, now: float
) -> Listed:
    """Ids of data files."""
    where = _common("data_file", data_files, "filename", ("filename",), asked.common)
    if asked.deleted:
        where += [data_files.c.deleted_at.isnot(None), data_files.c.purged_at.is_(None)]
    else:
        where.append(data_files.c.deleted_at.is_(None))
    if asked.filetype is not None:
        where.append(data_files.c.filetype == asked.filetype)
    return page_of(conn, Rows(data_files, reach, now), where, page)


def calculations_page(
    conn: Connection, reach: Reach | None, asked: CalculationFilter, page: Page, now: float
) -> Listed:
    """Ids of calculations."""
    texts = ("name", "subject", "done", "verdict", "command_name", "application_slug")
    where = _common("calculation", calculations, "name", texts, asked.common)
    if asked.states:
        where.append(calculations.c.state.in_(list(asked.states)))
    if asked.application is not None:
        where.append(calculations.c.application_slug == asked.application)
    if asked.batch is not None:
        where.append(calculations.c.batch_id == asked.batch)
    if asked.group is not None:
        where.append(calculations.c.group_id.in_(sa.select(groups.c.id).where(groups.c.name == asked.group)))
    return page_of(conn, Rows(calculations, reach, now), where, page)


def sessions_page(conn: Connection, reach: Reach | None, page: Page, now: float, *, closed: bool) -> Listed:
    """Ids of open sessions; `closed`: of those that have ended too."""
    where = [] if closed else [sessions.c.closed_at.is_(None)]
    return page_of(conn, Rows(sessions, reach, now), where, page)
