"""Search for structures."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response
from qcrbox.contract import models
from qcrbox.contract.errors import UserInputError

from qcrbox_registry.api.dependencies import Caller, Mine, TheCore, ThePage
from qcrbox_registry.api.responses import success
from qcrbox_registry.services.reduced_cell import niggli
from qcrbox_registry.services.space_group_settings import settings_of
from qcrbox_registry.store.search import Cell, Wanted

router = APIRouter(prefix="/api", tags=["search"])
Text = Annotated[str | None, Query(max_length=500)]


async def wanted_words(text: Text = None, name: Text = None, tag: Text = None, owner: Text = None) -> Wanted:
    """Conditions on what people wrote."""
    return Wanted(text=text, name=name, tag=tag, owner=owner)


async def wanted_cell(
    cell: Annotated[str | None, Query(max_length=200, description="a,b,c,alpha,beta,gamma; Å and °")] = None,
    centring: Annotated[str, Query(pattern="^[PABCIFR]$", description="of the cell that is given")] = "P",
    tolerance: Annotated[float, Query(gt=0, le=0.5, description="of lengths, relative")] = 0.02,
    angle_tolerance: Annotated[float, Query(gt=0, le=20, description="°")] = 2.0,
) -> Cell | None:
    """The reduced cell (Niggli), with how far others may differ. Raises UserInputError for what is not a cell."""
    if cell is None:
        return None
    return Cell(
        *niggli(_numbers(cell), centring), length_tolerance=tolerance, angle_tolerance=angle_tolerance
    )


async def wanted_composition(
    formula: Text = None,
    elements: Annotated[str | None, Query(max_length=300, description="e.g. C,H,Fe: all of them")] = None,
    only_elements: Annotated[bool, Query(description="and no others")] = False,
) -> Wanted:
    """Conditions on the elements."""
    symbols = [symbol for symbol in (elements or "").replace(" ", ",").split(",") if symbol]
    return Wanted(formula=formula, elements=symbols, only_elements=only_elements)


async def wanted_structures(
    words: Annotated[Wanted, Depends(wanted_words)],
    composition: Annotated[Wanted, Depends(wanted_composition)],
    cell: Annotated[Cell | None, Depends(wanted_cell)],
    space_group: Annotated[str | None, Query(max_length=40, description="number or H-M symbol")] = None,
    r1_below: Annotated[float | None, Query(ge=0)] = None,
    r1_above: Annotated[float | None, Query(ge=0)] = None,
) -> Wanted:
    """The whole search."""
    return replace(
        words,
        formula=composition.formula,
        elements=composition.elements,
        only_elements=composition.only_elements,
        space_group=space_group,
        settings=settings_of(space_group or ""),
        cell=cell,
        r1_below=r1_below,
        r1_above=r1_above,
    )


@router.get("/search", response_model=models.Success[models.Datasets])
async def find(
    core: TheCore,
    actor: Caller,
    page: ThePage,
    wanted: Annotated[Wanted, Depends(wanted_structures)],
    mine: Mine = False,
) -> Response:
    """Datasets whose CIFs fit; everything that is given must hold. Cells are compared reduced (Niggli)."""
    return success(await core.datasets.search(actor, wanted, page, mine=mine))


def _numbers(text: str) -> tuple[float, ...]:
    try:
        numbers = tuple(float(part) for part in text.replace(" ", ",").split(",") if part)
    except ValueError:
        numbers = ()
    sound = (
        len(numbers) == 6 and all(0 < x < 1e4 for x in numbers[:3]) and all(0 < x < 180 for x in numbers[3:])
    )
    if not sound:
        raise UserInputError("cell must be a, b, c in Å and α, β, γ in °: six numbers, by comma.")
    return numbers
