"""E-mails over TLS to a real SMTP server (aiosmtpd): StartTLS and TLS from the start, and certificates that are wrong."""

from __future__ import annotations

import contextlib
import smtplib
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from qcrbox_hub.mail.problems import problem_words
from qcrbox_hub.mail.sending import Email, MailServer
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.settings import Mail

from .authority import Authority

HOST = "127.0.0.1"
PASSWORD = "s3cret"
EMAIL = Email("ada@example.org", "thpp: done", "R1 0.0412")


class Kept:
    """What reached the server, with the TLS version it came by."""

    def __init__(self) -> None:
        self.emails: list[tuple[str, str]] = []
        self.signed_in: list[tuple[str, bool]] = []

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        cipher = server.transport.get_extra_info("cipher")
        self.emails.append((envelope.content.decode(), cipher[1] if cipher else ""))
        return "250 taken"

    def sign_in(self, server: SMTP, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.signed_in.append((data.password.decode(), server.transport.get_extra_info("cipher") is not None))
        return AuthResult(success=data.password.decode() == PASSWORD, handled=False)


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@contextlib.contextmanager
def serving(security: str, context: ssl.SSLContext | None) -> Iterator[tuple[Kept, int]]:
    """(what it keeps, port)"""
    kept, port = Kept(), ports.choose(1)[0]
    way: dict[str, Any] = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    controller = Controller(
        kept, HOST, port, authenticator=kept.sign_in, auth_require_tls=security == "starttls", **way
    )
    controller.start()
    try:
        yield kept, port
    finally:
        controller.stop()


def mail_server(
    data: Path, port: int, security: str, *, password: str = PASSWORD, **given: Any
) -> MailServer:
    (data / "smtp").write_text(f"{password}\n")
    fields = {"server": HOST, "sender": "qcrbox@example.org", "user": "us", "password_file": "smtp"} | given
    return MailServer(Mail(port=port, security=security, **fields), data, "https://hub.example.org", 5.0)  # type: ignore[arg-type]


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_password_and_email_go_encrypted_to_a_server_whose_authority_is_trusted(
    security: str, authority: Authority, tmp_path: Path
) -> None:
    with serving(security, authority.server_context(HOST)) as (kept, port):
        server = mail_server(tmp_path, port, security, certificates_file="authority.pem")
        server.check()
        assert kept.emails == []
        server.send(EMAIL)
    ((text, protocol),) = kept.emails
    assert "Subject: thpp: done" in text
    assert "R1 0.0412" in text
    assert protocol in ("TLSv1.2", "TLSv1.3")
    assert kept.signed_in == [(PASSWORD, True)] * 2


# (name in the certificate, days in which it counts, is its authority trusted?, OpenSSL's words)
WRONG = {
    "unknown_authority": (HOST, (-1, 1), False, "unable to get local issuer certificate"),
    "another_name": ("mail.example.org", (-1, 1), True, "IP address mismatch"),
    "expired": (HOST, (-3, -2), True, "certificate has expired"),
}


@pytest.mark.parametrize("security", ["starttls", "tls"])
@pytest.mark.parametrize(("name", "days", "trusted", "words"), WRONG.values(), ids=WRONG)
def test_a_wrong_certificate_is_refused_in_words_before_any_password(
    security: str,
    name: str,
    days: tuple[int, int],
    trusted: bool,
    words: str,
    authority: Authority,
    tmp_path: Path,
) -> None:
    known = {"certificates_file": "authority.pem"} if trusted else {}
    with serving(security, authority.server_context(name, days)) as (kept, port):
        with pytest.raises(ssl.SSLCertVerificationError) as refused:
            mail_server(tmp_path, port, security, **known).send(EMAIL)
        assert kept.signed_in == []
        assert kept.emails == []
    told = problem_words(refused.value)
    assert told.startswith(f"Its certificate is refused: {words}")
    assert "`certificates_file`" in told


def test_without_starttls_at_the_server_neither_password_nor_email_goes(tmp_path: Path) -> None:
    """A server, or someone between, that takes the offer out of its answer."""
    with serving("none", None) as (kept, port):
        with pytest.raises(smtplib.SMTPNotSupportedError) as refused:
            mail_server(tmp_path, port, "starttls").send(EMAIL)
        assert kept.signed_in == []
        assert kept.emails == []
    assert problem_words(refused.value).startswith("STARTTLS extension not supported by server.")


def test_a_plain_server_where_tls_from_the_start_is_set_gets_nothing(tmp_path: Path) -> None:
    with serving("none", None) as (kept, port):
        with pytest.raises(ssl.SSLError) as refused:
            mail_server(tmp_path, port, "tls").send(EMAIL)
        assert kept.signed_in == []
    assert problem_words(refused.value).startswith("It does not speak TLS at this port.")


def test_a_refused_password_is_told_without_the_password(authority: Authority, tmp_path: Path) -> None:
    with serving("tls", authority.server_context(HOST)) as (_, port):
        server = mail_server(tmp_path, port, "tls", password="wr0ng", certificates_file="authority.pem")
        with pytest.raises(smtplib.SMTPAuthenticationError) as refused:
            server.send(EMAIL)
    told = problem_words(refused.value)
    assert "(code 535)" in told
    assert "wr0ng" not in told


@pytest.mark.parametrize(
    ("name", "words"),
    [("absent.pem", "No such file or directory."), ("no.pem", "it holds no certificate in PEM.")],
)
def test_a_file_of_certificates_that_cannot_be_used_is_named(
    name: str, words: str, authority: Authority, tmp_path: Path
) -> None:
    (tmp_path / "no.pem").write_text("no certificate")
    with serving("tls", authority.server_context(HOST)) as (_, port), pytest.raises(OSError) as refused:
        mail_server(tmp_path, port, "tls", certificates_file=name).send(EMAIL)
    assert f"{name}: {words}" in problem_words(refused.value)


def test_over_an_open_line_a_password_goes_where_the_settings_ask_for_it_only(tmp_path: Path) -> None:
    """`security = "none"`, which the settings allow with a password on this machine only."""
    with serving("none", None) as (kept, port):
        mail_server(tmp_path, port, "none").send(EMAIL)
    assert kept.signed_in == [(PASSWORD, False)]
    with pytest.raises(ValueError, match="without encryption"):
        mail_server(tmp_path, 25, "none", server="mail.example.org")
