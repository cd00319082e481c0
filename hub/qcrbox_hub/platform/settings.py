"""`DATA/platform.toml`: what an administrator sets for a platform, read by every command that uses the data folder.

A missing file means the defaults. Secrets are named by file, never written here. Flags of `qcrbox up` win over
the file for one start.
"""

from __future__ import annotations

import os
import sys
import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.fields import FieldInfo
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host

from qcrbox_hub.platform import sqlite

FILE = "platform.toml"
# Pages of the hub that a learning platform posts to.
LTI_POSTS = ("/hub/lti13/oauth_login", "/hub/lti13/oauth_callback")


class Section(BaseModel):
    """An unknown key is an error: a misspelt setting must not be ignored."""

    # No setting means something when it is infinite; TOML can write inf and nan.
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Public(Section):
    """Where browsers find the platform."""

    url: str = Field(
        "",
        description="Address of the sign-in page, e.g. https://hub.example.org. "
        "Default on loopback: http://hub.localhost:PORT. Needed on any other address.",
    )
    people_url: str = Field(
        "",
        description="Address of people's Jupyter servers; `*` stands for the person: https://*.hub.example.org "
        "(the default) needs a wildcard name. Without `*` all servers share that one name, apart from the hub. "
        "\"same\" puts them on the hub's name: every person's code can then act as the person who views it.",
    )
    host: str = Field("127.0.0.1", description="Address the platform listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the platform listens on.")
    tls: Literal["none", "front", "files", "acme", "internal"] = Field(
        "none",
        description="`front`: a web server of yours ends TLS, forwards to us and sets X-Forwarded-For. By our own Caddy: "
        "`files` with your certificate, `acme` with certificates of a public authority (Let's Encrypt), one for the "
        "hub and one for each person, `internal` with its own authority, which browsers have to trust first.",
    )
    tls_certificate: Path | None = Field(None, description="With `files`: certificate chain, PEM.")
    tls_key: Path | None = Field(None, description="With `files`: private key, PEM.")
    email: str = Field(
        "",
        pattern=r"^(?:[^\s@{}]+@[^\s@{}]+)?$",
        description="With `acme`: where the authority sends warnings.",
    )


class Databases(Section):
    """PostgreSQL in place of the SQLite files in the data folder. URLs hold passwords, so they are read from files."""

    registry_url_file: Path | None = Field(
        None,
        description="File with the URL of the registry's database, e.g. postgresql+psycopg://user:password@host/qcrbox.",
    )
    hub_url_file: Path | None = Field(None, description="File with the URL of JupyterHub's database.")


class Nats(Section):
    """A NATS server or cluster of your own in place of the one that the platform starts."""

    url: str = Field("", description="e.g. nats://nats.example.org:4222; the system account needs our users.")


class Audit(Section):
    """Where signed heads of the audit trail go besides DATA/audit/heads.ndjson; `qcrbox audit` checks the trail against them."""

    heads_file: Path | None = Field(
        None, description="A file to append to, best on another disk or machine; relative to the data folder."
    )
    syslog: bool = Field(False, description="Send them to the system log too.")


class Mail(Section):
    """E-mails at the end of calculations, to those who ask for them. Without `server` there are none."""

    server: str = Field("", description="Host name of the SMTP server, e.g. smtp.example.org.")
    port: int = Field(0, ge=0, le=65535, description="Its port; 0: 587, with `tls` 465, with `none` 25.")
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="StartTLS, TLS from the start, or no encryption, which is refused together with a password unless the "
        "server is this machine.",
    )
    user: str = Field("", description="Name to sign in with at the server; empty: without signing in.")
    password_file: Path | None = Field(
        None, description="File with the password for `user`; relative to the data folder."
    )
    certificates_file: Path | None = Field(
        None,
        description="File with certificates (PEM) of further authorities to trust, for a mail server whose certificate a "
        "private authority issued; relative to the data folder. The certificate and its name are always verified.",
    )
    sender: str = Field("", description="Address in From, e.g. qcrbox@example.org. Needed with `server`.")
    least_minutes: float = Field(
        1.0,
        ge=0,
        description="Ends of calculations that took less are not told, minutes from their submission.",
    )

    @property
    def smtp_port(self) -> int:
        """The port to connect to."""
        return self.port or {"starttls": 587, "tls": 465, "none": 25}[self.security]

    @model_validator(mode="after")
    def _complete_and_safe(self) -> Mail:
        if self.server and "@" not in self.sender:
            raise ValueError("`sender` must be an e-mail address where `server` is set")
        if self.user and self.password_file is None:
            raise ValueError("`user` needs `password_file`")
        if self.user and self.security == "none" and not is_loopback_host(self.server):
            raise ValueError("a password is not sent without encryption: set `security` to starttls or tls")
        return self


