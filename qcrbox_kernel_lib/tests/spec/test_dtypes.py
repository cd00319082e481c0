"""Data types and the words that have named them."""

from __future__ import annotations

import pytest
from qcrbox.spec import dtypes
from qcrbox.spec.dtypes import DType, is_secondary_cif, output_dtype, parameter_dtype, rest_word

# Section 5 of the description of spec files: the words in use and the types they mean today.
WORDS = {
    "str": DType.STR,
    "int": DType.INT,
    "float": DType.FLOAT,
    "bool": DType.BOOL,
    "QCrBox.data_file": DType.DATA_FILE,
    "QCrBox.cif_data_file": DType.CIF_DATA_FILE,
    "QCrBox.input_cif": DType.CIF_DATA_FILE,
    "QCrBox.cif_path": DType.CIF_DATA_FILE,
    "QCrBox.additional_input_cif": DType.CIF_DATA_FILE,
    "QCrBox.input_file": DType.DATA_FILE,
    "QCrBox.input_path": DType.DATA_FILE,
    "QCrBox.output_cif": DType.OUTPUT_CIF,
    "QCrBox.output_file": DType.OUTPUT_FILE,
    "QCrBox.output_path": DType.OUTPUT_FILE,
    "QCrBox.output_folder": DType.OUTPUT_FOLDER,
    "QCrBox.input_folder": DType.INPUT_FOLDER,
    "QCrBox.folder_path": DType.FOLDER,
    "QCrBox.work_cif": DType.WORK_CIF,
}


@pytest.mark.parametrize(("word", "dtype"), WORDS.items(), ids=WORDS)
@pytest.mark.parametrize(
    "spell", [str, str.lower, str.upper, lambda word: f"  {word} "], ids=["", "a", "A", "_"]
)
def test_words_of_parameters_have_no_case_and_no_blanks(word, dtype, spell):
    assert parameter_dtype(spell(word)) is dtype


@pytest.mark.parametrize(
    "word", ["", "string", "QCrBox", "QCrBox.output_html", "data_file", "qcrbox_data_file"]
)
def test_other_words_are_no_type_of_a_parameter(word):
    assert parameter_dtype(word) is None


@pytest.mark.parametrize(
    ("word", "dtype", "ending"),
    [
        ("QCrBox.output_cif", DType.OUTPUT_CIF, "cif"),
        ("QCrBox.output_text", DType.OUTPUT_TEXT, "txt"),
        ("QCrBox.output_image", DType.OUTPUT_IMAGE, "png"),
        ("QCrBox.output_html", DType.OUTPUT_HTML, "html"),
        ("QCrBox.output_interactive_structure", DType.OUTPUT_STRUCTURE, "cif"),
        ("qcrbox.OUTPUT_interactive_graph", DType.OUTPUT_GRAPH, "json"),
    ],
)
def test_words_of_outputs_and_the_endings_of_their_files(word, dtype, ending):
    assert output_dtype(word) is dtype
    assert dtypes.OUTPUTS[dtype] == ending


@pytest.mark.parametrize("word", ["", "str", "QCrBox.output_file", "QCrBox.cif_data_file"])
def test_other_words_are_no_type_of_an_output(word):
    assert output_dtype(word) is None


def test_only_the_additional_cif_is_secondary():
    assert [word for word in WORDS if is_secondary_cif(word)] == ["QCrBox.additional_input_cif"]
    assert is_secondary_cif(" qcrbox.ADDITIONAL_input_cif ")


def test_rest_shows_a_word_that_is_read_again_as_the_same_type():
    for dtype in set(WORDS.values()):
        assert parameter_dtype(rest_word(dtype)) is dtype
    assert rest_word(DType.OUTPUT_FILE) == "QCrBox.output_path"


def test_messages_name_types_that_exist():
    assert all(parameter_dtype(word) for word in dtypes.known_parameter_dtypes().split(", "))
    assert all(output_dtype(word) for word in dtypes.known_output_dtypes().split(", "))
    assert len(dtypes.known_output_dtypes().split(", ")) == len(dtypes.OUTPUTS)
