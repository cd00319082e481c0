"""`result.publish_cif()`: the CIF for a journal, with missing items and the programs to cite."""

from __future__ import annotations

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qcrbox.api import exporting
from qcrbox.contract.errors import MissingItemsError, QcError
from qcrbox.markup import Table, Text, escape

if TYPE_CHECKING:
    from qcrbox.api.results import Result

_REFERENCES = "_publ_section_references"
_NEEDED = {
    "A": "every journal requires it",
    "B": "most journals ask for it",
    "C": "usual in a publication",
    "G": "usual",
}


class Publication:
    """The CIF as it would be submitted. `.missing`, `.citations`, `.embedded`, `.serious`; `.save("final.cif")`.

    Reflections (hkl), model (res) and structure factors (fcf) are embedded with SHELXL's checksums where the
    result has them; the programs of its lineage are listed in `_publ_section_references`.
    """

    def __init__(self, result: Result) -> None:
        self.result = result
        self.document = exporting.document_to_export(result.cif)
        self.block = self.document[result.cif.block.name]
        self.embedded: list[str] = []
        self._embed()
        self._add_references()

    def _embed(self) -> None:
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.crystallography.shelx.checksum import checksum

        for kind, tag in exporting.TAGS.items():
            try:
                exporting.embed_file(self.block, self.result.files, kind)
            except MissingItemsError:
                continue  # the result has no such file
            self.embedded.append(kind)
            sum_tag = tag.replace("_file", "_checksum")
            if (
                sum_tag not in self.block
            ):  # a checksum in the file comes from its program; the checks compare it
                self.block.set(sum_tag, str(checksum(self.block.text(tag) or "")))

    def _add_references(self) -> None:
        if self.block.text(_REFERENCES) is None and len(self.citations):
            lines = [
                f"{row['program']} {row['version']}" + (f", doi:{row['doi']}" if row["doi"] else "")
                for row in self.citations
            ]
            self.block.set(_REFERENCES, "\n" + "\n".join(dict.fromkeys(lines)) + "\n")

    # ------------------------------------------------------------ what it says

    @cached_property
    def missing(self) -> Table:
        """Items that journals ask for and this file lacks, the most important first."""
        # Start-up time: numpy and gemmi are loaded when crystals are computed with.
        from qcrbox.analysis.validation.statement_checks import missing_items
        from qcrbox.crystallography.structure import Structure

        alerts = sorted(
            missing_items(self.block, Structure.from_block(self.block)), key=lambda alert: alert.level
        )
        rows = [(alert.text.split()[0], _NEEDED.get(alert.level, "")) for alert in alerts]
        rows += [
            (tag, f"no .{kind} file is there to embed")
            for kind, tag in exporting.TAGS.items()
            if kind not in self.embedded
        ]
        caption = "" if rows else "No item of this list is missing. Journals may ask for more."
        return Table(("item", "needed"), rows, title="Still missing", caption=caption)

    @cached_property
    def citations(self) -> Table:
        """The programs that made this result, from its lineage, with what to cite."""
        box = self.result.box
        rows: dict[tuple[str, str, str], tuple[str, str, str, str]] = {}
        for node in self.result.lineage.nodes:
            if node["kind"] != "calculation":
                continue
            payload = box.calculations.read(node["id"])
            slug, version, name = (
                str(payload[key]) for key in ("application_slug", "application_version", "command_name")
            )
            rows.setdefault((slug, version, name), self._citation(slug, version, name))
        return Table(("program", "version", "command", "doi"), list(rows.values()), title="To be cited")

    def _citation(self, slug: str, version: str, name: str) -> tuple[str, str, str, str]:
        try:
            application = self.result.box.apps[f"{slug}=={version}"]
        except QcError:
            return slug, version, name, ""  # retired since: name and version are still known
        # A command may be called what is no name of Python: `solve-it`.
        commands = [command for command in application if command.name == name]
        dois = [application.record.get("doi"), *(command.record.get("doi") for command in commands)]
        flat = [text for doi in dois if doi for text in (doi if isinstance(doi, list) else [doi])]
        return application.name, version, name, ", ".join(dict.fromkeys(flat))

    @cached_property
    def serious(self) -> list[Any]:
        """Alerts A and B of the local checks on this CIF; missing items are in `.missing`."""
        return [a for a in self.result.validate() if a.level in ("A", "B") and a.test != "MISSING"]

    # ------------------------------------------------------------ writing it

    @property
    def text(self) -> Text:
        """The CIF as text."""
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif.convert.journal_cif import ascii_document

        return Text(ascii_document(self.document))

    def save(self, path: str | Path) -> Path:
        """Write it (ASCII, the author's names); an existing file is not overwritten."""
        return exporting.write_document(Path(path), self.document, ascii_only=True)

    # ------------------------------------------------------------ how it looks

    def _head(self) -> str:
        parts = [f"CIF of {self.result.name} for publication"]
        parts.append(f"embedded with checksums: {', '.join(self.embedded) or 'nothing'}")
        parts.append(f"{len(self.missing)} items missing")
        if self.serious:
            parts.append(f"{len(self.serious)} alerts A or B: .result.validate()")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"{self._head()}\n\n{self.missing.text()}\n\n{self.citations.text()}"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        html = f"<div>{escape(self._head())}</div>{self.missing.html()}{self.citations.html()}"
        return {"text/plain": repr(self), "text/html": html}
