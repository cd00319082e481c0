import pytest
from qcrbox.crystallography.shelx import read_instructions
from qcrbox.crystallography.shelx.lines import wrapped


@pytest.mark.parametrize("count", [1, 8, 9, 30])
def test_a_long_instruction_is_read_back_whole(count):
    words = ["BASF", *(f"{0.01 * n:.5f}" for n in range(count))]
    lines = wrapped(words)
    assert max(map(len, lines)) < 80
    (instruction,) = read_instructions("\n".join(lines)).instructions
    assert instruction.text.split() == words


def test_no_line_is_empty_before_a_word_that_is_as_long_as_a_line():
    assert wrapped(["y" * 79]) == ["y" * 79]
