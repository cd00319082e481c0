"""`python -m qcrbox_agent` runs an agent; `python -m qcrbox_agent check application.yaml` checks a spec."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Callable

from qcrbox.contract.errors import QcError

from qcrbox_agent.run.start_warden import program_environment, start_warden
from qcrbox_agent.sealed import seal
from qcrbox_agent.settings import read_settings


def main(argv: list[str] | None = None) -> int:
    """Run the agent, or `check` a spec; returns the exit code. `argv` defaults to the command line."""
    argv = sys.argv[1:] if argv is None else argv
    if argv[:1] == ["check"]:
        # Start-up time: only `check` needs it.
        from qcrbox_agent.check import main as check

        return check(argv[1:])
    try:
        return _run(argv)
    except QcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 2


def _run(argv: list[str]) -> int:
    settings = read_settings(argv)
    logging.basicConfig(
        level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        token = settings.enrolment_file.read_text().strip()
    except OSError as error:
        sys.stderr.write(f"The enrolment token cannot be read: {error}\n")
        return 2

    if settings.sealed:
        seal()
    warden = start_warden(settings.spec, program_environment(settings.folder))
    # nats-py imports aiohttp where it is installed, for websockets that we do not use: 150 ms at each start.
    sys.modules.setdefault("aiohttp", None)  # type: ignore[arg-type]
    # Start-up time: it imports nats-py.
    from qcrbox_agent.agent import Agent

    async def start() -> int:
        return await Agent(settings, token, warden).run()

    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(start())


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        # Optional: some systems have none; the usual loop does the same, slower.
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
