"""JSON bodies as models, within bounds that are checked before anything is built of them.

A parser holds Python's lock from its first byte to its last: 30 MB of `[],[],…` would stop every other request for twenty
seconds, in whatever thread it runs. So the text is measured first, token by token, and a list of many commands is
parsed in small pieces.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails, from_json
from qcrbox.contract.errors import TooLarge, UserInputError
from qcrbox.contract.models import SubmitBatch, SubmitCommand

from qcrbox_registry.api.responses import input_fault

B = TypeVar("B", bound=BaseModel)
# Of one object, and of one command of a batch.
MOST_BYTES = 256 * 1024
MOST_DEPTH = 32
MOST_VALUES = 25_000  # a list of 10,000 ids has 20,000 tokens
# Of a whole batch.
MOST_COMMANDS = 10_000
MOST_VALUES_OF_BATCH = 1_000_000
# A piece that is parsed at once.
_PIECE_COMMANDS = 100
_PIECE_BYTES = 64 * 1024
# A string, also one without an end, or a mark. Possessive: no text makes this go back and try again.
_TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)|[][{},]', re.DOTALL)
_COMMANDS = TypeAdapter(list[SubmitCommand])
_BATCH_KEY = re.compile(rb'"commands"\s*:\s*\Z')


def parse(body: bytes, model: type[B], most_values: int = MOST_VALUES) -> B:
    """A JSON body as a model. Raises UserInputError, field by field, and TooLarge."""
    measure(body, most_values)
    try:
        value = model.model_validate_json(body)
    except ValidationError as error:
        raise input_fault(error.errors()) from None
    _refuse_nul_in(body)
    return value


def measure(body: bytes, most_values: int = MOST_VALUES) -> None:
    """Raises TooLarge for more values than a request has, UserInputError for lists and objects that are too deep."""
    for number, _ in enumerate(_depths(body), start=1):
        if number > most_values:
            raise TooLarge(f"The body has more than {most_values} values.")


def parse_batch(body: bytes) -> SubmitBatch:
    """The commands of a batch, parsed piece by piece. Raises UserInputError, TooLarge."""
    shell, commands = _split(body)
    batch = _shell_of(shell)
    for first, piece in _pieces(commands):
        text = b"[" + b",".join(body[part.begin : part.end] for part in piece) + b"]"
        try:
            batch.commands += _COMMANDS.validate_json(text)
        except ValidationError as error:
            raise input_fault(_placed(error, first)) from None
        _refuse_nul_in(text)
    return batch


@dataclass(frozen=True, slots=True)
class _Part:
    """Where a command stands in the body."""

    begin: int
    end: int


def _depths(body: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """Each token, with how many lists and objects are open after it."""
    depth = 0
    for token in _tokens(body):
        mark = token[0]
        if mark in (b"[", b"{"):
            depth += 1
            if depth > MOST_DEPTH:
                raise UserInputError(f"Lists and objects of the body are nested deeper than {MOST_DEPTH}.")
        elif mark in (b"]", b"}"):
            depth -= 1
        yield token, depth


def _tokens(body: bytes) -> Iterator[re.Match[bytes]]:
    """Strings and marks. One step of the search sees no more than a window, so it never holds Python's lock for long."""
    begin = 0
    while begin < len(body):
        end = min(begin + MOST_BYTES, len(body))
        following = end
        for token in _TOKEN.finditer(body, begin, end):
            if token.end() == end < len(body) and token[0].startswith(b'"'):
                # The string may continue after the window.
                if token.start() == begin:
                    raise TooLarge(f"A text of the body is longer than {MOST_BYTES // 1024} KiB.")
                following = token.start()
                break
            yield token
        begin = following


def _split(body: bytes) -> tuple[bytes, list[_Part]]:
    """The body without its commands, and where they are."""
    parts: list[_Part] = []
    opened, closed, begin, values = -1, -1, -1, 0
    for number, (token, depth) in enumerate(_depths(body), start=1):
        if number > MOST_VALUES_OF_BATCH:
            raise TooLarge(f"The batch has more than {MOST_VALUES_OF_BATCH} values.", next="Send several.")
        mark, at = token[0], token.start()
        values += 1
        in_commands = opened >= 0 and closed < 0
        if values > MOST_VALUES and not in_commands:
            raise TooLarge(f"Beside its commands the batch has more than {MOST_VALUES} values.")
        if values > MOST_VALUES or (in_commands and at - begin > MOST_BYTES):
            raise _too_large_command(len(parts))
        if opened < 0:
            if mark == b"[" and depth == 2 and _BATCH_KEY.search(body, max(0, at - 100), at):
                opened = begin = token.end()
        elif closed < 0:
            ends = mark == b"]" and depth == 1
            if ends or (mark == b"," and depth == 2):
                if parts or not ends or body[begin:at].strip():
                    parts.append(_Part(begin, at))
                begin, values = token.end(), 0
                if ends:
                    closed = at
                if len(parts) > MOST_COMMANDS:
                    raise UserInputError(
                        f"A batch has at most {MOST_COMMANDS} commands.",
                        where="commands",
                        next="Send several.",
                    )
    if opened < 0 or closed < 0:
        return body, []
    return body[:opened] + body[closed:], parts


def _too_large_command(number: int) -> TooLarge:
    return TooLarge(
        f"A command is larger than {MOST_BYTES // 1024} KiB or has more than {MOST_VALUES} values.",
        where=f"commands.{number}",
        next="Upload files as data files.",
    )


def _shell_of(shell: bytes) -> SubmitBatch:
    """What a batch has beside its commands."""
    if len(shell) > MOST_BYTES:
        raise TooLarge(f"Beside its commands the batch is larger than {MOST_BYTES // 1024} KiB.")
    measure(shell)
    try:
        value = from_json(shell)
    except ValueError as error:
        raise UserInputError("The body is not readable JSON.", why=str(error)) from None
    if not isinstance(value, dict) or value.get("commands") != []:
        raise UserInputError('The body must be {"commands": […]}, with one list of commands.')
    return SubmitBatch.model_construct(commands=[])


def _pieces(commands: list[_Part]) -> Iterator[tuple[int, list[_Part]]]:
    """Commands to be parsed at once, with the number of the first."""
    if not commands:
        raise UserInputError("The batch has no commands.", where="commands")
    first, size = 0, 0
    for number, part in enumerate(commands):
        size += part.end - part.begin
        if number + 1 - first >= _PIECE_COMMANDS or size >= _PIECE_BYTES or number + 1 == len(commands):
            yield first, commands[first : number + 1]
            first, size = number + 1, 0


def _placed(error: ValidationError, first: int) -> list[ErrorDetails]:
    """The faults of a piece, at their places in the batch."""
    found = error.errors(include_input=False, include_url=False)
    for fault in found:
        inside = fault["loc"]
        if inside:
            fault["loc"] = ("commands", first + int(inside[0]), *inside[1:])
    return found


def _refuse_nul_in(body: bytes) -> None:
    if b"\\u0000" in body:
        _refuse_nul(from_json(body), "")


def _refuse_nul(value: Any, where: str) -> None:
    """PostgreSQL cannot hold NUL in a text, so it is refused for SQLite too."""
    if isinstance(value, str):
        if "\x00" in value:
            raise UserInputError("There is a NUL character in this text.", where=where)
    elif isinstance(value, dict):
        for key, entry in value.items():
            _refuse_nul(key, where)
            _refuse_nul(entry, f"{where}.{key}" if where else key)
    elif isinstance(value, list):
        for number, entry in enumerate(value):
            _refuse_nul(entry, f"{where}.{number}")
