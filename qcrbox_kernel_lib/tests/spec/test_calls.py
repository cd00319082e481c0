"""How commands and the steps of sessions are started."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import SpecError


def problems(make, text: str) -> list[str]:
    with pytest.raises(SpecError) as caught:
        make(text)
    return [problem.partition(": ")[2] for problem in caught.value.fields["problems"]]


def test_a_pattern_is_condensed_and_checked(spec):
    made = spec("- name: c\n  implemented_as: cli_command\n  call_pattern: |\n    a \\\n      b\n    c\n")
    assert made.command("c").call.call_pattern == "a b c"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("run {x", "is not a placeholder"),
        ("run `cat {x}`", "stands inside backticks"),
        ("run 'open", "is opened and not closed"),
        ("run {y}", "{y} is not a parameter or output of it (it has: x)"),
    ],
)
def test_a_pattern_that_cannot_be_used_says_why(spec, pattern, words):
    found = problems(
        spec,
        f'- {{name: c, implemented_as: cli_command, call_pattern: "{pattern}", parameters: [{{name: x, dtype: int}}]}}',
    )
    assert any("call_pattern of 'c': " in text and words in text for text in found)


def test_a_parameter_that_the_pattern_does_not_use_is_noted_and_an_output_is_not(spec):
    made = spec(
        "- {name: c, implemented_as: cli_command, call_pattern: 'run {x}', parameters: [{name: x, dtype: int},"
        " {name: y, dtype: int}], outputs: [{name: z, dtype: QCrBox.output_text}]}"
    )
    assert [note.partition(": ")[2] for note in made.notes] == [
        "'y' is never used in the call pattern of 'c'"
    ]


SESSION = "- {{name: c, implemented_as: interactive_session, parameters: [{{name: x, dtype: int}}], interactive_lifecycle: {{{steps}}}}}"
RUN = "run: {implemented_as: cli_command, call_pattern: gui}"


def test_steps_of_a_session_come_in_order_and_are_named_after_it(spec):
    steps = f"finalize: {{import_path: m, callable_name: f}}, {RUN}, prepare: {{module: m}}"
    made = spec(SESSION.format(steps=steps)).command("c")
    assert [name for name, _ in made.lifecycle.steps()] == ["prepare", "run", "finalise"]
    assert made.lifecycle.prepare.callable_name == "__interactive_prepare"
    assert made.lifecycle.run.uses == []


@pytest.mark.parametrize(
    ("steps", "words"),
    [
        ("prepare: {import_path: m}", "interactive_lifecycle of 'c' needs a run step"),
        ("run: null", "interactive_lifecycle of 'c' needs a run step"),
        ("run: 5", "a mapping is expected here, not a number"),
        ("run: {implemented_as: interactive_session}", "step run must be a cli_command or a python_callable"),
        ("run: {implemented_as: robot}", "step run: implemented_as must be one of"),
        ("run: {description: x}", "step run: implemented_as must be one of"),
        ("run: {call_pattern: 'gui {y}'}", "{y} is not a parameter or output"),
        (
            "run: {call_pattern: gui, used_basecommand_parameters: [z]}",
            "step run uses 'z', which is not a parameter",
        ),
        (f"{RUN}, prepare: {{import_path: m, callable_name: a-b}}", "must be a plain function name"),
    ],
)
def test_faulty_sessions_are_problems(spec, steps, words):
    assert any(words in text for text in problems(spec, SESSION.format(steps=steps)))


def test_a_step_may_use_what_it_does_not_list_and_that_is_noted(spec):
    made = spec(SESSION.format(steps="run: {call_pattern: 'gui {x}'}"))
    assert made.command("c").lifecycle.run.uses == ["x"]
    assert any("uses 'x' without listing it" in note for note in made.notes)


def test_a_session_without_steps_runs_its_own_call(spec):
    made = spec(
        "- {name: c, implemented_as: GUI, call_pattern: 'gui {x}', parameters: [{name: x, dtype: int}]}"
    )
    assert made.command("c").lifecycle.run.call_pattern == "gui {x}"
    assert made.command("c").lifecycle.run.uses == ["x"]
    assert any("its call is taken as the run step" in note for note in made.notes)
