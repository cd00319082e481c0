"""Place in the queue and expected start, in words."""

from __future__ import annotations

import pytest
from qcrbox_registry.services.teaching.places import place_words


@pytest.mark.parametrize(
    ("info", "words"),
    [
        ({"place": 3, "estimated_start": None, "reason": ""}, "Place 3 in the queue."),
        ({"place": 1, "estimated_start": 1001.0, "reason": ""}, "Place 1 in the queue, starts in a moment."),
        ({"place": 2, "estimated_start": 1042.4, "reason": ""}, "Place 2 in the queue, starts in about 42 s."),
        ({"place": 9, "estimated_start": 1125.0, "reason": ""}, "Place 9 in the queue, starts in about 2 min."),
        ({"place": 1, "estimated_start": 900.0, "reason": "A hold."}, "Place 1 in the queue, starts in a moment. A hold."),
    ],
)  # fmt: skip
def test_the_place_is_said_in_words(info, words):
    assert place_words(info, 1000.0) == words
