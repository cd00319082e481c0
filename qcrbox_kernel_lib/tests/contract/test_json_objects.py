"""Bodies of requests: read as a JSON object, or refused whatever they hold."""

from __future__ import annotations

import pytest
from qcrbox.contract.json_objects import read_object

MOST = 1000


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"{}", {}),
        (b' {"a": [1, "x", null]} ', {"a": [1, "x", None]}),
        ('{"a": "Jäger \U0001d11e"}'.encode(), {"a": "Jäger \U0001d11e"}),
        (rb'{"a": "\ud834\udd1e"}', {"a": "\U0001d11e"}),
    ],
    ids=["empty", "values", "UTF-8", "escaped pair"],
)
def test_object_is_read(content: bytes, found: object) -> None:
    assert read_object(content, MOST) == found


REFUSED = {
    "nothing": b"",
    "a list": b"[]",
    "a text": b'"a"',
    "a number": b"1",
    "no JSON": b"{",
    "two objects": b"{}{}",
    "no UTF-8": b'{"a": "\xe9"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "half a character": rb'{"a": "\ud800"}',
    "half a character as a name": rb'{"\udfff": 1}',
    "half a character deep inside": rb'{"a": [{"b": "\ud800x"}]}',
    "half a character as bytes": b'{"a": "\xed\xa0\x80"}',
    "too long": b'{"a": "' + b"x" * MOST + b'"}',
    "a number of too many digits": b'{"a": ' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("content", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused(content: bytes) -> None:
    assert read_object(content, MOST if "9" * 50 not in content.decode("latin-1") else 10_000) is None


@pytest.mark.parametrize("opened", [b"[", b'{"a":'])
def test_nesting_deeper_than_python_reads_is_refused(opened: bytes) -> None:
    assert read_object(opened * 100_000, 1_000_000) is None
