"""Every key of platform.toml does what it says: in `up`, and alike in the other commands that use the data folder."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from qcrbox.contract.errors import QcError
from qcrbox_hub.accounts.configure import choose_authenticator
from qcrbox_hub.cli import COMMANDS, make_app
from qcrbox_hub.cli import doctor as doctor_module
from qcrbox_hub.cli import registry as registry_module
from qcrbox_hub.cli import up as up_module
from qcrbox_hub.jupyterhub.settings import PROXY_VARIABLE, HubSettings, ProxySettings
from qcrbox_hub.lifecycle import backup, hub_database
from qcrbox_hub.lifecycle import plan as plans
from qcrbox_hub.platform import ports
from qcrbox_hub.platform.child import ChildSpec
from qcrbox_hub.platform.data_folder import DataFolder
from qcrbox_hub.platform.settings import FILE, PlatformSettings
from qcrbox_hub.walls.choice import Choice, Walls
from traitlets.config import Config
from typer.testing import CliRunner

POSTGRES = "postgresql+psycopg://me:secret@127.0.0.1:9/"


@dataclass
class Started:
    """What `qcrbox up` would start."""

    data: DataFolder
    plan: plans.Plan
    asked_walls: tuple[str, str]  # spawner, image

    def spec(self, name: str) -> ChildSpec:
        return next(spec for spec in self.plan.specs if spec.name == name)

    @property
    def names(self) -> set[str]:
        return {spec.name for spec in self.plan.specs}

    @property
    def registry(self) -> dict[str, str]:
        prefix = "QCRBOX_REGISTRY_"
        environment = self.spec("registry").environment
        return {
            key.removeprefix(prefix): value for key, value in environment.items() if key.startswith(prefix)
        }

    @property
    def hub(self) -> HubSettings:
        return HubSettings.model_validate_json((self.data.run / "hub.json").read_text())

    @property
    def proxy(self) -> ProxySettings:
        return ProxySettings.model_validate_json(self.spec("proxy").environment[PROXY_VARIABLE])

    @property
    def caddyfile(self) -> str:
        return (self.data.run / "Caddyfile").read_text()

    @property
    def sign_in(self) -> Config:
        """What JupyterHub is configured with."""
        config = Config()
        choose_authenticator(config, self.hub.sign_in, self.data.path, self.plan.url)
        return config


@pytest.fixture
def up(data: DataFolder, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Started]:
    """`qcrbox up` on a folder with these settings, as far as the plan."""
    for name in ("QCRBOX_SPAWNER", "QCRBOX_MANAGER", "QCRBOX_REGISTRY_DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)

    def start(text: str) -> Started:
        (data.path / FILE).write_text(text.replace("DATA", str(data.path)))
        asked: list[tuple[str, str]] = []
        made: list[plans.Plan] = []

        def choose(wanted: str, *, everyone_trusted: bool, image: str, subordinate_ids: bool) -> Choice:
            asked.append((wanted, image))
            return Choice(Walls.TRUSTED, "no walls")

        class Run:
            def __init__(self, options: plans.Options, where: DataFolder, say: object) -> None:
                self.options, self.where = options, where

            def up(self, announce: object) -> None:
                made.append(plans.make(self.options, self.where))

        monkeypatch.setattr(plans, "choose", choose)
        monkeypatch.setattr(up_module, "Run", Run)
        done = CliRunner().invoke(make_app(*COMMANDS), ["up", "--data", str(data.path)])
        if done.exception:
            raise done.exception
        return Started(data, made[0], asked[0])

    return start


def anywhere(config: Config, value: object) -> bool:
    """Is this value in the configuration?"""
    return json.dumps(value).strip('"') in json.dumps(config, default=list)


LDAP = '[sign_in]\nmethod = "ldap"\nadministrators = ["ada"]\n[sign_in.ldap]\nserver = "ldap.example.org"\nbind_dn_template = ["uid={username},dc=x"]\n'
OIDC = '[sign_in]\nmethod = "oidc"\nadministrators = ["ada"]\n[sign_in.oidc]\nissuer = "https://login.example.org"\nclient_id = "our-client"\nclient_secret_file = "secrets/oidc"\n'
LTI = '[sign_in]\nmethod = "lti13"\nadministrators = ["ada"]\n[sign_in.lti13]\nissuer = "https://moodle"\nauthorize_url = "https://moodle/auth"\njwks_url = "https://moodle/jwks"\nclient_ids = ["abc"]\n'
NAMED = '[public]\nurl = "https://hub.example.org"\n'
FILES = NAMED + 'tls = "files"\ntls_certificate = "DATA/secrets/c.pem"\ntls_key = "DATA/secrets/k.pem"\n'

MAIL = '[mail]\nserver = "smtp.example.org"\nsender = "qcrbox@example.org"\n'

# key -> (settings, does `up` honour it)
UP: dict[str, tuple[str, Callable[[Started], object]]] = {
    "manager": ('manager = "docker"', lambda it: "docker" in it.spec("launcher").command),
    "hub_config": ('hub_config = "more.py"', lambda it: it.hub.hub_config == Path("more.py")),
    "public.url": (NAMED, lambda it: it.plan.url == "https://hub.example.org"),
    "public.people_url": (
        NAMED + 'people_url = "https://people.example.net"',
        lambda it: it.hub.addresses.person_url("ada") == "https://people.example.net",
    ),
    "public.host": (NAMED + 'host = "0.0.0.0"', lambda it: it.proxy.host == "0.0.0.0"),
    "public.port": ("[public]\nport = 8017", lambda it: it.proxy.port == 8017 and ":8017" in it.plan.url),
    "public.tls": (NAMED + 'tls = "front"', lambda it: it.proxy.tls_in_front and "tls" not in it.names),
    "public.tls_certificate": (FILES, lambda it: "/c.pem" in it.caddyfile),
    "public.tls_key": (FILES, lambda it: "/k.pem" in it.caddyfile),
    "public.email": (
        NAMED + 'tls = "acme"\nemail = "me@example.org"',
        lambda it: "me@example.org" in it.caddyfile,
    ),
    "database.registry_url_file": (
        '[database]\nregistry_url_file = "secrets/db"',
        lambda it: it.registry["DATABASE_URL"] == POSTGRES + "qcrbox",
    ),
    "database.hub_url_file": (
        '[database]\nhub_url_file = "secrets/db"',
        lambda it: it.hub.hub_database_url == POSTGRES + "qcrbox",
    ),
    "nats.url": (
        '[nats]\nurl = "nats://nats.example.org:4222"',
        lambda it: (
            "nats" not in it.names
            and it.registry["NATS_URL"] == "nats://nats.example.org:4222"
            and "nats://nats.example.org:4222" in it.spec("launcher").command
        ),
    ),
    "audit.heads_file": (
        '[audit]\nheads_file = "heads"',
        lambda it: it.registry["AUDIT_HEADS"] == str(it.data.path / "heads"),
    ),
    "audit.syslog": ("[audit]\nsyslog = true", lambda it: it.registry["AUDIT_SYSLOG"] == "true"),
    "mail.server": (MAIL, lambda it: it.hub.mail.server == "smtp.example.org"),
    "mail.sender": (MAIL, lambda it: it.hub.mail.sender == "qcrbox@example.org"),
    "mail.port": (MAIL + "port = 2525", lambda it: it.hub.mail.port == 2525),
    "mail.security": (MAIL + 'security = "tls"', lambda it: it.hub.mail.security == "tls"),
    "mail.user": (
        MAIL + 'user = "us"\npassword_file = "secrets/smtp"',
        lambda it: it.hub.mail.user == "us",
    ),
    "mail.password_file": (
        MAIL + 'user = "us"\npassword_file = "secrets/smtp"',
        lambda it: it.hub.mail.password_file == Path("secrets/smtp"),
    ),
    "mail.certificates_file": (
        MAIL + 'certificates_file = "secrets/authority.pem"',
        lambda it: it.hub.mail.certificates_file == Path("secrets/authority.pem"),
    ),
    "mail.least_minutes": (MAIL + "least_minutes = 5", lambda it: it.hub.mail.least_minutes == 5),
    "people.spawner": ('[people]\nspawner = "sandbox"', lambda it: it.asked_walls[0] == "sandbox"),
    "people.image": ('[people]\nimage = "ours:1"', lambda it: it.asked_walls[1] == it.hub.people.image == "ours:1"),
    "people.images": ('[people]\nimages = ["big:1"]', lambda it: it.hub.people.images == ["big:1"]),
    "people.memory_gib": ("[people]\nmemory_gib = 7", lambda it: it.hub.people.memory_gib == 7),
    "people.cpus": ("[people]\ncpus = 3", lambda it: it.hub.people.cpus == 3),
    "people.processes": ("[people]\nprocesses = 77", lambda it: it.hub.people.processes == 77),
    "people.home_gib": ("[people]\nhome_gib = 5", lambda it: it.hub.people.home_gib == 5),
    "people.internet": ("[people]\ninternet = true", lambda it: it.hub.people.internet),
    "people.archive_days": ("[people]\narchive_days = 9", lambda it: it.hub.people.archive_days == 9),
    "people.idle_minutes": (
        "[people]\nidle_minutes = 5",
        lambda it: "--timeout=300" in it.spec("culler").command,
    ),
    "sign_in.method": (LDAP, lambda it: "LdapAuthenticator" in it.sign_in),
    "sign_in.administrators": (LDAP, lambda it: anywhere(it.sign_in, "ada")),
    "sign_in.claims": (
        LDAP.replace("[sign_in.ldap]", '[[sign_in.claims]]\nvalue = "staff"\ngroup = "lab"\n[sign_in.ldap]'),
        lambda it: anywhere(it.sign_in, "staff"),
    ),
    "sign_in.ldap.server": (LDAP, lambda it: anywhere(it.sign_in, "ldap.example.org")),
    "sign_in.ldap.port": (LDAP + "port = 3899", lambda it: anywhere(it.sign_in, 3899)),
    "sign_in.ldap.tls": (LDAP + 'tls = "on_connect"', lambda it: anywhere(it.sign_in, "on_connect")),
    "sign_in.ldap.bind_dn_template": (LDAP, lambda it: anywhere(it.sign_in, "uid={username},dc=x")),
    "sign_in.ldap.groups_attribute": (
        LDAP + 'groups_attribute = "memberOf"',
        lambda it: anywhere(it.sign_in, "memberOf"),
    ),
    "sign_in.ldap.groups": (LDAP + 'groups = ["cn=g"]', lambda it: anywhere(it.sign_in, "cn=g")),
    "sign_in.ldap.member_attributes": (
        LDAP + 'groups = ["cn=g"]\nmember_attributes = ["memberUid"]',
        lambda it: anywhere(it.sign_in, "memberUid"),
    ),
    "sign_in.ldap.allowed_groups": (
        LDAP + 'allowed_groups = ["cn=in"]',
        lambda it: anywhere(it.sign_in, "cn=in"),
    ),
    "sign_in.oidc.issuer": (OIDC, lambda it: anywhere(it.sign_in, "https://login.example.org")),
    "sign_in.oidc.client_id": (OIDC, lambda it: anywhere(it.sign_in, "our-client")),
    "sign_in.oidc.client_secret_file": (OIDC, lambda it: anywhere(it.sign_in, "secret-of-oidc")),
    "sign_in.oidc.scopes": (OIDC + 'scopes = ["openid", "x"]', lambda it: anywhere(it.sign_in, ["openid", "x"])),
    "sign_in.oidc.username_claim": (OIDC + 'username_claim = "eppn"', lambda it: anywhere(it.sign_in, "eppn")),
    "sign_in.oidc.groups_claim": (OIDC + 'groups_claim = "rollen"', lambda it: anywhere(it.sign_in, "rollen")),
    "sign_in.oidc.name": (OIDC + 'name = "Uni"', lambda it: anywhere(it.sign_in, "Uni")),
    "sign_in.pam.service": (
        '[sign_in]\nmethod = "pam"\nadministrators = ["ada"]\n[sign_in.pam]\nservice = "ours"',
        lambda it: anywhere(it.sign_in, "ours"),
    ),
    "sign_in.lti13.issuer": (LTI, lambda it: anywhere(it.sign_in, "https://moodle")),
    "sign_in.lti13.authorize_url": (LTI, lambda it: anywhere(it.sign_in, "https://moodle/auth")),
    "sign_in.lti13.jwks_url": (LTI, lambda it: anywhere(it.sign_in, "https://moodle/jwks")),
    "sign_in.lti13.client_ids": (LTI, lambda it: anywhere(it.sign_in, "abc")),
    "sign_in.lti13.username_key": (LTI + 'username_key = "sub"', lambda it: anywhere(it.sign_in, "sub")),
    "sign_in.lti13.token_url": (
        LTI + 'token_url = "https://moodle/token"', lambda it: anywhere(it.sign_in, "https://moodle/token")
    ),
    "sign_in.lti13.token_audience": (
        LTI + 'token_audience = "https://moodle/us"', lambda it: anywhere(it.sign_in, "https://moodle/us")
    ),
}  # fmt: skip


def keys_of(model: type[BaseModel], prefix: str = "") -> set[str]:
    found = set()
    for name, field in model.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel):
            found |= keys_of(section, f"{prefix}{name}.")
        else:
            found.add(prefix + name)
    return found


def test_every_key_has_a_row() -> None:
    assert set(UP) == keys_of(PlatformSettings)


@pytest.fixture
def secrets(data: DataFolder) -> None:
    (data.path / "secrets" / "db").write_text(POSTGRES + "qcrbox\n")
    (data.path / "secrets" / "oidc").write_text("secret-of-oidc\n")
    for name in ("c.pem", "k.pem"):
        (data.path / "secrets" / name).touch(mode=0o600)


@pytest.mark.parametrize("key", sorted(UP))
def test_up_honours(key: str, up: Callable[[str], Started], secrets: None) -> None:
    text, honoured = UP[key]
    assert honoured(up(text)), key


@pytest.mark.parametrize("key", sorted(UP))
def test_without_the_key_the_row_does_not_hold(key: str, up: Callable[[str], Started], secrets: None) -> None:
    """So that no row is true of every platform."""
    _, honoured = UP[key]
    try:
        held = honoured(up(""))
    except (StopIteration, KeyError, FileNotFoundError):
        held = False
    assert not held


# ---------------------------------------------------------------- the other commands


@pytest.fixture
def commands_of_registry(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Environments of the registry's programs that a command starts."""
    environments: list[dict[str, str]] = []

    def run(command: list[str], **options: Any) -> subprocess.CompletedProcess[str]:
        if command[2] == "qcrbox_registry":
            environments.append(options["env"])
        return subprocess.CompletedProcess(command, 0, "{}", "")

    monkeypatch.setattr(subprocess, "run", run)
    return environments


