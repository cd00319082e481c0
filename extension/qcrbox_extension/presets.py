"""Presets of commands for the forms of Lab: the same file as `qc.refine.refine_iam.presets` of notebooks."""

from __future__ import annotations

import json
import math
from typing import Any

from qcrbox.client import preset_file
from qcrbox.contract.errors import NotFound, QcError, UserInputError
from qcrbox.contract.json_objects import read_object
from tornado import web

from qcrbox_extension.handlers import Handler

LONGEST_NAME = 80
MOST_BYTES = 65536


class PresetsHandler(Handler):
    """`GET`, `PUT` (`{"name", "options"}`) and `DELETE` (`?name=`) of `qcrbox/presets/<application>/<command>`.

    Each answers all presets of the command, name → options.
    """

    @web.authenticated
    async def get(self, application: str, command: str) -> None:
        """The presets of a command."""
        self._answer(f"{application}.{command}")

    @web.authenticated
    async def put(self, application: str, command: str) -> None:
        """Store a preset, in place of an older one of that name."""
        key = f"{application}.{command}"
        try:
            preset_file.keep(key, *_preset_of(self.request.body))
        except QcError as error:
            self.refuse(error)
        else:
            self._answer(key)

    @web.authenticated
    async def delete(self, application: str, command: str) -> None:
        """Delete a preset."""
        key, name = f"{application}.{command}", self.get_query_argument("name")
        try:
            preset_file.forget(key, name)
        except KeyError:
            self.refuse(NotFound(f"There is no preset {name!r}.", next="Open the form again."))
        except QcError as error:
            self.refuse(error)
        else:
            self._answer(key)

    def _answer(self, key: str) -> None:
        try:
            found = preset_file.of(key)
        except QcError as error:
            self.refuse(error)
            return
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(found))


def _preset_of(body: bytes) -> tuple[str, dict[str, Any]]:
    """(name, options) of a request. Raises UserInputError."""
    try:
        asked: Any = read_object(body, MOST_BYTES)
        name, options = str(asked["name"]).strip(), dict(asked["options"])
    except (ValueError, KeyError, TypeError):
        raise UserInputError("The preset cannot be read.", next="Send name and options.") from None
    if not 0 < len(name) <= LONGEST_NAME:
        raise UserInputError(f"A preset needs a name of at most {LONGEST_NAME} characters.")
    if wrong := [option for option, value in options.items() if not _is_plain(value)]:
        raise UserInputError(
            f"{wrong[0]} is neither text nor number.",
            next="A preset keeps the options that go with any file.",
        )
    return name, options


def _is_plain(value: Any) -> bool:
    """A text, a number that JSON can write, or yes or no."""
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))
