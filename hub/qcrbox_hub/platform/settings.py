"""`DATA/platform.toml`: what an administrator sets for a platform, read by every command that uses the data folder.

A missing file means the defaults. Secrets are named by file, never written here. Flags of `qcrbox up` win over
the file for one start.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from qcrbox.contract.errors import UserInputError

FILE = "platform.toml"


class Section(BaseModel):
    """An unknown key is an error: a misspelt setting must not be ignored."""

    model_config = ConfigDict(extra="forbid")


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
        "\"same\" puts them on the hub's name: every person's code can then act as whoever looks at it.",
    )
    host: str = Field("127.0.0.1", description="Address the proxy listens on.")
    port: int = Field(8000, ge=1, le=65535, description="Port the proxy listens on.")
    tls: Literal["none", "front"] = Field(
        "none",
        description="`front`: a web server on this machine ends TLS, forwards to the proxy and sets X-Forwarded-For.",
    )


class PlatformSettings(Section):
    """All settings, with their defaults."""

    public: Public = Field(default_factory=Public)

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
        try:
            return PlatformSettings.model_validate(tomllib.loads(text))
        except tomllib.TOMLDecodeError as error:
            raise UserInputError(
                "The settings are not valid TOML.",
                where=str(file),
                why=f"{error}.",
                next="Correct that line.",
            ) from error
        except ValidationError as error:
            raise UserInputError(
                "The settings cannot be used.",
                where=str(file),
                why="; ".join(_problem(dict(each)) for each in error.errors()) + ".",
                next="docs/settings.md lists every key.",
            ) from error


def _problem(error: dict[str, object]) -> str:
    location = error["loc"]
    key = ".".join(map(str, location)) if isinstance(location, tuple) else str(location)
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such key"
    return f"{key}: {str(error['msg']).removeprefix('Value error, ')}"
