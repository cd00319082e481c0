"""Is this a CIF?"""

from __future__ import annotations

import codecs
import re

_LINE = re.compile(r"[^\r\n]*")


def is_cif(content: bytes | str) -> bool:
    """Whether a text is a CIF: its first line that is neither blank nor a comment begins with `data_`.

    Letter case, blanks before it and a byte order mark do not matter. Bytes that are not text are no CIF.
    """
    if isinstance(content, bytes):
        if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            try:
                text = content.decode("utf-16")
            except UnicodeDecodeError:
                return False
        else:
            text = content.removeprefix(codecs.BOM_UTF8).decode("latin-1")
    else:
        text = content.removeprefix("\ufeff")
    position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None
        line = match[0].strip()
        if line and not line.startswith("#"):
            return line[:5].lower() == "data_"
        position = match.end() + 1
    return False
