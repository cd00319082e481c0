"""From ends of calculations to e-mails, with an SMTP server on a socket and a clock of the test's own."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from jupyterhub import orm
from qcrbox.contract.errors import Unreachable, UserInputError
from qcrbox.contract.previews import PREFIX
from qcrbox_hub.accounts.tables import PreviewRow
from qcrbox_hub.mail.choices import CODE_LIFE_S, Choices
from qcrbox_hub.mail.delivery import PAUSE_S, WAITS_S, Delivery, length_of, words_of
from qcrbox_hub.mail.problems import problem_words
from qcrbox_hub.mail.sending import Email, MailServer
from qcrbox_hub.mail.tables import ChoiceRow, EmailRow, create_missing
from qcrbox_hub.platform.settings import Mail, PlatformSettings

from .smtp_server import SmtpServer, running

HUB = "https://hub.example.org"
ADDRESS = "ada@example.org"
END: dict[str, Any] = {
    "calculation_id": "1",
    "owner": "ada",
    "title": "thpp · IAM refinement · R1 0.0412",
    "status": "successful",
    "warnings": [],
    "error_msg": "",
    "submitted_at": "2026-03-01T12:00:00+00:00",
    "finished_at": "2026-03-01T12:05:00+00:00",
}


@dataclass
class Site:
    """A hub's database, a registry that answers with `ends`, and an SMTP server."""

    server: SmtpServer
    session: Any
    data: Path
    now: float = 1_000_000.0
    ends: list[dict[str, Any]] = field(default_factory=list)
    asked: list[int | None] = field(default_factory=list)
    away: bool = False
    locked: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.choices = Choices(self.session, lambda: self.now)
        self.delivery = self.make()

    def make(self, **settings: Any) -> Delivery:
        given = {"server": "127.0.0.1", "security": "none", "sender": "qcrbox@example.org"} | settings
        server = MailServer(Mail(port=self.server.port, **given), self.data, HUB)
        return Delivery(
            self.choices, server, self.ask, lambda name: name not in self.locked, HUB, 60.0, lambda: self.now
        )

    async def ask(self, after: int | None) -> dict[str, Any]:
        if self.away:
            raise Unreachable("The registry is away.")
        self.asked.append(after)
        return {"ended": [] if after is None else self.ends[after:], "seq": len(self.ends)}

    def choose(self, name: str = "ada", address: str = ADDRESS) -> None:
        self.choices.confirm(name, self.choices.ask(name, address))

    @property
    def waiting(self) -> list[EmailRow]:
        return self.session.query(EmailRow).all()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    session = orm.new_session_factory("sqlite:///:memory:")()
    create_missing(session)
    for name in ("ada", "ben"):
        session.add(orm.User(name=name))
    session.commit()
    with running() as server:
        yield Site(server, session, tmp_path)


async def test_who_chose_emails_gets_one_when_a_long_calculation_ends(site: Site) -> None:
    site.choose()
    await site.delivery.turn()
    site.ends = [
        END,
        END | {"owner": "ben"},
        END | {"title": "short", "finished_at": "2026-03-01T12:00:59+00:00"},
    ]
    await site.delivery.turn()
    (email,) = site.server.emails
    assert email["To"] == ADDRESS
    assert email["Subject"] == "QCrBox: thpp · IAM refinement · R1 0.0412: done"
    text = email.get_content()
    assert "after 5 min" in text
    assert f"{HUB}/hub/notifications" in text
    assert email["List-Unsubscribe"] == f"<{HUB}/hub/notifications>"
    assert site.asked == [None, 0]
    await site.delivery.turn()
    assert len(site.server.emails) == 1


async def test_the_end_of_a_calculation_of_a_preview_account_is_mailed_to_nobody(site: Site) -> None:
    account = f"{PREFIX}abcdefghijklmnop"
    site.session.add(orm.User(name=account))
    site.session.add(
        PreviewRow(
            name=account,
            owner="ada",
            owner_id=1,
            owner_created=site.choices.session.query(orm.User).filter_by(name="ada").one().created,
            group="xrd",
            made_at=site.now,
        )
    )
    site.session.commit()
    site.choose()
    site.choose(account, "preview@example.org")
    await site.delivery.turn()
    site.ends = [END | {"owner": account}]
    await site.delivery.turn()
    assert site.server.emails == []
    assert site.waiting == []


