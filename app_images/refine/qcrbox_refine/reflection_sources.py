"""Where the reflections of a refinement are: in an attached file, in the hkl text of a CIF, or in its loops."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from pathlib import Path

from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.model_items import POWDER, first_item
from qcrbox.crystallography.reflections import has_reflections

from qcrbox_refine.cif_block import CifBlock, read_blocks
from qcrbox_refine.data_settings import adopt_data_settings
from qcrbox_refine.hkl_file import HklRows, HklText
from qcrbox_refine.model import Model
from qcrbox_refine.reflection_loops import rows_of_loops
from qcrbox_refine.shelx_settings import Hklf


@dataclass
class Found:
    """Rows as they stand in the source; text: the SHELX text they stood in, None for loops; rows_after_end: how many
    rows follow the line 0 0 0.
    """

    rows: HklRows
    origin: str
    text: str | None = None
    hklf: Hklf = field(default_factory=Hklf)
    rows_after_end: int = 0


def find_reflections(model: Model, attached: str | None) -> Found:
    """Rows of an attached file, of the embedded hkl text, or of CIF loops.

    Raises MissingItemsError when there are none, UserInputError for broken files.
    """
    if model.source:
        adopt_data_settings(model, model.source, f"data_{model.source.name}")
    if attached:
        found = _from_file(Path(attached), model)
    else:
        source = model.source
        own = _from_block(source, model) if source else None
        _refuse_powder(model, own)
        if source is None or own is None:
            raise MissingItemsError(
                f"refine needs reflections, and '{model.title}' has none.",
                why="Neither an embedded _shelx_hkl_file nor a loop _diffrn_refln_ or _refln_ is there.",
                next=f'Attach them: qc["{model.title}"].attach("{model.title}.hkl"), '
                f'and give reflections=qc["{model.title}"].reflections.',
                items=["_shelx_hkl_file", "_diffrn_refln_index_h", "_refln_index_h"],
            )
        _warn_of_list(source, own, model)
        found = own
    if len(found.rows) == 0:
        raise UserInputError(
            "there are zero reflections.",
            where=found.origin,
            why="The file ends before the first reflection (a line 0 0 0 ends it).",
            next="Attach the complete hkl file.",
        )
    return found


def _refuse_powder(model: Model, own: Found | None) -> None:
    """Intensities of a Rietveld refinement are shares of overlapping peaks by its own model: no measurement."""
    item = first_item(model.source.block, POWDER) if model.source else None
    if item and (own is None or own.text is None):
        raise UserInputError(
            f"'{model.title}' comes from a powder pattern ({item}); it has no reflections of a single crystal.",
            why="Intensities in such a file are parts of overlapping peaks, shared out by the model of its refinement.",
            next="Refine it with a Rietveld program, or give single-crystal data as reflections=….",
        )


def _from_file(path: Path, model: Model) -> Found:
    text = path.read_bytes().decode("utf-8", "replace")
    if re.search(r"^\s*data_", text[:200_000], re.MULTILINE | re.IGNORECASE):
        for block in _own_block_first(read_blocks(path), model, path.name):
            adopt_data_settings(model, block, path.name)
            found = _from_block(block, model)
            if found:
                _warn_of_list(block, found, model)
                return replace(found, origin=f"{path.name} ({found.origin})")
        raise MissingItemsError(
            f"{path.name} holds no reflections.",
            why="It is a CIF without embedded hkl text and without reflection loops with s.u.",
            next="Attach the .hkl file of the data reduction.",
            items=["_shelx_hkl_file"],
        )
    return _from_text(text, path.name, model)


def _own_block_first(blocks: list[CifBlock], model: Model, file: str) -> list[CifBlock]:
    """The blocks of an attached CIF, the one that is named as the structure first; a warning where none of several is."""
    own = [block for block in blocks if block.name.lower() == model.title.lower()]
    candidates = [block.name for block in blocks if has_reflections(block.block)]
    if len(candidates) > 1 and not own:
        model.warn(
            f"{file} has reflections in {len(candidates)} blocks ({', '.join(candidates)}), none of which is named "
            f"{model.title}; those of {candidates[0]} are used."
        )
    return [*own, *(block for block in blocks if block not in own)]


def _warn_of_list(block: CifBlock, found: Found, model: Model) -> None:
    """LIST 4 of SHELXL has F² as measured; other lists have them corrected for what the refinement corrects again."""
    code = (block.text("_shelx_refln_list_code") or "4").strip()
    if found.text is None and code != "4":
        model.warn(
            f"The reflections are of LIST {code}: SHELXL has corrected them for twinning and f'', and averaged Friedel mates. "
            "Refine against the .hkl file, or against LIST 4."
        )


def _from_text(text: str, origin: str, model: Model, code: str = "") -> Found:
    """code: of `_shelx_hklf`, for a CIF without instructions."""
    hklf = model.settings.hklf or Hklf(int(code) if re.fullmatch(r"-?[1-6]", code) else 4)
    if abs(hklf.code) == 1:
        raise UserInputError(
            "HKLF 1 (condensed data of SHELX-76) is not supported.",
            where=origin,
            next="Write the reflections as HKLF 4.",
        )
    if hklf.code < 0:
        model.not_applied(
            f"HKLF {hklf.code} means reflections that follow in the instructions; those of {origin} are used instead."
        )
    listed = HklText.split(text)
    return Found(listed.rows(origin), origin, listed.up_to_end(), hklf, listed.rows_after_end())


def _from_block(block: CifBlock, model: Model) -> Found | None:
    text = block.text("_shelx_hkl_file", "_iucr_refine_reflections_details")
    if text:
        try:
            return _from_text(
                text, "embedded _shelx_hkl_file", model, (block.text("_shelx_hklf") or "").strip()
            )
        except UserInputError:
            # Other programs keep reflections of their own form in the item of the IUCr; loops may be there as well.
            loops = rows_of_loops(block, model)
            if loops is None:
                raise
            return Found(*loops)
    loops = rows_of_loops(block, model)
    return Found(*loops) if loops else None