@pytest.mark.parametrize("command", ["backup", "audit"])
def test_commands_of_the_registry_get_the_settings_of_up(
    command: str,
    data: DataFolder,
    secrets: None,
    up: Callable[[str], Started],
    commands_of_registry: list[dict[str, str]],
    tmp_path: Path,
) -> None:
    started = up(
        '[database]\nregistry_url_file = "secrets/db"\n[nats]\nurl = "nats://elsewhere:1"\n'
        '[audit]\nheads_file = "heads"\nsyslog = true\n'
    )
    if command == "backup":
        backup.write_backup(data, tmp_path / "backups", lambda _: None)
    else:
        CliRunner().invoke(make_app(*COMMANDS), [command, "--data", str(data.path)])
    (environment,) = commands_of_registry
    for name in ("DATABASE_URL", "NATS_URL", "AUDIT_HEADS", "AUDIT_SYSLOG"):
        assert environment[f"QCRBOX_REGISTRY_{name}"] == started.registry[name], name


def test_accounts_are_saved_from_and_restored_into_the_database_that_up_uses(
    data: DataFolder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    commands_of_registry: list[dict[str, str]],
) -> None:
    copied: list[tuple[str, str]] = []
    monkeypatch.setattr(hub_database, "exists", lambda url: True)
    monkeypatch.setattr(
        hub_database,
        "copy",
        lambda source, target: (
            copied.append((source, target)),
            Path(target.removeprefix("sqlite:///")).touch() if target.startswith("sqlite") else None,
        ),
    )
    monkeypatch.setattr(hub_database, "forget_what_was_given_out", lambda url: copied.append((url, "")))
    monkeypatch.setattr(DataFolder, "require_databases", lambda self, urls: None)
    url = POSTGRES + "qcrbox"
    text = '[database]\nregistry_url_file = "secrets/db"\nhub_url_file = "secrets/db"\n'
    restored = DataFolder(tmp_path / "restored")
    for folder in (data, restored):
        (folder.path / "secrets").mkdir(parents=True, exist_ok=True)
        (folder.path / "secrets" / "db").write_text(url)
        (folder.path / FILE).write_text(text)
    made = backup.write_backup(data, tmp_path / "backups", lambda _: None)
    backup.restore_backup(made, restored, lambda _: None)
    assert [copied[0][0], copied[1][1], copied[2][0]] == [url, url, url]
    assert [each["QCRBOX_REGISTRY_DATABASE_URL"] for each in commands_of_registry] == [url, url]


