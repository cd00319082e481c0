"""Files from strangers: whatever a spec holds, the loader answers with an application or with problems that have a line."""

from __future__ import annotations

import re
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.contract.errors import SpecError, UserInputError
from qcrbox.spec import Application, check, loads
from qcrbox.spec.titles import what_is_done

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(),
    st.sampled_from(
        ["", "a", "x-y", "None", "none", "cli_command", "GUI", "python_callable", "str", "int", "float"]
    ),
    st.sampled_from(
        ["QCrBox.cif_data_file", "QCrBox.output_cif", "QCrBox.data_file", "run {x}", "run {", "m:f", "1 GB"]
    ),
    st.sampled_from(["é", "²", "\u2028", "(", "[a", "../x", "-x", "2024-99-99", "1e999", ".nan"]),
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.sampled_from(["name", "dtype", "x"]), inner, max_size=3),
    ),
    max_leaves=6,
)


def mapping(keys: list[str], **special: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Some of these keys with any values, or with values that fit them better."""
    parts = {key: st.one_of(special[key], ANYTHING) if key in special else ANYTHING for key in keys}
    return st.fixed_dictionaries({}, optional=parts)


VALID = mapping(["numeric_range", "choices", "regex", "more"])
PARAMETER = mapping(
    [
        "name",
        "dtype",
        "type",
        "description",
        "default_value",
        "required",
        "optional",
        "valid_value",
        "required_entries",
        "optional_entry_sets",
        "merge_su",
        "custom_categories",
        "dialect",
        "companion",
        "older_names",
        "invalidated_entries",
    ],
    name=st.sampled_from(["x", "y"]),
    dtype=st.sampled_from(["str", "int", "float", "bool", "QCrBox.cif_data_file", "QCrBox.output_file"]),
    valid_value=VALID,
)
OUTPUT = mapping(
    ["name", "dtype", "filename", "required_output", "output_block", "invalidated_entries", "older_names"],
    name=st.sampled_from(["o", "x"]),
    dtype=st.sampled_from(["QCrBox.output_cif", "QCrBox.output_html"]),
)
STEP = mapping(
    ["implemented_as", "call_pattern", "import_path", "callable_name", "used_basecommand_parameters"],
    implemented_as=st.sampled_from(["cli_command", "python_callable"]),
    call_pattern=st.sampled_from(["run {x}", "run"]),
)
COMMAND = mapping(
    [
        "name",
        "implemented_as",
        "call_pattern",
        "command",
        "import_path",
        "module",
        "callable_name",
        "parameters",
        "outputs",
        "interactive_lifecycle",
        "toparams",
        "non_interactive_equivalent",
        "timeout",
        "memory",
        "cpus",
        "gpu",
        "progress",
        "checkpoint",
        "estimate",
        "title",
        "doi",
        "cif_input",
        "cif_output",
        "required_cif_entries",
        "merge_cif_su",
    ],
    name=st.sampled_from(["c", "d"]),
    implemented_as=st.sampled_from(["cli_command", "python_callable", "interactive_session"]),
    call_pattern=st.sampled_from(["run {x}", "run {x?--x} {y}", "run"]),
    parameters=st.lists(PARAMETER, max_size=3),
    outputs=st.lists(OUTPUT, max_size=2),
    interactive_lifecycle=mapping(
        ["prepare", "run", "finalise", "toparams"], prepare=STEP, run=STEP, finalise=STEP
    ),
    non_interactive_equivalent=STEP,
    toparams=st.one_of(STEP, st.sampled_from(["m:f", "run {x}"])),
)
SPEC = mapping(
    [
        "name",
        "slug",
        "version",
        "url",
        "doi",
        "commands",
        "cif_entry_sets",
        "older_versions",
        "reuse",
        "more",
    ],
    name=st.just("A"),
    slug=st.just("a"),
    version=st.just("1"),
    commands=st.lists(COMMAND, max_size=3),
    cif_entry_sets=st.lists(mapping(["name", "required", "optional"]), max_size=2),
).map(lambda spec: {"name": "A", "slug": "a", "version": "1"} | spec)


@settings(max_examples=50, deadline=None)
@given(SPEC)
def test_any_spec_is_an_application_or_a_list_of_problems_with_lines(spec: dict[str, Any]) -> None:
    text = yaml.safe_dump(spec, allow_unicode=True)
    try:
        made = loads(text, "a.yaml")
    except SpecError as error:
        assert error.fields["problems"]  # noqa: PT017 - either outcome is right
        assert all(re.match(r"a\.yaml:[0-9]+: .", problem) for problem in error.fields["problems"])  # noqa: PT017 - either outcome is right
        return
    assert Application.model_validate_json(made.model_dump_json()) == made
    assert made.to_rest()["slug"] == made.slug
    for command in made.commands:
        assert command.call is not None or command.lifecycle is not None
        assert what_is_done(command, {}) is not None


RICH = loads(
    """
name: A
slug: a
version: 1
commands:
  - name: c
    implemented_as: python_callable
    import_path: m
    parameters:
      - {name: s, dtype: str, valid_value: {regex: "[a-z]*$"}}
      - {name: i, dtype: int, valid_value: {numeric_range: [0, 9]}, default_value: 5}
      - {name: f, dtype: float, valid_value: {choices: [0.5, 1.5]}, required: false}
      - {name: b, dtype: bool, default_value: true}
      - {name: file, dtype: QCrBox.data_file, required: false}
      - {name: cif, dtype: QCrBox.cif_data_file}
      - {name: out, dtype: QCrBox.output_file}
    outputs:
      - {name: made, dtype: QCrBox.output_cif}
"""
).commands[0]
NAMES = ["s", "i", "f", "b", "file", "cif", "cif_path", "out", "made", "output_cif_name", "other", ""]


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(ANYTHING, st.text(st.characters(exclude_categories=()), max_size=5)),
        max_size=8,
    )
)
def test_any_arguments_are_complete_or_refused_with_words(arguments: dict[str, Any]) -> None:
    try:
        complete = check(RICH, arguments)
    except UserInputError as error:
        assert error.details  # noqa: PT017 - either outcome is right
        assert all(error.details)  # noqa: PT017 - either outcome is right
        return
    assert [name for name in complete if name != "made"] == ["s", "i", "f", "b", "file", "cif", "out"]
    assert check(RICH, complete) == complete
    assert isinstance(complete["s"], str)
    assert complete["i"] in range(10)
    assert isinstance(complete["b"], bool)
