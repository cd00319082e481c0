"""What `qcrbox up` tells the hub: a file readable by its owner only, named by QCRBOX_HUB_SETTINGS."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel, Field

VARIABLE = "QCRBOX_HUB_SETTINGS"


class HubSettings(BaseModel):
    """Addresses and places. Secrets are named by file."""

    data: Path = Field(description="The data folder.")
    identity: str = Field("", description="The mark every process of this data folder carries.")
    host: str = Field("127.0.0.1", description="Address the proxy listens on.")
    port: int = Field(8000, description="Port the proxy listens on.")
    hub_port: int = Field(description="Port of the hub itself, loopback only.")
    proxy_api_url: str = Field(description="Where the proxy takes the hub's orders.")
    registry_url: str = Field(description="The registry, as reached from this machine.")
    service_token_file: Path = Field(description="The registry's token for the hub.")
    proxy_token_file: Path = Field(description="The hub's token for the proxy.")
    group: str = Field("everyone", description="The group every member belongs to.")
    minimum_password_length: int = 10
    culler_token_file: Path | None = Field(None, description="The idle culler's token; None: there is none.")

    @staticmethod
    def load() -> HubSettings:
        return HubSettings.model_validate_json(Path(os.environ[VARIABLE]).read_text())
