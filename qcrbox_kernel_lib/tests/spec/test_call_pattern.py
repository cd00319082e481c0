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


# In these the dollar sign is text or belongs to what stands before it, so it changes nothing about the quote or bracket.
DOLLARS = [
    (r"printf '[%s]' \$'{x}'", "[${v}]"),
    (r'''printf '[%s]' "\$({x})"''', "[$({v})]"),
    (r'''printf '[%s]' "\$[{x}]"''', "[$[{v}]]"),
    (r"""printf '[%s]' \\$'{x}' """, "[\\{v}]"),
    (r"""printf '[%s]' "\\$(printf %s {x})" """, "[\\{v}]"),
]


@pytest.mark.attack(15)
@pytest.mark.parametrize("value", [v for v in NASTY if not v.endswith("\n")])
@pytest.mark.parametrize(("pattern", "expected"), DOLLARS, ids=[row[0] for row in DOLLARS])
def test_a_dollar_sign_that_is_text_does_not_change_the_quotes(tmp_path, pattern, expected, value):
    r"""`\$'{x}'` was taken for `$'…'`, so a quote in the value ended the word and the rest of it ran."""
    assert words(pattern, tmp_path, x=value) == expected.replace("{v}", value)


@pytest.mark.parametrize("value", ["'; touch pwned; '", "$(touch pwned)", "`touch pwned`"])
@pytest.mark.parametrize("pattern", ["printf %s $$'{x}'", "printf %s $$-{x}"])
def test_the_process_id_does_not_change_the_quotes_after_it(tmp_path, pattern, value):
    found = words(pattern, tmp_path, x=value)
    assert value in found
    assert found[0].isdigit()


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("echo {", "'{' is not a placeholder; write {{ and }} for braces"),
        ("echo {a-b} end", "'{a-b} end' is not a placeholder"),
        ("echo '{x}", "' is opened and not closed"),
        ('echo "{x}', '" is opened and not closed'),
        ("echo $( {x}", "$( is opened and not closed"),
        ("echo `cat {x}`", "{x} stands inside backticks, where a value could run as a command"),
        ("echo $(( {x} + 1 ))", "{x} stands inside arithmetic"),
        ("true # {x}", "{x} stands inside a comment"),
        ("echo ${{Y:-{x}}}", "{x} stands inside ${…}"),
        ("echo \\{x}", "{x} follows '\\', which changes what a quoted value means"),
        ("echo ${x}", "{x} follows '$', which changes what a quoted value means"),
        ('echo "$$({x})"', "bash reads $$( in two ways"),
        ('echo "$$[{x}]"', "bash reads $$[ in two ways"),
        ('echo "$${{{x}}}"', "bash reads $${ in two ways"),
        ("echo {x?; rm}", "{x?; rm}: after ? an option such as --flag is expected, outside quotes"),
        ("echo {x?}", "after ? an option such as --flag is expected"),
        ("echo ${{Y:-'}}'}} {x}", "quotes inside ${…} cannot be followed"),
    ],
)
def test_a_refused_pattern_says_what_is_wrong_and_where(pattern, words):
    with pytest.raises(PatternError) as caught:
        parse(pattern)
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("pattern", "output"),
    [
        ("printf '[%s]' {{{x}}}", "[{v}]"),
        ("printf '[%s]' a#{x}", "[a#v]"),
        ("printf '[%s]' {x}#1", "[v#1]"),
        ("printf '[%s]' {x} # a comment", "[v]"),
        ("printf '[%s]' '#' {x}", "[#][v]"),
        ("printf '[%s]' \"it's\" {x}", "[it's][v]"),
        ("printf '[%s]' $(printf a) {x}", "[a][v]"),
        ("(printf '[%s]' {x})", "[v]"),
        ("printf '[%s]' $((1 + (2))) {x}", "[3][v]"),
        ("Y=1; printf '[%s]' ${{Y}} {x}", "[1][v]"),
        ("printf '[%s]' `printf a` {x}", "[a][v]"),
        ("for i in 1 2; do printf '[%s]' $i{x}; done", "[1v][2v]"),
        ("printf '[%s]' \\'{x}\\'", "['v']"),
    ],
)
def test_patterns_mean_what_they_mean_in_bash(tmp_path, pattern, output):
    assert words(pattern, tmp_path, x="v") == output


@pytest.mark.parametrize("number", [1e22, 1e-7, 0.1 + 0.2, -0.0, 12345678.9])
def test_a_number_arrives_with_all_its_digits(tmp_path, number):
    assert float(words("printf %s {x}", tmp_path, x=number)) == number


def test_a_placeholder_may_have_blanks_in_its_braces():
    assert parse("run { x } { y ? --y }").render({"x": 1, "y": 2}) == "run 1 --y 2"


def test_a_pattern_without_placeholders_is_rendered_as_it_is():
    pattern = parse("  run  --all ")
    assert (pattern.names, pattern.render({})) == ([], "run --all")
