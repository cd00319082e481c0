"""`qc.files`: stored files by id, and the conversion of paths, bytes, results and names into stored files."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from weakref import WeakKeyDictionary

from qcrbox.api.names import quoted
from qcrbox.api.stored import Stored
from qcrbox.api.stored_files import CifFile, DataFile, size_words
from qcrbox.contract.errors import NotFound, UserInputError
from qcrbox.language import tr

if TYPE_CHECKING:
    from qcrbox.api.applications import Command
    from qcrbox.api.box import Box
    from qcrbox.crystallography.structure import Structure


class Files:
    """`qc.files`: stored files by id, and the conversion of other values into stored files."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._content: dict[tuple[str, str], bytes] = {}
        self._uploaded: dict[tuple[str, str], dict[str, Any]] = {}
        # Which file a structure was read from, so that a structure can be given to a command.
        self.structures: WeakKeyDictionary[Structure, CifFile] = WeakKeyDictionary()

    def __getitem__(self, file_id: str) -> DataFile:
        return self.made(self._box.client.get(f"/api/data-files/{file_id}")["data_files"][0])

    def made(self, record: dict[str, Any]) -> DataFile:
        """The object of a record: a CifFile for a CIF, else a DataFile."""
        plain = DataFile(self._box, record)
        return CifFile(self._box, record) if plain.is_cif else plain

    def content(self, file_id: str, *, form: Literal["original", "written"] = "original") -> bytes:
        """The bytes of a file; small files are cached, since stored files never change. `form` as the registry has it."""
        key = (file_id, form)
        if key not in self._content:
            content = self._box.client.download(f"/api/data-files/{file_id}/download", form=form)
            if len(content) > 20_000_000:
                return content
            while len(self._content) > 50:
                self._content.pop(next(iter(self._content)))
            self._content[key] = content
        return self._content[key]

    def upload(self, source: Path | bytes, filename: str | None = None) -> DataFile:
        """Store a local file or bytes as a data file; the same content and name is stored once."""
        content, name = content_of(source, filename)
        key = (name, hashlib.sha256(content).hexdigest())
        if key not in self._uploaded or not self._is_there(self._uploaded[key]):
            payload = self._box.client.upload("/api/data-files", [(name, content)])
            self._uploaded[key] = payload["data_files"][0]
            stored = tr("{name} was stored ({size}).", name=name, size=size_words(len(content)))
            self._box.say_once(f"upload:{key}", stored)
        return self.made(self._uploaded[key])

    def _is_there(self, record: dict[str, Any]) -> bool:
        """Whether a file that was stored before has not been deleted since."""
        try:
            self._box.client.get(f"/api/data-files/{record['qcrbox_file_id']}")
        except NotFound:
            return False
        return True

    # ------------------------------------------------------------ arguments

    def as_arguments(self, command: Command, arguments: dict[str, Any]) -> dict[str, Any]:
        """The same arguments with every file as {"data_file_id": id}."""
        made = {}
        for name, value in arguments.items():
            parameter = command.parameters[name]
            made[name] = (
                self.as_argument(value, cif=parameter.is_cif, of=name) if parameter.is_file else value
            )
        return made

    def as_argument(self, value: Any, *, cif: bool, of: str) -> dict[str, str]:
        """A value as a file argument of the registry; a chosen block becomes a file first."""
        file = self.resolve(value, cif=cif, of=of)
        if isinstance(file, CifFile) and file.block_name and len(file.blocks) > 1:
            file = self._one_block(file)
        return {"data_file_id": file.id}

    def _one_block(self, file: CifFile) -> DataFile:
        """Store the chosen block as a file: a command reads one block."""
        # Start-up time: the CIF reader is loaded with the first CIF.
        from qcrbox.cif.document import Document

        content = Document([file.block]).to_bytes()
        return self.upload(content, f"{Path(file.filename).stem}_{file.block_name}.cif")

    def resolve(self, value: Any, *, cif: bool, of: str) -> DataFile:
        """The stored file that a dataset, result, calculation, name, Path or bytes stands for."""
        if isinstance(value, Stored):
            return value._data_file(cif=cif)
        if isinstance(value, (bytes, bytearray)):
            return self.upload(bytes(value), f"{of}.cif" if cif else of)
        if _is_document(value):
            return self.upload(value.to_bytes(), Path(value.filename or of).with_suffix(".cif").name)
        if isinstance(value, Path):
            return self.upload(value)
        if isinstance(value, dict) and "data_file_id" in value:
            return self[str(value["data_file_id"])]
        if isinstance(value, str):
            return self._named(value, cif=cif, of=of)
        if type(value).__name__ == "Structure" and value in self.structures:
            return self.structures[value]
        raise UserInputError(
            f"{of} must be a dataset, a result, a calculation, a stored name, a Path or bytes; "
            f"you gave {type(value).__name__}.",
            parameter=of,
        )

    def _named(self, name: str, *, cif: bool, of: str) -> DataFile:
        try:
            dataset = self._box[name]
        except NotFound as error:
            if Path(name).is_file():
                # A name is looked up in the store first; a string that is an existing path is taken as one.
                return self.upload(Path(name))
            raise NotFound(
                f"{of}: nothing is stored under {name!r}, and there is no such file here.",
                why=error.next,
                next=f"Store it: qc.add({quoted(name)}).",
                parameter=of,
            ) from None
        return dataset.cif if cif else dataset.file


def _is_document(value: Any) -> bool:
    # A document can only be given once its module is loaded: no import of the CIF reader for asking.
    module = sys.modules.get("qcrbox.cif.document")
    return module is not None and isinstance(value, module.Document)


def content_of(source: Path | bytes, filename: str | None) -> tuple[bytes, str]:
    """Bytes and file name of a local file or of bytes. Raises UserInputError when the file cannot be read."""
    if isinstance(source, bytes):
        return source, filename or f"data{'.cif' if _looks_like_cif(source) else ''}"
    try:
        return source.read_bytes(), filename or source.name
    except FileNotFoundError:
        raise UserInputError(
            f"There is no file {str(source)!r}.", where="", next=f"You are in {Path.cwd()}."
        ) from None
    except OSError as error:
        raise UserInputError(f"{source} cannot be read.", why=f"({error.strerror})") from None


def _looks_like_cif(content: bytes) -> bool:
    lines = (line.strip() for line in content[:20_000].splitlines())
    first = next((line for line in lines if line and not line.startswith(b"#")), b"")
    return first.lower().startswith((b"data_", b"\xef\xbb\xbfdata_"))
