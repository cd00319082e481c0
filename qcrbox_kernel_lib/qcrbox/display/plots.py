"""Plots to judge a model and its data, each with a sentence for screen readers."""

from __future__ import annotations

from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from qcrbox.analysis.density import maps
from qcrbox.analysis.quality import quality_indicators
from qcrbox.client.metrics import FIGURES, figure_text
from qcrbox.contract.errors import MissingItemsError, UserInputError
from qcrbox.crystallography.reflections import find_reflections, merging_statistics, shelx_weights
from qcrbox.crystallography.reflections import wilson as wilson_statistics
from qcrbox.crystallography.shelx.refinement_texts import Weights, parse_details
from qcrbox.display.cif_model import CifModel
from qcrbox.display.data_plots import intensity_distribution, layer, parity
from qcrbox.language import counted, minus
from qcrbox.markup import Table
from qcrbox.widgets.chart import BLUE, GREEN, GREY, ORANGE, Axis, Chart, Panel, Picture, Series

if TYPE_CHECKING:
    from qcrbox.analysis.quality import Quality
    from qcrbox.crystallography.reflections import Reflections
    from qcrbox.crystallography.reflections.merging import Merged

_FEWEST = 10  # reflections for a line through them that says something
_LABELLED = 8  # outliers named in a plot
_D_TICKS = (3, 2, 1.5, 1.2, 1, 0.9, 0.8, 0.7, 0.6)  # Å


