"""Table 1 and the tables of geometry, for one or more models: HTML, Word, LaTeX or CSV, s.u. kept as written."""

from __future__ import annotations

import csv
import html
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from qcrbox.cif.markup import value_shown
from qcrbox.cif.quoting import text_of
from qcrbox.client.writing import write_over
from qcrbox.contract.errors import UserInputError
from qcrbox.crystallography.radiation import density_unit_of
from qcrbox.display.cif_model import CifModel
from qcrbox.display.docx import docx_bytes
from qcrbox.display.listed_geometry import ListedGeometry
from qcrbox.markup import Table, cell_text, escape
from qcrbox.markup.colours import BAD

# A unit that follows from the radiation.
_OF_DENSITY = "density"
# Label, names tried in order, unit. Missing values are shown as ?, never left blank.
TABLE_1 = (
    ("Chemical formula", ("_chemical_formula_moiety", "_chemical_formula_sum"), ""),
    ("Mr", ("_chemical_formula_weight",), ""),
    ("Crystal system", ("_space_group_crystal_system",), ""),
    ("Space group", ("_space_group_name_H-M_alt", "_symmetry_space_group_name_H-M"), ""),
    ("Temperature", ("_diffrn_ambient_temperature", "_cell_measurement_temperature"), "K"),
    ("a", ("_cell_length_a",), "Å"),
    ("b", ("_cell_length_b",), "Å"),
    ("c", ("_cell_length_c",), "Å"),
    ("α", ("_cell_angle_alpha",), "°"),
    ("β", ("_cell_angle_beta",), "°"),
    ("γ", ("_cell_angle_gamma",), "°"),
    ("V", ("_cell_volume",), "Å³"),
    ("Z", ("_cell_formula_units_Z",), ""),
    ("Radiation", ("_diffrn_radiation_type",), ""),
    ("Wavelength", ("_diffrn_radiation_wavelength",), "Å"),
    ("µ", ("_exptl_absorpt_coefficient_mu",), "mm⁻¹"),
    ("Density (calc.)", ("_exptl_crystal_density_diffrn",), "g cm⁻³"),
    ("Measured reflections", ("_diffrn_reflns_number",), ""),
    ("Unique reflections", ("_reflns_number_total", "_refine_ls_number_reflns"), ""),
    ("Observed, I > 2σ(I)", ("_reflns_number_gt",), ""),
    ("Rint", ("_diffrn_reflns_av_R_equivalents",), ""),
    ("θmax", ("_diffrn_reflns_theta_max",), "°"),
    ("R1 [I > 2σ(I)]", ("_refine_ls_R_factor_gt",), ""),
    ("R1 (all)", ("_refine_ls_R_factor_all",), ""),
    ("wR2", ("_refine_ls_wR_factor_ref",), ""),
    ("S", ("_refine_ls_goodness_of_fit_ref",), ""),
    ("Parameters", ("_refine_ls_number_parameters",), ""),
    ("Restraints", ("_refine_ls_number_restraints",), ""),
    ("H-atom treatment", ("_refine_ls_hydrogen_treatment",), ""),
    ("Δρmax", ("_refine_diff_density_max",), _OF_DENSITY),
    ("Δρmin", ("_refine_diff_density_min",), _OF_DENSITY),
    ("Flack parameter", ("_refine_ls_abs_structure_Flack",), ""),
)
# Left out when no model has them: not applicable to the structure.
_OPTIONAL = frozenset({"Flack parameter"})
_HYDROGEN_BOND = ("distance_DH", "distance_HA", "distance_DA", "angle_DHA")
FORMATS = (".html", ".docx", ".tex", ".csv")
UNKNOWN = "?"
_MOST_VALUES = 4  # of one item


