"""What an engine that runs agents has to do."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar

from qcrbox.contract.errors import QcError
from qcrbox.contract.messages import Limits
from traitlets import Bool, Float, Int, Unicode
from traitlets.config import LoggingConfigurable

from qcrbox_registry.launcher.catalogue import ApprovedApplication

Progress = Callable[[str], None]


@dataclass(frozen=True)
class AgentPlan:
    """One agent to start. The launcher makes it; nothing in it but the agent's id, the limits and the token comes
    from a request, and the token is never shown."""

    agent: str
    application: ApprovedApplication
    limits: Limits
    token: str = field(repr=False)
    nats_url: str
    launcher: str


@dataclass(frozen=True)
class Ended:
    """How an agent's process or container ended. exit_code None: not known, e.g. after an adoption."""

    exit_code: int | None = None
    oom_killed: bool = False
    reason: str = ""
    log: str = ""  # the end of its own output, as far as the engine keeps it


LOG_BYTES = 16 * 1024  # of the end of an agent's output that a manager reads for `Ended.log`


@dataclass(frozen=True)
class FoundAgent:
    """An agent of this launcher that the engine knows, from whatever start of the launcher."""

    agent: str
    application_slug: str
    application_version: str
    handle: str
    started_at: float = 0.0


class StartFailed(QcError):
    """An agent could not be started; the text is shown to the person who waits."""

    status, kind = 503, "start_failed"


class Manager(LoggingConfigurable):
    """Base class for managers. A new engine subclasses it and overrides:

    - ``start``
    - ``poll``
    - ``stop``
    - ``list``
    - and optionally ``capacity``, ``missing``, ``prepare``, ``setup``, ``cleanup`` and ``end_platform``.

    All of them may be called again after a restart of the launcher: what a manager must know about a running
    agent has to be in the engine itself (a label, a pid file), never in memory alone.
    ``qcrbox_registry.launcher.conformance.ManagerConformance`` holds the tests every manager has to pass.
    """

    name: ClassVar[str] = ""

    launcher = Unicode(
        "local", help="Name of the launcher; two launchers never see each other's agents."
    ).tag(config=True)
    data = Unicode("", help="The data folder; run/, logs/ and environments/ below it are used.").tag(
        config=True
    )
    nats_url = Unicode("", help="Where agents find NATS.").tag(config=True)
    most_agents = Int(
        0, help="How many agents may run at the same time; 0: twice the processors, but no less than four."
    ).tag(config=True)
    prepare_at_start = Bool(
        True,
        help="Make environments or images of all applications when the launcher starts, not at first use.",
    ).tag(config=True)
    poll_interval_s = Float(0.5, help="How often the launcher asks whether an agent still runs, s.").tag(
        config=True
    )

    async def setup(self) -> None:
        """Called once before anything else."""

    async def cleanup(self) -> None:
        """Called once at the end. Running agents stay: the next launcher adopts them."""

    async def end_platform(self) -> None:
        """Called after ``cleanup`` when the platform ends, as opposed to a launcher that restarts.

        Agents that hold the lifeline end by themselves; an engine whose agents cannot hold it ends them here.
        """

    async def prepare(self, application: ApprovedApplication, progress: Progress) -> None:
        """Make what starting this application needs (an environment, an image) and is slow to make.

        Tell `progress` in words what is being done. Called before ``start``, perhaps several times at once;
        must return at once when all is there.

        Raises
        ------
        StartFailed
            What went wrong and what an administrator can do.
        """

    async def missing(self, application: ApprovedApplication) -> dict[str, str]:
        """What of the application cannot run here because something is not installed.

        Asked again every few seconds, so that what was installed since is seen.

        Returns
        -------
        missing: dict of str to str
            Name of a command, or "" for all of them -> what is missing and what an administrator can do.
        """
        return {}

    async def start(self, plan: AgentPlan) -> str:
        """Start one agent.

        Returns
        -------
        handle: str
            What ``poll`` and ``stop`` find the agent by, also after a restart of the launcher.

        Raises
        ------
        StartFailed
            Nothing is left behind then.
        """
        raise NotImplementedError

    async def poll(self, handle: str) -> Ended | None:
        """None while the agent runs, else how it ended. An unknown handle has ended."""
        raise NotImplementedError

    async def stop(self, handle: str, grace_s: float) -> None:
        """Ask the agent to end, and after `grace_s` end it and everything it started.

        Returns when nothing of it runs any more. Stopping what has ended is no error.
        """
        raise NotImplementedError

    async def list(self) -> list[FoundAgent]:
        """All running agents of this launcher, those of earlier runs included."""
        raise NotImplementedError

    def capacity(self) -> int:
        """How many agents may run here at the same time."""
        return self.most_agents or max(4, 2 * (os.cpu_count() or 1))
