"""Names of preview accounts, which no person can have."""

from __future__ import annotations

import pytest
from qcrbox.contract.previews import PREFIX, is_preview


@pytest.mark.parametrize(
    ("name", "preview"),
    [
        (f"{PREFIX}anna", True),
        ("0preview-", True),
        ("0preview", False),
        ("0Preview-anna", False),
        ("preview-anna", False),
        ("anna0preview-", False),
        (" 0preview-anna", False),
        ("", False),
    ],
)
def test_a_preview_account_is_known_by_its_name(name, preview):
    assert is_preview(name) is preview
