"""What a file or the user says about twins, batches, extinction and solvent, made ready for the least squares."""

from __future__ import annotations

import numpy as np
from cctbx import sgtbx
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.model_items import VOIDS, first_item
from qcrbox.crystallography.shelx.refinement_texts import is_shelx_extinction

from qcrbox_refine.extinction import Extinction
from qcrbox_refine.intensities import Corrections
from qcrbox_refine.model import Model
from qcrbox_refine.reflections import Reflections
from qcrbox_refine.shelx_settings import ShelxSettings
from qcrbox_refine.solvent_mask import BulkSolvent, SolventMask, parse_fab
from qcrbox_refine.twinning import Domains, merohedral_components, twin_laws

EXTINCTION_CHOICES = ("keep", "refine", "none")


def extinction_choice(value: str | bool) -> str:
    """`keep`, `refine` or `none`; True and False of older calls mean the last two."""
    if isinstance(value, bool):
        return "refine" if value else "none"
    return {"true": "refine", "false": "none"}.get(value.strip().lower(), value.strip().lower())


def prepare_corrections(
    model: Model, data: Reflections, extinction: str = "keep", fab: str | None = None
) -> Corrections:
    """Corrections that the model's file requests; the components of `data` become those of a merohedral twin.

    extinction: `keep` (as the file does), `refine` or `none`; fab: text of a .fab file, else the one in the CIF. Raises
    UserInputError for what contradicts itself: TWIN with overlapped data, a law that is a symmetry of the crystal, ABIN
    without its file.
    """
    return Corrections(
        domains=_domains(model, data),
        extinction=_extinction(model, extinction),
        solvent=_solvent(model),
        mask=_mask(model, fab),
    )


# g of SWAT to begin with where the input says 0: there U has no influence, and nothing would determine it.
_FIRST_SOLVENT = 0.05


def _solvent(model: Model) -> BulkSolvent | None:
    if model.settings.solvent is None:
        return None
    g, u = model.settings.solvent
    return BulkSolvent(g or _FIRST_SOLVENT, u)


def _domains(model: Model, data: Reflections) -> Domains:
    settings = model.settings
    if settings.twin is not None and data.grouped:
        raise UserInputError(
            "TWIN cannot be combined with overlapped reflections (HKLF 5).",
            where=data.origin,
            next="Delete the TWIN instruction, or write the data as HKLF 4.",
        )
    if settings.twin is not None:
        return _merohedral(model, data)
    if data.grouped:
        return _listed(settings, model, int(data.components.domain.max()) + 1, data.origin)
    if data.batches is not None:
        data.components.domain = data.batches - 1
        count = int(data.batches.max())
        domains = _listed(settings, model, count, data.origin)
        domains.kind = "batch"
        model.note(f"{count} batches of reflections with scale factors of their own (BASF).")
        return domains
    if settings.basf:
        model.not_applied("BASF is not applied: the data have neither batch numbers nor a TWIN instruction.")
    individuals = model.source.column("_twin_individual_id") if model.source else None
    if individuals and len(individuals) > 1:
        model.warn(
            f"The file describes {len(individuals)} twin individuals, and neither a TWIN instruction nor overlapped data "
            "(HKLF 5): the twin is not applied."
        )
    return Domains()


def _merohedral(model: Model, data: Reflections) -> Domains:
    settings = model.settings
    twin = settings.twin
    laws = twin_laws(twin.matrix, twin.n)
    _require_laws_beyond_symmetry(laws, model.symmetry.space_group())
    data.components, missed = merohedral_components(data.components.indices, laws)
    if missed:
        model.warn(
            f"{missed} indices of twin components are not whole numbers under the law of TWIN; no reflection of that "
            "domain was taken there."
        )
    n = len(laws)
    if not settings.basf:
        model.note(f"TWIN without BASF: {n} domains with equal fixed shares.")
        return Domains("twin", [1.0 / n] * (n - 1), [False] * (n - 1))
    domains = _listed(settings, model, n, "TWIN")
    domains.inversion = n == 2 and np.allclose(laws[1], -np.eye(3))
    return domains


def _require_laws_beyond_symmetry(laws: list[np.ndarray], group: sgtbx.space_group) -> None:
    """A domain related by a symmetry of the crystal scatters as the first: its share cannot be determined."""
    rotations = [
        np.array(operation.r().as_double()).reshape(3, 3) for operation in group.build_derived_point_group()
    ]
    for number, law in enumerate(laws[1:], start=2):
        # Indices transform with the transposed rotation.
        if any(np.allclose(law, rotation.T, atol=1e-4) for rotation in rotations):
            raise UserInputError(
                f"the twin law of domain {number} is a symmetry of {sgtbx.space_group_info(group=group)}.",
                where="TWIN",
                why="The intensities of this domain are those of the first one, whatever its share is.",
                next="Delete TWIN and BASF, or correct the matrix.",
            )


