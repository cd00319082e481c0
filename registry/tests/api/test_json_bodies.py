"""JSON bodies within bounds: what they hold arrives unchanged, what would stop the registry is refused at once."""

import json
import time

import pytest
from qcrbox.contract.errors import QcError, TooLarge, UserInputError
from qcrbox.contract.models import SubmitBatch, SubmitCommand
from qcrbox_registry.api.json_bodies import MOST_BYTES, MOST_VALUES, parse, parse_batch

MB = 1024 * 1024
LINE = '"' + "x" * 999 + '"'
ONE = {
    "application_slug": "practice",
    "application_version": "1",
    "command_name": "noop",
    "command_arguments": {
        "text": 'a "quoted" [list], {an object} and \\ é\n',
        "list": [1, [2, {"three": 3}]],
    },
}


def one(arguments: str) -> str:
    return (
        '{"application_slug":"a","application_version":"1","command_name":"c","command_arguments":'
        + arguments
        + "}"
    )


def value(text: str) -> str:
    return f'{{"x": [{text}]}}'


def batch_of(*commands: str, more: str = "") -> bytes:
    return f'{{{more}"commands": [{", ".join(commands)}]}}'.encode()


def many(what: str, size: int) -> str:
    return ",".join([what] * (size // (len(what) + 1)))


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 1234])
def test_a_batch_is_what_a_plain_parser_makes_of_it(count, indent):
    commands = [{**ONE, "name": f"number {n}", "priority": -(n % 3)} for n in range(count)]
    body = {"before": [{"commands": [1]}], "commands": commands, "after": {"commands": "[{"}}
    text = json.dumps(body, indent=indent, ensure_ascii=False).encode()
    assert parse_batch(text) == SubmitBatch.model_validate_json(text)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("", "not readable JSON"),
        ("[]", "one list of commands"),
        ("{}", "one list of commands"),
        ('{"commands": 3}', "one list of commands"),
        ('{"commands": []}', "no commands"),
        ('{"commands": [], "commands": []}', "no commands"),
        ('{"commands": [ONE], "commands": [1]}', "one list of commands"),
        ('{"commands": [ONE,]}', "Invalid JSON"),
        ('{"commands": [ONE}', "not readable JSON"),
        ('{"commands": [ONE]]}', "not readable JSON"),
        ('{"commands": [ONE"}', "not readable JSON"),
        ('{"commands": [{"a": 1]}]}', "not readable JSON"),
        ('{"commands": [[1, {"a": 1]}]]}', "not readable JSON"),
        ('{"commands": [ONE], "a": nan!}', "not readable JSON"),
        ('{"commands": [1]}', "commands.0"),
        ('{"commands": [ONE, {}]}', "commands.1.application_slug"),
        ('{"commands": [ONE], "x": "\\ud800"}', "not readable JSON"),
    ],
)
def test_what_is_no_batch_is_refused_in_words(body, words):
    with pytest.raises(UserInputError) as refused:
        parse_batch(body.replace("ONE", one("{}")).encode())
    assert words in refused.value.message


def test_a_nul_character_is_refused_with_its_place():
    with pytest.raises(UserInputError, match=r"command_arguments\.x\.0.*NUL"):
        parse_batch(batch_of(one("{}"), one(value('"\\u0000"'))))


def test_a_fault_names_the_place_of_its_command():
    commands = [ONE] * 350
    commands[317] = {**ONE, "priority": 99}
    with pytest.raises(UserInputError, match=r"commands\.317\.priority"):
        parse_batch(json.dumps({"commands": commands}).encode())


@pytest.mark.parametrize("char", ["x", '\\"', "é"])
def test_a_command_as_large_as_it_may_be_is_taken(char):
    length = len(char.encode())
    text = char * ((MOST_BYTES - 200) // length)
    body = batch_of(*[one(value(f'"{text}"'))] * 3)
    assert parse_batch(body) == SubmitBatch.model_validate_json(body)


# Made when they are needed: each is 30 MB.
HOSTILE = {
    "numbers": lambda: one(value(many("1", 30 * MB))),
    "lists": lambda: one(value(many("[]", 30 * MB))),
    "objects": lambda: one(value(many("{}", 30 * MB))),
    "keys": lambda: one("{" + many('"a":1', 30 * MB) + "}"),
    "deep": lambda: one(value("[" * 10 * MB + "]" * 10 * MB)),
    "one text": lambda: one(value('"' + "a" * 30 * MB + '"')),
    "escapes": lambda: one(value('"' + '\\"' * 15 * MB + '"')),
    "no end": lambda: '{"x": "' + '\\"' * 15 * MB,
    "empty commands": lambda: many("{}", 30 * MB),
}


@pytest.mark.attack(13)
@pytest.mark.parametrize("kind", HOSTILE)
def test_13_thirty_megabytes_of_json_are_refused_before_they_are_built(kind):
    """A plain parser holds Python's lock for up to 21 s at these; here the refusal needs a fraction of a second."""
    body = batch_of(HOSTILE[kind]())
    began = time.thread_time()
    with pytest.raises(QcError) as refused:
        parse_batch(body)
    assert refused.value.status in (400, 413)
    assert time.thread_time() - began < 1.5


@pytest.mark.attack(13)
def test_13_what_stands_beside_the_commands_is_bounded_too():
    with pytest.raises(TooLarge, match="Beside"):
        parse_batch(batch_of(one("{}"), more=f'"z": [{many("[]", 30 * MB)}], '))
    with pytest.raises(TooLarge, match="Beside"):
        parse_batch(batch_of(one("{}"), more=f'"z": [{many(LINE, 2 * MB)}], '))


@pytest.mark.attack(13)
@pytest.mark.parametrize("single", ["[]", "{}", '""', "1"])
def test_13_one_command_has_so_many_values_and_no_more(single):
    allowed = MOST_VALUES // (2 if single == "1" else 3) - 10
    taken = parse(one(value(",".join([single] * allowed))).encode(), SubmitCommand)
    assert len(taken.command_arguments["x"]) == allowed
    with pytest.raises(TooLarge, match="values"):
        parse(one(value(",".join([single] * (MOST_VALUES + 1)))).encode(), SubmitCommand)
