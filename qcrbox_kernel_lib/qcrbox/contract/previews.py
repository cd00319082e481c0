"""Names of preview accounts: the hub makes them for lecturers, and gives these names to no other account.

User names start with a letter (`qcrbox_hub.accounts.names`), those of preview accounts with a digit, so a person cannot
have had one before.
"""

from __future__ import annotations

PREFIX = "0preview-"


def is_preview(name: str) -> bool:
    """Is this the name of a preview account?"""
    return name.startswith(PREFIX)