async def test_many_ends_are_one_email_and_a_second_one_waits(site: Site) -> None:
    site.choose()
    await site.delivery.turn()
    site.ends = [END | {"title": f"number {number}"} for number in range(60)]
    await site.delivery.turn()
    site.ends += [END | {"title": "later"}]
    await site.delivery.turn()
    (email,) = site.server.emails
    assert email["Subject"] == "QCrBox: 60 calculations have ended"
    assert "number 49: done" in email.get_content()
    assert "… and 10 more." in email.get_content()
    site.now += PAUSE_S
    await site.delivery.turn()
    assert "later: done" in site.server.emails[1].get_content()


async def test_nothing_is_lost_while_registry_or_smtp_server_is_away(site: Site) -> None:
    site.choose()
    await site.delivery.turn()
    site.ends, site.away = [END], True
    await site.delivery.turn()
    site.away = False
    site.server.answers = {"DATA": "451 later"}
    await site.delivery.turn()
    assert [row.tries for row in site.waiting] == [1]
    await site.delivery.turn()
    assert [row.tries for row in site.waiting] == [1], "the wait is not over"
    site.server.answers = {}
    site.now += WAITS_S[0]
    # A new process finds the e-mail in the database.
    await site.make().turn()
    assert len(site.server.emails) == 1
    assert site.waiting == []


async def test_an_email_is_given_up_in_the_end(site: Site) -> None:
    site.choose()
    site.delivery.queue("ada", ADDRESS, "x", "y")
    site.server.answers = {"DATA": "451 later"}
    for wait in (*WAITS_S, 0.0):
        await site.delivery.turn()
        site.now += wait
    assert site.waiting == []


async def test_an_address_that_is_refused_gets_no_more_and_its_owner_reads_why(site: Site) -> None:
    site.choose()
    await site.delivery.turn()
    site.ends = [END]
    site.server.answers = {"RCPT": "550 no such person"}
    await site.delivery.turn()
    choice = site.choices.of("ada")
    assert choice is not None
    assert not choice.confirmed
    assert "550 no such person" in choice.problem
    assert site.waiting == []


