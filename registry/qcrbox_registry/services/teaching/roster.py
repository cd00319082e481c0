"""Who is in a course: from the hub, joined with who has opened an exercise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from qcrbox_registry.access.identity import GroupMember

Role = Literal["lecturer", "assistant", "student"]


@dataclass(frozen=True, slots=True)
class Person:
    """Someone of a course. person_id is None for who has never signed in; `left`: is no longer in the group."""

    name: str
    role: Role
    person_id: int | None
    left: bool = False


def role_of(member: GroupMember) -> Role:
    """The role in the course: lecturers teach, managers of the group assist, everyone else learns."""
    if "lecturer" in member.roles:
        return "lecturer"
    return "assistant" if "manager" in member.roles else "student"


def people_of(
    members: Iterable[GroupMember] | None, accounts: Mapping[str, int], known: Sequence[tuple[int, str]]
) -> list[Person]:
    """Everyone of a course by name. members: None when there is no hub to ask. accounts: name -> id of who has signed in.

    known: (id, name) of students with work in the course; they stay on the list after they left.
    """
    found: dict[str, Person] = {}
    for member in members or ():
        found[member.name] = Person(member.name, role_of(member), accounts.get(member.name))
    present = {person.person_id for person in found.values()}
    for person_id, name in known:
        if person_id not in present:
            # A new account may have the name of one that is gone: the work belongs to the old one.
            shown = name if name not in found else f"{name} (earlier account)"
            found[shown] = Person(shown, "student", person_id, left=members is not None)
    return sorted(found.values(), key=lambda person: person.name.casefold())
