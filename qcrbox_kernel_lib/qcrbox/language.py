"""Words in the person's language: gettext catalogues, one `locale/<language>.po` each, read when first needed.

Translated is what people read: states, the queue, headings. Never translated are names of CIF items, space groups,
what programs print, the words of the API (`status`, columns asked for by name), and the codes of errors.
"""

from __future__ import annotations

import ast
import os
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
# The first is ours, for `%env QCRBOX_LANGUAGE=de` in a notebook; the others are gettext's, in its order.
_VARIABLES = ("QCRBOX_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def tr(text: str, /, **values: object) -> str:
    """`text` in the person's language, its `{names}` filled in; English where there is no translation."""
    found = catalogue(language()).get(text) or text
    return found.format(**values) if values else found


def language(environ: Mapping[str, str] = os.environ) -> str:
    """The first wanted language that there is a catalogue for, "en" when there is none."""
    said = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    for one in said.split(":"):
        code = one.partition(".")[0].partition("@")[0].partition("_")[0].lower()
        if code in ("en", "c", "posix"):
            return "en"
        if code.isalpha() and (FOLDER / f"{code}.po").is_file():
            return code
    return "en"


@lru_cache(maxsize=8)
def catalogue(code: str) -> dict[str, str]:
    """Message → translation. Empty for English, the language of the messages themselves."""
    return {} if code == "en" else read_po((FOLDER / f"{code}.po").read_text(encoding="utf-8"))


def read_po(text: str) -> dict[str, str]:
    """The messages of a .po file (no plurals, no contexts: none are used here). Raises ValueError naming the line."""
    found: dict[str, str] = {}
    parts = {"msgid": "", "msgstr": ""}
    field = ""
    for number, line in enumerate([*text.splitlines(), ""], 1):
        word, _, rest = line.strip().partition(" ")
        if word in parts:
            if word == "msgid":
                parts = {"msgid": "", "msgstr": ""}
            field, quoted = word, rest
        elif line.strip().startswith('"') and field:
            quoted = line.strip()
        elif not line.strip() or line.startswith("#"):
            if parts["msgid"] and parts["msgstr"]:
                found[parts["msgid"]] = parts["msgstr"]
            continue
        else:
            raise ValueError(f"line {number} of the catalogue cannot be read: {line!r}")
        # Quoted strings of .po files are those of C; Python's literals agree with all that occurs.
        parts[field] += ast.literal_eval(quoted)
    return found
