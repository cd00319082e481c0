"""How a bridge gets in at a hub, and what it may do there."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.end_to_end.hub_site import Person, Site

from .conftest import RunningBridge
from .generated_client import Client, Failure
from .programs import needed

pytestmark = pytest.mark.slow


class Terminal:
    """A bridge in a terminal, where a person reads what it says."""

    def __init__(self, *words: str, home: Path) -> None:
        self.end, other = pty.openpty()
        self.text = ""
        environment = os.environ | {"NO_COLOR": "1", "XDG_CONFIG_HOME": str(home), "BROWSER": "true"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "qcrbox_hub", "bridge", *words, "--port", "0", "--window-port", "0", "--vnc-port", "0"],
            stdin=other, stdout=other, stderr=other, env=environment, start_new_session=True,
        )  # fmt: skip
        os.close(other)

    def read_until(self, pattern: str, seconds: float = 120) -> re.Match[str]:
        deadline = time.monotonic() + seconds
        while not (found := re.search(pattern, self.text)):
            assert time.monotonic() < deadline, self.text
            if select.select([self.end], [], [], 1)[0]:
                self.text += os.read(self.end, 4096).decode(errors="replace")
        return found

    def stop(self) -> None:
        self.process.send_signal(signal.SIGINT)
        self.process.wait(20)
        os.close(self.end)


def test_the_person_signs_in_once_by_a_code(bea: Person, tmp_path: Path):
    terminal = Terminal(bea.site.url, home=tmp_path)
    found = terminal.read_until(r"open (\S+) and type the code (\S+)")
    bea.let_in(found[1], found[2])
    address = terminal.read_until(r"ready at (\S+)")[1]
    assert "Signed in as bea" in terminal.text
    assert Client(address).healthz()
    terminal.stop()
    (saved,) = tmp_path.rglob("tokens.json")
    assert saved.stat().st_mode & 0o077 == 0
    again = Terminal(bea.site.url, home=tmp_path)
    again.read_until(r"ready at (\S+)")
    assert "type the code" not in again.text
    again.stop()


def test_without_a_terminal_nobody_is_asked(bea: Person, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "qcrbox_hub", "bridge", bea.site.url],
        capture_output=True, text=True, check=False, timeout=120, stdin=subprocess.DEVNULL,
        env=os.environ | {"XDG_CONFIG_HOME": str(tmp_path), "NO_COLOR": "1"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "wants to know who you are" in done.stderr
    assert "--token-file" in done.stderr


@pytest.mark.attack(22)
def test_the_token_is_in_no_argument_and_no_environment(bridge: RunningBridge, token_file: Path):
    token = token_file.read_text().encode()
    for name in ("cmdline", "environ"):
        assert token not in Path(f"/proc/{bridge.process.pid}/{name}").read_bytes()


def test_a_bridge_has_its_persons_rights_and_no_more(bridge: RunningBridge, site: Site, token_file: Path):
    cem = site.member("cem")
    theirs = token_file.with_name("token-of-cem")
    theirs.touch(0o600)
    from qcrbox.client import signing_in

    theirs.write_text(
        signing_in.sign_in(signing_in.registry_address(site.url), tell=cem.let_in, timeout_s=90)
    )
    other = RunningBridge(site.url, "--token-file", str(theirs))
    try:
        made = needed(Client(other.url).create_dataset("secret.cif", b"data_secret\n")).datasets[0]
        mine = Client(bridge.url)
        shown = [one.qcrbox_dataset_id for one in needed(mine.list_datasets()).datasets]
        assert made.qcrbox_dataset_id not in shown
        for answer in (
            mine.get_dataset(made.qcrbox_dataset_id),
            mine.download_dataset(made.qcrbox_dataset_id),
        ):
            assert isinstance(answer, Failure)
            assert answer.error.code == 404
    finally:
        other.stop()