class People(Section):
    """People's Jupyter servers."""

    spawner: Literal["auto", "docker", "swarm", "sandbox", "trusted"] = Field(
        "auto",
        description="What they run in. `auto` is the strongest walls that this machine has; `trusted` is none.",
    )
    image: str = Field("qcrbox/person:latest", description="Image of their containers.")
    images: list[str] = Field(
        default_factory=list, description="Further images that an administrator may give to a group."
    )
    memory_gib: float = Field(4.0, ge=0, description="Memory of a server and its kernels, GiB; 0: no limit.")
    cpus: float = Field(2.0, ge=0, description="Processors; 0: no limit.")
    processes: int = Field(1024, ge=0, description="Processes and threads; 0: no limit.")
    home_gib: float = Field(
        0.0,
        ge=0,
        description="Size of a home, GiB; 0: no limit. A server whose home grows over it is ended; its owner starts it "
        "again to remove files.",
    )
    internet: bool = Field(
        False,
        description="May everyone reach the internet by HTTP(S)? A group's property `internet` allows it for its members.",
    )
    archive_days: float = Field(
        90.0, ge=0, description="How long the home of a deleted account is kept, days."
    )
    idle_minutes: int = Field(0, ge=0, description="End a server after so many idle minutes; 0: never.")


class ClaimRule(Section):
    """Who has this value gets this role."""

    value: str = Field(
        description="A value of the groups claim, the DN of an LDAP group, a group of this machine, an LTI role or `course:ID`."
    )
    role: Literal["member", "manager", "data_manager", "lecturer", "applications", "administrator"] = Field(
        "member", description="What the person becomes. `applications` and `administrator` need no group."
    )
    group: str = Field("", description="The group of a group's role. It is made when it is not there.")

    @model_validator(mode="after")
    def _group_where_needed(self) -> ClaimRule:
        alone = self.role in ("applications", "administrator")
        if alone == bool(self.group):
            raise ValueError("this role has no group" if alone else "this role needs a group")
        return self


class Oidc(Section):
    """With `method = "oidc"`: OpenID Connect. The provider must know PUBLIC_URL/hub/oauth_callback."""

    issuer: str = Field("", description="Address of the provider, e.g. https://login.example.org/realms/lab.")
    client_id: str = Field("", description="Our name at the provider.")
    client_secret_file: Path | None = Field(None, description="File with our secret at the provider.")
    scopes: list[str] = Field(["openid", "profile", "email"], description="What the provider is asked for.")
    username_claim: str = Field("preferred_username", description="The claim that names a person.")
    groups_claim: str = Field("groups", description="The claim that holds a person's groups.")
    name: str = Field("your institution", description="What the button says: Sign in with …")


class Ldap(Section):
    """With `method = "ldap"`: a directory."""

    server: str = Field("", description="Host name of the directory.")
    port: int = Field(0, description="Port; 0: the usual one.")
    tls: Literal["before_bind", "on_connect", "insecure"] = Field(
        "before_bind", description="StartTLS, LDAPS, or no encryption."
    )
    bind_dn_template: list[str] = Field(
        default_factory=list,
        description='Names to bind with, e.g. "uid={username},ou=people,dc=example,dc=org".',
    )
    groups_attribute: str = Field(
        "",
        description="Attribute of a person's entry with the DNs of its groups; `memberOf` in Active Directory, and in "
        "OpenLDAP with that overlay.",
    )
    groups: list[str] = Field(
        default_factory=list, description="DNs of groups that are asked whether they list the person."
    )
    member_attributes: list[str] = Field(
        ["member", "uniqueMember"],
        description="Attributes with which groups list people: by DN, and `memberUid` by name. All must be in the "
        "directory's schema.",
    )
    allowed_groups: list[str] = Field(
        default_factory=list,
        description="DNs of groups whose members may sign in; none: everyone in the directory.",
    )


