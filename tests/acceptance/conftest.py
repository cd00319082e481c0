"""A box on the real registry, as a notebook has it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from qcrbox.api.box import Box
from qcrbox.client.http import RegistryClient

from tests.conftest import RunningRegistry


@pytest.fixture(scope="session")
def box(registry: RunningRegistry) -> Iterator[Box]:
    made = Box(RegistryClient(registry.url))
    yield made
    made.close()
