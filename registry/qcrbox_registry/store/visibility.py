"""The part of a table that a list may show, as SQL conditions. Who reaches what is decided in `access.reach`."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from qcrbox_registry.store.tables import calculations, data_files, datasets, sessions, shares

TABLES: dict[str, sa.Table] = {
    "dataset": datasets,
    "data_file": data_files,
    "calculation": calculations,
    "session": sessions,
}
Filter = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Reach:
    """Which rows of one kind a person may act on: their own, and those of the other fields."""

    kind: str  # dataset | data_file | calculation | session
    person_id: int
    home_groups: frozenset[int] = frozenset()  # rows with one of these home groups
    any_home_group: bool = False  # rows with whichever home group
    shares_of_groups: frozenset[int] | None = (
        None  # rows shared with the person or these groups; None: no share counts
    )
    examples: bool = False  # example datasets and their files

    @property
    def table(self) -> sa.Table:
        """The table of this kind."""
        return TABLES[self.kind]


def filters(reach: Reach, now: float) -> list[Filter]:
    """Conditions that together select the rows of the reach.

    An index answers each condition in the order of ids, so the newest page is merged from the newest rows of each
    condition (`paging.newest_ids`), and its cost does not grow with the rows of other people. now: Unix time, s.
    """
    table = reach.table
    found: list[Filter] = [table.c.owner_id == reach.person_id]
    if reach.examples and table is datasets:
        # A literal, not a bound value: the partial index over examples serves this condition only.
        found.append(datasets.c.kind == sa.literal("example"))
    if reach.any_home_group:
        found.append(table.c.group_id.isnot(None))
    else:
        found += [table.c.group_id == group_id for group_id in sorted(reach.home_groups)]
    if reach.shares_of_groups is not None:
        found.append(_shared(reach, reach.shares_of_groups, now))
    return found


def condition(reach: Reach | None, now: float) -> Filter:
    """The filters as one condition; None reaches everything."""
    return sa.true() if reach is None else sa.or_(*filters(reach, now))


def holding(person_id: int, group_ids: frozenset[int], now: float) -> Filter:
    """Shares with this person or one of these groups that hold now."""
    return sa.and_(
        shares.c.revoked_at.is_(None),
        sa.or_(shares.c.expires_at.is_(None), shares.c.expires_at > now),
        sa.or_(shares.c.person_id == person_id, shares.c.group_id.in_(sorted(group_ids) or [-1])),
    )


def _shared(reach: Reach, group_ids: frozenset[int], now: float) -> Filter:
    holds = holding(reach.person_id, group_ids, now)
    own = reach.table.c.id.in_(sa.select(shares.c.object_id).where(holds, shares.c.kind == reach.kind))
    if reach.kind != "data_file":
        return own
    through = sa.select(shares.c.object_id).where(holds, shares.c.kind == "dataset")
    if not reach.examples:
        return sa.or_(own, data_files.c.dataset_id.in_(through))
    of_examples = sa.select(datasets.c.id).where(datasets.c.kind == "example")
    return sa.or_(own, data_files.c.dataset_id.in_(sa.union(through, of_examples)))
