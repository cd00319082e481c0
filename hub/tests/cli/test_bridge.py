"""`qcrbox bridge` on the command line: what it takes and what it refuses."""

from __future__ import annotations

import subprocess
import sys

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.cli import bridge


@pytest.fixture
def token_file(tmp_path):
    path = tmp_path / "token"
    path.write_text("abc\n")
    path.chmod(0o600)
    return path


def test_a_token_comes_from_a_file_of_ones_own(token_file):
    assert bridge._token_in(token_file) == "abc"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_token_that_others_can_read_is_refused(token_file, mode):
    token_file.chmod(mode)
    with pytest.raises(UserInputError, match="chmod 600"):
        bridge._token_in(token_file)


@pytest.mark.parametrize("text", ["", "two words", "line\nbreak x"])
def test_what_is_no_token_is_refused(token_file, text):
    token_file.write_text(text)
    with pytest.raises(UserInputError, match="There is no token"):
        bridge._token_in(token_file)


def test_a_missing_token_file_is_named(tmp_path):
    with pytest.raises(UserInputError, match="No such file"):
        bridge._token_in(tmp_path / "none")


def test_fixed_ports_of_applications():
    assert bridge._session_ports(["shelxle=12005", "a-b=80"]) == {"shelxle": 12005, "a-b": 80}


@pytest.mark.parametrize("text", ["shelxle", "=5", "shelxle=", "shelxle=x", "shelxle=0", "shelxle=70000"])
def test_what_names_no_port_is_refused(text):
    with pytest.raises(UserInputError, match="--session-port"):
        bridge._session_ports([text])


@pytest.mark.attack(8)
@pytest.mark.parametrize("url", ["http://box.example.org", "ftp://box", "box.example.org"])
def test_a_token_travels_in_no_clear_text(url):
    with pytest.raises(UserInputError):
        bridge._registry_and_token(url, None, insecure=False)


def test_it_loads_no_part_of_the_platform():
    """It is installed alone, on a machine that has nothing else of ours."""
    code = (
        "import sys, qcrbox_hub.cli.bridge; "
        "heavy = {'jupyterhub', 'jupyter_server', 'sqlalchemy', 'fastapi', 'nats', 'docker', 'gemmi', 'numpy'}; "
        "found = heavy & set(sys.modules); assert not found, found"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
