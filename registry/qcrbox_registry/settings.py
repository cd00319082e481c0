"""Settings of a registry, by flag or environment (`QCRBOX_REGISTRY_…`). Secrets only by file."""

from __future__ import annotations

from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict
from qcrbox.contract.errors import UserInputError
from qcrbox.contract.loopback import is_loopback_host
from qcrbox.contract.sqlite_urls import url_of


class Settings(BaseSettings):
    """Settings of one registry process."""

    model_config = SettingsConfigDict(env_prefix="QCRBOX_REGISTRY_", extra="ignore")

    data: Path = Field(description="data folder; everything the registry keeps is in it")
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(0, ge=0, le=65535, description="port to listen on, 0 = any free one")
    prefix: str = Field("", description="path the proxy serves us under, e.g. /services/qcrbox")
    public_url: str = Field("", description="address agents reach us at, default http://HOST:PORT")
    auth: Literal["none", "token", "hub"] = Field("token", description="who may come in")
    token_file: Path | None = Field(
        None, description="auth=token: file with the one secret (made if missing)"
    )
    hub_api_url: str = Field("", description="auth=hub: e.g. http://127.0.0.1:8081/hub/api")
    hub_url: str = Field("", description="auth=hub: path or address of the hub in the browser, e.g. /hub/")
    hub_redirect_uri: str = Field(
        "",
        description="auth=hub: where the hub sends browsers back to; default our path on the hub's address",
    )
    hub_token_file: Path | None = Field(None, description="auth=hub: file with this service's API token")
    hub_client_id: str = Field("service-qcrbox", description="auth=hub: OAuth client id of this service")
    service_name: str = Field("qcrbox", description="auth=hub: our name in access:services!service=…")
    database_url: str = Field("", description="SQL database, default sqlite in the data folder")
    nats_url: str = Field("", description="NATS server, default one started as a child")
    nats_power_loss_safe: bool = Field(True, description="NATS syncs each write (child server only)")
    applications: list[Path] = Field(default_factory=list, description="folders of applications")
    launcher: bool = Field(False, description="start a process launcher as a child")
    undo_days: float = Field(30.0, ge=0, description="deleted data can be brought back this long")
    largest_file_bytes: int = Field(64 * 1024**3, gt=0, description="larger uploads are refused")
    queued_limit: int | None = Field(
        100_000, gt=0, description="default cap of waiting calculations per person"
    )
    running_limit: int | None = Field(
        None, gt=0, description="default cap of running calculations per person"
    )
    gib_limit: float | None = Field(None, gt=0, description="default storage per person, GiB")
    sessions_limit: int | None = Field(None, gt=0, description="default cap of open sessions per person")
    cpu_hours_limit: float | None = Field(None, gt=0, description="default CPU hours per person and month")
    session_idle_s: float = Field(
        4 * 3600.0, gt=0, description="an idle session is ended and its files are kept"
    )
    audit_heads: Path | None = Field(
        None,
        description="signed heads of the audit trail are appended to this file too, e.g. on another disk",
    )
    audit_syslog: bool = Field(False, description="send signed heads of the audit trail to the system log")
    log_level: Literal["debug", "info", "warning", "error"] = "info"

    @field_validator("prefix")
    @classmethod
    def _tidy_prefix(cls, prefix: str) -> str:
        prefix = prefix.strip("/")
        return f"/{prefix}" if prefix else ""

    @field_validator("data")
    @classmethod
    def _absolute(cls, data: Path) -> Path:
        return data.expanduser().absolute()

    @model_validator(mode="after")
    def _closed_by_default(self) -> Settings:
        if self.auth == "none" and not is_loopback_host(self.host):
            raise UserInputError(
                "Without authentication the registry listens on loopback addresses only.",
                where=f"--host {self.host}",
                next="Leave --host away, or use a token (no --no-auth).",
            )
        if self.auth == "hub" and not self.hub_api_url:
            raise UserInputError("auth=hub needs the address of the hub's API.", where="--hub-api-url")
        return self

    @property
    def nats_is_here(self) -> bool:
        """Whether NATS keeps files in the data folder: started by the registry, or beside it by the platform."""
        return not self.nats_url or is_loopback_host(urlsplit(self.nats_url).hostname or "")

    @property
    def sql_url(self) -> str:
        """SQLAlchemy URL: the one that was set, otherwise SQLite in the data folder."""
        return self.database_url or url_of(self.data / "qcrbox.sqlite")