class Report:
    """Tables for the given models under their names. `.save("table1.docx")`; `.tables` are the parts."""

    def __init__(self, models: Sequence[CifModel], names: Sequence[str]) -> None:
        if not models:
            raise UserInputError("A report needs at least one model.")
        self.models, self.names = list(models), list(names)

    @property
    def table_1(self) -> Table:
        """Crystal data, data collection and refinement."""
        blocks = [model.block for model in self.models]
        rows = []
        for label, tags, unit in TABLE_1:
            values = [_value(block, tags) for block in blocks]
            if label in _OPTIONAL and all(value == UNKNOWN for value in values):
                continue
            if unit == _OF_DENSITY:
                units = [density_unit_of(block) for block in blocks]
                unit = units[0] if len(set(units)) == 1 else ""
                if not unit:
                    values = [
                        value if value == UNKNOWN else f"{value} {own}"
                        for value, own in zip(values, units, strict=True)
                    ]
            rows.append((f"{label} / {unit}" if unit else label, *values))
        return Table(("", *self.names), rows, title="Crystal data and refinement")

    def bonds(self, model: int = 0) -> Table:
        """Bond lengths in Å, those that the file lists as they stand there; symmetry codes as footnotes."""
        structure, listed = self.models[model].structure, ListedGeometry(self.models[model].block)
        codes = _Footnotes()
        rows = [
            (
                f"{b.label_1}–{b.label_2}{codes.mark(b.code, b.symmetry)}",
                listed.bond((b.label_1, b.label_2), b.code, b.length),
            )
            for b in structure.bonds()
        ]
        title = f"Bond lengths / Å, {self.names[model]}"
        return Table(("bond", "length"), rows, title=title, caption=_caption(codes, listed))

    def angles(self, model: int = 0) -> Table:
        """Bond angles in degrees, those that the file lists as they stand there; hydrogen left out."""
        structure, listed = self.models[model].structure, ListedGeometry(self.models[model].block)
        codes = _Footnotes()
        rows = []
        for a in structure.angles(hydrogens=False):
            first = codes.mark(a.code_1, _readable(structure, a.code_1))
            third = codes.mark(a.code_3, _readable(structure, a.code_3))
            value = listed.angle((a.label_1, a.label_2, a.label_3), (a.code_1, a.code_3), a.angle)
            rows.append((f"{a.label_1}{first}–{a.label_2}–{a.label_3}{third}", value))
        title = f"Angles / °, {self.names[model]}"
        return Table(("angle", "value"), rows, title=title, caption=_caption(codes, listed))

    def hydrogen_bonds(self, model: int = 0) -> Table:
        """Hydrogen bonds D–H…A: lengths in Å, angle in degrees, as the file lists them; symmetry codes as footnotes."""
        structure, listed = self.models[model].structure, ListedGeometry(self.models[model].block)
        codes = _Footnotes()
        rows = []
        for h in structure.hydrogen_bond_table():
            at_donor, at_acceptor = (
                codes.mark(code, _readable(structure, code)) for code in (h.code_d, h.code)
            )
            name = f"{h.donor}{at_donor}–{h.hydrogen}…{h.acceptor}{at_acceptor}"
            numbers = zip(_HYDROGEN_BOND, (h.d_h, h.h_a, h.d_a, h.angle), strict=True)
            labels = (h.donor, h.hydrogen, h.acceptor)
            rows.append((name, *(listed.hydrogen_bond(labels, end, number) for end, number in numbers)))
        heads = ("D–H…A", "D–H / Å", "H…A / Å", "D…A / Å", "D–H…A / °")
        title = f"Hydrogen bonds, {self.names[model]}"
        return Table(heads, rows, title=title, caption=_caption(codes, listed))

    @property
    def tables(self) -> list[Table]:
        """Table 1, then bonds, angles and (where there are any) hydrogen bonds of each model."""
        found = [self.table_1]
        for model in range(len(self.models)):
            found += [self.bonds(model), self.angles(model)]
            hydrogen = self.hydrogen_bonds(model)
            found += [hydrogen] if len(hydrogen) else []
        return found

    # ------------------------------------------------------------ out

    def save(self, path: str | Path) -> Path:
        """Write .html, .docx, .tex or .csv, by the end of the name."""
        target = Path(path)
        if target.suffix.lower() not in FORMATS:
            raise UserInputError(f"{target.name}: a report is saved as {', '.join(FORMATS)}.")
        return write_over(target, self.content(target.suffix.lower()))

    def content(self, suffix: str) -> bytes:
        """The report as a file that ends in this suffix, one of FORMATS."""
        if suffix == ".docx":
            return docx_bytes(self.tables)
        return {".html": self.html, ".tex": self.latex, ".csv": self.csv}[suffix]().encode()

    def html(self) -> str:
        """A complete HTML page without scripts or external resources."""
        parts = "".join(_table_html(table) for table in self.tables)
        title = html.escape(", ".join(self.names))
        return (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>body{{font:14px/1.5 serif;'
            "margin:2em}table{border-collapse:collapse;margin:0 0 2em}th,td{text-align:left;padding:2px 14px 2px 0}"
            "thead{border-top:2px solid;border-bottom:1px solid}tbody{border-bottom:2px solid}.unknown{color:#b42318}"
            f"</style><body>{parts}</body></html>"
        )

    def latex(self) -> str:
        """All tables as LaTeX."""
        return "\n\n".join(_table_latex(table) for table in self.tables) + "\n"

    def csv(self) -> str:
        """All tables as CSV, one below the other."""
        out = io.StringIO()
        writer = csv.writer(out)
        for table in self.tables:
            writer.writerow([table.title])
            out.write(table.csv())
            writer.writerow([])
        return out.getvalue()

    def __repr__(self) -> str:
        return self.table_1.text()

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        return {"text/plain": repr(self), "text/html": _table_html(self.table_1)}


def _readable(structure: Any, code: str) -> str:
    """`-x+1, y+1/2, -z+1/2` for the code of a symmetry image."""
    if code == ".":
        return ""
    operation, translation = structure.space_group.parse_code(code)
    return str(structure.space_group.readable(operation, list(translation)))


class _Footnotes:
    """Symmetry codes as (i), (ii), … with their meaning below the table."""

    _ROMAN = ("i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix", "x", "xi", "xii")

    def __init__(self) -> None:
        self._marks: dict[str, tuple[str, str]] = {}

    def mark(self, code: str, meaning: str) -> str:
        if code == ".":
            return ""
        if code not in self._marks:
            n = len(self._marks)
            self._marks[code] = (self._ROMAN[n] if n < len(self._ROMAN) else str(n + 1), meaning)
        return f"({self._marks[code][0]})"

    @property
    def text(self) -> str:
        notes = [f"({mark}) {meaning}" for mark, meaning in self._marks.values()]
        return f"Symmetry codes: {'; '.join(notes)}" if notes else ""


def _caption(codes: _Footnotes, listed: ListedGeometry) -> str:
    """The symmetry codes, and where s.u. come from that the file does not list."""
    said = "The file does not list all values: their s.u. are estimated from those of the coordinates."
    return ". ".join(filter(None, (codes.text, said if listed.estimated else "")))


def _value(block: Any, tags: tuple[str, ...]) -> str:
    """The first item that is known; of a table, as of two wavelengths, all its values."""
    for tag in tags:
        stated = [
            value_shown(tag, text_of(raw, cif2=block.cif2), cif2=block.cif2)
            for raw in block.column(tag)
            if raw not in ("?", ".")
        ]
        values = list(dict.fromkeys(" ".join(text.split()) for text in stated))
        if values:
            more = [f"… ({len(values)} values)"] if len(values) > _MOST_VALUES else []
            return ", ".join([*map(_with_minus, values[:_MOST_VALUES]), *more])
    return UNKNOWN


def _with_minus(text: str) -> str:
    return text.replace("-", "−") if _is_number(text) else text


def _is_number(text: str) -> bool:
    return text.strip("+-.()0123456789") == ""


_LEFT = 'style="text-align:left"'  # overrides the table style of JupyterLab


def _table_html(table: Table) -> str:
    def cell(value: Any) -> str:
        text = escape(cell_text(value))
        if value == UNKNOWN:
            text = f'<span class="unknown" style="color:{BAD}">{text}</span>'
        return f"<td {_LEFT}>{text}</td>"

    head = "".join(f'<th scope="col" {_LEFT}>{escape(name)}</th>' for name in table.heads)
    rows = "".join(f"<tr>{''.join(cell(value) for value in row)}</tr>" for row in table.rows)
    note = f"<p>{escape(table.caption)}</p>" if table.caption else ""
    return (
        f"<h3>{escape(table.title)}</h3><table><thead><tr>{head}</tr></thead>"
        f"<tbody>{rows}</tbody></table>{note}"
    )


_LATEX = {
    "\\": r"\textbackslash{}",
    **{char: f"\\{char}" for char in "&%$#_{}"},
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "−": "$-$",
    "Å": r"\AA{}",
    "°": r"$^\circ$",
    "³": "$^3$",
    "²": "$^2$",
    "⁻": "$^-$",
    "¹": "$^1$",
    "α": r"$\alpha$",
    "β": r"$\beta$",
    "γ": r"$\gamma$",
    "µ": r"$\mu$",
    "θ": r"$\theta$",
    "σ": r"$\sigma$",
    "ρ": r"$\rho$",
    "Δ": r"$\Delta$",
    "–": "--",
    ">": "$>$",
    "<": "$<$",
}


def _latex(text: Any) -> str:
    return "".join(_LATEX.get(char, char) for char in cell_text(text))


def _table_latex(table: Table) -> str:
    body = " \\\\\n".join(" & ".join(_latex(value) for value in row) for row in table.rows)
    note = f"\n\n{_latex(table.caption)}" if table.caption else ""
    return (
        f"\\begin{{table}}\n\\caption{{{_latex(table.title)}}}\n\\begin{{tabular}}{{l{'l' * (len(table.heads) - 1)}}}\n"
        f"\\hline\n{' & '.join(_latex(head) for head in table.heads)} \\\\\n\\hline\n{body} \\\\\n\\hline\n"
        f"\\end{{tabular}}{note}\n\\end{{table}}"
    )
