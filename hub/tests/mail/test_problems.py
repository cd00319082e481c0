"""Why the mail server takes no e-mail, in words that help and hold no secret."""

from __future__ import annotations

import errno
import smtplib
import ssl

import pytest
from qcrbox_hub.mail.problems import problem_words

SECRET = "s3cret-password"


def _refused_certificate() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, SECRET)
    error.verify_message = "self-signed certificate."
    return error


PROBLEMS: dict[str, tuple[Exception, str]] = {
    "certificate": (_refused_certificate(), "Its certificate is refused: self-signed certificate. A"),
    "no TLS": (ssl.SSLError(1, SECRET), "does not speak TLS at this port"),
    "no sign-in": (smtplib.SMTPNotSupportedError("SMTP AUTH extension not supported."), "Check `port`"),
    "password": (smtplib.SMTPAuthenticationError(535, SECRET.encode()), "name or the password (code 535)"),
    "address": (
        smtplib.SMTPRecipientsRefused({"a@b.org": (451, SECRET.encode()), "c@b.org": (450, b"")}),
        "not take an e-mail to this address now (code 450, 451)",
    ),
    "reply": (smtplib.SMTPDataError(554, SECRET.encode()), "It refuses with code 554."),
    "sender": (smtplib.SMTPSenderRefused(550, SECRET.encode(), "q@b.org"), "code 550"),
    "gone": (smtplib.SMTPServerDisconnected(SECRET), "closed the connection"),
    "file": (FileNotFoundError(errno.ENOENT, "No such file", "/data/ca.pem"), "/data/ca.pem: No such file"),
    "refused connection": (
        ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused"),
        "Connection refused",
    ),
    "no answer": (TimeoutError(), "no answer in time"),
    "no way to sign in": (
        smtplib.SMTPException(SECRET),
        "The conversation with it failed (SMTPException). Check `user`",
    ),
}


@pytest.mark.parametrize(("error", "words"), PROBLEMS.values(), ids=PROBLEMS)
def test_problem_is_named_with_what_to_do_and_without_what_the_server_said(
    error: Exception, words: str
) -> None:
    said = problem_words(error)
    assert words in said
    assert SECRET not in said
    assert said.endswith(".")
    assert "\n" not in said
