"""Contents of stored files, read with the person's own right to read them."""

from __future__ import annotations

from typing import Literal
from urllib.parse import quote

import httpx
from qcrbox.contract.errors import NotFound, QcError, TooLarge, Unreachable
from qcrbox.kept_bytes import KeptBytes

from qcrbox_extension.upstream import Upstream, refusal

LARGEST_BYTES = 60 * 1024 * 1024
Form = Literal["written", "original"]
_KEPT_BYTES = 120 * 1024 * 1024


class StoredFiles:
    """Reads files from the registry; the last ones are kept, since a stored file never changes.

    CIFs of results come with the names of their author: items, alerts, messages and edits are in this spelling.

    One Jupyter server belongs to one person, so nothing that is kept is shown to another.
    """

    def __init__(self, upstream: Upstream, client: httpx.AsyncClient) -> None:
        self._upstream, self._client = upstream, client
        # A result that opens asks for all its parts at the same moment.
        self._kept = KeptBytes(_KEPT_BYTES)

    async def read(self, file_id: str, form: Form = "written") -> bytes:
        """The bytes of a file. Raises NotFound, TooLarge, Unreachable, or the registry's own refusal.

        form: "original" is quicker where names of items are not shown.
        """
        return await self._kept.get((file_id, form), lambda: self._fetch(file_id, form))

    async def _fetch(self, file_id: str, form: Form) -> bytes:
        try:
            address = self._upstream.address(f"data-files/{quote(file_id, safe='')}/download", f"form={form}")
            headers = self._upstream.authorization()
            async with self._client.stream("GET", address, headers=headers) as answer:
                if answer.status_code != 200:
                    raise _refusal(answer.status_code, await answer.aread())
                found = bytearray()
                async for chunk in answer.aiter_bytes():
                    found += chunk
                    if len(found) > LARGEST_BYTES:
                        raise TooLarge("The file is too large to be shown here.", next="Download it.")
        except httpx.HTTPError as error:
            raise Unreachable("The registry does not answer.", next="Try again.", part="registry") from error
        return bytes(found)


def _refusal(status: int, content: bytes) -> QcError:
    """Why the registry gives no file."""
    if status == 404:
        return NotFound("There is no such file.", next="It may have been deleted.")
    return refusal(status, content)


def as_qc_error(error: Exception) -> QcError:
    """A fault of the crystallographic library on bad input, in words; those of ours are passed on."""
    if isinstance(error, QcError):
        return error
    why = (
        str(error)[:300] if isinstance(error, ValueError) else "It holds something that is not foreseen here."
    )
    return NotFound(
        "This part of the file cannot be shown.", why=why, next="The log of this server says more."
    )
