"""A subset of the checks a structure needs, in the manner of checkCIF: `validate(block)`.

Its notice states that it is a subset: the authoritative service is a web upload, and unpublished structures do not
leave the site without consent.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator

from qcrbox.analysis.validation import data_checks, model_checks, statement_checks, threshold_checks
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
        statement_checks.radiation,
        statement_checks.cell_and_system,
        statement_checks.formula_and_content,
        statement_checks.checksums,
        statement_checks.solvent_mask,
        statement_checks.reading_notes,
        threshold_checks.refinement_results,
        statement_checks.absolute_structure,
        model_checks.positive_definite,
        model_checks.adp_shape,
        model_checks.rigid_bond,
        model_checks.multiplicities,
        model_checks.occupancies,
        model_checks.neighbours,
        model_checks.precision_of_bonds,
        model_checks.carbon_bonds,
        model_checks.close_contacts,
        model_checks.missing_hydrogens,
        data_checks.merging,
    )
}


MOST_ALERTS = 100  # of one test; more than that are counted


def _shortened(found: Iterator[Alert]) -> list[Alert]:
    """The alerts of a check, with a count in place of those beyond the first hundred of a test and level."""
    kept: list[Alert] = []
    counts: Counter[tuple[str, str]] = Counter()
    for alert in found:
        counts[alert.test, alert.level] += 1
        if counts[alert.test, alert.level] <= MOST_ALERTS:
            kept.append(alert)
    for (test, level), count in counts.items():
        if count > MOST_ALERTS:
            kind = next(alert.type for alert in kept if alert.test == test)
            kept.append(Alert(test, level, kind, f"{count - MOST_ALERTS:,} more alerts of this kind."))
    return kept


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
            alerts += _shortened(check(block, structure))
        except QcError as error:
            not_run[name] = error.message
        else:
            run.append(name)
    alerts.sort(key=lambda alert: (LEVELS.index(alert.level), alert.type))
    return Validation(block.name, alerts, run, not_run)


__all__ = ["CHECKS", "LEVELS", "SUBSET_NOTICE", "TYPES", "Alert", "Validation", "validate"]
