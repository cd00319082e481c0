"""What `qcrbox up` hands to the relay of people's servers."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import BaseModel

VARIABLE = "QCRBOX_RELAY_SETTINGS"


class RelaySettings(BaseModel):
    """JSON in the environment variable QCRBOX_RELAY_SETTINGS. uid: the relay's own user id, None: the platform's."""

    root: Path
    uid: int | None = None
    hub_port: int
    registry_port: int

    @staticmethod
    def load() -> RelaySettings:
        """Settings from the environment."""
        return RelaySettings.model_validate_json(os.environ[VARIABLE])
