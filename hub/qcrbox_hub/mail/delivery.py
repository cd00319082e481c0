"""From the ends that the registry knows to e-mails on their way: one turn after the other, nothing lost by a restart."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from qcrbox.contract.errors import QcError
from qcrbox.contract.previews import is_preview
from qcrbox.contract.states import state_word
from qcrbox.display.failure_words import failure_of

from qcrbox_hub.admin.words import doubt
from qcrbox_hub.mail.choices import Choices
from qcrbox_hub.mail.problems import problem_words
from qcrbox_hub.mail.sending import Email, Refused
from qcrbox_hub.mail.tables import EmailRow, MarkRow, NewsRow

# A person gets at most one e-mail in this time, with everything that ended meanwhile.
PAUSE_S = 600.0
# Waits after failures of the server; after the last one the e-mail is given up.
WAITS_S = (60.0, 300.0, 900.0, 3600.0, 4 * 3600.0, 12 * 3600.0)
MOST_LINES = 50
MOST_AT_ONCE = 20
_log = logging.getLogger(__name__)


class Sends(Protocol):
    """What sends an e-mail."""

    def send(self, email: Email) -> None:
        """Raises Refused, OSError or SMTPException."""


@dataclass
class Delivery:
    """One hub's e-mails. ask: the registry's ends after a number (None: only the newest number)."""

    choices: Choices
    server: Sends
    ask: Callable[[int | None], Awaitable[dict[str, Any]]]
    is_approved: Callable[[str], bool]
    hub_url: str
    least_s: float
    clock: Callable[[], float] = time.time
    is_busy: bool = False

    @property
    def _session(self) -> Any:
        return self.choices.session

    async def turn(self) -> None:
        """Hear what ended, write e-mails, send what is due. A turn that still goes on is not begun twice."""
        if self.is_busy:
            return
        self.is_busy = True
        try:
            await self.hear()
            self.write()
            await self.send()
        finally:
            self.is_busy = False

    async def hear(self) -> None:
        """Note the ends of calculations of those who want to know. While the registry is away nothing is missed."""
        mark = self._session.get(MarkRow, 1)
        try:
            found = await self.ask(None if mark is None else mark.seq)
        except QcError:
            return
        for each in found["ended"]:
            if seconds_of(each) >= self.least_s and self._wants(each["owner"]):
                self._session.add(NewsRow(name=each["owner"], **words_of(each)))
        if mark is None:
            self._session.add(MarkRow(id=1, seq=found["seq"]))
        else:
            mark.seq = found["seq"]
        self._session.commit()

    def _wants(self, name: str) -> bool:
        # What a lecturer tries in a preview account is no news of anybody.
        return not is_preview(name) and self.choices.confirmed(name) is not None and self.is_approved(name)

    def write(self) -> None:
        """Make an e-mail of each person's news, unless the last one is too recent."""
        self.choices.forget_deleted()
        for (name,) in self._session.query(NewsRow.name).distinct().all():
            news = self._session.query(NewsRow).filter(NewsRow.name == name).order_by(NewsRow.id).all()
            choice = self.choices.confirmed(name)
            if choice is None:
                self.choices.forget(name)
            elif self.clock() >= choice.written_at + PAUSE_S:
                choice.written_at = self.clock()
                self.queue(name, choice.address, *self._email(news))
                for each in news:
                    self._session.delete(each)
        self._session.commit()

    def _email(self, news: list[NewsRow]) -> tuple[str, str]:
        """(subject, text)"""
        subject = news[0].subject if len(news) == 1 else f"{len(news)} calculations have ended"
        lines = [each.text for each in news[:MOST_LINES]]
        if len(news) > MOST_LINES:
            lines.append(f"… and {len(news) - MOST_LINES} more.")
        end = (
            f"Your results: {self.hub_url}/hub/user-redirect/lab\n\n"
            f"You asked for these e-mails. To stop them: {self.hub_url}/hub/notifications"
        )
        return f"QCrBox: {subject}", "\n\n".join([*lines, end]) + "\n"

    def queue(self, name: str, address: str, subject: str, text: str) -> None:
        """Put an e-mail into the queue; it goes with the next turn."""
        self._session.add(
            EmailRow(name=name, address=address, subject=subject[:300], text=text, next_at=self.clock())
        )

    async def send(self) -> None:
        """Try the e-mails that are due, oldest first. The first failure of the server ends the turn."""
        due = (
            self._session.query(EmailRow.id)
            .filter(EmailRow.next_at <= self.clock())
            .order_by(EmailRow.id)
            .limit(MOST_AT_ONCE)
            .all()
        )
        for (number,) in due:
            # Its owner may stop the e-mails while another one is on its way.
            row = self._session.get(EmailRow, number)
            if row is not None and not await self._try(
                row.id, row.name, Email(row.address, row.subject, row.text)
            ):
                return

    async def _try(self, number: int, name: str, email: Email) -> bool:
        """False when the server has a problem that the next e-mail would meet too."""
        try:
            await asyncio.to_thread(self.server.send, email)
        except Refused as error:
            _log.warning("The SMTP server refuses the address of %s: %s", name, error)
            self.choices.stop(name, f"The mail server refused your address: {error}")
            return True
        except Exception as error:  # noqa: BLE001 - of the server, or an e-mail that cannot be written: the others must go
            self._later(number, error)
            return False
        self._session.query(EmailRow).filter(EmailRow.id == number).delete()
        self._session.commit()
        return True

    def _later(self, number: int, error: Exception) -> None:
        """The problem is logged in our words: the server's text may repeat what was sent."""
        row = self._session.get(EmailRow, number)
        if row is None:
            return
        row.tries += 1
        if row.tries > len(WAITS_S):
            _log.error(
                "An e-mail to %s is given up after %d tries. The SMTP server: %s",
                row.name,
                row.tries,
                problem_words(error),
            )
            self._session.delete(row)
        else:
            row.next_at = self.clock() + WAITS_S[row.tries - 1]
            _log.warning(
                "The SMTP server does not take an e-mail (try %d). %s", row.tries, problem_words(error)
            )
        self._session.commit()


def words_of(ended: dict[str, Any]) -> dict[str, str]:
    """subject and text of one end, without paths of the server."""
    state = state_word(ended["status"])
    if doubtful := doubt(ended):
        state = f"{state}, {doubtful}"
    lines = [f"{ended['title']}: {state}", f"after {length_of(seconds_of(ended))}"]
    if ended.get("error_msg"):
        lines.append(failure_of(ended["error_msg"])[0][:1000])
    lines += [f"Warning: {text[:300]}" for text in (ended.get("warnings") or [])[:5]]
    return {"subject": " ".join(lines[0].split())[:300], "text": "\n".join(lines)}


def seconds_of(ended: dict[str, Any]) -> float:
    """From submission to end."""
    submitted, finished = ended.get("submitted_at"), ended.get("finished_at")
    if not submitted or not finished:
        return 0.0
    return (datetime.fromisoformat(finished) - datetime.fromisoformat(submitted)).total_seconds()


def length_of(seconds: float) -> str:
    """ "40 s", "12 min", "3 h 5 min" """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{round(seconds)} s"
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