class Plots:
    """Plots of one model: `cif` holds the model, `fcf` (optional) the list of Fo² and Fc²."""

    def __init__(self, cif: CifModel, fcf: CifModel | None = None) -> None:
        self.cif, self.fcf = cif, fcf

    # ------------------------------------------------------------ data

    @cached_property
    def quality(self) -> Quality:
        """Indicators and resolution shells of the reflections in the CIF."""
        return quality_indicators(self.cif.block)

    def indicators(self) -> Table:
        """Quality indicators, each with its meaning."""
        rows = [
            (FIGURES[i.name].label, figure_text(i.name, i.value), i.unit, i.note or i.meaning, i.name)
            for i in self.quality.indicators
        ]
        return Table(
            ("figure", "value", "unit", "meaning", "in Python"),
            rows,
            title=f"Data and model of {self.cif.filename}",
        )

    @property
    def model(self) -> Reflections:
        """Reflections with Fo², σ and Fc². Raises MissingItemsError when no file has them."""
        return self._model

    @cached_property
    def _model(self) -> Reflections:
        """Reflections with Fo², σ and Fc². Raises MissingItemsError when no file has them."""
        for file in (self.fcf, self.cif):
            if file is None:
                continue
            block = next((b for b in file.document.blocks if b.loop("_refln") is not None), None)
            if block is None:
                continue
            found = find_reflections(block, prefer="loop").as_f_squared()
            if found.calculated is not None:
                good = np.isfinite(found.calculated) & np.isfinite(found.intensity) & (found.sigma > 0)
                return found.select(good)
        raise MissingItemsError(
            f"{self.cif.filename} contains no calculated structure factors.",
            next="They are in the .fcf file that a refinement writes.",
            items=["_refln_F_squared_calc"],
        )

    def difference_density(self) -> maps.DensityMap:
        """Fo − Fc over one cell: from the terms that the refinement kept, as of twins, else from Fo² and Fc².

        Raises MissingItemsError when no file has either.
        """
        for block in self.fcf.document.blocks if self.fcf else ():
            kept = maps.kept_difference_density(self.cif.structure, block)
            if kept is not None:
                return kept
        return maps.difference_density(self.cif.structure, self.model)

    @property
    def _calculated(self) -> Any:
        """Fc² of the reflections of `_model`."""
        return self._model.calculated

    @cached_property
    def _delta(self) -> Any:
        """√w (Fo² − Fc²) with the weights of the refinement; (Fo² − Fc²)/σ when the file does not give them."""
        model = self._model
        difference = model.intensity - self._calculated
        if self._scheme is None:
            return difference / model.sigma
        return difference * np.sqrt(
            shelx_weights(model.intensity, model.sigma, self._calculated, self._scheme, self._stol_squared)
        )

    @property
    def _stol_squared(self) -> Any:
        """(sin θ/λ)² of the reflections of `_model`, Å⁻²."""
        return 1 / (4 * self.cif.structure.cell.d_spacing(self._model.hkl) ** 2)

    @cached_property
    def _scheme(self) -> Weights | None:
        """The numbers of SHELXL's scheme from `_refine_ls_weighting_details`; None for any other, and for unit weights."""
        return parse_details(self.cif.block.text("_refine_ls_weighting_details")) or None  # type: ignore[return-value]

    @property
    def _unit(self) -> str:
        return "Δ / σ" if self._scheme is None else "√w Δ"

    def outliers(self, n: int = 10) -> Table:
        """The worst-fitting reflections, with the text that omits them (`omit=`)."""
        model, delta = self._model, self._delta
        rows = []
        for row in np.argsort(-np.abs(delta))[:n]:
            h, k, l = model.hkl[row].tolist()  # noqa: E741 - their names
            values = (f"{model.intensity[row]:.2f}", f"{self._calculated[row]:.2f}", f"{delta[row]:+.1f}")
            rows.append((f"{h} {k} {l}", *values, f"{h} {k} {l}"))
        return Table(("h k l", "Fo²", "Fc²", self._unit, "omit"), rows, title="Worst fitting reflections")

    # ------------------------------------------------------------ plots of the model

    def fo_fc(self) -> Picture:
        """Fo against Fc, both logarithmic; the pointer names reflections, a click collects them for `omit=`."""
        model, delta = self._model, self._delta
        fo, fc = (np.sqrt(np.clip(x, 0, None)) for x in (model.intensity, self._calculated))
        seen = np.flatnonzero((fo > 0) & (fc > 0))
        if not len(seen):
            raise MissingItemsError(
                f"No reflection of {self.cif.filename} has both Fo² and Fc² above 0.",
                why="Both axes are logarithmic.",
                items=["_refln_F_squared_meas", "_refln_F_squared_calc"],
            )
        names = [" ".join(map(str, hkl)) for hkl in model.hkl.tolist()]
        ends = [float(fc[seen].min()), float(fc[seen].max())]
        worst = seen[np.argsort(-np.abs(delta[seen]))][:_LABELLED]
        series = [
            Series(ends, ends, "", "line", GREY),
            Series(fc[seen], fo[seen], "", labels=[names[row] for row in seen]),
            Series(
                fc[worst],
                fo[worst],
                "",
                colour=ORANGE,
                marker="o",
                ring=True,
                labels=[names[r] for r in worst],
            ),
        ]
        panel = Panel(Axis("Fc", log=True), Axis("Fo", log=True), series, title="Observed and calculated")
        apart = float(np.mean(np.abs(delta) > 3))
        return Picture.of(
            Chart([panel], picks="omit"),
            f"Fo against Fc of {len(model)} reflections; {apart:.1%} differ by more than three times what is expected.",
        )

    def normal_probability(self) -> Picture:
        """Ranked weighted differences against the quantiles of a normal distribution; ideally a line of slope 1."""
        if len(self._model) < _FEWEST:
            raise UserInputError(f"{len(self._model)} reflections are too few for a normal probability plot.")
        order = np.argsort(self._delta)
        delta = self._delta[order]
        names = [" ".join(map(str, hkl)) for hkl in self._model.hkl[order].tolist()]
        expected = _normal_quantiles((np.arange(len(delta)) + 0.5) / len(delta))
        middle = np.abs(expected) < 1.5
        slope, offset = np.polyfit(expected[middle], delta[middle], 1)
        ends = expected[[0, -1]]
        words = f"slope {slope:.2f}, offset {offset:+.2f}"
        series = [
            Series(ends, ends, "slope 1", "line", GREY, dashed=True),
            Series(expected, delta, labels=names),
            Series(ends, slope * ends + offset, minus(words), "line", ORANGE),
        ]
        panel = Panel(Axis("expected"), Axis(f"{self._unit} of F²"), series, title="Normal probability")
        return Picture.of(
            Chart([panel], picks="omit"),
            f"Normal probability plot: {minus(words)} in the middle.",
        )

    def variance(self, groups: int = 10) -> Picture:
        """Fo²/Fc² and the mean weighted square difference in groups of intensity and of resolution; ideally level lines."""
        if not isinstance(groups, int) or groups < 1:
            raise UserInputError(f"groups must be a whole number above 0; you gave {groups!r}.")
        model, delta = self._model, self._delta
        groups = max(1, min(groups, len(model)))
        by_strength = np.argsort(self._calculated)
        by_resolution = np.argsort(-self.cif.structure.cell.d_spacing(model.hkl))
        spread_name = "⟨wΔ²⟩" if self._scheme else "⟨(Δ/σ)²⟩"
        panels = []
        for order, name in ((by_strength, "weak → strong"), (by_resolution, "low → high resolution")):
            parts = np.array_split(order, groups)
            ratio = [model.intensity[p].sum() / max(self._calculated[p].sum(), 1e-9) for p in parts]
            spread = [float(np.mean(delta[p] ** 2)) for p in parts]
            at = np.arange(1, groups + 1)
            series = [
                Series(at, ratio, "K = ΣFo²/ΣFc²", "both", BLUE, "o"),
                Series(at, spread, spread_name, "both", ORANGE, "s"),
            ]
            panels.append(Panel(Axis(f"groups, {name}"), Axis(""), series, levels=[(1.0, "")]))
        return Picture.of(
            Chart(panels),
            f"Analysis of variance in {counted(groups, 'group')} of intensity and of resolution.",
        )

    # ------------------------------------------------------------ plots of the data

    def resolution(self) -> Picture:
        """Completeness, redundancy, ⟨I/σ⟩ and R(int) against resolution."""
        shells = self._shells()
        middle = np.array([(shell["d_max"] + shell["d_min"]) / 2 for shell in shells])
        s = 1 / (2 * middle)  # sin θ / λ
        top = Axis(
            "d / Å", ticks=[(1 / (2 * d), f"{d:g}") for d in _D_TICKS if s.min() <= 1 / (2 * d) <= s.max()]
        )
        panels = []
        for items, high in (
            ((("completeness", "completeness", "o", BLUE), ("r_int", "R(int)", "s", ORANGE)), 1.05),
            ((("mean_i_over_sigma", "⟨I/σ⟩", "o", BLUE), ("redundancy", "redundancy", "s", GREEN)), None),
        ):
            series = [
                Series(s, [shell[key] for shell in shells], label, "both", colour, marker)
                for key, label, marker, colour in items
            ]
            panels.append(Panel(Axis("sin θ/λ / Å⁻¹"), Axis("", low=0, high=high), series, top=top))
        return Picture.of(
            Chart(panels),
            f"{len(shells)} resolution shells from {shells[0]['d_max']:.2f} to {shells[-1]['d_min']:.2f} Å.",
        )

    def wilson(self) -> Picture:
        """The Wilson plot with its fitted line, and ⟨|E²−1|⟩ beside the values of both theoretical cases."""
        structure = self.cif.structure
        plot = wilson_statistics(self._merged, structure.cell, structure.space_group, structure.cell_content)
        slope, offset = np.polyfit(plot.s_squared, plot.log_ratio, 1)
        summary = (
            minus(f"B = {plot.b:.2f} Å²")
            + f", ⟨|E²−1|⟩ = {plot.mean_e2_1:.3f} (0.968 centrosymmetric, 0.736 not)"
        )
        series = [
            Series(plot.s_squared, plot.log_ratio, "shells", "points", BLUE, "o"),
            Series(
                plot.s_squared, slope * plot.s_squared + offset, minus(f"B = {plot.b:.2f} Å²"), "line", ORANGE
            ),
        ]
        panel = Panel(Axis("(sin θ/λ)² / Å⁻²"), Axis("ln(⟨I⟩/Σf²)"), series, title="Wilson plot")
        return Picture.of(Chart([panel]), f"Wilson plot: {summary}.")

    def intensity_distribution(self) -> Picture:
        """⟨|E²−1|⟩ by resolution and the distribution of E², both beside the two theoretical cases."""
        return intensity_distribution(self)

    def parity(self) -> Picture:
        """⟨I/σ⟩ of the eight parity classes of h k l: a weak class indicates centring or a superstructure."""
        return parity(self)

    def layer(self, name: str = "hk0") -> Picture:
        """A layer of the reciprocal lattice, such as "hk0", "h1l" or "-2kl": strong reflections large."""
        return layer(self, name)

    @cached_property
    def _merged(self) -> Merged:
        structure = self.cif.structure
        found = find_reflections(self.cif.block)
        return merging_statistics(found, structure.cell, structure.space_group).merged

    def _shells(self) -> list[dict[str, Any]]:
        shells = self.quality.shells
        if not shells:
            reason = next((i.note for i in self.quality.indicators if i.note), "")
            raise MissingItemsError(
                f"{self.cif.filename} has no unmerged reflections.", why=reason, items=["reflections"]
            )
        return shells

    def __repr__(self) -> str:
        return (
            f"<Plots of {self.cif.filename}: fo_fc, normal_probability, variance, resolution, wilson, "
            "intensity_distribution, parity, layer>"
        )


def _normal_quantiles(p: Any) -> Any:
    inverse = NormalDist().inv_cdf
    return np.array([inverse(probability) for probability in p])