class Pam(Section):
    """With `method = "pam"`: the accounts of this machine. The platform has to run as root."""

    service: str = Field("login", description="Name of the PAM service.")


class Lti13(Section):
    """With `method = "lti13"`: launches from a learning platform."""

    issuer: str = Field("", description="The platform's issuer.")
    authorize_url: str = Field("", description="Where the platform answers authentication requests.")
    jwks_url: str = Field("", description="Where the platform's public keys are.")
    client_ids: list[str] = Field(default_factory=list, description="Our names at the platform.")
    username_key: str = Field("email", description="The claim that names a person.")
    token_url: str = Field(
        "",
        description="Where the platform gives access tokens. With it lecturers can send marks to the platform.",
    )
    token_audience: str = Field(
        "", description="What requests for tokens are addressed to, where that is not `token_url`."
    )


class SignIn(Section):
    """How people sign in. `claims` are rules `[[sign_in.claims]]` with the keys value, role, group."""

    method: Literal["native", "oidc", "ldap", "pam", "lti13"] = Field(
        "native", description="`native`: accounts of the platform's own, opened by an administrator."
    )
    administrators: list[str] = Field(
        default_factory=list,
        description="User names of administrators. With `native` the first comes by a link instead.",
    )
    claims: list[ClaimRule] = Field(
        default_factory=list, description="Groups and roles that the provider decides."
    )
    oidc: Oidc = Field(default_factory=Oidc)
    ldap: Ldap = Field(default_factory=Ldap)
    pam: Pam = Field(default_factory=Pam)
    lti13: Lti13 = Field(default_factory=Lti13)

    @model_validator(mode="after")
    def _someone_administers(self) -> SignIn:
        by_claim = any(rule.role == "administrator" for rule in self.claims)
        if self.method != "native" and not self.administrators and not by_claim:
            raise ValueError(
                "there would be no administrator: name one in `administrators`, or by a rule of `claims`"
            )
        return self


class PlatformSettings(Section):
    """All settings, with their defaults."""

    public: Public = Field(default_factory=Public)
    database: Databases = Field(default_factory=Databases)
    nats: Nats = Field(default_factory=Nats)
    audit: Audit = Field(default_factory=Audit)
    mail: Mail = Field(default_factory=Mail)
    people: People = Field(default_factory=People)
    sign_in: SignIn = Field(default_factory=SignIn)
    manager: str = Field(
        "", description="What runs programs: process, docker, swarm, or module:Class. Default: process."
    )
    hub_config: Path | None = Field(
        None,
        description="A Python file in the manner of jupyterhub_config.py, read after ours; relative to the data folder.",
    )

    def registry_database_url(self, data: Path) -> str:
        """An empty text for SQLite in the data folder. A variable of the registry counts where the file names none."""
        found = _from_file(data, self.database.registry_url_file)
        return found or os.environ.get("QCRBOX_REGISTRY_DATABASE_URL", "")

    def database_urls(self, data: Path) -> dict[str, str]:
        """By part of the platform, with passwords."""
        return {
            "registry": self.registry_database_url(data) or "sqlite://",
            "hub": self.hub_database_url(data),
        }

    def registry_environment(self, data: Path) -> dict[str, str]:
        """What every process of the registry needs to know, served or not; through the environment, because an argument
        list shows a password to everyone on the machine.
        """
        found = {
            "DATABASE_URL": self.registry_database_url(data),
            "NATS_URL": self.nats.url,
            "AUDIT_HEADS": str(data / self.audit.heads_file) if self.audit.heads_file else "",
            "AUDIT_SYSLOG": "true" if self.audit.syslog else "",
        }
        return {f"QCRBOX_REGISTRY_{name}": value for name, value in found.items() if value}

    def hub_database_url(self, data: Path) -> str:
        """SQLAlchemy URL of JupyterHub's database."""
        return hub_database_url(data, self.database.hub_url_file)

    @staticmethod
    def load(data: Path) -> PlatformSettings:
        """The settings of a data folder. Raises UserInputError naming file and key."""
        file = data / FILE
        try:
            text = file.read_text()
        except FileNotFoundError:
            return PlatformSettings()
        except OSError as error:
            raise UserInputError("The settings cannot be read.", where=str(file), why=f"{error}.") from error
        return PlatformSettings.parse(text, str(file))

    @staticmethod
    def parse(text: str, file: str) -> PlatformSettings:
        """The settings in this text of the file. Raises UserInputError naming file and key."""
        try:
            return PlatformSettings.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UserInputError(
                "The settings are not valid TOML.",
                where=file,
                why=f"{error}.",
                next="Correct that line.",
            ) from error
        except ValidationError as error:
            raise UserInputError(
                "The settings cannot be used.",
                where=file,
                why="; ".join(_problem(dict(each)) for each in error.errors()) + ".",
                next="docs/settings.md lists every key.",
            ) from error


