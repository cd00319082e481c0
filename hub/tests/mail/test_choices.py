"""Addresses for e-mails: which are taken, how they are confirmed, and when they are deleted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.mail.choices import CODE_LIFE_S, Choices
from qcrbox_hub.mail.sending import Email, MailServer
from qcrbox_hub.mail.tables import ChoiceRow, EmailRow, NewsRow, create_missing
from qcrbox_hub.platform.settings import Mail


@pytest.fixture
def session() -> Iterator[Any]:
    made = orm.new_session_factory("sqlite:///:memory:")()
    create_missing(made)
    for name in ("ada", "ben"):
        made.add(orm.User(name=name))
    made.commit()
    yield made
    made.close()


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def choices(session: Any, now: list[float]) -> Choices:
    return Choices(session, lambda: now[0])


@pytest.mark.parametrize(
    "address",
    [
        "ada@example.org",
        "a.b+tag@uni-x.example",
        "o'neil@example.org",
        "x@localhost",
        "a" * 64 + "@example.org",
    ],
)
def test_usual_addresses_are_taken(choices: Choices, address: str) -> None:
    choices.confirm("ada", choices.ask("ada", address))
    row = choices.confirmed("ada")
    assert row is not None
    assert row.address == address


# What would be two addresses, other headers, or another person's mail.
NO_ADDRESSES = {
    "nothing": "",
    "no domain": "ada",
    "no name": "@example.org",
    "two": "ada@example.org,ben@example.org",
    "two with a semicolon": "ada@example.org;ben@example.org",
    "name and address": "Ada <ada@example.org>",
    "blank inside": "a da@example.org",
    "line end": "ada@example.org\n",
    "another header": "ada@example.org\r\nBcc: ben@example.org",
    "quoted": '"a b"@example.org',
    "two signs": "a@b@example.org",
    "other letters": "jäger@example.org",
    "domain that begins with a dash": "ada@-example.org",
    "domain that ends with a dot": "ada@example.org.",
    "too long a name": "a" * 65 + "@example.org",
    "too long": "a@" + "b" * 253,
    "null": "ada\x00@example.org",
    "an encoded word": "=?utf-8?q?ada?=@example.org",
    "an encoded line end": "=?utf-8?q?=0d=0aBcc=3aben=40example.org=0d=0a?=@example.org",
}


@pytest.mark.attack(6)
@pytest.mark.parametrize("address", NO_ADDRESSES.values(), ids=NO_ADDRESSES)
def test_everything_else_is_refused_and_leaves_the_choice_as_it_was(choices: Choices, address: str) -> None:
    choices.confirm("ada", choices.ask("ada", "ada@example.org"))
    with pytest.raises(UserInputError, match="not an e-mail address"):
        choices.ask("ada", address)
    row = choices.confirmed("ada")
    assert row is not None
    assert row.address == "ada@example.org"


@pytest.mark.parametrize("address", ["ada@example.org", "a=b@example.org", "?x?@example.org"])
def test_an_address_that_is_taken_makes_one_recipient_and_no_header(
    choices: Choices, tmp_path: Path, address: str
) -> None:
    choices.ask("ada", address)
    settings = Mail(server="localhost", security="none", sender="qcrbox@example.org")
    message = MailServer(settings, tmp_path, "https://hub")._message(Email(address, "Subject", "Text"))
    head = message.as_bytes().partition(b"\n\n")[0].decode()
    assert [str(each) for each in message["To"].addresses] == [address]
    assert sum(line.startswith("To: ") for line in head.splitlines()) == 1
    assert "bcc" not in head.lower()


def test_code_counts_for_a_day_for_its_person_and_once(choices: Choices, now: list[float]) -> None:
    code = choices.ask("ada", "ada@example.org")
    for wrong in ("", code + "x", code.upper() if code.upper() != code else code.lower()):
        with pytest.raises(UserInputError, match="wrong or too old"):
            choices.confirm("ada", wrong)
    with pytest.raises(UserInputError):
        choices.confirm("ben", code)
    now[0] += CODE_LIFE_S
    choices.confirm("ada", f" {code} ")
    with pytest.raises(UserInputError):
        choices.confirm("ada", code)


def test_old_code_confirms_nothing(choices: Choices, now: list[float]) -> None:
    code = choices.ask("ada", "ada@example.org")
    now[0] += CODE_LIFE_S + 1
    with pytest.raises(UserInputError):
        choices.confirm("ada", code)
    assert choices.confirmed("ada") is None


def test_another_address_has_to_be_confirmed_anew_and_the_code_of_the_first_is_void(choices: Choices) -> None:
    first = choices.ask("ada", "ada@example.org")
    choices.ask("ada", "ada@elsewhere.example")
    with pytest.raises(UserInputError):
        choices.confirm("ada", first)
    assert choices.confirmed("ada") is None


def test_code_is_not_stored(choices: Choices, session: Any) -> None:
    code = choices.ask("ada", "ada@example.org")
    assert code not in repr([vars(row) for row in session.query(ChoiceRow)])


def test_taking_the_choice_back_deletes_address_news_and_waiting_emails_of_that_person_alone(
    choices: Choices, session: Any
) -> None:
    for name in ("ada", "ben"):
        choices.confirm(name, choices.ask(name, f"{name}@example.org"))
        session.add(NewsRow(name=name, subject="s", text="t"))
        session.add(EmailRow(name=name, address=f"{name}@example.org", subject="s", text="t", next_at=0.0))
    choices.forget("ada")
    left = [row.name for table in (ChoiceRow, NewsRow, EmailRow) for row in session.query(table)]
    assert left == ["ben"] * 3


def test_refusal_of_the_mail_server_stops_the_emails_and_says_why(choices: Choices) -> None:
    choices.confirm("ada", choices.ask("ada", "ada@example.org"))
    choices.stop("ada", "550 " + "no such user " * 100)
    row = choices.of("ada")
    assert row is not None
    assert (row.confirmed, len(row.problem)) == (False, 300)
    assert choices.confirmed("ada") is None
    choices.stop("nobody", "unknown names are ignored")


@pytest.mark.attack(5)
def test_later_account_of_the_same_name_does_not_inherit_the_address(choices: Choices, session: Any) -> None:
    choices.confirm("ada", choices.ask("ada", "ada@example.org"))
    session.delete(orm.User.find(session, "ada"))
    session.commit()
    session.add(orm.User(name="ada", created=datetime(2030, 1, 1)))
    session.commit()
    assert choices.of("ada") is None
    choices.forget_deleted()
    assert session.query(ChoiceRow).count() == 0