def _listed(settings: ShelxSettings, model: Model, count: int, origin: str) -> Domains:
    """Shares of `count` domains: those of BASF, equal refined ones where it has too few."""
    given = settings.basf[: count - 1]
    fractions = [fraction.value for fraction in given]
    refined = [not fraction.fixed for fraction in given]
    missing = count - 1 - len(given)
    if missing > 0:
        model.note(f"{origin}: BASF gives {len(given)} shares of {count} domains; the others begin equal.")
        rest = (1.0 - sum(fractions)) / (missing + 1)
        fractions += [rest] * missing
        refined += [True] * missing
    if len(settings.basf) > count - 1:
        model.not_applied(
            f"BASF has {len(settings.basf)} numbers; {count} domains need {count - 1}, the rest is not applied."
        )
    return Domains("twin", fractions, refined) if count > 1 else Domains()


def _extinction(model: Model, choice: str) -> Extinction | None:
    if choice not in EXTINCTION_CHOICES:
        raise UserInputError(
            f"extinction must be one of {', '.join(EXTINCTION_CHOICES)}; you gave {choice!r}.",
            where="extinction",
        )
    coefficient = model.settings.extinction
    source = model.source
    if coefficient is None and source is not None:
        stated = source.number("_refine_ls_extinction_coef")
        method = source.text("_refine_ls_extinction_method")
        expression = source.text("_refine_ls_extinction_expression")
        if stated is not None and is_shelx_extinction(method, expression):
            coefficient = stated[0]
        elif stated is not None and choice == "keep":
            model.not_applied(
                f"The extinction correction of the file ({(method or expression or '').strip()}) is not applied: only "
                'SHELXL\'s is known here; extinction="refine" refines that.'
            )
    if choice == "none":
        if coefficient:
            model.note("The extinction correction of the file is left out, as asked.")
        return None
    if choice == "keep" and coefficient is None:
        return None
    return Extinction(coefficient or 0.0)


def _mask(model: Model, fab: str | None) -> SolventMask | None:
    settings, source = model.settings, model.source
    own = source.text("_shelx_fab_file") if source else None
    has_instructions = source is not None and source.text("_shelx_res_file") is not None
    text, origin = (fab, "the .fab file") if fab else (own, "_shelx_fab_file")
    if settings.fab is None and not fab and (text is None or has_instructions):
        if text is not None:
            model.not_applied("The .fab file in the CIF is not applied: its instructions have no ABIN.")
        elif source and (found := first_item(source.block, VOIDS)):
            model.warn(
                f"The file describes a solvent mask ({found}) and has no .fab file: no mask is applied. That is right only "
                "for reflections from which the solvent was subtracted."
            )
        return None
    if not text:
        raise UserInputError(
            "ABIN needs a solvent mask, but none is given.",
            where="ABIN",
            why="The partial structure factors stand in a file name.fab, or in _shelx_fab_file of a CIF.",
            next="Attach the .fab file and give it as mask=…, or delete ABIN to refine without a mask.",
        )
    without_abin = (
        ", although the instructions have no ABIN" if model.from_shelx and settings.fab is None else ""
    )
    model.note(f"A solvent mask is applied: partial structure factors of {origin}{without_abin}.")
    mask = SolventMask(parse_fab(text, model.symmetry.space_group(), origin), text=text)
    for name, written in zip(("scale", "u"), settings.fab or (0.0, 0.0), strict=True):
        if written:
            number = _variable_of_mask(model, written)
            setattr(mask, name, model.variables[number - 1])
            mask.refined, mask.variables = (*mask.refined, name), (*mask.variables, number)
    return mask


def _variable_of_mask(model: Model, written: float) -> int:
    """The number of a free variable that ABIN names. Raises UserInputError where FVAR lacks it or atoms use it."""
    number = round(written)
    problem = ""
    if not 2 <= number <= len(model.variables):
        problem = f"free variable {number} is used, but FVAR has {len(model.variables)}."
    elif any(
        coding.variable == number
        for atom in model.atoms
        for coding in (*atom.site_coding, atom.occupancy_coding, *atom.u_coding)
    ):
        problem = f"free variable {number} is used by ABIN and by atoms."
    if problem:
        raise UserInputError(
            problem,
            where="ABIN",
            why="Scale and U of the mask are free variables of their own here.",
            next="Give them their own start values at the end of FVAR (1 for the scale, 0 for U).",
        )
    return number
