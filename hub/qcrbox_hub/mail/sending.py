"""One e-mail by SMTP. Blocking: called in a thread."""

from __future__ import annotations

import errno
import re
import smtplib
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from pathlib import Path

from qcrbox_hub.platform.settings import Mail

TIMEOUT_S = 30.0
# All but tabulator and ends of lines.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")


class Refused(Exception):
    """The server does not take e-mails to this address, now or later; the text is the server's."""


def header_text(text: str) -> str:
    """The text as one line that a header shows as it is.

    Python reads encoded words (`=?utf-8?q?=0d=0a?=`) in the value of a header, and before 3.11.10 writes the ends of lines in
    them as they are: the name of a calculation or a file could write headers and bodies of e-mails to other people.
    """
    return " ".join(_CONTROL.sub(" ", text).split()).replace("=?", "= ?")


@dataclass(frozen=True)
class Email:
    """What is sent. subject and address are put on one line."""

    address: str
    subject: str
    text: str


@dataclass(frozen=True)
class MailServer:
    """The SMTP server of the settings."""

    settings: Mail
    data: Path
    hub_url: str
    timeout_s: float = TIMEOUT_S

    def check(self) -> None:
        """Connect and sign in as for an e-mail, and send none. Raises OSError or SMTPException."""
        with self._connected() as server:
            server.noop()

    def send(self, email: Email) -> None:
        """Raises Refused for an address that the server refuses for good; OSError or SMTPException when it may go later."""
        try:
            with self._connected() as server:
                server.send_message(self._message(email))
        except smtplib.SMTPRecipientsRefused as error:
            code, words = next(iter(error.recipients.values()))
            if code >= 500:
                raise Refused(f"{code} {words.decode('utf-8', 'replace')}") from error
            raise

    def _message(self, email: Email) -> EmailMessage:
        message = EmailMessage()
        message["From"] = self.settings.sender
        message["To"] = email.address
        message["Subject"] = header_text(email.subject)[:200]
        message["Date"] = formatdate()
        message["Message-ID"] = make_msgid(domain=self.settings.sender.rpartition("@")[2])
        # Programs that answer e-mails by themselves leave these alone.
        message["Auto-Submitted"] = "auto-generated"
        message["List-Unsubscribe"] = f"<{self.hub_url}/hub/notifications>"
        message.set_content(_CONTROL.sub(" ", email.text))
        return message

    def _tls(self) -> ssl.SSLContext:
        """Verifies certificate and name. Made for each connection: authorities may be added while the hub runs."""
        context = ssl.create_default_context()
        if self.settings.certificates_file is not None:
            file = self.data / self.settings.certificates_file
            try:
                context.load_verify_locations(cadata=file.read_text())
            except (ssl.SSLError, UnicodeDecodeError):
                raise OSError(errno.EINVAL, "it holds no certificate in PEM", str(file)) from None
        return context

    def _sign_in(self, server: smtplib.SMTP) -> None:
        given = self.settings
        if not given.user or given.password_file is None:
            return
        file = self.data / given.password_file
        try:
            server.login(given.user, file.read_text(encoding="utf-8").strip())
        except UnicodeError:
            # Of Python: the password is in it. smtplib encodes name and password as ASCII.
            raise OSError(
                errno.EINVAL, "smtplib signs in with names and passwords in ASCII only", str(file)
            ) from None

    def _connected(self) -> smtplib.SMTP:
        given = self.settings
        if given.security == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                given.server, given.smtp_port, timeout=self.timeout_s, context=self._tls()
            )
        else:
            server = smtplib.SMTP(given.server, given.smtp_port, timeout=self.timeout_s)
        try:
            if given.security == "starttls":
                server.starttls(context=self._tls())
            self._sign_in(server)
        except BaseException:
            server.close()
            raise
        return server
