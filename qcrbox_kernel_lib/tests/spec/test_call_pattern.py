from __future__ import annotations

import subprocess
from pathlib import PurePath

import pytest
from qcrbox.spec.call_pattern import PatternError, condensed, parse

NASTY = [
    "; touch pwned",
    "$(touch pwned)",
    "`touch pwned`",
    "a'b; touch pwned; '",
    'a"b; touch pwned; "',
    "line\ntouch pwned\n",
    "\\'; touch pwned #",
    "$HOME ${IFS} !! ~",
    "A=b",
    "if",
    "*",
    "  two  blanks  ",
    "",
    "{name}",
    "-rf",
    "é λ 東",
]


def words(pattern: str, folder, **values) -> str:
    """What bash makes of the pattern: each word that `printf` got, in brackets."""
    done = subprocess.run(
        ["bash", "-c", parse(pattern).render(values)],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=20,
    )
    assert done.returncode == 0, done.stderr.decode()
    assert list(folder.iterdir()) == []
    return done.stdout.decode()


@pytest.mark.parametrize("value", NASTY)
@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("printf '[%s]' {x} end", "[{v}][end]"),
        ("printf '[%s]' --in={x}", "[--in={v}]"),
        ("printf '[%s]' 'Greetings, {x}!'", "[Greetings, {v}!]"),
        ('printf "[%s]" "Greetings, {x}!"', "[Greetings, {v}!]"),
        ("printf '[%s]' $'tab: {x}'", "[tab: {v}]"),
        ("printf '[%s]' {x}{x}", "[{v}{v}]"),
        ("printf '[%s]' {x?--opt}", "[--opt][{v}]"),
        ("printf '[%s]' {x?--opt=}", "[--opt={v}]"),
    ],
)
def test_every_value_is_one_word_whatever_it_holds(tmp_path, pattern, expected, value):
    assert words(pattern, tmp_path, x=value) == expected.replace("{v}", value)


@pytest.mark.parametrize("value", [v for v in NASTY if not v.endswith("\n")])
def test_a_value_inside_command_substitution_is_one_word(tmp_path, value):
    assert words('printf "[%s]" "$(printf %s {x})"', tmp_path, x=value) == f"[{value}]"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (0.5, "0.5"),
        (1e-05, "1e-05"),
        (True, "True"),
        (False, "False"),
        (None, "None"),
        ("a b", "'a b'"),
        (PurePath("/w/a.cif"), "/w/a.cif"),
        (PurePath("/w/a b.cif"), "'/w/a b.cif'"),
    ],
)
def test_how_values_are_written(value, text):
    assert parse("p {x}").render({"x": value}) == f"p {text}"


def test_option_of_a_value_not_given_is_left_out():
    pattern = parse("p {a?--a} {b?-b=} end")
    assert pattern.render({"a": None, "b": None}) == "p   end"
    assert pattern.render({"a": 1, "b": 2}) == "p --a 1 -b=2 end"


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("a\n  b", "a b"),
        ("a \\\n  b", "a b"),
        ("a \\ b", "a b"),
        ("  a   b\t c ", "a b c"),
        (r"a\ b", r"a\ b"),
    ],
)
def test_lines_and_white_space_are_condensed(written, text):
    assert condensed(written) == text


def test_the_pattern_keeps_its_shell_meaning(tmp_path):
    pattern = "cd / && printf %s {x} | tr a b && X=${{HOME:+set}}; printf ' %s' \"$X\""
    assert words(pattern, tmp_path, x="aXa") == "bXb set"


def test_case_branches_are_no_fault(tmp_path):
    assert words("case {x} in a) printf yes;; *) printf no;; esac", tmp_path, x="a") == "yes"


@pytest.mark.parametrize(
    "pattern",
    [
        "echo {",
        "echo }",
        "echo {}",
        "echo {0}",
        "echo {x!r}",
        "echo {x:.2f}",
        "echo {a-b}",
        "echo '{x}",
        'echo "{x}',
        "echo `cat {x}`",
        "echo $(( {x} + 1 ))",
        "echo $[ {x} + 1 ]",
        "echo ${x}",
        'echo "${x}"',
        "echo \\{x}",
        "true # {x}",
        "echo {x?; rm}",
        "echo '{x?--flag}'",
        "echo ${{Y:-{x}}}",
        "echo ${{Y:-'}}'}} {x}",
    ],
)
def test_unsafe_or_unknown_placeholders_are_refused(pattern):
    with pytest.raises(PatternError):
        parse(pattern)


def test_names_are_listed_once_in_order():
    assert parse("{b} {a} {b?--b}").names == ["b", "a"]
