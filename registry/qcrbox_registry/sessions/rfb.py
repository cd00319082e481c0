"""The messages of a VNC client, one by one (RFC 6143 and the extensions that noVNC uses).

The registry passes the bytes of a client on to the display of a session. It reads them to notice input (idle limit)
and to drop input where the person may only view. Unknown messages are refused: they might be input.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from qcrbox.contract.errors import UserInputError

LONGEST_CLIPBOARD = 4 * 1024 * 1024
# Other versions have another handshake, so the messages after it would be read at the wrong offset.
_VERSIONS = (b"RFB 003.007\n", b"RFB 003.008\n")
_NO_SECURITY = 1

# Message types of the client.
SET_PIXEL_FORMAT, FIX_COLOUR_MAP, SET_ENCODINGS, UPDATE_REQUEST, KEY, POINTER, CUT_TEXT = range(7)
CONTINUOUS_UPDATES, FENCE, XVP, SET_DESKTOP_SIZE, QEMU = 150, 248, 250, 251, 255
_INPUT = frozenset({KEY, POINTER, CUT_TEXT, QEMU})
# Messages that change what others see or do; a viewer may send none of them.
_ACTS = _INPUT | {SET_DESKTOP_SIZE, XVP}
_FIXED = {
    SET_PIXEL_FORMAT: 20,
    UPDATE_REQUEST: 10,
    KEY: 8,
    POINTER: 6,
    CONTINUOUS_UPDATES: 10,
    XVP: 4,
    QEMU: 12,
}
# The pseudo-encoding for extended mouse buttons makes pointer messages one byte longer once the display confirms it.
# The confirmation is sent in the other direction, which is not read here; so the client's request is removed and
# every pointer message has 6 bytes.
_EXTENDED_BUTTONS = (-316).to_bytes(4, "big", signed=True)


@dataclass
class ClientMessages:
    """Takes the bytes of one client; `feed` returns those to forward to the display."""

    view_only: bool = False
    saw_input: bool = False  # set by each input that was passed on; the reader clears it
    _rest: bytearray = field(default_factory=bytearray)
    _handshake: int = 0  # 0: version, 1: security type, 2: ClientInit, 3: messages

    def feed(self, data: bytes) -> bytes:
        """Raises UserInputError for bytes that are not RFB or not allowed."""
        self._rest += data
        passed = bytearray()
        while (length := self._length()) and length <= len(self._rest):
            message = bytes(self._rest[:length])
            del self._rest[:length]
            passed += self._pass(message)
        return bytes(passed)

    def _length(self) -> int:
        """Length of the next message; 0 while more bytes are needed to know it."""
        rest = self._rest
        if not rest:
            return 0
        if self._handshake < 3:
            return len(_VERSIONS[0]) if self._handshake == 0 else 1
        kind = rest[0]
        if kind in _FIXED:
            if kind == QEMU and len(rest) > 1 and rest[1] != 0:
                raise UserInputError(f"The viewer sent QEMU message {rest[1]}, which is not allowed here.")
            return _FIXED[kind]
        if kind == SET_ENCODINGS:
            return 4 + 4 * _number(rest, 2, 2) if len(rest) >= 4 else 0
        if kind == CUT_TEXT:
            return self._cut_text_length()
        if kind == FENCE:
            return self._checked(9 + rest[8], 9 + 64) if len(rest) >= 9 else 0
        if kind == SET_DESKTOP_SIZE:
            return 8 + 16 * rest[6] if len(rest) >= 8 else 0
        raise UserInputError(f"The viewer sent a message of kind {kind}, which is not known here.")

    def _cut_text_length(self) -> int:
        if len(self._rest) < 8:
            return 0
        # A negative length marks the extended clipboard.
        return self._checked(8 + abs(_number(self._rest, 4, 4, signed=True)), 8 + LONGEST_CLIPBOARD)

    @staticmethod
    def _checked(length: int, most: int) -> int:
        if length > most:
            raise UserInputError(f"The viewer sent a message of {length} bytes; {most} are allowed.")
        return length

    def _pass(self, message: bytes) -> bytes:
        if self._handshake < 3:
            self._handshake += 1
            return self._greet(message)
        kind = message[0]
        if self.view_only and kind in _ACTS:
            return b""
        if kind in _INPUT:
            self.saw_input = True
        return _without_long_pointers(message) if kind == SET_ENCODINGS else message

    def _greet(self, message: bytes) -> bytes:
        """Check a part of the handshake; the counter is already that of the next part."""
        if self._handshake == 1 and message not in _VERSIONS:
            raise UserInputError("The viewer uses an unsupported version of RFB; 3.7 and 3.8 are supported.")
        if self._handshake == 2 and message[0] != _NO_SECURITY:
            raise UserInputError("The viewer asked for a security type that was not offered.")
        # "Shared": a new client must not disconnect the present ones.
        return b"\x01" if self._handshake == 3 else message


def _without_long_pointers(message: bytes) -> bytes:
    """SetEncodings without the extended mouse buttons."""
    encodings = [message[at : at + 4] for at in range(4, len(message), 4)]
    kept = [encoding for encoding in encodings if encoding != _EXTENDED_BUTTONS]
    return message[:2] + len(kept).to_bytes(2, "big") + b"".join(kept)


def _number(data: bytearray, at: int, size: int, *, signed: bool = False) -> int:
    return int.from_bytes(data[at : at + size], "big", signed=signed)
