"""Multipart bodies as they arrive, in pieces of any size."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.contract.errors import TooLarge, UserInputError
from qcrbox_registry.api.multipart import LONGEST_FIELD, MOST_PARTS, Form
from starlette.requests import Request

BOUNDARY = "bOuNdArY"


def body(*parts, end=True):
    """parts: (content-disposition after `form-data; `, bytes)."""
    made = b"".join(
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; ".encode()
        + head.encode()
        + b"\r\n\r\n"
        + data
        + b"\r\n"
        for head, data in parts
    )
    return made + (f"--{BOUNDARY}--\r\n".encode() if end else b"")


def request(data, size=64, content_type=f"multipart/form-data; boundary={BOUNDARY}", gone_after=None):
    pieces = [data[i : i + size] for i in range(0, len(data), size)] or [b""]

    async def receive():
        nonlocal gone_after
        if gone_after is not None:
            if gone_after == 0:
                return {"type": "http.disconnect"}
            gone_after -= 1
        piece = pieces.pop(0) if pieces else b""
        return {"type": "http.request", "body": piece, "more_body": bool(pieces)}

    headers = [(b"content-type", content_type.encode())] if content_type is not None else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


async def read(asked):
    found = []
    async for part in Form(asked).parts():
        found.append((part.name, part.filename, b"".join([chunk async for chunk in part.chunks()])))
    return found


SIMPLE = body(('name="title"', b"thpp"), ('name="file"; filename="a.cif"', b"data_a\r\n--b\r\n"))
EXPECTED = [("title", None, b"thpp"), ("file", "a.cif", b"data_a\r\n--b\r\n")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 20, 10_000])
async def test_a_form_is_the_same_whatever_the_pieces_it_comes_in(size):
    assert await read(request(SIMPLE, size)) == EXPECTED


@given(st.lists(st.tuples(st.sampled_from("abc"), st.binary(max_size=200)), max_size=4), st.integers(1, 50))
async def test_any_bytes_arrive_unchanged(parts, size):
    safe = [(name, data) for name, data in parts if f"--{BOUNDARY}".encode() not in data]
    made = body(*((f'name="{name}"; filename="f"', data) for name, data in safe))
    assert await read(request(made, size)) == [(name, "f", data) for name, data in safe]


@pytest.mark.parametrize(
    ("head", "filename"),
    [
        ('name="file"; filename="ü.cif"', "ü.cif"),
        ("name=\"file\"; filename*=UTF-8''%C3%BC%20b.cif", "ü b.cif"),
        ("name=\"file\"; filename*=utf-8'de'%C3%BC.cif", "ü.cif"),
        ('name="file"; filename=""', ""),
        ('name="file"', None),
        ('name="file"; filename="a\\"b.cif"', 'a"b.cif'),
    ],
)
async def test_names_of_files_in_the_forms_that_libraries_write(head, filename):
    ((name, found, _),) = await read(request(body((head, b"x"))))
    assert (name, found) == ("file", filename)


async def test_a_part_that_is_not_read_does_not_spill_into_the_next():
    form = Form(request(SIMPLE, 5))
    assert [part.name async for part in form.parts()] == ["title", "file"]


async def test_text_is_read_up_to_its_limit():
    for length in (LONGEST_FIELD, LONGEST_FIELD + 1):
        async for part in Form(request(body(('name="a"', b"x" * length)), 4096)).parts():
            if length <= LONGEST_FIELD:
                assert await part.text() == "x" * length
            else:
                with pytest.raises(TooLarge, match="form field 'a' is longer than 64 KiB"):
                    await part.text()


async def test_text_that_is_no_utf_8_is_shown_with_marks():
    async for part in Form(request(body(('name="a"', b"\xff\xfe")))).parts():
        assert await part.text() == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x",
        "text/plain; boundary=x",
    ],
)
async def test_what_is_no_form_is_refused_with_an_example(content_type):
    with pytest.raises(UserInputError, match="must be multipart/form-data") as refused:
        await read(request(SIMPLE, content_type=content_type))
    assert "curl -F" in refused.value.next


@pytest.mark.parametrize("cut", [10, 60, 100, len(SIMPLE) - 8])
async def test_a_body_that_ends_too_early_is_refused(cut):
    with pytest.raises(UserInputError, match="ended in the middle"):
        await read(request(SIMPLE[:cut]))


async def test_a_caller_who_leaves_is_named_as_such():
    with pytest.raises(UserInputError, match="cut off before its end"):
        await read(request(SIMPLE, 10, gone_after=2))


async def test_a_body_with_another_boundary_is_refused():
    with pytest.raises(UserInputError, match=r"cannot be read|ended in the middle"):
        await read(request(SIMPLE.replace(BOUNDARY.encode(), b"another")))


@pytest.mark.parametrize(("count", "refused"), [(MOST_PARTS, False), (MOST_PARTS + 1, True)])
async def test_a_form_has_no_more_parts_than_it_may(count, refused):
    made = request(body(*[('name="a"', b"")] * count), 4096)
    if refused:
        with pytest.raises(UserInputError, match="more than 100 parts"):
            await read(made)
    else:
        assert len(await read(made)) == count


async def test_an_empty_form_has_no_parts():
    assert await read(request(f"--{BOUNDARY}--\r\n".encode())) == []
