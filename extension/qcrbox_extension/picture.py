"""Still pictures of stored structures, drawn in this Jupyter server with the person's own right to read the file."""

from __future__ import annotations

from urllib.parse import quote

import httpx
from jupyter_server.base.handlers import APIHandler
from qcrbox.contract.errors import QcError
from tornado import web

from qcrbox_extension.in_threads import in_thread
from qcrbox_extension.upstream import Upstream

LARGEST_BYTES = 20 * 1024 * 1024
LONGEST_S = 30.0
# Inside <img> nothing of an SVG runs; opened by its address it must not either.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class PictureHandler(APIHandler):
    """`GET qcrbox/picture/<data file>`: displacement ellipsoids as SVG, with `?theme=dark` on dark; 404 without a structure."""

    auth_resource = "qcrbox"

    def initialize(self, upstream: Upstream, client: httpx.AsyncClient) -> None:
        """Called by tornado with the registry and the HTTP client that all handlers share."""
        self.upstream, self.upstream_client = upstream, client

    @web.authenticated
    async def get(self, file_id: str) -> None:
        """Answer an SVG picture of the structure in a data file, or 404 if the file has none."""
        content = await self._content(file_id)
        try:
            dark = self.get_query_argument("theme", "") == "dark"
            picture = await in_thread(lambda: drawn(content, dark=dark), LONGEST_S)
        except (QcError, TimeoutError) as error:
            raise web.HTTPError(404, reason="There is no structure to draw.") from error
        self.set_header("Content-Security-Policy", _POLICY)
        # A stored file never changes.
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(picture, set_content_type="image/svg+xml")

    async def _content(self, file_id: str) -> bytes:
        try:
            address = self.upstream.address(f"data-files/{quote(file_id, safe='')}/download")
            async with self.upstream_client.stream(
                "GET", address, headers=self.upstream.authorization()
            ) as answer:
                if answer.status_code != 200:
                    raise web.HTTPError(404, reason="There is no such file.")
                found = bytearray()
                async for chunk in answer.aiter_bytes():
                    found += chunk
                    if len(found) > LARGEST_BYTES:
                        raise web.HTTPError(404, reason="The file is too large to draw.")
        except (QcError, httpx.HTTPError) as error:
            raise web.HTTPError(502, reason="The registry does not answer.") from error
        return bytes(found)


def drawn(content: bytes, *, dark: bool = False) -> str:
    """The structure of a CIF as SVG text. Raises QcError when there is none."""
    # Start-up time: numpy and gemmi are loaded with the first picture.
    from qcrbox.widgets.structure_view.still import still_picture

    return still_picture(content, dark=dark)
