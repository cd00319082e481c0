"""The accounts of this machine, by the real libpam."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from qcrbox_hub.platform.settings import PlatformSettings

if TYPE_CHECKING:
    from conftest import Browser, Hub

PASSWORD = "opal-Harbour-17-moss"
# Of this process alone: one that was killed leaves its account behind.
NAME, GROUP = f"qcrboxtest{os.getpid()}", f"qcrboxgroup{os.getpid()}"


@pytest.fixture(scope="module")
def account() -> Iterator[str]:
    """A system account for the length of these tests."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("useradd", "chpasswd", "groupadd"))):
        pytest.skip("only root makes system accounts")
    if not Path("/etc/pam.d/login").exists():
        pytest.skip("PAM is not set up here")
    try:
        subprocess.run(["groupadd", GROUP], check=True)
        subprocess.run(["useradd", "--no-create-home", "--groups", GROUP, NAME], check=True)
        subprocess.run(["chpasswd"], input=f"{NAME}:{PASSWORD}", text=True, check=True)
        yield NAME
    finally:
        subprocess.run(["userdel", NAME], check=False)
        subprocess.run(["groupdel", GROUP], check=False)


@pytest.fixture(scope="module")
def hub(account: str, start_hub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    settings = PlatformSettings.model_validate(
        {
            "sign_in": {
                "method": "pam",
                "administrators": [account],
                "claims": [{"value": GROUP, "group": "crystallography"}],
            }
        }
    )
    with start_hub(tmp_path_factory.mktemp("pam"), settings) as made:
        yield made


def sign_in(hub: Hub, password: str) -> Browser:
    browser = hub.browser()
    browser.sign_in(NAME, password)
    return browser


def test_system_account_signs_in_with_its_groups(hub: Hub) -> None:
    about = sign_in(hub, PASSWORD).get("/hub/api/user").json()
    assert about["name"] == NAME
    assert about["admin"]
    assert set(about["groups"]) == {"everyone", "crystallography"}


@pytest.mark.slow
@pytest.mark.attack(8)
def test_wrong_password_opens_nothing(hub: Hub) -> None:
    assert sign_in(hub, "x" * 12).get("/hub/token").url.path == "/hub/login"
