"""Names of CIF items: any spelling to the canonical one, and back.

The table (`data/names.tsv`) is written by `qcrbox_kernel_lib/tools/build_names.py`; docs/cif_names.md says from
which dictionaries. It is read once; a look-up is one dictionary access.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files


@cache
def _table() -> dict[str, str]:
    """Every known spelling in lower case, to the canonical name."""
    table: dict[str, str] = {}
    for line in files("qcrbox.cif").joinpath("data/names.tsv").read_text("utf-8").splitlines():
        if not line.startswith("#"):
            name, _, rest = line.partition("\t")
            table[name.lower()] = name
            for alias in rest.partition("\t")[0].split():
                table.setdefault(alias, name)
    return table


@cache
def _spellings() -> dict[str, list[str]]:
    spellings: dict[str, list[str]] = {}
    for spelling, name in _table().items():
        spellings.setdefault(name, []).append(spelling)
    return spellings


def canonical(tag: str) -> str:
    """The canonical name of an item; an unknown name is answered as it is written.

    The s.u. of a known item is known too: `_cell_measurement_x_su` follows `_cell_measurement_x`.
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
    return canonical(tag) in _spellings()


def key(tag: str) -> str:
    """What two spellings of one item have in common: for comparing and finding, not for showing.

    Unknown names compare without case, and `_shelx.res_file` equals `_shelx_res_file`.
    """
    name = canonical(tag)
    if name in _spellings():
        return name.lower()
    return name.lower().replace(".", "_", 1)


def aliases(tag: str) -> list[str]:
    """All spellings of an item in lower case, the canonical one among them."""
    name = canonical(tag)
    return list(_spellings().get(name, [name]))


def category(tag: str) -> str:
    """The category of an item with its underscore, as `_atom_site`; lower case."""
    name = canonical(tag).lower()
    head, dot, _ = name.partition(".")
    if dot:
        return head
    return "_" + name.lstrip("_").partition("_")[0]
