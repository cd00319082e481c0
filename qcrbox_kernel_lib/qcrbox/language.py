"""Texts for people: translations, minus signs, lists of names.

Translations come from gettext catalogues, one `locale/<language>.po` per language, read on first use.

States, queue messages and headings are translated. CIF names, space groups, output of programs, names of the API
(`status`, columns of tables) and error codes are not.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "locale"
# The first is for `%env QCRBOX_LANGUAGE=de` in a notebook; the others are those of gettext, in its order.
_VARIABLES = ("QCRBOX_LANGUAGE", "LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")


def tr(text: str, /, **values: object) -> str:
    """`text` in the person's language, its `{names}` filled in; English where there is no translation."""
    found = catalogue(language()).get(text) or text
    return found.format(**values) if values else found


def minus(text: str) -> str:
    """A sentence with minus signs where hyphens stand before numbers, as `offset -0.04`; `hkl`, names and ranges stay."""
    return re.sub(r"(?<![\w.)])-(?=\.?\d)", "\N{MINUS SIGN}", text)


def listed(names: Sequence[str], most: int = 10) -> str:
    """Names for a sentence, `C1, C2 and 3 more` where there are more than `most`."""
    more = len(names) - most
    return ", ".join(names[:most]) + (f" and {more} more" if more > 0 else "")


def counted(number: int, noun: str) -> str:
    """A number with its noun: `1 row`, `2 rows`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def language(environ: Mapping[str, str] = os.environ) -> str:
    """The first requested language that has a catalogue; "en" when none has."""
    wanted = next((environ[name] for name in _VARIABLES if environ.get(name)), "")
    for name in wanted.split(":"):
        code = name.partition(".")[0].partition("@")[0].partition("_")[0].lower()
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
    """The messages of a .po file (plurals and contexts are not supported). Raises ValueError with the line number."""
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
        # Strings of .po files follow C; the escapes in use are the same in Python.
        parts[field] += ast.literal_eval(quoted)
    return found
