"""Names of CIF items: any spelling to the canonical one, and back.

The table (`data/names.tsv`) is written by `qcrbox_kernel_lib/tools/build_names.py`; docs/cif_names.md says from
which dictionaries. It is read once; a look-up is one dictionary access.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True, slots=True)
class Facts:
    """What the dictionary says about an item.

    `contents` is Real, Integer, Text, Code, Word, Date ..., empty when it is not known; `minimum` and `maximum`
    are inclusive; `states` the values allowed, empty when there is no list; `su_of` the item whose s.u. this is.
    """

    name: str
    purpose: str = ""
    container: str = ""
    contents: str = ""
    unit: str = ""
    minimum: float | None = None
    maximum: float | None = None
    states: tuple[str, ...] = ()
    su_of: str = ""

    @property
    def is_number(self) -> bool:
        return self.contents in ("Real", "Integer")

    @property
    def is_label(self) -> bool:
        """Whether values name a row (`_atom_site.label`): texts, even where they look like numbers."""
        return self.contents in ("Word", "Code") and (
            self.purpose in ("Key", "Link") or self.name.endswith((".label", "_label", ".id"))
        )


@cache
def _lines() -> list[str]:
    text = files("qcrbox.cif").joinpath("data/names.tsv").read_text("utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


@cache
def _table() -> dict[str, str]:
    """Every known spelling in lower case, to the canonical name."""
    table: dict[str, str] = {}
    aliases: list[tuple[str, str]] = []
    for line in _lines():
        name, _, rest = line.partition("\t")
        table[name.lower()] = name
        aliases.append((name, rest.partition("\t")[0]))
    for name, spellings in aliases:
        for alias in spellings.split():
            table.setdefault(alias, name)
    # Newer items have no old spelling; programs that know underscores only write them so.
    plain: dict[str, list[str]] = {}
    for name, _ in aliases:
        plain.setdefault(name.lower().replace(".", "_", 1), []).append(name)
    for spelling, meant in plain.items():
        if len(meant) == 1:
            table.setdefault(spelling, meant[0])
    return table


@cache
def _spellings() -> dict[str, list[str]]:
    spellings: dict[str, list[str]] = {}
    for spelling, name in _table().items():
        spellings.setdefault(name, []).append(spelling)
    return spellings


@cache
def _categories() -> list[str]:
    """Known categories, longest first, so that `_atom_site_aniso_x` is not taken for `_atom_site`."""
    found = {name.partition(".")[0].lower() for name in _spellings()}
    return sorted(found, key=len, reverse=True)


@cache
def _rows() -> dict[str, list[str]]:
    return {line.partition("\t")[0]: line.split("\t") for line in _lines()}


def canonical(tag: str) -> str:
    """The canonical name of an item; an unknown name is answered as it is written.

    The s.u. of a known item is known too: `_foo_bar_su` follows `_foo_bar`.
    """
    lower = tag.lower()
    name = _table().get(lower)
    if name is not None:
        return name
    if lower.endswith("_su"):
        base = _table().get(lower[:-3])
        if base is not None:
            return base + "_su"
    return tag


def is_known(tag: str) -> bool:
    return tag.lower() in _table()


def key(tag: str) -> str:
    """What two spellings of one item have in common: for comparing and finding, not for showing.

    Unknown names compare without case, and `_shelx.res_file` equals `_shelx_res_file`.
    """
    lower = tag.lower()
    name = _table().get(lower)
    if name is not None:
        return name.lower()
    if lower.endswith("_su") and (base := _table().get(lower[:-3])) is not None:
        return base.lower() + "_su"
    return mended(lower).replace(".", "_", 1)


def mended(tag: str) -> str:
    """Names that an earlier converter damaged: `_shelx._version_number` was `_shelxl_version_number`."""
    return f"_shelxl_{tag[8:]}" if tag.startswith("_shelx._") else tag


def aliases(tag: str) -> list[str]:
    """All spellings of an item in lower case, the canonical one among them."""
    name = canonical(tag)
    known = _spellings().get(name)
    if known is not None:
        return list(known)
    if name != tag and name.endswith("_su"):
        return [name.lower(), *(f"{alias}_su" for alias in _spellings()[name[:-3]])]
    return [name.lower()]


def all_names() -> list[str]:
    """Every canonical name of the table."""
    return list(_rows())


def category(tag: str) -> str:
    """The category of an item with its underscore, as `_atom_site`; lower case."""
    name = canonical(tag).lower()
    head, dot, _ = name.partition(".")
    if dot:
        return head
    for known in _categories():
        if name.startswith(known + "_"):
            return known
    return "_" + name.lstrip("_").partition("_")[0]


def facts(tag: str) -> Facts | None:
    """What the dictionary says about an item; None for an unknown name."""
    name = canonical(tag)
    row = _rows().get(name)
    if row is None:
        return None
    cells = row + [""] * (9 - len(row))
    low, _, high = cells[6].partition(":")
    return Facts(
        name,
        cells[2],
        cells[3],
        cells[4],
        cells[5],
        float(low) if low else None,
        float(high) if high else None,
        tuple(cells[7].split(" | ")) if cells[7] else (),
        cells[8].lower(),
    )
