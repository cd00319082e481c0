"""Two spellings of one item in one block: same value, one item; different values, both kept and a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from qcrbox.cif.convert.columns import renamed, selected
from qcrbox.cif.convert.result import warning
from qcrbox.cif.diagnostics import Diagnostic
from qcrbox.cif.document import Block, Entry, Item, tags_of
from qcrbox.cif.loop import Loop
from qcrbox.cif.quoting import text_of
from qcrbox.cif.values import Number, parse_number, parse_value

Rename = Callable[[str], str]
# Of two spellings a value gets the name before `.`, and `.` before `?`.
_ABSENT = {".": 1, "?": 2}


def rank(tag: str, name: str) -> int:
    """How near a spelling is to the canonical name: itself, its old form with `_` for the point, another."""
    lower = tag.lower()
    if lower == name.lower():
        return 0
    return 1 if lower == name.lower().replace(".", "_", 1) else 2


def without_clashes(block: Block, rename: Rename, warnings: list[Diagnostic]) -> Block:
    """The block under new names, each of them once."""
    entries = [_own_clashes(entry, rename, block.name, warnings) for entry in block.entries]
    su_of = {item.tag.lower()[:-3]: item.raw for item in block.items if item.tag.lower().endswith("_su")}
    holders: dict[str, list[Entry]] = {}
    for entry in entries:
        for name in dict.fromkeys(map(rename, tags_of(entry))):
            holders.setdefault(name, []).append(entry)
    clashes = _Clashes(rename, su_of, block.name, warnings)
    # Values before their s.u.: an item that keeps its written name keeps its s.u. too, even an equal one.
    for name in holders:
        if not name.lower().endswith("_su"):
            clashes.settle(name, holders[name])
    kept = {
        entry.tag.lower() + "_su"
        for entry in entries
        if isinstance(entry, Item) and id(entry) in clashes.kept_written
    }
    clashes.kept_written |= {
        id(entry) for entry in entries if isinstance(entry, Item) and entry.tag.lower() in kept
    }
    for name in holders:
        if name.lower().endswith("_su"):
            clashes.settle(name, holders[name])
    return Block(block.name, clashes.outcome(entries), cif2=block.cif2)


@dataclass
class _Clashes:
    """What became of entries that clash; sets hold the ids of entry objects.

    kept_written: keep their own spelling; dropped: another says the same; extended: loops that took columns over.
    """

    rename: Rename
    su_of: dict[str, str]
    block: str
    warnings: list[Diagnostic]
    kept_written: set[int] = field(default_factory=set)
    dropped: set[int] = field(default_factory=set)
    extended: dict[int, Loop] = field(default_factory=dict)

    def settle(self, name: str, holders: list[Entry]) -> None:
        """Choose the item that gets the name; equal ones are dropped, different ones keep their own spelling."""
        clashing = [e for e in holders if id(e) not in self.dropped and id(e) not in self.kept_written]
        if len(clashing) < 2:
            return
        winner, *losers = sorted(clashing, key=lambda entry: self._order(entry, name))
        for loser in losers:
            if _says_nothing_new(loser, winner, self.rename, self.su_of):
                self.dropped.add(id(loser))
                _give_place(winner, loser, clashing, self.dropped)
            elif (joined := _joined(self.extended.get(id(winner), winner), loser, self.rename)) is not None:
                self.extended[id(winner)] = joined
                self.dropped.add(id(loser))
            else:
                kept, written = (_tag_for(entry, name, self.rename) for entry in (winner, loser))
                # A loser that is called `name` itself (a value that is not applicable) has no other name to keep.
                has_other_name = written.lower() != name.lower()
                (self.kept_written if has_other_name else self.dropped).add(id(loser))
                self.warnings.append(_clash(name, kept, written, self.block, is_kept=has_other_name))

    def outcome(self, entries: list[Entry]) -> list[Entry]:
        """The entries that stay, under their new names."""
        result: list[Entry] = []
        for entry in entries:
            if id(entry) not in self.dropped:
                now = self.extended.get(id(entry), entry)
                result.append(now if id(entry) in self.kept_written else _renamed(now, self.rename))
        return result

    def _order(self, entry: Entry, name: str) -> tuple[int, int]:
        absent = _ABSENT.get(entry.raw, 0) if isinstance(entry, Item) else 0
        return absent, min(rank(tag, name) for tag in tags_of(entry) if self.rename(tag) == name)


def _give_place(winner: Entry, loser: Entry, clashing: list[Entry], dropped: set[int]) -> None:
    """Keep the first of several equal items, at its position."""
    if (
        clashing.index(loser) < clashing.index(winner)
        and isinstance(winner, Item)
        and isinstance(loser, Item)
    ):
        first_unknown = _is_absent(loser) and not _is_absent(winner)
        if not first_unknown:
            dropped.discard(id(loser))
            dropped.add(id(winner))


def _clash(name: str, winner: str, loser: str, block: str, *, is_kept: bool = True) -> Diagnostic:
    return warning(
        "two-spellings",
        f"{winner} and {loser} are both {name} but have different values; {winner} was taken as {name}, "
        f"{loser} was {'kept under that name' if is_kept else 'left out'}.",
        block,
        tag=name,
        next="Delete the one that is wrong.",
    )


def _tag_for(entry: Entry, name: str, rename: Rename) -> str:
    return next(tag for tag in tags_of(entry) if rename(tag) == name)


def _is_absent(entry: Entry) -> bool:
    return isinstance(entry, Item) and entry.raw in ("?", ".")


def _measured(item: Item, su_of: dict[str, str]) -> object:
    """A value with its s.u., be that in brackets or in an item beside it."""
    value, su = _comparable(item.raw), su_of.get(item.tag.lower())
    if isinstance(value, Number) and value.su is None and su is not None:
        apart = parse_number(text_of(su))
        return value if apart is None else Number(value.value, apart.value, value.text)
    return value


def _texts(entry: Entry, tag: str) -> list[object]:
    raws = [entry.raw] if isinstance(entry, Item) else entry.column(tag)
    return [_comparable(raw) for raw in raws]


def _comparable(raw: str) -> object:
    # A quoted number equals a bare one; a quoted ? does not mean unknown.
    if raw in ("?", "."):
        return parse_value(raw)
    text = text_of(raw)
    return parse_number(text) or (text,)


def _says_nothing_new(loser: Entry, winner: Entry, rename: Rename, su_of: dict[str, str]) -> bool:
    """Whether every value of the dropped entry is in the kept one with an equal s.u., or is unknown."""
    if isinstance(loser, Item) and loser.raw == "?":
        return True
    if isinstance(loser, Item) and isinstance(winner, Item):
        return _measured(loser, su_of) == _measured(winner, su_of)
    own = {rename(tag): tag for tag in tags_of(winner)}
    for tag in tags_of(loser):
        partner = own.get(rename(tag))
        if partner is None or _texts(loser, tag) != _texts(winner, partner):
            return False
    return True


def _joined(winner: Entry, loser: Entry, rename: Rename) -> Loop | None:
    """Two loops of one category with equal shared columns as one loop; None when they disagree."""
    if not (isinstance(winner, Loop) and isinstance(loser, Loop)) or winner.n_rows != loser.n_rows:
        return None
    own = {rename(tag): tag for tag in winner.tags}
    extra: list[str] = []
    for tag in loser.tags:
        partner = own.get(rename(tag))
        if partner is None:
            extra.append(tag)
        elif _texts(loser, tag) != _texts(winner, partner):
            return None
    new = renamed(winner, winner.tags)
    for tag, column in zip(extra, loser.columns(*extra), strict=True):
        new.set_column(tag, column)
    return new


def _measured_column(loop: Loop, tag: str) -> list[object]:
    """Values with the s.u. of a column beside them: equal numbers of different precision are not the same."""
    values, su = _texts(loop, tag), f"{tag}_su"
    return list(zip(values, _texts(loop, su), strict=True)) if su in loop else values


def _own_clashes(entry: Entry, rename: Rename, block: str, warnings: list[Diagnostic]) -> Entry:
    """Two spellings of one item as columns of one loop."""
    if isinstance(entry, Item):
        return entry
    groups: dict[str, list[int]] = {}
    for index, tag in enumerate(entry.tags):
        groups.setdefault(rename(tag), []).append(index)
    gone: set[int] = set()
    apart: set[str] = set()  # columns that keep their written names, and so keep their s.u.
    # Values before their s.u.
    for name, indices in sorted(groups.items(), key=lambda group: group[0].lower().endswith("_su")):
        best = min(indices, key=lambda index: (rank(entry.tags[index], name), index))
        for index in indices:
            if index == best:
                continue
            tag = entry.tags[index].lower()
            if tag.removesuffix("_su") in apart:
                continue
            if _measured_column(entry, tag) == _measured_column(entry, entry.tags[best]):
                gone.add(index)
            else:
                apart.add(tag)
                warnings.append(_clash(name, entry.tags[best], entry.tags[index], block))
    if not gone:
        return entry
    kept = [index for index in range(len(entry.tags)) if index not in gone]
    return selected(entry, kept, [entry.tags[index] for index in kept])


def _renamed(entry: Entry, rename: Rename) -> Entry:
    if isinstance(entry, Item):
        return entry.copy(rename(entry.tag))
    return renamed(entry, _distinct(entry.tags, rename))


def _distinct(tags: Iterable[str], rename: Rename) -> list[str]:
    """New names of the columns; where two would be the same, only the nearest spelling gets it.

    The s.u. of a column that keeps its written name keeps its own, or it would be that of the other column.
    """
    listed = list(tags)
    best: dict[str, str] = {}
    for tag in listed:
        name = rename(tag)
        if name not in best or rank(tag, name) < rank(best[name], name):
            best[name] = tag
    apart = {tag.lower() for tag in listed if best[rename(tag)] != tag}
    return [
        rename(tag)
        if best[rename(tag)] == tag and not (tag.lower().endswith("_su") and tag.lower()[:-3] in apart)
        else tag
        for tag in listed
    ]
