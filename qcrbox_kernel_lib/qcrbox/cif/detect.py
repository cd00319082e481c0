"""Is this a CIF?"""

from __future__ import annotations

import codecs
import re

_BEGINS_WITH_BLOCK = re.compile(rb"(?:\s++|#[^\r\n]*+)*+(?i:data_)")


def is_cif(content: bytes | str) -> bool:
    """Whether a text is a CIF: its first line that is neither blank nor a comment begins with `data_`.

    Letter case, blanks before it and a byte order mark do not matter. Bytes that are not text are no CIF.
    """
    if isinstance(content, str):
        content = content.removeprefix("\ufeff").encode("utf-8", "replace")
    elif content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            content = content.decode("utf-16").encode()
        except UnicodeDecodeError:
            return False
    start = len(codecs.BOM_UTF8) if content.startswith(codecs.BOM_UTF8) else 0
    return _BEGINS_WITH_BLOCK.match(content, start) is not None