async def test_a_password_goes_to_the_server_and_nowhere_else(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    (site.data / "smtp").write_text("s3cret\n")
    delivery = site.make(user="us", password_file="smtp")
    caplog.set_level(logging.DEBUG)
    delivery.queue("ada", ADDRESS, "x", "y")
    site.server.answers = {"AUTH": "535 wrong s3cret"}
    await delivery.turn()
    site.server.answers = {}
    site.now += WAITS_S[0]
    await delivery.turn()
    assert site.server.signed_in == ["\0us\0s3cret"]
    assert "s3cret" not in caplog.text
    assert "s3cret" not in repr(delivery.server)


async def test_without_encryption_nothing_is_sent_where_it_is_asked_for(site: Site) -> None:
    delivery = site.make(security="starttls")
    delivery.queue("ada", ADDRESS, "x", "y")
    await delivery.turn()
    assert site.server.emails == []
    assert [row.tries for row in site.waiting] == [1]


def test_a_subject_cannot_bring_headers_of_its_own(site: Site) -> None:
    site.delivery.server.send(Email(ADDRESS, "x\r\nBcc: eve@example.org", "y"))
    (email,) = site.server.emails
    assert email["Bcc"] is None
    assert email["Subject"] == "x Bcc: eve@example.org"


@pytest.mark.attack(11)
@pytest.mark.parametrize("end", ["=0d=0a", "=0a", "=0D=0A=0D=0A"])
def test_an_encoded_word_in_a_title_brings_no_headers_and_no_text_of_its_own(site: Site, end: str) -> None:
    """The title of a calculation has the names of files in it, which other people may have given."""
    title = f"=?utf-8?q?a{end}Bcc:=20eve@example.org?="
    site.delivery.server.send(Email(ADDRESS, f"QCrBox: {title}: done", "the text"))
    (email,) = site.server.emails
    assert email["Bcc"] is None
    assert email["Subject"] == f"QCrBox: {title.replace('=?', '= ?')}: done"
    assert email.get_content().strip() == "the text"


def test_control_characters_of_a_program_are_left_out(site: Site) -> None:
    site.delivery.server.send(Email(ADDRESS, "a\x00b\x1b[31m", "one\x00\x1b[31m\ntwo\tthree\x9b"))
    (email,) = site.server.emails
    assert email["Subject"] == "a b [31m"
    assert email.get_content().splitlines() == ["one  [31m", "two\tthree "]


class Picky:
    """Cannot write one e-mail, with an error that is none of SMTP."""

    def __init__(self, server: Any) -> None:
        self.server = server

    def send(self, email: Email) -> None:
        if email.subject == "bad":
            raise ValueError("no header of this can be written")
        self.server.send(email)


async def test_an_email_that_cannot_be_written_does_not_keep_the_others(site: Site) -> None:
    site.delivery.server = Picky(site.delivery.server)
    site.delivery.queue("ada", ADDRESS, "bad", "x")
    site.delivery.queue("ada", ADDRESS, "good", "y")
    await site.delivery.turn()
    await site.delivery.turn()
    assert [email["Subject"] for email in site.server.emails] == ["good"]
    assert [row.tries for row in site.waiting] == [1]


async def test_a_password_beyond_ascii_is_told_in_words_without_any_of_it(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    (site.data / "smtp").write_text("s3cr\u00e9t", encoding="utf-8")
    delivery = site.make(user="us", password_file="smtp")
    with pytest.raises(OSError, match="ASCII only") as refused:
        delivery.server.check()  # type: ignore[attr-defined]
    delivery.queue("ada", ADDRESS, "x", "y")
    await delivery.turn()
    assert [row.tries for row in site.waiting] == [1]
    told = problem_words(refused.value)
    assert told.endswith("smtp: smtplib signs in with names and passwords in ASCII only.")
    for text in (told, caplog.text):
        assert "\u00e9" not in text
        assert "xe9" not in text


@pytest.mark.parametrize(
    "address", ["", "ada", "ada@", "a b@c.de", "a@b.de,c@d.ef", "a@b.de\nBcc: c@d.ef", "<a@b.de>", "a@-b.de"]
)
def test_what_is_no_address_is_refused(site: Site, address: str) -> None:
    with pytest.raises(UserInputError, match="not an e-mail address"):
        site.choices.ask("ada", address)


async def test_no_emails_before_the_address_is_confirmed_after_a_stop_and_to_locked_accounts(
    site: Site,
) -> None:
    await site.delivery.turn()
    code = site.choices.ask("ada", ADDRESS)
    for wrong in ("", "wrong", code[:-1]):
        with pytest.raises(UserInputError, match="wrong or too old"):
            site.choices.confirm("ada", wrong)
    site.ends = [END]
    await site.delivery.turn()
    site.choices.confirm("ada", code)
    site.locked = {"ada"}
    site.ends = [END] * 2
    await site.delivery.turn()
    site.locked = set()
    site.choices.forget("ada")
    site.ends = [END] * 3
    await site.delivery.turn()
    assert site.server.emails == []
    assert site.session.query(ChoiceRow).all() == []


def test_a_code_counts_for_a_day_and_once(site: Site) -> None:
    code = site.choices.ask("ada", ADDRESS)
    site.now += CODE_LIFE_S + 1
    with pytest.raises(UserInputError, match="too old"):
        site.choices.confirm("ada", code)
    code = site.choices.ask("ada", ADDRESS)
    site.choices.confirm("ada", code)
    with pytest.raises(UserInputError, match="wrong"):
        site.choices.confirm("ada", code)


async def test_a_later_account_of_the_same_name_does_not_inherit_the_choice(site: Site) -> None:
    site.choose()
    await site.delivery.turn()
    old = orm.User.find(site.session, "ada")
    site.session.delete(old)
    site.session.commit()
    new = orm.User(name="ada")
    new.created = orm.User.find(site.session, "ben").created.replace(year=2031)
    site.session.add(new)
    site.session.commit()
    site.ends = [END]
    await site.delivery.turn()
    assert site.server.emails == []
    assert site.session.query(ChoiceRow).all() == []


def test_a_failure_is_told_without_paths_of_the_server() -> None:
    told = words_of(END | {"status": "failed", "error_msg": "cannot open /srv/work/azu.hkl"})
    assert told["subject"] == "thpp · IAM refinement · R1 0.0412: failed"
    assert "cannot open azu.hkl" in told["text"]
    doubtful = words_of(END | {"warnings": ["Finished, but not converged."]})
    assert re.search(r"done, not converged\n.*\nWarning: Finished", doubtful["text"])


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(40, "40 s"), (89, "89 s"), (90, "2 min"), (3599, "1 h 0 min"), (11100, "3 h 5 min")],
)
def test_lengths_of_time(seconds: float, words: str) -> None:
    assert length_of(seconds) == words


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('server = "smtp.example.org"', "sender"),
        ('server = "smtp.example.org"\nsender = "a@b.de"\nuser = "us"', "password_file"),
        (
            'server = "smtp.example.org"\nsender = "a@b.de"\nuser = "us"\npassword_file = "p"\nsecurity = "none"',
            "without encryption",
        ),
    ],
)
def test_settings_that_cannot_work_or_give_a_password_away_are_refused(text: str, problem: str) -> None:
    with pytest.raises(UserInputError, match=problem):
        PlatformSettings.parse(f"[mail]\n{text}\n", "platform.toml")