def findings(data: DataFolder, text: str) -> str:
    (data.path / FILE).write_text(text.replace("DATA", str(data.path)))
    return "\n".join(
        f"{'good' if good else 'bad'}: {what}"
        for check in doctor_module.CHECKS[5:]
        for good, what, _ in check(data)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[public]\nport = PORT", "bad: port PORT of 127.0.0.1 is free"),
        ('[database]\nregistry_url_file = "secrets/none"', "bad: settings: A file with a database's URL"),
        ('[database]\nhub_url_file = "secrets/db"', "bad: database of the hub, "),
        ('[nats]\nurl = "nats://127.0.0.1:1"', "bad: nats.url: 127.0.0.1 does not answer"),
        ('[nats]\nurl = "nats://127.0.0.1:PORT"', "good: nats.url: 127.0.0.1 answers"),
        (MAIL.replace("smtp.example.org", "127.0.0.1") + "port = 1", "bad: mail.server: 127.0.0.1, port 1: no e-mail can be sent"),
        (MAIL + 'password_file = "secrets/oidc"', "bad: mail.password_file: DATA/secrets/oidc is readable by its owner only"),
        ('hub_config = "more.py"', "bad: hub_config: DATA/more.py cannot be used"),
        (FILES, "bad: public.tls_key: DATA/secrets/k.pem cannot be used"),
        ('[audit]\nheads_file = "none/heads"', "bad: audit.heads_file: DATA/none/heads can be written"),
        ('[audit]\nheads_file = "heads"', "good: audit.heads_file: DATA/heads can be written"),
        (OIDC, "bad: sign_in.oidc.client_secret_file: DATA/secrets/oidc is readable by its owner only"),
        (NAMED + 'people_url = "same"', "bad: names: "),
        ('[people]\nspawner = "trusted"', "bad: walls between people: There are no walls"),
        ('[people]\nspawner = "docker"\nimage = "none:1"', "bad: walls between people: --spawner docker"),
        ('manager = "docker"', "bad: manager: docker finds a Docker daemon"),
        ("[people]\nhome = 3", "bad: settings: The settings cannot be used."),
    ],
)  # fmt: skip
def test_doctor_looks_at_what_the_settings_name(
    text: str, said: str, data: DataFolder, secrets: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import socket

    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-docker.sock")
    (data.path / "secrets" / "oidc").chmod(0o644)
    (data.path / "secrets" / "k.pem").unlink()
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        found = findings(data, text.replace("PORT", port))
    assert said.replace("PORT", port).replace("DATA", str(data.path)) in found, found


@pytest.mark.parametrize("command", ["up", "doctor", "backup", "restore", "audit"])
def test_settings_that_cannot_be_used_stop_every_command(
    command: str, data: DataFolder, tmp_path: Path
) -> None:
    (data.path / FILE).write_text("[people]\nmemory = 3\n")
    more = {"backup": [str(tmp_path / "b")], "restore": [str(_whole_backup(tmp_path))]}.get(command, [])
    done = CliRunner().invoke(make_app(*COMMANDS), [command, *more, "--data", str(data.path)])
    assert done.exit_code != 0
    said = done.output + (
        done.exception.why + done.exception.where if isinstance(done.exception, QcError) else ""
    )
    assert "people.memory: there is no such key" in " ".join(said.split())


def _whole_backup(folder: Path) -> Path:
    made = folder / "backup"
    made.mkdir()
    (made / backup.BACKUP_MANIFEST).write_text(json.dumps({"format": 1, "parts": {}}))
    return made


def test_registry_without_a_hub_uses_the_same_settings(
    data: DataFolder, secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QCRBOX_MANAGER", raising=False)
    (data.path / FILE).write_text('manager = "docker"\n[database]\nregistry_url_file = "secrets/db"\n')
    made: list[plans.Options] = []

    class Run:
        def __init__(self, options: plans.Options, *_: object) -> None:
            made.append(options)

        def up(self, announce: object) -> None:
            return

    monkeypatch.setattr(registry_module, "Run", Run)
    command = ["registry", "--no-auth", "--data", str(data.path), "--port", str(ports.choose(1)[0])]
    assert CliRunner().invoke(make_app(*COMMANDS), command).exit_code == 0
    assert made[0].manager == "docker"
    assert made[0].settings.registry_database_url(data.path) == POSTGRES + "qcrbox"
