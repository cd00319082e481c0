from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from qcrbox.contract.messages import Limits
from qcrbox_registry.launcher.catalogue import ApprovedApplication, Catalogue
from qcrbox_registry.launcher.managers.base import AgentPlan

SAMPLE = Path(__file__).parents[3] / "app_images" / "agent" / "tests" / "fixtures" / "sample"


@pytest.fixture(scope="session")
def sample_folder() -> Path:
    return SAMPLE


@pytest.fixture
def sample(tmp_path: Path) -> ApprovedApplication:
    return Catalogue(tmp_path / "approved").approve(SAMPLE)


@pytest.fixture(scope="session")
def plan_of() -> Callable[[ApprovedApplication, str], AgentPlan]:
    """A plan whose agent finds no NATS: it keeps on trying, so it runs."""

    def make(application: ApprovedApplication, agent: str, limits: Limits | None = None) -> AgentPlan:
        return AgentPlan(
            agent=agent,
            application=application,
            limits=limits or Limits(),
            token="secret-token",
            nats_url="nats://127.0.0.1:1",
            launcher="local",
        )

    return make


@pytest.fixture
def plan(
    sample: ApprovedApplication, plan_of: Callable[[ApprovedApplication, str], AgentPlan]
) -> Callable[[str], AgentPlan]:
    """Plans of the sample."""
    return partial(plan_of, sample)
