"""What a viewer says is read message by message; somebody who looks on can send nothing that acts."""

from __future__ import annotations

import struct

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.sessions.rfb import LONGEST_CLIPBOARD, ClientMessages

HELLO = b"RFB 003.008\n" + b"\x01"
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 10, 10)
CUT = struct.pack(">BxxxI", 6, 3) + b"abc"
EXTENDED_CUT = struct.pack(">Bxxxi", 6, -4) + b"\x01\x00\x00\x01"
QEMU_KEY = struct.pack(">BBHII", 255, 0, 1, 0x61, 30)
RESIZE = struct.pack(">BxHHBx", 251, 800, 600, 1) + bytes(16)
UPDATE = struct.pack(">BBHHHH", 3, 1, 0, 0, 800, 600)
LONG_POINTERS = -316  # the extended mouse buttons of noVNC
ENCODINGS = struct.pack(">BxHii", 2, 2, 0, -223)
PIXELS = b"\x00" + bytes(19)
FENCE = b"\xf8\x00\x00\x00" + struct.pack(">IB", 1, 3) + b"abc"
CONTINUOUS = struct.pack(">BBHHHH", 150, 1, 0, 0, 800, 600)
ACTS = [KEY, POINTER, CUT, EXTENDED_CUT, QEMU_KEY, RESIZE]
ASKS = [UPDATE, ENCODINGS, PIXELS, FENCE, CONTINUOUS]


def started(**options) -> ClientMessages:
    messages = ClientMessages(**options)
    assert messages.feed(HELLO + b"\x00") == HELLO + b"\x01", "always shared"
    return messages


@pytest.mark.parametrize("message", ACTS + ASKS)
def test_everything_a_viewer_says_is_passed_on_to_the_owners_display(message):
    assert started().feed(message) == message


@pytest.mark.parametrize("message", ACTS)
def test_who_may_only_look_on_sends_nothing_that_acts(message):
    messages = started(view_only=True)
    assert messages.feed(message) == b""
    assert not messages.saw_input


@pytest.mark.parametrize("message", ASKS)
def test_who_may_only_look_on_sees_the_picture(message):
    assert started(view_only=True).feed(message) == message


EVERYTHING = HELLO + b"\x01" + b"".join(ACTS + ASKS)


def test_messages_may_arrive_byte_by_byte():
    messages = ClientMessages()
    assert b"".join(messages.feed(bytes([byte])) for byte in EVERYTHING) == EVERYTHING


@pytest.mark.parametrize("view_only", [False, True])
def test_it_does_not_matter_where_a_stream_is_cut(view_only):
    expected = HELLO + b"\x01" + b"".join(ASKS if view_only else ACTS + ASKS)
    for cut in range(len(EVERYTHING) + 1):
        messages = ClientMessages(view_only=view_only)
        first = messages.feed(EVERYTHING[:cut])
        assert first == expected[: len(first)], "what is passed on is a beginning of the whole"
        assert first + messages.feed(EVERYTHING[cut:]) == expected, f"cut at {cut}"


@pytest.mark.parametrize("view_only", [False, True])
def test_longer_pointer_messages_are_never_agreed_upon(view_only):
    asked = struct.pack(">BxH4i", 2, 4, 0, LONG_POINTERS, -223, LONG_POINTERS)
    for cut in range(len(asked) + 1):
        messages = started(view_only=view_only)
        assert messages.feed(asked[:cut]) + messages.feed(asked[cut:] + UPDATE) == ENCODINGS + UPDATE


def test_a_viewer_that_asks_for_longer_pointer_messages_alone_asks_for_nothing():
    assert started().feed(struct.pack(">BxHi", 2, 1, LONG_POINTERS)) == struct.pack(">BxH", 2, 0)


def test_a_pointer_message_with_its_highest_bit_set_has_six_bytes_too():
    marked = struct.pack(">BBHH", 5, 0x81, 10, 10)
    assert started().feed(marked + KEY) == marked + KEY
    assert started(view_only=True).feed(marked + UPDATE) == UPDATE


@pytest.mark.parametrize("hello", [b"RFB 003.003\n", b"RFB 003.889\n", b"GET / HTTP/1"])
def test_another_handshake_is_refused(hello):
    with pytest.raises(UserInputError, match="version of RFB"):
        ClientMessages().feed(hello + b"\x01\x01")


def test_a_security_type_that_was_not_offered_is_refused():
    with pytest.raises(UserInputError, match="security type"):
        ClientMessages().feed(b"RFB 003.008\n" + b"\x02")


def test_an_act_hidden_between_two_pieces_is_left_out_too():
    messages = started(view_only=True)
    mixed = UPDATE + KEY + UPDATE
    assert b"".join(messages.feed(mixed[i : i + 7]) for i in range(0, len(mixed), 7)) == UPDATE + UPDATE


def test_input_is_noticed_and_looking_is_not():
    messages = started()
    messages.feed(UPDATE + FENCE)
    assert not messages.saw_input
    messages.feed(POINTER)
    assert messages.saw_input


@pytest.mark.parametrize("kind", [1, 7, 100, 252, 254])
def test_an_unknown_message_is_refused(kind):
    with pytest.raises(UserInputError, match="not known"):
        started().feed(bytes([kind]) + bytes(30))


def test_a_huge_clipboard_is_refused_before_it_is_kept():
    with pytest.raises(UserInputError, match="are allowed"):
        started().feed(struct.pack(">BxxxI", 6, LONGEST_CLIPBOARD + 1))


def test_qemu_audio_is_refused():
    with pytest.raises(UserInputError, match="QEMU"):
        started().feed(b"\xff\x01\x00\x00")
