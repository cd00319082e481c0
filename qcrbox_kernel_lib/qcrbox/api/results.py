"""The result of a calculation: its CIF, figures of merit, history and files."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api.stored import Stored
from qcrbox.api.stored_crystal import StoredCrystal
from qcrbox.api.stored_files import CifFile, DataFile, cif_of
from qcrbox.client.metrics import figure_label, figure_text
from qcrbox.contract.errors import CifError, NotFound, QcError, UserInputError
from qcrbox.display.history import History
from qcrbox.display.status_text import title_text
from qcrbox.display.summary import result_html
from qcrbox.markup import Text
from qcrbox.markup.said import Said, said_text

if TYPE_CHECKING:
    from qcrbox.analysis.density.cube import Cube
    from qcrbox.api.calculations import Calculation
    from qcrbox.api.checking import Checked
    from qcrbox.api.datasets import Dataset
    from qcrbox.api.densities import DensityMap
    from qcrbox.api.publishing import Publication
    from qcrbox.display.plots import Plots


class Result(StoredCrystal):
    """The result of a successful calculation."""

    def __init__(self, calculation: Calculation) -> None:
        self.calculation = calculation
        self.box = calculation.box
        self._dataset: Dataset | None = None

    @property
    def dataset(self) -> Dataset:
        """The output dataset. Raises NotFound when the command gives no files."""
        if self._dataset is None:
            dataset_id = self.calculation.record.get("output_dataset_id")
            if not dataset_id:
                raise NotFound(
                    f"{self.calculation.name} gave no files.", next="See .log for what it printed."
                )
            self._dataset = self.box.datasets.by_id(str(dataset_id))
        return self._dataset

    @property
    def files(self) -> dict[str, DataFile]:
        """Every output by file name, the primary one first."""
        return self.dataset.files if self.calculation.record.get("output_dataset_id") else {}

    @property
    def file(self) -> DataFile:
        """The primary output."""
        files = list(self.files.values())
        if not files:
            raise NotFound(f"{self.calculation.name} gave no files.")
        return files[0]

    @property
    def cif(self) -> CifFile:
        """The output CIF. Raises UserInputError when there is none."""
        for file in self.files.values():
            if isinstance(file, CifFile) and file.filename.lower().endswith(".cif"):
                return file
        raise UserInputError(
            f"{self.calculation.name} gave no CIF.", why=f"Its files: {', '.join(self.files) or 'none'}."
        )

    def __getitem__(self, name: str) -> Any:
        """An item of the output CIF: `result["_refine_ls_R_factor_gt"]`."""
        return self.cif[name]

    def _ipython_key_completions_(self) -> list[str]:
        return self.cif.item_names

    @property
    def R1(self) -> float | None:
        """R1 of the observed reflections, as the CIF states it."""
        return self._number("_refine_ls_R_factor_gt", metric="R1")

    @property
    def wR2(self) -> float | None:
        """wR2 of all reflections, as the CIF states it."""
        return self._number("_refine_ls_wR_factor_ref", metric="wR2")

    @property
    def goof(self) -> float | None:
        """Goodness of fit S, as the CIF states it."""
        return self._number("_refine_ls_goodness_of_fit_ref", metric="S")

    @property
    def shift_su(self) -> float | None:
        """The largest shift over s.u. of the last cycle."""
        return self._number("_refine_ls_shift/su_max", metric="max_shift_su")

    @property
    def R1_before(self) -> float | None:
        """R1 of the model before the first cycle, where the program reported it."""
        return self.history.first("R1")

    def _number(self, *names: str, metric: str) -> float | None:
        if any(file.filename.lower().endswith(".cif") for file in self.files.values()):
            # Several blocks, or a damaged file: what the program reported is known all the same.
            with contextlib.suppress(CifError):
                found = self.cif.number(*names)
                if found is not None:
                    return found
        return self.history.last(metric)

    @property
    def history(self) -> History:
        """The metrics of every cycle; `.plot()` draws them."""
        return History(self.calculation._live.history, self.title)

    @property
    def plots(self) -> Plots:
        """Plots of model and data: `.fo_fc()`, `.normal_probability()`, `.variance()`, `.resolution()`, `.wilson()`."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.display.plots import Plots

        fcf = [
            f for f in self.files.values() if isinstance(f, CifFile) and f.filename.lower().endswith(".fcf")
        ]
        return Plots(self.cif, fcf[0] if fcf else None)

    @property
    def warnings(self) -> list[str]:
        """Warnings of the program and the conversion, for example that it has not converged."""
        found = list(self.calculation._live.warnings)
        if self.history.last("converged") == 0 and not any("converge" in warning for warning in found):
            shift = f": max shift/s.u. {self.shift_su:.2f}" if self.shift_su is not None else ""
            plain = f'Finished, but not converged{shift}. Result kept, marked "not converged".'
            found.append(self._programs_word("Finished, but not converged") or plain)
        return found

    @property
    def notes(self) -> list[str]:
        """What the program assumed or did, for information."""
        return list(self.calculation._live.notes)

    @property
    def not_applied(self) -> list[str]:
        """What of the input, or of the options, the result does without, and why."""
        return list(self.calculation._live.not_applied)

    def _said(self) -> Said:
        return Said(self.warnings, self.not_applied, self.notes)

    def _programs_word(self, beginning: str) -> str:
        """The line of `_refine_special_details` that begins with this text; it names the parameter."""
        try:
            remarks = self.cif.block.text("_refine_special_details") or ""
        except QcError:
            return ""
        return next((line.strip() for line in remarks.splitlines() if line.strip().startswith(beginning)), "")

    @property
    def log(self) -> Text:
        """The whole log of the program."""
        return self.calculation.log

    @property
    def lineage(self) -> Any:
        """What it was made from and what was made from it."""
        return self.box.lineage_of(self)

    @property
    def title(self) -> str:
        """The title of the calculation; set it to rename the result everywhere."""
        return self.calculation.title

    @title.setter
    def title(self, title: str) -> None:
        self.calculation.title = title
        self._dataset = None

    @property
    def short_id(self) -> str:
        """The end of the calculation's id, which distinguishes results with the same title."""
        return self.calculation.short_id

    @property
    def name(self) -> str:
        """The title."""
        return self.title

    def view(self, *, density: bool | float | str = False, at: float | None = None, **options: Any) -> Any:
        """The refined structure, drawn. Options of qc.StructureView.

        density: True adds Fo − Fc at ±3σ, a number at that many σ; the name of a cube file of this result, such as
        "deformation" or "residual", adds that. at: level in e/Å³ instead.
        """
        view = self.cif.view(**options)
        if isinstance(density, str):
            # Start-up time: numpy is loaded when a density is asked for.
            from qcrbox.api.cubes import SHOWN_AT, SHOWN_AT_OTHERWISE

            level = SHOWN_AT.get(density, SHOWN_AT_OTHERWISE) if at is None else at
            view.show_density(self.cube(density), at=level)
        elif at is not None:
            view.show_density(self.difference_density(), at=at)
        elif density is not False:
            view.show_density(self.difference_density(), 3.0 if density is True else float(density))
        return view

    def cube(self, name: str) -> Cube:
        """A cube file of this result by its name, in e/Å³. Raises NotFound naming those there are."""
        # Start-up time: numpy is loaded when a density is asked for.
        from qcrbox.api.cubes import cube_of

        return cube_of(self.files, name)

    def difference_density(self) -> DensityMap:
        """Fo − Fc in e/Å³ over one cell. Raises MissingItemsError when no file has both."""
        # Start-up time: numpy, gemmi and widgets are loaded when a density is asked for.
        from qcrbox.api.densities import difference_density

        return difference_density(self.plots)

    def report(self, path: str | None = None, models: Any = None) -> Any:
        """Table 1 of this model, or of `models` (one or a list); written as docx, tex, csv or html by the end of `path`."""
        # Start-up time: reports, plots and numpy are loaded when they are asked for.
        from qcrbox.api.comparison import name_of
        from qcrbox.display.report import Report

        chosen = [self] if models is None else [models] if isinstance(models, Stored) else list(models)
        cifs = [cif_of(model) for model in chosen]
        report = Report(cifs, [name_of(model, cif) for model, cif in zip(chosen, cifs, strict=True)])
        return report if path is None else report.save(path)

    def validate(self) -> Checked:
        """Local checks of the output CIF, as `cif.validate()`."""
        return self.cif.validate()

    def export(self, path: str | Path, *, embed: str | Sequence[str] = (), unified: bool = False) -> Path:
        """Write the CIF for journals and other programs: the author's names, else classic ones; s.u. in brackets.

        embed: "hkl", "res", "fcf" embed these files unless the CIF contains them. unified: write it as stored.
        """
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.api.exporting import export

        return export(self.cif, self.files, Path(path), embed, unified=unified)

    def publish_cif(self, path: str | Path | None = None) -> Publication:
        """The CIF for a journal: hkl, res and fcf embedded with checksums, missing items, programs to cite.

        Written to `path` if given; look at `.missing` before you submit it.
        """
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.api.publishing import Publication

        made = Publication(self)
        if path is not None:
            made.save(path)
        return made

    def keep(self, name: str, *, tags: str | Sequence[str] | None = None) -> Dataset:
        """Give the result a title, to find it as `qc[name]`."""
        made = self.dataset.change(name=name, **({"tags": tags} if tags else {}))
        self.calculation.refresh()
        return made

    # ------------------------------------------------------------ as an argument

    def _data_file(self, *, cif: bool) -> DataFile:
        return self.cif if cif else self.file

    def _code(self) -> str:
        return f"{self.calculation._code()}.result()"

    def _lineage_subject(self) -> tuple[str, str]:
        return self.calculation._lineage_subject()

    # ------------------------------------------------------------ how it looks

    def _figures(self) -> list[tuple[str, str]]:
        shown = []
        for name, value, before in (
            ("R1", self.R1, self.R1_before),
            ("wR2", self.wR2, self.history.first("wR2")),
            ("S", self.goof, self.history.first("S")),
            ("max_shift_su", self.shift_su, None),
        ):
            if value is not None:
                text = figure_text(name, value)
                was = "" if before is None else figure_text(name, before)
                shown.append((figure_label(name), f"{was} → {text}" if was not in ("", text) else text))
        return shown

    def _heading(self) -> str:
        return title_text(self.calculation._live, self.title)

    def __repr__(self) -> str:
        figures = ", ".join(f"{label} {value}" for label, value in self._figures())
        lines = [
            f"<Result {self._heading()} ({self.short_id}): {figures or 'no figures'}; files: {', '.join(self.files) or 'none'}>"
        ]
        return "\n".join([*lines, *said_text(self._said())])

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        html = result_html(self._heading(), self.short_id, self._figures(), self._said(), list(self.files))
        return {"text/plain": repr(self), "text/html": html}
