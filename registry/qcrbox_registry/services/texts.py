"""Names and descriptions in requests."""

from __future__ import annotations

from qcrbox.contract.errors import UserInputError

LONGEST_NAME = 500
LONGEST_DESCRIPTION = 20_000


def checked_text(text: str, what: str, most: int) -> str:
    """The text, trimmed. Raises UserInputError for a long one, or one with a NUL character."""
    if len(text) > most:
        raise UserInputError(f"The {what} is longer than {most} characters.")
    if "\x00" in text:
        raise UserInputError(f"The {what} has a NUL character in it.")
    return text.strip()
