from __future__ import annotations

import pytest
from qcrbox.contract.messages import Command


@pytest.fixture
def command():
    def make(calculation_id, attempt=1):
        return Command(
            calculation_id=calculation_id,
            attempt=attempt,
            correlation_id=calculation_id,
            application_slug="x",
            application_version="1",
            command_name="noop",
        )

    return make
