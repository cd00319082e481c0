"""What a viewer says is read message by message; somebody who looks on can send nothing that acts."""

from __future__ import annotations

import struct

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_registry.rfb import LONGEST_CLIPBOARD, ClientMessages

HELLO = b"RFB 003.008\n" + b"\x01"
KEY = struct.pack(">BBxxI", 4, 1, 0x61)
POINTER = struct.pack(">BBHH", 5, 1, 10, 10)
CUT = struct.pack(">BxxxI", 6, 3) + b"abc"
EXTENDED_CUT = struct.pack(">Bxxxi", 6, -4) + b"\x01\x00\x00\x01"
QEMU_KEY = struct.pack(">BBHII", 255, 0, 1, 0x61, 30)
RESIZE = struct.pack(">BxHHBx", 251, 800, 600, 1) + bytes(16)
UPDATE = struct.pack(">BBHHHH", 3, 1, 0, 0, 800, 600)
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


def test_messages_may_arrive_in_any_pieces():
    everything = b"".join(ACTS + ASKS)
    messages = started()
    passed = b"".join(messages.feed(everything[i : i + 1]) for i in range(len(everything)))
    assert passed == everything


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
