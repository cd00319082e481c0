"""A missing package is named with the extra that brings it."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import UserInputError
from qcrbox_hub.platform import packages


@pytest.mark.parametrize("mode", ["hub", "solo", "registry"])
def test_nothing_is_missing_here(mode: str) -> None:
    packages.require(mode)


def test_missing_package_is_named_with_its_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(packages.NEEDED, "extension", ("jupyter_server", "no_such_module_of_lab"))
    packages.require("registry")
    with pytest.raises(UserInputError, match=r'no_such_module_of_lab.*pip install "qcrbox\[extension\]"'):
        packages.require("solo")


def test_missing_nats_server_belongs_to_the_registrys_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "nats_server", lambda: None)
    assert packages.missing("registry") == {"registry": ["nats-server"]}
