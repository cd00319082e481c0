"""What older GUI commands bring with them: commands that write the results, and that repeat without the window."""

from __future__ import annotations

import pytest
from qcrbox.spec import Implementation

GUI = "- {{name: c, implemented_as: GUI, call_pattern: 'gui {{x}}', parameters: [{{name: x, dtype: int}}], {extra}}}"
TEXTS = [
    ("glue:to_json", Implementation.PYTHON, ("glue", "to_json", None)),
    ("glue.deep.to_json", Implementation.PYTHON, ("glue.deep", "to_json", None)),
    ("configure_crysalis-pro:f", Implementation.PYTHON, ("configure_crysalis-pro", "f", None)),
    ("'write  {x}'", Implementation.CLI, (None, None, "write {x}")),
]


@pytest.mark.parametrize(("text", "kind", "call"), TEXTS, ids=[row[0] for row in TEXTS])
@pytest.mark.parametrize(
    ("key", "name"),
    [("toparams", "c__toparams"), ("non-interactive_equivalent", None)],
    ids=["toparams", "repeat"],
)
def test_a_text_is_a_function_or_a_pattern(spec, key, name, text, kind, call):
    made = spec(GUI.format(extra=f"{key}: {text}"))
    if name is None:
        # The equivalent as a text is the name of another command.
        assert made.command("c").repeats == text.strip("'")
        return
    hidden = made.command(name)
    assert hidden.hidden
    assert hidden.implemented_as is kind
    assert (hidden.call.import_path, hidden.call.callable_name, hidden.call.call_pattern) == call


def test_a_text_that_is_neither_is_noted_and_ignored(spec):
    made = spec(GUI.format(extra="toparams: something"))
    assert made.command("c").toparams is None
    assert any("'something' is not understood and ignored" in note for note in made.notes)


def test_hidden_commands_are_not_listed_and_keep_the_parameters_of_the_session(spec):
    made = spec(GUI.format(extra="toparams: {module: glue, function: f}"))
    hidden = made.command("c__toparams")
    assert [command.name for command in made.listed_commands] == ["c"]
    assert [p.name for p in hidden.parameters] == ["x"]
    assert hidden.call.uses is None


def test_the_equivalent_has_parameters_of_its_own(spec):
    made = spec(
        GUI.format(
            extra="non_interactive_equivalent: {name: again, call_pattern: 'run {y}', parameters: [{name: y, dtype: int}]}"
        )
    )
    assert made.command("c").repeats == "again"
    assert [p.name for p in made.command("again").parameters] == ["y"]
