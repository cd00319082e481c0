"""A CIF for the journal: the file itself, with reflections and model inside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.notebook.conventional import ascii_text, conventional_document

_TAGS = {"hkl": "_shelx_hkl_file", "res": "_shelx_res_file", "fcf": "_shelx_fcf_file"}


def export(
    cif: Any, files: Mapping[str, Any], path: Path, embed: Sequence[str], *, unified: bool = False
) -> Path:
    """Write the CIF to `path` in conventional names (or as it is stored); an existing file is not overwritten.

    Files that the CIF holds already stay as they are. Raises MissingItemsError when one to embed is not there.
    """
    from qcrbox.cif import read

    document = read(cif.bytes, filename=cif.filename)
    if not unified:
        document = conventional_document(document[cif.block.name], cif.filename)
    block = document[cif.block.name]
    for kind in embed:
        if kind not in _TAGS:
            raise UserInputError(f"embed knows {', '.join(_TAGS)}; you gave {kind!r}.")
        if _TAGS[kind] in block:
            continue
        found = [file for name, file in files.items() if name.lower().endswith(f".{kind}")]
        if not found:
            raise MissingItemsError(f"There is no .{kind} file to embed.", items=[kind])
        text = found[0].bytes.decode("latin-1").replace("\r\n", "\n")
        block.set(_TAGS[kind], f"\n{text.rstrip()}\n")
    try:
        with path.open("xb") as file:
            content = document.to_bytes()
            file.write(content if unified else ascii_text(content.decode("utf-8", "replace")).encode("ascii"))
    except FileExistsError:
        raise UserInputError(
            f"{path} exists already.", next="Give another path, or remove that file first."
        ) from None
    return path
