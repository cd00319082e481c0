"""A bridge whose hub is gone. The name keeps this file the last of its folder: nothing can use the site afterwards."""

from __future__ import annotations

import pytest

from tests.end_to_end.hub_site import Site

from .conftest import RunningBridge
from .generated_client import Client, Failure

pytestmark = pytest.mark.slow


def test_a_hub_that_stops_is_missed_in_words(bridge: RunningBridge, site: Site):
    client = Client(bridge.url)
    assert client.healthz()
    site.stop()
    answer = client.list_applications()
    assert isinstance(answer, Failure)
    assert answer.error.code == 500
    assert "does not answer" in answer.error.message
