"""Plots by which a model and its data are judged. Each is a picture with a sentence for those who cannot see it."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from qcrbox.contract.errors import MissingItemsError
from qcrbox.notebook import show
from qcrbox.notebook.history import Picture

if TYPE_CHECKING:
    from qcrbox.cif.quality import Quality
    from qcrbox.cif.reflections import Reflections
    from qcrbox.notebook.files import CifFile

_BLUE, _ORANGE, _GREEN, _GREY = "#0072B2", "#D55E00", "#009E73", "0.55"
_LABELLED = 8  # outliers named in a plot


class Plots:
    """`result.plots.fo_fc()` and its like. `cif` is the model, `fcf` (if any) the list of Fo² and Fc²."""

    def __init__(self, cif: CifFile, fcf: CifFile | None = None) -> None:
        self.cif, self.fcf = cif, fcf

    # ------------------------------------------------------------ data

    @cached_property
    def quality(self) -> Quality:
        """Indicators and resolution shells of the reflections in the CIF."""
        from qcrbox.cif.quality import quality_indicators

        return quality_indicators(self.cif.block)

    def indicators(self) -> show.Table:
        """Quality indicators, each with what it says."""
        rows = [
            (i.name, "–" if i.value is None else f"{i.value:.4g}", i.unit, i.note or i.meaning)
            for i in self.quality.indicators
        ]
        return show.Table(
            ("indicator", "value", "unit", "says"), rows, title=f"Data and model of {self.cif.filename}"
        )

    @cached_property
    def _model(self) -> Reflections:
        """Reflections with Fo², σ and Fc². Raises MissingItemsError when no file has them."""
        from qcrbox.cif.reflections import find_reflections

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
            f"{self.cif.filename} comes without calculated structure factors.",
            next="They are in the .fcf file that a refinement writes.",
            items=["_refln_F_squared_calc"],
        )

    @property
    def _calculated(self) -> Any:
        """Fc² of the reflections of `_model`."""
        return self._model.calculated

    @cached_property
    def _delta(self) -> Any:
        """√w (Fo² − Fc²) with the weights of the refinement; (Fo² − Fc²)/σ when the file does not give them."""
        from qcrbox.cif.reflections import shelx_weights

        model = self._model
        difference = model.intensity - self._calculated
        if self._scheme is None:
            return difference / model.sigma
        return difference * np.sqrt(
            shelx_weights(model.intensity, model.sigma, self._calculated, *self._scheme)
        )

    @cached_property
    def _scheme(self) -> tuple[float, float] | None:
        """a and b of w = 1/[σ²(Fo²) + (aP)² + bP], from the words of the CIF."""
        text = self.cif.block.text("_refine_ls_weighting_details") or ""
        plain = "".join(text.split())
        a = re.search(r"\((\d*\.\d+)P\)\^2\^", plain)
        if a is None:
            return None
        b = re.search(r"\+(\d*\.\d+)P[]\b]", plain)
        return float(a[1]), float(b[1]) if b else 0.0

    @property
    def _unit(self) -> str:
        return "Δ / σ" if self._scheme is None else "√w Δ"

    def outliers(self, n: int = 10) -> show.Table:
        """The reflections that fit worst, with the text that leaves them out (`omit=`)."""
        model, delta = self._model, self._delta
        rows = []
        for row in np.argsort(-np.abs(delta))[:n]:
            h, k, l = model.hkl[row].tolist()  # noqa: E741 - their names
            values = (f"{model.intensity[row]:.2f}", f"{self._calculated[row]:.2f}", f"{delta[row]:+.1f}")
            rows.append((f"{h} {k} {l}", *values, f"{h} {k} {l}"))
        return show.Table(
            ("h k l", "Fo²", "Fc²", self._unit, "omit"), rows, title="Worst fitting reflections"
        )

    # ------------------------------------------------------------ plots of the model

    def fo_fc(self) -> Picture:
        """Fo against Fc, both logarithmic; the worst reflections are named."""
        model, delta = self._model, self._delta
        fo, fc = (np.sqrt(np.clip(x, 0, None)) for x in (model.intensity, self._calculated))
        seen = (fo > 0) & (fc > 0)
        figure, axes = _figure()
        axes.plot(fc[seen], fo[seen], ".", ms=2.5, c=_BLUE, alpha=0.5, rasterized=True)
        ends = [float(fc[seen].min()), float(fc[seen].max())]
        axes.plot(ends, ends, "-", c=_GREY, lw=1)
        axes.set(xscale="log", yscale="log", xlabel="$F_c$", ylabel="$F_o$", title="Observed and calculated")
        worst = [row for row in np.argsort(-np.abs(delta)) if seen[row]][:_LABELLED]
        axes.plot(fc[worst], fo[worst], "o", mfc="none", c=_ORANGE)
        for row in worst:
            label = " ".join(str(i) for i in model.hkl[row])
            axes.annotate(label, (fc[row], fo[row]), xytext=(5, -3), textcoords="offset points", fontsize=7)
        apart = float(np.mean(np.abs(delta) > 3))
        return Picture(
            figure,
            f"Fo against Fc of {len(model)} reflections; {apart:.1%} differ by more than three times what is expected.",
        )

    def normal_probability(self) -> Picture:
        """Weighted differences, ranked, against what a normal distribution expects: a line of slope 1 at best."""
        delta = np.sort(self._delta)
        expected = _normal_quantiles((np.arange(len(delta)) + 0.5) / len(delta))
        middle = np.abs(expected) < 1.5
        slope, offset = np.polyfit(expected[middle], delta[middle], 1)
        figure, axes = _figure()
        axes.plot(expected, delta, ".", ms=2.5, c=_BLUE, rasterized=True)
        axes.plot(
            expected,
            slope * expected + offset,
            "-",
            c=_ORANGE,
            lw=1.2,
            label=f"slope {slope:.2f}, offset {offset:+.2f}",
        )
        axes.plot(expected, expected, ":", c=_GREY, lw=1.2, label="slope 1")
        axes.set(xlabel="expected", ylabel=f"{self._unit} of $F^2$", title="Normal probability")
        axes.legend(frameon=False)
        return Picture(
            figure, f"Normal probability plot: slope {slope:.2f}, offset {offset:+.2f} in the middle."
        )

    def variance(self, groups: int = 10) -> Picture:
        """Fo²/Fc² and the mean weighted square difference in groups of intensity and of resolution: level lines at best."""
        model, delta = self._model, self._delta
        structure_cell = self.cif.structure.cell
        by_strength = np.argsort(self._calculated)
        by_resolution = np.argsort(-structure_cell.d_spacing(model.hkl))
        figure, axes = _figure(columns=2)
        for place, (order, name) in enumerate(
            ((by_strength, "weak → strong"), (by_resolution, "low → high resolution"))
        ):
            parts = np.array_split(order, groups)
            ratio = [model.intensity[p].sum() / max(self._calculated[p].sum(), 1e-9) for p in parts]
            spread = [float(np.mean(delta[p] ** 2)) for p in parts]
            at = np.arange(1, groups + 1)
            axes[place].axhline(1, ls=":", c=_GREY, lw=1)
            axes[place].plot(at, ratio, "o-", ms=4, c=_BLUE, label="K = ΣFo²/ΣFc²")
            axes[place].plot(at, spread, "s-", ms=4, c=_ORANGE, label="⟨wΔ²⟩" if self._scheme else "⟨(Δ/σ)²⟩")
            axes[place].set(xlabel=f"groups, {name}")
            axes[place].legend(frameon=False)
        figure.suptitle("Analysis of variance")
        return Picture(figure, f"Analysis of variance in {groups} groups of intensity and of resolution.")

    # ------------------------------------------------------------ plots of the data

    def resolution(self) -> Picture:
        """Completeness, redundancy, ⟨I/σ⟩ and R(int) against resolution."""
        shells = self._shells()
        middle = np.array([(shell["d_max"] + shell["d_min"]) / 2 for shell in shells])
        s = 1 / (2 * middle)  # sin θ / λ
        figure, axes = _figure(columns=2)
        for ax, items in (
            (axes[0], (("completeness", "completeness", "o", _BLUE), ("r_int", "R(int)", "s", _ORANGE))),
            (
                axes[1],
                (("mean_i_over_sigma", "⟨I/σ⟩", "o", _BLUE), ("redundancy", "redundancy", "s", _GREEN)),
            ),
        ):
            for key, label, marker, colour in items:
                values = [np.nan if shell[key] is None else shell[key] for shell in shells]
                ax.plot(s, values, f"{marker}-", ms=4, c=colour, label=label)
            ax.set(xlabel=r"$\sin\theta/\lambda$ / Å$^{-1}$")
            ax.legend(frameon=False)
            upper = ax.secondary_xaxis("top", functions=(_s_to_d, _d_to_s))
            upper.set_xlabel("$d$ / Å")
            upper.set_xticks(
                [d for d in (3, 2, 1.5, 1.2, 1, 0.9, 0.8, 0.7, 0.6) if s.min() <= 1 / (2 * d) <= s.max()]
            )
        axes[0].set_ylim(0, 1.05)
        axes[1].set_ylim(0, None)
        return Picture(
            figure,
            f"{len(shells)} resolution shells from {shells[0]['d_max']:.2f} to {shells[-1]['d_min']:.2f} Å.",
        )

    def wilson(self) -> Picture:
        """The Wilson plot with its line, and ⟨|E²−1|⟩ beside what centrosymmetric structures have."""
        from qcrbox.cif.reflections import find_reflections, merging_statistics
        from qcrbox.cif.reflections import wilson as wilson_statistics

        structure = self.cif.structure
        merged = merging_statistics(
            find_reflections(self.cif.block), structure.cell, structure.space_group
        ).merged
        plot = wilson_statistics(merged, structure.cell, structure.space_group, structure.cell_content)
        figure, axes = _figure()
        axes.plot(plot.s_squared, plot.log_ratio, "o", ms=4, c=_BLUE)
        slope, offset = np.polyfit(plot.s_squared, plot.log_ratio, 1)
        axes.plot(plot.s_squared, slope * plot.s_squared + offset, "-", c=_ORANGE, lw=1.2)
        axes.set(
            xlabel=r"$(\sin\theta/\lambda)^2$ / Å$^{-2}$",
            ylabel=r"$\ln(\langle I\rangle/\Sigma f^2)$",
            title="Wilson plot",
        )
        said = f"B = {plot.b:.2f} Å², ⟨|E²−1|⟩ = {plot.mean_e2_1:.3f} (0.968 centrosymmetric, 0.736 not)"
        axes.annotate(said, (0.97, 0.95), xycoords="axes fraction", ha="right", va="top", fontsize=8)
        return Picture(figure, f"Wilson plot: {said}.")

    def _shells(self) -> list[dict[str, Any]]:
        shells = self.quality.shells
        if not shells:
            reason = next((i.note for i in self.quality.indicators if i.note), "")
            raise MissingItemsError(
                f"{self.cif.filename} has no unmerged reflections.", why=reason, items=["reflections"]
            )
        return shells

    def __repr__(self) -> str:
        return f"<Plots of {self.cif.filename}: fo_fc, normal_probability, variance, resolution, wilson>"


def _figure(columns: int = 1) -> tuple[Any, Any]:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.4 if columns == 2 else 4.8, 3.4), layout="constrained")
    axes = figure.subplots(1, columns)
    for ax in np.atleast_1d(axes):
        ax.spines["right"].set_visible(False)
        ax.spines["top"].set_visible(columns == 2)
    return figure, axes


def _s_to_d(s: Any) -> Any:
    return 1 / (2 * np.maximum(s, 1e-6))


def _d_to_s(d: Any) -> Any:
    return 1 / (2 * np.maximum(d, 1e-6))


def _normal_quantiles(p: Any) -> Any:
    from statistics import NormalDist

    inverse = NormalDist().inv_cdf
    return np.array([inverse(one) for one in p])
