"""A subset of the checks a structure needs, in the manner of checkCIF: `validate(block)`.

It says itself that it is a subset: the authoritative service is a web upload, and unpublished structures do not
leave the site without consent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from qcrbox.analysis.validation import data_checks, model_checks, statement_checks
from qcrbox.analysis.validation.alerts import LEVELS, SUBSET_NOTICE, TYPES, Alert, Validation
from qcrbox.cif.document import Block
from qcrbox.contract.errors import QcError
from qcrbox.crystallography.structure.structure import Structure

Check = Callable[[Block, Structure], Iterator[Alert]]
CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (
        statement_checks.missing_items,
        statement_checks.symmetry_statements,
        statement_checks.cell_and_system,
        statement_checks.formula_and_content,
        statement_checks.checksums,
        statement_checks.solvent_mask,
        statement_checks.reading_notes,
        statement_checks.refinement_results,
        statement_checks.absolute_structure,
        model_checks.positive_definite,
        model_checks.adp_shape,
        model_checks.rigid_bond,
        model_checks.occupancies,
        model_checks.neighbours,
        model_checks.precision_of_bonds,
        model_checks.close_contacts,
        model_checks.missing_hydrogens,
        data_checks.merging,
    )
}


def validate(block: Block) -> Validation:
    """Run every check on the structure of a block.

    A check that cannot run (no reflections, say) is listed with its reason. Raises MissingItemsError when the
    block has no structure at all.
    """
    structure = Structure.from_block(block)
    alerts: list[Alert] = []
    run: list[str] = []
    not_run: dict[str, str] = {}
    for name, check in CHECKS.items():
        try:
            alerts += list(check(block, structure))
        except QcError as error:
            not_run[name] = error.message
        else:
            run.append(name)
    alerts.sort(key=lambda alert: (LEVELS.index(alert.level), alert.type))
    return Validation(block.name, alerts, run, not_run)


__all__ = ["CHECKS", "LEVELS", "SUBSET_NOTICE", "TYPES", "Alert", "Validation", "validate"]
