"""Who is in a course: from the hub, joined with who has opened an exercise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from qcrbox_registry.access.identity import GroupMember

Role = Literal["lecturer", "assistant", "student"]


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of a course. person_id: None for a person who has never used the registry; `left`: is no longer in the group.

    last_activity: at the hub, Unix time, s; None for a person who has never signed in there.
    """

    name: str
    role: Role
    person_id: int | None
    left: bool = False
    last_activity: float | None = None

    @property
    def signed_in(self) -> bool:
        """Whether they have signed in at least once. The registry knows people only once they use it."""
        return self.person_id is not None or self.last_activity is not None


def role_of(member: GroupMember) -> Role:
    """The role in the course: lecturers teach, managers of the group assist, everyone else learns."""
    if "lecturer" in member.roles:
        return "lecturer"
    return "assistant" if "manager" in member.roles else "student"


@dataclass(frozen=True)
class Accounts:
    """Who has signed in. by_name: name -> id. by_creation: when the hub made the account -> (id, name here)."""

    by_name: Mapping[str, int]
    by_creation: Mapping[str, tuple[int, str]]

    def of(self, member: GroupMember) -> tuple[int | None, str]:
        """Id and name of a member. A renamed one is the same person under one name, whichever side knows the new name."""
        found = self.by_creation.get(member.created)
        if found is not None:
            return found
        by_name = self.by_name.get(member.name)
        # The name of a renamed account may be another one's by now.
        return (None if by_name in self._known else by_name), member.name

    @cached_property
    def _known(self) -> frozenset[int]:
        return frozenset(person_id for person_id, _ in self.by_creation.values())


def people_of(
    members: Sequence[GroupMember] | None, accounts: Accounts, known: Sequence[tuple[int, str]]
) -> list[Person]:
    """Everyone of a course by name. members: None when there is no hub to ask.

    known: (id, name) of students with work in the course; they stay on the list after they left.
    """
    found: dict[str, Person] = {}
    names = {member.name for member in members or ()}
    for member in members or ():
        person_id, here = accounts.of(member)
        name = member.name if here in names else here
        found[name] = Person(name, role_of(member), person_id, last_activity=member.last_activity)
    present = {person.person_id for person in found.values()}
    for person_id, name in known:
        if person_id not in present:
            # A new account may have the name of one that is gone: the work belongs to the old one.
            shown = name if name not in found else f"{name} (earlier account)"
            found[shown] = Person(shown, "student", person_id, left=members is not None)
    return sorted(found.values(), key=lambda person: person.name.casefold())
