from __future__ import annotations

import pytest
from qcrbox_registry.launcher.conformance import ManagerConformance

pytestmark = pytest.mark.docker


class TestDockerManager(ManagerConformance):
    """Every promise of a manager, kept by containers."""
