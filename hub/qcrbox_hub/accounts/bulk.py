"""Accounts in bulk, from a CSV file: a name, and by choice a group, a role in it and a start password.

A line with a password makes the account at once; its owner has to choose another password at the first sign-in. A line
without one makes an invitation link for that name.
"""

from __future__ import annotations

import asyncio
import csv
import io
from dataclasses import dataclass

from qcrbox.contract.errors import QcError, UserInputError

from qcrbox_hub.accounts.invitations import Invitations, Wanted
from qcrbox_hub.accounts.membership import GROUP_ROLES, Membership, group_exists
from qcrbox_hub.accounts.service import AccountService

COLUMNS = ("name", "group", "role", "password")
MOST_LINES = 1000
LARGEST_TEXT = 256 * 1024
_BYTE_ORDER_MARK = "\ufeff"


@dataclass(frozen=True)
class NewPerson:
    """A line of the file; `line` counts from 1, the header included."""

    line: int
    name: str
    group: str = ""
    role: str = "member"
    password: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a line: an account, an invitation link (its secret, shown once), or a problem."""

    person: NewPerson
    secret: str = ""
    problem: str = ""


def parse(text: str) -> list[NewPerson]:
    """The lines of a CSV text with a header; commas, semicolons or tabs. Raises UserInputError naming line and column."""
    if len(text) > LARGEST_TEXT:
        raise UserInputError("The list is too long.", next=f"Send at most {LARGEST_TEXT // 1024} kB at once.")
    text = text.removeprefix(_BYTE_ORDER_MARK)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    rows = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        columns = [each.strip().lower() for each in next(rows, [])]
        if "name" not in columns or not set(columns) <= set(COLUMNS) or len(set(columns)) < len(columns):
            raise UserInputError(
                "The first line has to name the columns.",
                where="line 1",
                why=f"Columns are {', '.join(COLUMNS)}; name is needed.",
            )
        found = []
        for row in rows:
            if not any(each.strip() for each in row):
                continue
            if len(row) != len(columns):
                raise UserInputError(
                    f"This line has {len(row)} fields instead of {len(columns)}.",
                    where=f"line {rows.line_num}",
                )
            found.append(_person(rows.line_num, dict(zip(columns, row, strict=True))))
    except csv.Error as error:
        raise UserInputError("This is not CSV.", where=f"line {rows.line_num}", why=f"{error}.") from error
    if not 0 < len(found) <= MOST_LINES:
        raise UserInputError(f"A list has 1 to {MOST_LINES} people.")
    return found


def _person(line: int, fields: dict[str, str]) -> NewPerson:
    role = fields.get("role", "").strip().lower().replace(" ", "_") or "member"
    group = fields.get("group", "").strip().lower()
    if role != "member" and role not in GROUP_ROLES:
        raise UserInputError(
            f"There is no role {role[:32]!r}.",
            where=f"line {line}",
            why=f"Roles: member, {', '.join(GROUP_ROLES)}.",
        )
    if role != "member" and not group:
        raise UserInputError("A role needs a group.", where=f"line {line}")
    name = fields["name"].strip()
    # Unicode's lower case makes plain letters of other signs: such a name is refused, not changed.
    name = name.lower() if name.isascii() else name
    # A password may begin or end with a space.
    return NewPerson(line, name, group, role, fields.get("password", ""))


async def make_accounts(
    service: AccountService, people: list[NewPerson], days: float = 14.0
) -> list[Outcome]:
    """Make what the lines ask for, each for itself; groups that are missing are made. days: how long links hold.

    Of several lines with one name the first counts: two links for a name would be two people who expect it.
    """
    membership = Membership(service.session, service.authenticator.group)
    outcomes: list[Outcome] = []
    first: dict[str, int] = {}
    for person in people:
        # A thousand lines take seconds: the hub answers others between two of them.
        await asyncio.sleep(0)
        if first.setdefault(person.name, person.line) != person.line:
            before = f"{person.name} stands in line {first[person.name]} already; this line was left out."
            outcomes.append(Outcome(person, problem=before))
            continue
        try:
            _check(service, person)
            if person.group and not group_exists(service.session, person.group):
                membership.create(person.group)
            outcomes.append(Outcome(person, secret=await _make(service, person, days)))
        except QcError as error:
            service.session.rollback()
            outcomes.append(Outcome(person, problem=error.message))
    return outcomes


def _check(service: AccountService, person: NewPerson) -> None:
    """Raises UserInputError before a group is made for a line that makes no account."""
    problem = service.authenticator.problem_with_name(person.name)
    if not problem and service.authenticator.is_taken(person.name):
        problem = f"The name {person.name} is taken."
    if not problem and person.password:
        problem = service.authenticator.problem_with_password(
            person.password, person.password, name=person.name
        )
    if problem:
        raise UserInputError(problem, where=f"line {person.line}")


async def _make(service: AccountService, person: NewPerson, days: float) -> str:
    if not person.password:
        wanted = Wanted("link", days, person.group, person.role, person.name)
        return (await Invitations(service.session, service.by).make(wanted))[1]
    await service.authenticator.new_account(person.name, person.password, approved=True)
    service.authenticator.set_password_state(person.name, must_change=True)
    service.enter(person.name, person.group, person.role)
    return ""
