"""Fair share: past use of slots, halved every half-life, per person and home group.

All uses decay by the same factor, so they can be compared without it: a use is stored in units of a fixed moment
(`_epoch`), and later uses weigh more by 2^((t - epoch) / half-life). The units are renewed before the numbers grow
large.

Times are monotonic, so that a change of the wall clock favours no person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

RENEW_AFTER_HALF_LIVES = 64.0


@dataclass(slots=True)
class _Group:
    use: float = 0.0
    members: set[int] = field(default_factory=set)


class FairShare:
    """Uses in slot seconds. `half_life_s` in s; times are of one monotonic clock, s."""

    def __init__(self, half_life_s: float, now: float) -> None:
        self._half_life = half_life_s
        self._epoch = now
        self._people: dict[int, float] = {}
        self._groups: dict[int, _Group] = {}
        self.changed: set[tuple[str, int]] = set()

    def charge(self, owner_id: int, group_id: int | None, slot_s: float, now: float) -> None:
        """Add slot seconds used at `now`; negative ones are refunded."""
        weight = self._weight(now)
        self._people[owner_id] = max(self._people.get(owner_id, 0.0) + slot_s * weight, 0.0)
        self.changed.add(("person", owner_id))
        if group_id is not None:
            group = self._groups.setdefault(group_id, _Group())
            group.use = max(group.use + slot_s * weight, 0.0)
            group.members.add(owner_id)
            self.changed.add(("group", group_id))

    def score(self, owner_id: int, group_id: int | None) -> float:
        """The lowest score is served first: the use of the person plus the mean use of the active members of the group.

        A person without a group counts as a group of one. With equal use, members of any group and people without one
        score the same; in a group that one member keeps busy, the others come slightly after other groups.
        """
        own = self._people.get(owner_id, 0.0)
        if group_id is None:
            return 2.0 * own
        group = self._groups.get(group_id)
        if group is None:
            return own
        members = len(group.members | {owner_id})
        return own + group.use / members

    def use(self, subject: str, subject_id: int, now: float) -> float:
        """Decayed slot seconds of a person or group as of `now`."""
        weight = self._weight(now)  # first: it may renew the units that the uses are kept in
        if subject == "person":
            return self._people.get(subject_id, 0.0) / weight
        group = self._groups.get(subject_id)
        return group.use / weight if group else 0.0

    def restore(self, subject: str, subject_id: int, decayed_s: float, at: float) -> None:
        """Take over a stored use: it was `decayed_s` at the time `at`."""
        kept = decayed_s * self._weight(at)
        if subject == "person":
            self._people[subject_id] = kept
        else:
            self._groups.setdefault(subject_id, _Group()).use = kept

    def restore_members(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Take over who worked for which group: (person, group). Uses are restored before; who has none left is no
        active member.
        """
        for person, group_id in pairs:
            group = self._groups.get(group_id)
            if group is not None and person in self._people:
                group.members.add(person)

    def _weight(self, now: float) -> float:
        half_lives = (now - self._epoch) / self._half_life
        if half_lives > RENEW_AFTER_HALF_LIVES:
            self._renew(2.0**-half_lives, now)
            return 1.0
        weight: float = 2.0 ** max(half_lives, -RENEW_AFTER_HALF_LIVES)
        return weight

    def _renew(self, factor: float, now: float) -> None:
        self._people = {person: use * factor for person, use in self._people.items() if use * factor > 1e-9}
        for group in self._groups.values():
            group.use *= factor
            group.members &= self._people.keys()
        self._epoch = now
