"""The code of the first administrator, and how `qcrbox up` knows that one is there."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from pathlib import Path

import pytest
from qcrbox_hub.accounts.first_admin import LIFE_S, FirstAdminCode, has_administrator

CODE = "correct-horse-battery"
MADE = 1_000_000.0


def code_file(tmp_path: Path, **stored: object) -> Path:
    file = tmp_path / "first_admin.json"
    values = {"sha256": hashlib.sha256(CODE.encode()).hexdigest(), "made_at": MADE} | stored
    file.write_text(json.dumps(values))
    return file


@pytest.mark.parametrize(
    ("given", "age_s", "is_valid"),
    [
        (CODE, 0.0, True),
        (CODE, LIFE_S, True),
        (CODE, LIFE_S + 1, False),
        (CODE + " ", 0.0, False),
        (CODE.upper(), 0.0, False),
        ("", 0.0, False),
        (hashlib.sha256(CODE.encode()).hexdigest(), 0.0, False),
        ("\u0645", 0.0, False),
    ],
    ids=["right", "at its end", "too old", "blank", "case", "empty", "its hash", "other letters"],
)
def test_code_counts_for_a_day_and_is_exact(tmp_path: Path, given: str, age_s: float, is_valid: bool) -> None:
    code = FirstAdminCode(code_file(tmp_path), clock=lambda: MADE + age_s)
    assert code.is_valid(given) is is_valid


def test_used_code_counts_no_more_and_may_be_used_up_twice(tmp_path: Path) -> None:
    code = FirstAdminCode(code_file(tmp_path), clock=lambda: MADE)
    code.use_up()
    code.use_up()
    assert not code.is_valid(CODE)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"sha256": 5}',
        '{"sha256": "x", "made_at": "yesterday"}',
        "\x00",
        "null",
        '{"made_at": 1}',
    ],
)
def test_damaged_file_lets_nobody_in(tmp_path: Path, content: str) -> None:
    file = tmp_path / "first_admin.json"
    file.write_text(content)
    assert not FirstAdminCode(file, clock=lambda: MADE).is_valid(CODE)
    assert not FirstAdminCode(file, clock=lambda: MADE).is_valid("")


# ---------------------------------------------------------------- is there an administrator?


def database(tmp_path: Path, people: list[tuple[str, int]], accounts: list[tuple[str, int]]) -> str:
    """people: (name, administers); accounts with passwords: (name, may sign in)."""
    file = tmp_path / "jupyterhub.sqlite"
    with sqlite3.connect(file) as connection:
        connection.execute("CREATE TABLE users (id INTEGER, name TEXT, admin BOOLEAN)")
        connection.execute("CREATE TABLE users_info (username TEXT, is_authorized BOOLEAN)")
        connection.executemany("INSERT INTO users (name, admin) VALUES (?, ?)", people)
        connection.executemany("INSERT INTO users_info VALUES (?, ?)", accounts)
    connection.close()
    return f"sqlite:///{file}"


@pytest.mark.parametrize(
    ("people", "accounts", "is_there"),
    [
        ([], [], False),
        ([("ada", 1)], [("ada", 1)], True),
        ([("ada", 1)], [("ada", 0)], False),
        ([("ada", 0)], [("ada", 1)], False),
        ([("ada", 1)], [], True),
        ([("ada", 1), ("ben", 1)], [("ada", 0), ("ben", 1)], True),
    ],
    ids=["nobody", "one", "locked", "a member", "of a provider", "one of two"],
)
def test_an_administrator_is_one_who_may_sign_in(
    tmp_path: Path, people: list[tuple[str, int]], accounts: list[tuple[str, int]], is_there: bool
) -> None:
    assert has_administrator(database(tmp_path, people, accounts)) is is_there


def test_a_hub_that_was_never_up_has_none_and_gets_no_file_by_the_question(tmp_path: Path) -> None:
    file = tmp_path / "jupyterhub.sqlite"
    assert not has_administrator(f"sqlite:///{file}")
    assert not file.exists()
    sqlite3.connect(file).close()
    file.touch()
    assert not has_administrator(f"sqlite:///{file}")
