"""Parts of files for Lab's own tabs, computed in this Jupyter server: stored files, and files of the file browser."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Callable
from typing import Any

from qcrbox.contract.errors import QcError, UserInputError
from qcrbox.contract.json_objects import read_object
from tornado import web

from qcrbox_extension import cif_items, model_views
from qcrbox_extension.file_model import FileModel
from qcrbox_extension.handlers import Handler
from qcrbox_extension.in_threads import in_thread
from qcrbox_extension.live_views import LiveViews
from qcrbox_extension.stored import StoredFiles, as_qc_error

LONGEST_S = 60.0
LARGEST_BODY = 100 * 1024 * 1024  # as much as Jupyter Server takes, or more: a file in base64 is in it
_FAULTS = (QcError, ValueError, ArithmeticError, LookupError, RuntimeError)
Json = dict[str, Any]


def plain(value: Any) -> Any:
    """A value as JSON can hold it: bytes in base64 under `$bytes`, numbers that are none as null."""
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(bytes(value)).decode()}
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(entry) for entry in value]
    if hasattr(value, "item"):  # numpy scalars
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _body(content: bytes) -> Json:
    """The JSON object of a request. Raises ValueError for everything else."""
    found = read_object(content, LARGEST_BODY)
    if found is None:
        raise ValueError("The body is not a JSON object.")
    return found


class ModelHandler(Handler):
    """What the handlers below have in common: which file is meant, and how answers are written."""

    def initialize(self, stored: StoredFiles, live: LiveViews) -> None:
        """Called by tornado with what all handlers share."""
        self.stored, self.live = stored, live

    async def answer(self, make: Callable[[], Json]) -> None:
        """Write what `make` gives, which runs in a thread; a fault in words."""
        try:
            made = await in_thread(make, LONGEST_S)
        except TimeoutError:
            self.refuse(UserInputError("This takes too long to be shown.", next="Compute it in a notebook."))
        except _FAULTS as error:
            if not isinstance(error, QcError):
                self.log.warning("QCrBox: a part of a file cannot be shown", exc_info=True)
            self.refuse(as_qc_error(error))
        else:
            self.set_header("Cache-Control", "no-store")
            self.finish(json.dumps(plain(made), allow_nan=False))

    async def stored_models(self) -> tuple[FileModel, FileModel | None]:
        """The stored file that the query names, and its .fcf. Raises QcError."""
        name = self.get_query_argument("name", "")
        file = FileModel(await self.stored.read(self.get_query_argument("file")), name)
        fcf = self.get_query_argument("fcf", "")
        return file, FileModel(await self.stored.read(fcf), "model.fcf") if fcf else None

    async def models(self) -> tuple[FileModel, FileModel | None]:
        """The file that is meant: a stored one, or the body under a name. Raises QcError."""
        if self.get_query_argument("file", ""):
            return await self.stored_models()
        return FileModel(self.request.body, self.get_query_argument("name", "")), None


class PartHandler(ModelHandler):
    """`GET qcrbox/view/<part>?file=ID&name=…[&fcf=ID]` of a stored file, `POST …?name=…` of the bytes that are sent."""

    @web.authenticated
    async def get(self, part: str) -> None:
        """Answer a part of a stored file as JSON."""
        await self._part(part)

    @web.authenticated
    async def post(self, part: str) -> None:
        """Answer a part of the bytes that are sent as JSON."""
        await self._part(part)

    async def _part(self, name: str) -> None:
        try:
            file, fcf = await self.models()
        except QcError as error:
            self.refuse(error)
            return
        if name == "items":
            await self.answer(lambda: cif_items.items(file, fcf))
        else:
            await self.answer(lambda: model_views.part(name, file, fcf))


class EditHandler(ModelHandler):
    """`POST qcrbox/edit` with `{"name", "content" (base64) or "file", "edits"}`: the file with items changed."""

    @web.authenticated
    async def post(self) -> None:
        """Answer the changed bytes and the remarks of the dictionary check; nothing is stored."""
        try:
            asked = _body(self.request.body)
            edits = [dict(edit) for edit in asked["edits"]]
            content = (
                await self.stored.read(str(asked["file"]))
                if asked.get("file")
                else base64.b64decode(str(asked["content"]), validate=True)
            )
            file = FileModel(content, str(asked["name"]))
        except QcError as error:
            self.refuse(error)
            return
        except (ValueError, KeyError, TypeError):
            self.refuse(
                UserInputError("The edits cannot be read.", next="Send name, content or file, and edits.")
            )
            return
        await self.answer(lambda: cif_items.edited(file, edits))


class LiveHandler(ModelHandler):
    """`POST qcrbox/live` opens a structure view, `POST qcrbox/live/<key>` takes a message of its widget."""

    @web.authenticated
    async def post(self, key: str = "") -> None:
        """Answer the state of a new view, or what a message changes."""
        if key:
            try:
                message = _body(self.request.body)
            except ValueError:
                self.refuse(UserInputError("The message cannot be read."))
                return
            await self.answer(lambda: self.live.hear(key, message))
            return
        try:
            file, fcf = await self.models()
        except QcError as error:
            self.refuse(error)
            return
        await self.answer(lambda: self.live.open(file, fcf))


class LineageHandler(ModelHandler):
    """`POST qcrbox/lineage` with the registry's answer: the same graph with places, for the widget."""

    @web.authenticated
    async def post(self) -> None:
        """Answer the state of the widget that draws a lineage."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.client.lineage import Lineage
        from qcrbox.widgets.lineage import lineage_svg, packed

        try:
            asked = _body(self.request.body)
            graph = Lineage(dict(asked["graph"]), str(asked["focus"]))
        except (ValueError, KeyError, TypeError):
            self.refuse(UserInputError("The lineage cannot be read."))
            return
        await self.answer(lambda: {"graph": packed(graph), "svg": lineage_svg(graph), "twin": ""})


class WidgetHandler(Handler):
    """`GET qcrbox/widgets/<name>.js`: the module of a widget, as it is in the wheel of this server."""

    @web.authenticated
    async def get(self, name: str) -> None:
        """Answer the JavaScript of one of our widgets."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets import bundle

        path = bundle.path(name)
        if name not in bundle.NAMES or not path.is_file():
            raise web.HTTPError(404, reason="There is no such widget.")
        self.set_header("Cache-Control", "private, max-age=3600")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(path.read_bytes(), set_content_type="text/javascript; charset=utf-8")
