"""15. Shell metacharacters, newlines, leading dashes and template braces, in each parameter and in file names."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import RunningRegistry

pytestmark = pytest.mark.attack(15)

HOSTILE = {
    "command after a semicolon": "x; touch {canary}; true",
    "command substitution": "$(touch {canary})",
    "backticks": "`touch {canary}`",
    "pipe and background": "x | touch {canary} & touch {canary} && touch {canary}",
    "redirection": "x > {canary} 2>&1 < /etc/passwd",
    "newline": "x\ntouch {canary}\n",
    "carriage return": "x\r\ntouch {canary}\r",
    "single quote": "'; touch {canary}; '",
    "double quote": '"; touch {canary}; "',
    "both quotes": "'\"'\"; touch {canary}; \"'\"'",
    "backslashes": "\\'; touch {canary}; \\",
    "trailing backslash": "x\\",
    "leading dash": "--help",
    "leading dashes": "-rf -- /",
    "variable": "$HOME ${{PATH}} $QCRBOX_CALCULATION_ID $((1+1)) $1",
    "history and tilde": "!! ~root ^a^b",
    "globs": "* ? [a-z] {{a,b}} /etc/*",
    "template braces": "{{bare}} {{single}} {{{{ said }}}} {{0}} %s %(said)s",
    "process substitution": "<(touch {canary}) >(touch {canary})",
    "here document": "<<EOF\ntouch {canary}\nEOF",
    "assignment": "LD_PRELOAD=/tmp/x.so PATH=/tmp",
    "reserved word": "if",
    "comment": "# the rest is gone",
    "ansi quotes": "$'\\x27; touch {canary}; \\x27'",
    "look-alike quotes": "’; touch {canary}; ‘",
    "empty": "",
    "blank": "   ",
    "long": "x" * 5_000,
}


@pytest.fixture(scope="module")
def http(registry: RunningRegistry) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=registry.url, timeout=90, trust_env=False) as client:
        yield client


@pytest.fixture
def canary(tmp_path: Path) -> Path:
    """A file that no program is told to make."""
    return tmp_path / "canary"


def start(http: httpx.Client, arguments: dict[str, object]) -> str:
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "say_words", "command_arguments": arguments}  # fmt: skip
    answer = http.post("/api/commands", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["payload"]["calculation_id"]


def words_of(http: httpx.Client, calculation_id: str) -> dict[str, list[str]]:
    for _ in range(10):
        found = http.get(f"/api/calculations/{calculation_id}", params={"wait": 30})
        done = found.json()["payload"]["calculations"][0]
        if done["status"] in ("successful", "failed", "cancelled"):
            break
    assert done["status"] == "successful", done["error_msg"]
    dataset = http.get(f"/api/datasets/{done['output_dataset_id']}").json()["payload"]["datasets"][0]
    (file,) = dataset["data_files"].values()
    return json.loads(http.get(f"/api/data-files/{file['qcrbox_file_id']}/download").text)


@pytest.mark.slow
def test_15_a_value_stays_one_word_whatever_it_holds_and_wherever_it_stands(
    http: httpx.Client, canary: Path
) -> None:
    started = {}
    for what, pattern in HOSTILE.items():
        value = pattern if what == "long" else pattern.format(canary=canary)
        names = ("bare", "single", "double", "joined", "optional")
        started[what] = (value, start(http, dict.fromkeys(names, value)))
    for what, (value, calculation_id) in started.items():
        found = words_of(http, calculation_id)
        mixed = f"mixed {value} x{value}"
        # An option without text is left out: nothing was given.
        option = ["--optional", value] if value.strip() else []
        wanted = [value, value, value, f"--joined={value}", mixed, *option, "None"]
        assert found["words"] == wanted, what
        assert found["folder"] == ["said.txt"], what
    assert not canary.exists()


@pytest.mark.parametrize(
    "value",
    ["nul\x00; touch x", "\ud800", "\x1b]0;x\x07\x1b[2J", "x\x08\x08\x7f"],
    ids=["NUL", "half a character", "escape sequences of a terminal", "backspaces"],
)
def test_15_what_cannot_be_in_a_command_line_is_refused_and_not_cut(http: httpx.Client, value: str) -> None:
    names = ("bare", "single", "double", "joined")
    body = {"application_slug": "intruder", "application_version": "1.0", "command_name": "say_words", "command_arguments": dict.fromkeys(names, value)}  # fmt: skip
    answer = http.post(
        "/api/commands", content=json.dumps(body), headers={"Content-Type": "application/json"}
    )
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "filename",
    [
        "; touch {canary};.txt",
        "$(touch {canary}).txt",
        "`touch {canary}`.txt",
        "-rf",
        "--output=x",
        "a b 'c' \"d\".txt",
        "../../../../tmp/up.txt",
        "..",
        "new\nline.txt",
        "{bare}.txt",
        "said.txt",
        "*.txt",
    ],
)
def test_15_a_file_name_is_one_word_in_its_own_folder_and_no_option(
    http: httpx.Client, canary: Path, filename: str
) -> None:
    name = filename.replace("{canary}", str(canary))
    uploaded = http.post("/api/data-files", files={"file": (name, b"content")})
    if uploaded.status_code == 400:
        return  # a name that no file can have
    file_id = uploaded.json()["payload"]["data_files"][0]["qcrbox_file_id"]
    plain = dict.fromkeys(("bare", "single", "double", "joined"), "x")
    found = words_of(http, start(http, {**plain, "file": {"data_file_id": file_id}}))
    *front, path = found["words"]
    assert front == ["x", "x", "x", "--joined=x", "mixed x xx"]
    assert path.startswith("/")
    assert Path(path).name in found["folder"]
    assert not Path(path).name.startswith("-")
    assert len(found["folder"]) == 2
    assert not canary.exists()
