"""The data types of parameters and outputs, and the names they have had over the years."""

from __future__ import annotations

from enum import StrEnum


class DType(StrEnum):
    """Value = the word shown in REST. Removed words that mean the same are read as their successor."""

    STR = "str"
    INT = "int"
    FLOAT = "float"
    BOOL = "bool"
    DATA_FILE = "QCrBox.data_file"
    CIF_DATA_FILE = "QCrBox.cif_data_file"
    OUTPUT_CIF = "QCrBox.output_cif"
    OUTPUT_FILE = "QCrBox.output_file"
    WORK_CIF = "QCrBox.work_cif"
    FOLDER = "QCrBox.folder_path"
    INPUT_FOLDER = "QCrBox.input_folder"
    OUTPUT_FOLDER = "QCrBox.output_folder"
    OUTPUT_TEXT = "QCrBox.output_text"
    OUTPUT_IMAGE = "QCrBox.output_image"
    OUTPUT_HTML = "QCrBox.output_html"
    OUTPUT_STRUCTURE = "QCrBox.output_interactive_structure"
    OUTPUT_GRAPH = "QCrBox.output_interactive_graph"


NUMBERS = frozenset({DType.INT, DType.FLOAT})
PLAIN = frozenset({DType.STR, DType.INT, DType.FLOAT, DType.BOOL})
# An argument of these is {"data_file_id": id}.
INPUT_FILES = frozenset({DType.DATA_FILE, DType.CIF_DATA_FILE, DType.INPUT_FOLDER})
# As parameters these name something the program makes; the argument is a wished file name.
OUTPUT_PARAMETERS = frozenset({DType.OUTPUT_CIF, DType.OUTPUT_FILE, DType.OUTPUT_FOLDER})
# Allowed under `outputs:`, with the ending of the default file name.
OUTPUTS: dict[DType, str] = {
    DType.OUTPUT_CIF: "cif",
    DType.OUTPUT_TEXT: "txt",
    DType.OUTPUT_IMAGE: "png",
    DType.OUTPUT_HTML: "html",
    DType.OUTPUT_STRUCTURE: "cif",
    DType.OUTPUT_GRAPH: "json",
}

_SUCCESSORS = {
    "qcrbox.input_cif": DType.CIF_DATA_FILE,
    "qcrbox.cif_path": DType.CIF_DATA_FILE,
    "qcrbox.additional_input_cif": DType.CIF_DATA_FILE,
    "qcrbox.input_file": DType.DATA_FILE,
    "qcrbox.input_path": DType.DATA_FILE,
    "qcrbox.output_path": DType.OUTPUT_FILE,
}
# A CIF that is read beside the first one; its content never continues into the output.
_SECONDARY_CIFS = frozenset({"qcrbox.additional_input_cif"})
_PARAMETER_DTYPES = PLAIN | INPUT_FILES | OUTPUT_PARAMETERS | {DType.WORK_CIF, DType.FOLDER}
_PARAMETERS = {str(d).lower(): d for d in _PARAMETER_DTYPES} | _SUCCESSORS
_OUTPUTS = {str(d).lower(): d for d in OUTPUTS}


def parameter_dtype(word: str) -> DType | None:
    """The type a parameter's `dtype` stands for, whatever its case; None when unknown."""
    return _PARAMETERS.get(word.strip().lower())


def is_secondary_cif(word: str) -> bool:
    """True for a data type that names a CIF read beside the command's source CIF."""
    return word.strip().lower() in _SECONDARY_CIFS


def output_dtype(word: str) -> DType | None:
    """The same for an entry under `outputs:`."""
    return _OUTPUTS.get(word.strip().lower())


def rest_word(dtype: DType) -> str:
    """The word shown in REST. Older clients know a plain output file only as `QCrBox.output_path`."""
    return "QCrBox.output_path" if dtype is DType.OUTPUT_FILE else str(dtype)


def known_parameter_dtypes() -> str:
    """For messages: the words a new spec should use."""
    return "str, int, float, bool, QCrBox.data_file, QCrBox.cif_data_file"


def known_output_dtypes() -> str:
    return ", ".join(OUTPUTS)