def hub_database_url(data: Path, file: Path | None) -> str:
    """URL of JupyterHub's database."""
    return _from_file(data, file) or sqlite.url_of(data / "hub" / "jupyterhub.sqlite")


def _from_file(data: Path, file: Path | None) -> str:
    if file is None:
        return ""
    where = file if file.is_absolute() else data / file
    try:
        text = where.read_text().strip()
    except OSError as error:
        raise UserInputError(
            "A file with a database's URL cannot be read.", where=str(where), why=f"{error}."
        ) from error
    if "://" not in text:
        raise UserInputError("This file holds no database URL.", where=str(where))
    return text


def _problem(error: dict[str, object]) -> str:
    location = error["loc"]
    key = ".".join(map(str, location)) if isinstance(location, tuple) else str(location)
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    return f"{key}: {str(error['msg']).removeprefix('Value error, ')}"


def reference() -> str:
    """docs/settings.md: every key with its default and meaning."""
    lines = [
        "# Settings",
        "",
        f"`DATA/{FILE}` holds what an administrator sets for a platform. Every command that uses the data folder reads it: `up`,",
        "`status`, `doctor`, `backup`, `restore`. A missing file means the defaults; an unknown key is an error. Secrets are named by",
        "file. Flags of `qcrbox up` win over the file for one start. This page is made from the code:",
        "`python -m qcrbox_hub.platform.settings > docs/settings.md`.",
    ]
    top = {
        name: each for name, each in PlatformSettings.model_fields.items() if not _is_section(each.annotation)
    }
    lines += ["", "## Top level", *_table(top)]
    for name, each in PlatformSettings.model_fields.items():
        lines += _section_lines(name, each)
    return "\n".join(lines) + "\n"


def _section_lines(name: str, field: FieldInfo) -> list[str]:
    section = field.annotation
    if not isinstance(section, type) or not issubclass(section, Section):
        return []
    plain = {key: each for key, each in section.model_fields.items() if not _is_section(each.annotation)}
    lines = ["", f"## [{name}]", "", (section.__doc__ or "").strip(), *_table(plain)]
    for key, each in section.model_fields.items():
        lines += _section_lines(f"{name}.{key}", each)
    return lines


def _is_section(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Section)


def _table(fields: dict[str, FieldInfo]) -> list[str]:
    rows = ["", "| key | default | meaning |", "|---|---|---|"]
    for name, each in fields.items():
        default = each.get_default(call_default_factory=True)
        shown = (
            ""
            if default in ("", None, [], {})
            else f"`{str(default).lower() if isinstance(default, bool) else default}`"
        )
        rows.append(f"| `{name}` | {shown} | {(each.description or '').replace('|', chr(92) + '|')} |")
    return rows


if __name__ == "__main__":
    sys.stdout.write(reference())
