"""`python -m qcrbox_extension.export_formats`: look once at the exporters that are installed, for everyone's servers.

JupyterLab asks for the formats of *Save and Export Notebook As* when the first notebook opens. The handler of Jupyter
Server imports and makes every exporter of nbconvert for that: 0.7 s of a processor for each server, 2 s and more
where the environment holds no compiled modules, just when the kernel starts. The answer changes with the exporters
that are installed, so it is kept beside the compiled modules of this package: by `qcrbox up`, in the image of people's
servers, and by the first server that may write there.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Awaitable
from importlib.metadata import entry_points
from importlib.util import cache_from_source
from pathlib import Path
from typing import Any, cast

from anyio.to_thread import run_sync
from jupyter_server.auth.decorator import authorized
from jupyter_server.services.nbconvert.handlers import NbconvertRootHandler
from tornado import web
from traitlets.config import Config

KEPT = Path(cache_from_source(__file__)).with_suffix(".json")
Formats = dict[str, dict[str, str]]


class ExportFormatsHandler(NbconvertRootHandler):
    """The formats that notebooks can be exported to, as Jupyter Server answers them."""

    def initialize(self, **kwargs: Any) -> None:
        """Called by tornado. kept: the file, another one in tests."""
        self.kept: Path = kwargs.pop("kept", KEPT)
        super().initialize(**kwargs)

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer name -> output_mimetype, as JSON."""
        if changes_exporters(self.config):
            await cast("Awaitable[None]", super().get())
            return
        found = await run_sync(read, self.kept)
        if found is None:
            async with self._exporter_lock:
                found = await run_sync(keep, self.kept)
        self.finish(json.dumps(found))


def changes_exporters(config: dict[str, Any] | None) -> bool:
    """May this configuration switch exporters on or off? Their classes can have any name."""
    return any(isinstance(section, Config) and "enabled" in section for section in (config or {}).values())


def read(kept: Path = KEPT) -> Formats | None:
    """The formats, if they were kept for the exporters that are installed now; None otherwise."""
    try:
        found = json.loads(kept.read_text(encoding="utf-8"))
        return cast(Formats, found["formats"]) if found["installed"] == _installed() else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(kept: Path = KEPT) -> Formats:
    """The formats, looked up and kept where this process may write. Raises ImportError without nbconvert."""
    found = formats()
    if os.access(kept.parent, os.W_OK):
        with contextlib.suppress(OSError):
            # Another server may read meanwhile.
            handle, name = tempfile.mkstemp(dir=kept.parent, prefix=kept.name)
            draft = Path(name)
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump({"installed": _installed(), "formats": found}, file)
                draft.chmod(0o644)
                draft.replace(kept)
            except OSError:
                draft.unlink(missing_ok=True)
    return found


def formats() -> Formats:
    """Name -> output_mimetype of every exporter that is enabled without any configuration."""
    # Start-up time: 0.4 s, of servers that never export.
    from nbconvert.exporters import base

    found = {}
    for name in base.get_export_names(config=Config()):
        with contextlib.suppress(ValueError):
            found[name] = {"output_mimetype": base.get_exporter(name, config=Config()).output_mimetype}
    return found


def _installed() -> list[list[str]]:
    """Changes with Python and with every exporter that is installed, removed or of another version."""
    points = entry_points(group="nbconvert.exporters")
    found = [[each.name, each.value, each.dist.name, each.dist.version] for each in points if each.dist]
    return [[sys.version], *sorted(found)]


if __name__ == "__main__":
    keep()
