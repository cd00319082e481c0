"""Two models side by side: figures of merit, shifts in units of s.u., both structures under one camera."""

from __future__ import annotations

import uuid
from typing import Any

from qcrbox.api.difference import Difference, difference
from qcrbox.api.stored_files import cif_of
from qcrbox.client.environment import is_notebook
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.radiation import density_unit_of
from qcrbox.markup import Table, figure_symbol, publish

# Label, items, and decimals as everywhere else.
_FIGURES = (
    ("R1", ("_refine_ls_R_factor_gt",), 4),
    ("wR2", ("_refine_ls_wR_factor_ref",), 4),
    ("S", ("_refine_ls_goodness_of_fit_ref",), 3),
    ("reflections", ("_refine_ls_number_reflns",), 0),
    ("parameters", ("_refine_ls_number_parameters",), 0),
    ("Δρ max", ("_refine_diff_density_max",), 2),
    ("Δρ min", ("_refine_diff_density_min",), 2),
    ("max shift/s.u.", ("_refine_ls_shift/su_max",), 3),
)


class Comparison:
    """`qc.compare(a, b)`: `.figures`, `.bonds_to_hydrogen`, `.difference`; shown with coupled views."""

    def __init__(self, *models: Any, su: float = 3.0, names: list[str] | None = None, **options: Any) -> None:
        if len(models) != 2:
            raise UserInputError(f"compare() takes two models; you gave {len(models)}.")
        self.models = models
        self.cifs = [cif_of(model) for model in models]
        if names is not None and (isinstance(names, str) or len(names) != 2):
            raise UserInputError(f"compare() takes two names; you gave {names!r}.")
        self.names = names or [name_of(model, cif) for model, cif in zip(models, self.cifs, strict=True)]
        self.difference: Difference = difference(*self.cifs, su=su)
        self._options = options

    @property
    def figures(self) -> Table:
        """R values, counts and residual density of both, and how they differ."""
        rows = []
        for label, tags, digits in _FIGURES:
            one, other = (cif.number(*tags) for cif in self.cifs)
            if one is None and other is None:
                continue
            if label.startswith("Δρ"):
                units = {density_unit_of(cif.block) for cif in self.cifs}
                label = f"{label} / {' and '.join(sorted(units))}"
            rows.append(
                (
                    figure_symbol(label),
                    *(_shown(x, digits) for x in (one, other)),
                    _change(one, other, digits),
                )
            )
        return Table(("", *self.names, "change"), rows, title="Figures")

    @property
    def bonds_to_hydrogen(self) -> Table:
        """X–H lengths of both models in Å."""
        tables = [_hydrogen_bond_lengths(cif) for cif in self.cifs]
        rows = [
            (pair, tables[0].get(pair, ""), tables[1].get(pair, "")) for pair in {**tables[0], **tables[1]}
        ]
        return Table(("bond", *self.names), rows, title="X–H / Å")

    def views(self) -> list[Any]:
        """Views of both structures; they turn together when the comparison shows them."""
        # Start-up time: widgets are loaded when something is shown.
        from qcrbox.widgets.structure_view import StructureView

        return [
            StructureView(cif.structure, title=name, **{"height": 360, **self._options})
            for cif, name in zip(self.cifs, self.names, strict=True)
        ]

    def __repr__(self) -> str:
        return f"{self.figures.text()}\n\n{self.difference!r}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        html = self.figures.html() + self.difference._repr_mimebundle_()["text/html"]
        return {"text/plain": repr(self), "text/html": html}

    def _ipython_display_(self) -> None:
        publish(self._repr_mimebundle_())
        if is_notebook():
            # Start-up time: widgets are loaded when something is shown.
            from qcrbox.widgets.structure_view.pair import show_pair

            show_pair(self.views(), uuid.uuid4().hex)


def name_of(model: Any, cif: Any) -> str:
    """A name that distinguishes the model: two calculations of one command share theirs, so the id is added."""
    name = str(getattr(model, "name", None) or cif.filename)
    return f"{name} ({model.short_id})" if hasattr(model, "short_id") else name


def _shown(value: float | None, digits: int) -> str:
    return "?" if value is None else f"{value:.{digits}f}"


def _change(one: float | None, other: float | None, digits: int) -> str:
    """Empty where it is not known, "0" where the written values are the same."""
    if one is None or other is None:
        return ""
    change = f"{round(other, digits) - round(one, digits):+.{digits}f}"
    return change if any(letter in "123456789" for letter in change) else "0"


def _hydrogen_bond_lengths(cif: Any) -> dict[str, str]:
    structure = cif.structure
    hydrogens = {
        label for label, is_h in zip(structure.sites.label, structure.sites.is_hydrogen, strict=True) if is_h
    }
    found: dict[str, list[str]] = {}
    for bond in structure.bonds():
        if (bond.label_1 in hydrogens) != (bond.label_2 in hydrogens):
            # Which atom comes first follows from the order of the file.
            ends = (bond.label_1, bond.label_2) if bond.label_2 in hydrogens else (bond.label_2, bond.label_1)
            found.setdefault("–".join(ends), []).append(str(bond.length))
    return {pair: ", ".join(sorted(lengths)) for pair, lengths in found.items()}
