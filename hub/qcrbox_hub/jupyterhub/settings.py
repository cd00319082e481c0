"""What `qcrbox up` hands to the hub and to the proxy."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, Field

from qcrbox_hub.platform.addresses import Addresses
from qcrbox_hub.platform.settings import Mail, People, SignIn, hub_database_url
from qcrbox_hub.walls.choice import Walls

VARIABLE = "QCRBOX_HUB_SETTINGS"
PROXY_VARIABLE = "QCRBOX_PROXY_SETTINGS"


class HubSettings(BaseModel):
    """A file that its owner alone may read, named by QCRBOX_HUB_SETTINGS. Secrets are named by file."""

    data: Path = Field(description="The data folder.")
    identity: str = Field("", description="The mark every process of this data folder carries.")
    host: str = Field("127.0.0.1", description="Address the proxy listens on.")
    port: int = Field(8000, description="Port the proxy listens on.")
    addresses: Addresses = Field(description="Names of the hub and of people's servers.")
    hub_port: int = Field(description="Port of the hub itself, loopback only.")
    proxy_api_url: str = Field(description="Where the proxy takes the hub's orders.")
    registry_url: str = Field(description="The registry, as reached from this machine.")
    service_token_file: Path = Field(description="The registry's token for the hub.")
    proxy_token_file: Path = Field(description="The hub's token for the proxy.")
    certificate_token_file: Path = Field(description="The token with which Caddy asks about host names.")
    walls: Walls = Field(Walls.TRUSTED, description="What people's servers run in.")
    walls_what: str = Field("", description="One sentence about the walls, for people.")
    walls_stronger: str = Field("", description="What would be stronger, and how to get it.")
    sockets: Path | None = Field(None, description="Folder of the sockets of people's servers.")
    first_user_id: int = Field(0, description="User ids of people are this plus their account's number.")
    limits: str = Field("none", description="How limits are set on this machine.")
    people: People = Field(default_factory=People, description="Limits and rights of people's servers.")
    mail: Mail = Field(default_factory=Mail, description="E-mails at the end of calculations.")
    sign_in: SignIn = Field(default_factory=SignIn, description="How people sign in.")
    hub_config: Path | None = Field(None, description="The site's own configuration of JupyterHub.")
    hub_database_file: Path | None = Field(
        None, description="File with the URL of the hub's database; None: SQLite in the data folder."
    )
    group: str = Field("everyone", description="The group every member belongs to.")
    minimum_password_length: int = 10
    culler_token_file: Path | None = Field(None, description="The idle culler's token; None: there is none.")

    @property
    def hub_database_url(self) -> str:
        """SQLAlchemy URL of JupyterHub's database."""
        return hub_database_url(self.data, self.hub_database_file)

    @staticmethod
    def load() -> HubSettings:
        """Settings from the file that the environment names."""
        return HubSettings.model_validate_json(Path(os.environ[VARIABLE]).read_text())


class ProxySettings(BaseModel):
    """JSON in the environment variable QCRBOX_PROXY_SETTINGS; the token stays in its file."""

    host: str
    port: int
    api_port: int
    hub_target: str
    token_file: Path
    routes_file: Path
    addresses: Addresses
    cross_site_posts: tuple[str, ...] = ()
    tls_in_front: bool = False

    @staticmethod
    def load() -> ProxySettings:
        """Settings from the environment."""
        return ProxySettings.model_validate_json(os.environ[PROXY_VARIABLE])
