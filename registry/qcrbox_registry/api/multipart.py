"""Multipart forms as a stream: file parts are read while they arrive, so memory does not grow with their size."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from qcrbox.contract.errors import TooLarge, UserInputError
from starlette.requests import ClientDisconnect, Request

# RFC 5987, as some libraries write names that are not ASCII: filename*=UTF-8'language'percent-encoded
_ENCODED_NAME = re.compile(rb"filename\*\s*=\s*\"?utf-8'[^']*'([^;\"]+)", re.IGNORECASE)
LONGEST_FIELD = 64 * 1024
MOST_PARTS = 100
_NEXT, _DATA, _END = "part", "data", "end"


@dataclass
class Part:
    """One part. Read `chunks()` of a file before asking for the next part."""

    name: str
    filename: str | None
    _form: Form = field(repr=False)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The bytes of the part, once."""
        while True:
            kind, value = await self._form.next_event()
            if kind == _DATA:
                yield value
            elif kind == _END:
                return

    async def text(self) -> str:
        """The part as text. Raises TooLarge."""
        parts, size = [], 0
        async for chunk in self.chunks():
            size += len(chunk)
            if size > LONGEST_FIELD:
                raise TooLarge(f"The form field {self.name!r} is longer than {LONGEST_FIELD // 1024} KiB.")
            parts.append(chunk)
        return b"".join(parts).decode("utf-8", "replace")


class Form:
    """The parts of the multipart body of a request, in order.

    Raises UserInputError for a body that is not a multipart form or ends too early.
    """

    def __init__(self, request: Request) -> None:
        kind, options = parse_options_header(request.headers.get("content-type", ""))
        boundary = options.get(b"boundary")
        if kind != b"multipart/form-data" or not boundary:
            raise UserInputError(
                "The upload must be multipart/form-data with a part named `file`.",
                next='For example: curl -F "file=@structure.cif" …',
            )
        self._events: deque[tuple[str, Any]] = deque()
        self._stream = request.stream()
        self._finished = False
        self._headers: dict[str, bytes] = {}
        self._header_name, self._header_value = b"", b""
        self._parts = 0
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._part_begins,
                "on_header_field": self._header_field,
                "on_header_value": self._header_content,
                "on_header_end": self._header_ends,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._part_data,
                "on_part_end": lambda: self._events.append((_END, None)),
                "on_end": self._end,
            },
        )

    async def parts(self) -> AsyncIterator[Part]:
        """Each part; the one before must have been read."""
        while not (self._finished and not self._events):
            try:
                kind, value = await self.next_event()
            except _NoMore:
                return
            if kind == _NEXT:
                self._parts += 1
                if self._parts > MOST_PARTS:
                    raise UserInputError(f"The form has more than {MOST_PARTS} parts.")
                yield value

    async def next_event(self) -> tuple[str, Any]:
        """The next event of the parser: the begin, bytes or the end of a part."""
        while not self._events:
            if self._finished:
                raise _NoMore
            try:
                chunk = await anext(self._stream, b"")
            except ClientDisconnect:
                raise UserInputError("The upload was cut off before its end.") from None
            if not chunk:
                # Starlette ends its stream with an empty chunk.
                raise UserInputError("The upload ended in the middle.", next="Send it again.")
            try:
                self._parser.write(chunk)
            except MultipartParseError as error:
                raise UserInputError("The multipart form cannot be read.", why=str(error)[:200]) from None
        return self._events.popleft()

    # ------------------------------------------------------------ callbacks of the parser

    def _part_begins(self) -> None:
        self._headers = {}

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._header_name += data[start:end]

    def _header_content(self, data: bytes, start: int, end: int) -> None:
        self._header_value += data[start:end]

    def _header_ends(self) -> None:
        self._headers[self._header_name.decode("latin-1").lower()] = self._header_value
        self._header_name, self._header_value = b"", b""

    def _headers_end(self) -> None:
        disposition = self._headers.get("content-disposition", b"")
        _, options = parse_options_header(disposition)
        name = options.get(b"name", b"").decode("utf-8", "replace")
        filename = options.get(b"filename")
        shown = None if filename is None else filename.decode("utf-8", "replace")
        if shown is None and (encoded := _ENCODED_NAME.search(disposition)) is not None:
            shown = unquote(encoded[1].decode("latin-1"), errors="replace")
        self._events.append((_NEXT, Part(name, shown, self)))

    def _part_data(self, data: bytes, start: int, end: int) -> None:
        self._events.append((_DATA, data[start:end]))

    def _end(self) -> None:
        self._finished = True


class _NoMore(Exception):
    """The form is over."""
