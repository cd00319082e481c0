"""Still pictures of stored structures, drawn in this Jupyter server with the person's own right to read the file."""

from __future__ import annotations

from qcrbox.contract.errors import NotFound, QcError, TooLarge
from tornado import web

from qcrbox_extension.handlers import Handler
from qcrbox_extension.in_threads import in_thread
from qcrbox_extension.stored import StoredFiles

LARGEST_BYTES = 20 * 1024 * 1024
LONGEST_S = 30.0
# Inside <img> nothing of an SVG runs; opened by its address it must not either.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


class PictureHandler(Handler):
    """`GET qcrbox/picture/<data file>`: displacement ellipsoids as SVG, with `?theme=dark` on dark; 404 without a structure."""

    def initialize(self, stored: StoredFiles) -> None:
        """Called by tornado with the files that all handlers share."""
        self.stored = stored

    @web.authenticated
    async def get(self, file_id: str) -> None:
        """Answer an SVG picture of the structure in a data file, or why there is none."""
        dark = self.get_query_argument("theme", "") == "dark"
        try:
            content = await self.stored.read(file_id, "original")
            picture = await picture_of(content, dark=dark)
        except QcError as error:
            self.refuse(error)
            return
        self.set_header("Content-Security-Policy", _POLICY)
        # A stored file never changes.
        self.set_header("Cache-Control", "private, max-age=86400")
        self.finish(picture, set_content_type="image/svg+xml")


async def picture_of(content: bytes, *, dark: bool) -> str:
    """The structure of a CIF as SVG text. Raises TooLarge, or NotFound where there is none to draw."""
    if len(content) > LARGEST_BYTES:
        raise TooLarge("The file is too large to draw.", next="Open it in a notebook.")
    try:
        return await in_thread(lambda: drawn(content, dark=dark), LONGEST_S)
    except (QcError, TimeoutError) as error:
        raise NotFound("There is no structure to draw.", why=str(error)) from error


def drawn(content: bytes, *, dark: bool = False) -> str:
    """The structure of a CIF as SVG text. Raises QcError when there is none."""
    # Start-up time: numpy and gemmi are loaded with the first picture.
    from qcrbox.widgets.structure_view.still import still_picture

    return still_picture(content, dark=dark)
