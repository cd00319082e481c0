"""Names and descriptions in requests."""

from __future__ import annotations

from qcrbox.contract.errors import ReasonNeeded, UserInputError

LONGEST_NAME = 500
LONGEST_DESCRIPTION = 20_000
LONGEST_REASON = 1100


def checked_text(text: str, what: str, most: int) -> str:
    """The text, trimmed. Raises UserInputError for a long one, or one with a NUL character."""
    if len(text) > most:
        raise UserInputError(f"The {what} is longer than {most} characters.")
    if "\x00" in text:
        raise UserInputError(f"The {what} has a NUL character in it.")
    return text.strip()


def needed_reason(reason: str) -> str:
    """The reason of an act that destroys something, trimmed. Raises ReasonNeeded without one."""
    if not reason.strip():
        raise ReasonNeeded(
            "A reason is needed.", next="Say why in the field `reason`; the audit trail keeps it."
        )
    return checked_text(reason, "reason", LONGEST_REASON)
