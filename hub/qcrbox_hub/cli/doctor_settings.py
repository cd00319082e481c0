"""The part of `qcrbox doctor` that reads `platform.toml`: are the settings valid, and is what they name there?"""

from __future__ import annotations

import os
import smtplib
import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from qcrbox.contract.errors import QcError
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

from qcrbox_hub.mail.problems import problem_words
from qcrbox_hub.mail.sending import MailServer
from qcrbox_hub.platform.addresses import Addresses, Separation
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import FILE, Mail, PlatformSettings
from qcrbox_hub.walls.daemon import Daemon

# (good, what was looked at, what to do when it is not good)
Finding = tuple[bool, str, str]
NATS_PORT = 4222
_LIMIT_S = 3.0


def load_or_none(folder: DataFolder) -> PlatformSettings | None:
    """The settings; None when they cannot be used, which `check_settings` reports."""
    try:
        return PlatformSettings.load(folder.path)
    except QcError:
        return None


def check_settings(folder: DataFolder) -> Iterator[Finding]:
    """`platform.toml` is valid, with addresses and database URLs that can be parsed and files that are there."""
    file = folder.path / FILE
    try:
        settings = PlatformSettings.load(folder.path)
        for url in (settings.registry_database_url(folder.path), settings.hub_database_url(folder.path)):
            make_url(url or "sqlite://")
        if settings.public.url:
            Addresses.make(settings.public.url, settings.public.people_url)
    except QcError as error:
        yield False, f"settings: {error.what}", error.why
        return
    except (ArgumentError, ValueError) as error:  # ValueError: a port that is no number
        yield False, "settings: a database URL cannot be parsed", f"{error}."
        return
    yield True, f"settings in {file}" if file.is_file() else "settings: the defaults", ""
    if settings.public.url:
        separation = Addresses.make(settings.public.url, settings.public.people_url).separation
        yield (
            separation is not Separation.NONE,
            f"names: {separation}",
            "People's pages share the hub's origin: each of them can act as the person who views it. See docs/security.md.",
        )
    yield from _check_files(folder.path, settings)


def named_files(settings: PlatformSettings) -> dict[str, tuple[Path, bool]]:
    """Files that the settings name and that have to be there: key -> (path, holds a secret)."""
    public, database, sign_in = settings.public, settings.database, settings.sign_in
    named: dict[str, tuple[Path | None, bool]] = {
        "database.registry_url_file": (database.registry_url_file, True),
        "database.hub_url_file": (database.hub_url_file, True),
        "hub_config": (settings.hub_config, False),
        "mail.password_file": (settings.mail.password_file, True),
        "mail.certificates_file": (settings.mail.certificates_file, False),
    }
    if public.tls == "files":
        named |= {
            "public.tls_certificate": (public.tls_certificate, False),
            "public.tls_key": (public.tls_key, True),
        }
    if sign_in.method == "oidc":
        named["sign_in.oidc.client_secret_file"] = (sign_in.oidc.client_secret_file, True)
    return {key: (path, secret) for key, (path, secret) in named.items() if path is not None}


def _check_files(data: Path, settings: PlatformSettings) -> Iterator[Finding]:
    for key, (path, secret) in named_files(settings).items():
        where = path if path.is_absolute() else data / path
        try:
            mode = where.stat().st_mode
        except OSError as error:
            yield False, f"{key}: {where} cannot be used", f"{error.strerror}."
            continue
        if secret:
            yield not mode & 0o077, f"{key}: {where} is readable by its owner only", f"chmod 600 {where}"
    if settings.audit.heads_file:
        target = data / settings.audit.heads_file
        good = os.access(target if target.exists() else target.parent, os.W_OK)
        yield good, f"audit.heads_file: {target} can be written", "Make its folder, with write permission."


def check_parts_elsewhere(folder: DataFolder) -> Iterator[Finding]:
    """What the settings use of others: a NATS server, an SMTP server, Docker for programs."""
    settings = load_or_none(folder)
    if settings is None:
        return
    if settings.nats.url:
        address = urlsplit(settings.nats.url)
        yield _answers("nats.url", address.hostname or "", address.port or NATS_PORT)
    if settings.mail.server:
        yield _takes_emails(settings.mail, folder.path)
    if settings.manager in ("docker", "swarm"):
        daemon = Daemon.found()
        yield (
            daemon is not None and daemon.socket.exists(),
            f"manager: {settings.manager} finds a Docker daemon",
            'Start Docker, or choose `manager = "process"`.',
        )


def _answers(key: str, host: str, port: int) -> Finding:
    try:
        socket.create_connection((host, port), _LIMIT_S).close()
    except OSError as error:
        return False, f"{key}: {host} does not answer", f"{error}."
    return True, f"{key}: {host} answers", ""


def _takes_emails(mail: Mail, data: Path) -> Finding:
    """Connects, verifies the certificate and signs in as for an e-mail."""
    try:
        MailServer(mail, data, "", _LIMIT_S).check()
    except (OSError, smtplib.SMTPException) as error:
        where = f"{mail.server}, port {mail.smtp_port}"
        return False, f"mail.server: {where}: no e-mail can be sent", problem_words(error)
    return True, f"mail.server: {mail.server} takes e-mails", ""
