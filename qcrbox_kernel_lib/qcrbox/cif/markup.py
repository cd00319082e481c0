r"""The letter codes of CIF text: `M\"uller` is Müller, `\a` is α, `--` is a dash.

Codes: International Tables for Crystallography G (2005), 2.2.7.4.2, as COMCIFS lists them for CIF 1.1.
CIF 2 needs none, its text is Unicode; `shown` changes only what is a code.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

from qcrbox.cif import names

_ACCENTS: Final = {
    "'": "\u0301",
    "`": "\u0300",
    "^": "\u0302",
    '"': "\u0308",
    "~": "\u0303",
    ",": "\u0327",
    ";": "\u0328",
    "<": "\u030c",
    ">": "\u030b",
    "=": "\u0304",
    ".": "\u0307",
    "(": "\u0306",
}
_LETTERS: Final = {
    "%a": "å",
    "%A": "Å",
    "/o": "ø",
    "/O": "Ø",
    "/l": "ł",
    "/L": "Ł",
    "/d": "đ",
    "/D": "Đ",
    "?i": "ı",
    "&s": "ß",
}
_GREEK: Final = dict(zip("abcdefghiklmnopqrstuwxyz", "αβχδεφγηικλμνοπθρστυωξψζ", strict=True))
_WORDS: Final = {
    "times": "×",
    "simeq": "≃",
    "sim": "∼",
    "infty": "∞",
    "neq": "≠",
    "square": "²",
    "rangle": "⟩",
    "langle": "⟨",
    "rightarrow": "→",
    "leftarrow": "←",
    "db": "=",
    "tb": "≡",
    "ddb": "=",
}
_CODE = re.compile(
    r"\\\\(?P<word>[a-z]+)"
    r"|\\(?P<accent>['`^\"~,;<>=.(])(?P<letter>[A-Za-z])"
    r"|\\(?P<special>[%/?&][A-Za-z])"
    r"|\\(?P<degree>%)"
    r"|\\(?P<greek>[A-Za-z])(?![A-Za-z])"
    r"|\^(?P<super>[-+0-9n]+)\^|~(?P<sub>[-+0-9]+)~"
    r"|(?<!-)(?P<dash>---?)(?!-)|(?P<plus>\+-)|(?P<minus>-\+)"
)


_SUPER: Final = str.maketrans("-+0123456789n", "⁻⁺⁰¹²³⁴⁵⁶⁷⁸⁹ⁿ")
_SUB: Final = str.maketrans("-+0123456789", "₋₊₀₁₂₃₄₅₆₇₈₉")
# Values that programs read: a hyphen or a tilde in them is no code.
_NO_TEXT: Final = frozenset(
    {"Real", "Integer", "Count", "Index", "Date", "DateTime", "Symop", "Version", "Uri"}
)
_NAMES: Final = frozenset({"Code", "Word", "Name", "Tag"})
_OF_PROGRAMS = re.compile(
    r"_(?:shelx|iucr_refine|qcrbox|oxdiff)[_.]|_(?:file|checksum|instructions|xyz)$", re.IGNORECASE
)


def value_shown(tag: str, text: str, *, cif2: bool = False) -> str:
    """The value of an item as a person reads it; values that are no prose, such as numbers and files of programs, stay.

    cif2: of a CIF 2, whose text has no codes.
    """
    facts = names.facts(tag)
    contents = "" if facts is None else facts.contents
    is_name = contents in _NAMES and "\\" not in text
    if cif2 or is_name or contents in _NO_TEXT or _OF_PROGRAMS.search(tag):
        return text
    return shown(text)


def shown(text: str) -> str:
    r"""Text as a person reads it: letter codes become letters. Codes that are none stay as they are."""
    return _CODE.sub(_letter, text)


def _letter(match: re.Match[str]) -> str:
    kind, code = match.lastgroup, match[0]
    if kind == "word":
        return _WORDS.get(match["word"], code)
    if kind == "letter":
        joined = unicodedata.normalize("NFC", match["letter"] + _ACCENTS[match["accent"]])
        return joined if len(joined) == 1 else code
    if kind == "special":
        # `\%C` is a degree sign before a C, `\%A` is Å.
        return _LETTERS.get(match["special"]) or ("°" + match["special"][1] if code[1] == "%" else code)
    if kind == "super":
        return match["super"].translate(_SUPER)
    if kind == "sub":
        return match["sub"].translate(_SUB)
    if kind == "degree":
        return "°"
    if kind == "greek":
        return _greek(match["greek"]) or code
    return {"--": "–", "---": "—", "+-": "±", "-+": "∓"}[code]


def _greek(letter: str) -> str | None:
    small = _GREEK.get(letter.lower())
    return small if small is None or letter.islower() else small.upper()


_CODES: Final = {letter: "\\" + code for code, letter in _LETTERS.items()}
_CODE_OF_ACCENT: Final = {accent: "\\" + code for code, accent in _ACCENTS.items()}
_CODE_OF_GREEK: Final = {
    **{letter: "\\" + code for code, letter in _GREEK.items()},
    **{letter.upper(): "\\" + code.upper() for code, letter in _GREEK.items()},
}

# Not `\\db`, which is a double bond: its sign is in ASCII already.
_CODE_OF_SIGN: Final = {
    **{sign: "\\\\" + word for word, sign in _WORDS.items() if not sign.isascii()},
    "°": "\\%",
    "–": "--",
    "—": "---",
    "±": "+-",
    "∓": "-+",
}


def coded(text: str) -> str:
    """Text in the ASCII of CIF 1.1: accented and Greek letters as codes. Letters without a code stay."""
    return "".join(
        letter if letter.isascii() else _code_of(letter) for letter in unicodedata.normalize("NFC", text)
    )


def _code_of(letter: str) -> str:
    if letter in _CODES:
        return _CODES[letter]
    if letter in _CODE_OF_GREEK:
        return _CODE_OF_GREEK[letter]
    parts = unicodedata.normalize("NFD", letter)
    if len(parts) == 2 and parts[1] in _CODE_OF_ACCENT and parts[0].isascii():
        return _CODE_OF_ACCENT[parts[1]] + parts[0]
    return _CODE_OF_SIGN.get(letter, letter)
