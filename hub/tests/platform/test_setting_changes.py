"""Settings that an administrator changes by a click."""

from __future__ import annotations

import fcntl
from pathlib import Path

import pytest
from qcrbox.contract.errors import Conflict, UserInputError
from qcrbox_hub.platform.setting_changes import change, changeable, running_values, waiting
from qcrbox_hub.platform.settings import FILE, PlatformSettings

TEXT = """\
# our own notes
[public]
url = "https://hub.example.org"  # since March

[people]
cpus = 4.0   # the machine has 32
images = ["a:1"]

[database]
registry_url_file = "secrets/registry_url"
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / FILE).write_text(TEXT)
    (tmp_path / FILE).chmod(0o640)
    return tmp_path


def test_only_what_changed_is_written_and_comments_stay(data: Path) -> None:
    changed = change(data, {"people.cpus": "2.5", "people.images": "a:1  b:2", "people.memory_gib": "4"})
    assert changed == {"people.cpus": ("4", "2.5"), "people.images": ("a:1", "a:1 b:2")}
    text = (data / FILE).read_text()
    assert text == TEXT.replace("4.0 ", "2.5 ").replace('["a:1"]', '["a:1", "b:2"]')
    assert (data / FILE).stat().st_mode & 0o777 == 0o640
    assert PlatformSettings.load(data).people.cpus == 2.5
    assert {file.name for file in data.iterdir()} == {FILE, f".{FILE}.lock"}


def test_a_missing_file_is_made_for_the_platforms_account_alone(tmp_path: Path) -> None:
    assert change(tmp_path, {"people.internet": "yes", "people.idle_minutes": "0"}) == {
        "people.internet": ("no", "yes")
    }
    assert PlatformSettings.load(tmp_path).people.internet is True
    assert (tmp_path / FILE).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("people.cpus", "-1"),
        ("people.cpus", "many"),
        ("people.cpus", "nan"),
        ("people.cpus", ""),
        ("people.processes", "2.5"),
        ("people.internet", "perhaps"),
        ("people.image", "a\nb"),
        ("people.spawner", "trusted"),
        ("public.url", "https://evil.example"),
        ("sign_in.method", "pam"),
        ("database.registry_url_file", "/etc/passwd"),
        ("hub_config", "x.py"),
    ],
)
def test_what_cannot_be_used_or_not_be_changed_here_leaves_the_file_alone(
    data: Path, name: str, text: str
) -> None:
    with pytest.raises(UserInputError):
        change(data, {"people.home_gib": "7", name: text})
    assert (data / FILE).read_text() == TEXT


def test_two_do_not_change_it_at_once(data: Path) -> None:
    with (data / f".{FILE}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict):
            change(data, {"people.cpus": "1"})
    assert change(data, {"people.cpus": "1"})


def test_settings_that_wait_for_a_restart_are_named(data: Path) -> None:
    started = running_values(people=PlatformSettings.load(data).people)
    assert waiting(PlatformSettings.load(data), started) == []
    change(data, {"people.cpus": "1", "people.home_gib": "1234567.25"})
    assert waiting(PlatformSettings.load(data), started) == ["people.cpus", "people.home_gib"]
    assert PlatformSettings.load(data).people.home_gib == 1234567.25
    assert not any("file" in each.name or "key" in each.name for each in changeable(PlatformSettings()))
