"""`python -m qcrbox.sandbox.inside … -- COMMAND…`: the first program inside a sandbox or container of a person.

It starts the command, lets it find the services outside at loopback ports, and lets the outside find the server at a
Unix socket. Both are relays of this process; it ends with the command, and the sandbox ends with it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from qcrbox import lifeline
from qcrbox.sandbox.relay import Relay, Target

GRACE_S = 4.0
AWAY_S = 30.0
# A browser opens a websocket for each kernel and terminal, and up to six more connections.
MOST_CONNECTIONS = 512


def parse(argv: list[str]) -> argparse.Namespace:
    """The command line as options and the program to run."""
    parser = argparse.ArgumentParser(prog="python -m qcrbox.sandbox.inside", description=__doc__)
    parser.add_argument(
        "--reach",
        action="append",
        default=[],
        metavar="PORT=SOCKET",
        help="let programs inside reach SOCKET at this loopback port",
    )
    parser.add_argument(
        "--offer",
        default="",
        metavar="PORT=SOCKET",
        help="let the outside reach this loopback port at SOCKET",
    )
    parser.add_argument(
        "--hold", default="", metavar="SOCKET", help="end when this socket has been away for half a minute"
    )
    parser.add_argument(
        "--environment", default="", metavar="FILE", help="JSON with the environment of the command"
    )
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(argv)
    options.command = options.command[1:] if options.command[:1] == ["--"] else options.command
    if not options.command:
        parser.error("there is no command to run")
    return options


async def run(options: argparse.Namespace) -> int:
    """Start everything and wait for the command. Returns its exit code."""
    # The command takes longest to start, so it goes first.
    process = subprocess.Popen(options.command, env=_environment(options.environment))
    relays = [_reach(each) for each in options.reach]
    if options.offer:
        relays.append(_offer(options.offer))
    try:
        for relay in relays:
            await relay.open()
        return await _wait(process, options.hold)
    finally:
        for relay in relays:
            with contextlib.suppress(OSError):
                await relay.close()


def _reach(text: str) -> Relay:
    port, _, socket = text.partition("=")
    return Relay(target=Target(path=Path(socket)), port=int(port), most=MOST_CONNECTIONS)


def _offer(text: str) -> Relay:
    port, _, socket = text.partition("=")
    return Relay(target=Target(host="127.0.0.1", port=int(port)), socket=Path(socket), most=MOST_CONNECTIONS)


def _environment(file: str) -> dict[str, str]:
    given = json.loads(Path(file).read_text()) if file else {}
    # The command is not on the lifeline itself: the number of the descriptor would mean another file to it.
    return {name: value for name, value in {**os.environ, **given}.items() if name != lifeline.VARIABLE}


async def _hold(socket: str, away_s: float = AWAY_S) -> None:
    """Returns when nothing has answered at the socket for `away_s`: the platform is gone, not just its relay."""
    loop = asyncio.get_running_loop()
    last = loop.time()
    while loop.time() - last < away_s:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_unix_connection(socket)
            while await reader.read(1024):
                pass
            writer.close()
            last = loop.time()
        await asyncio.sleep(1)


async def _wait(process: subprocess.Popen[bytes], hold: str) -> int:
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, asked.set)

    def platform_ended() -> None:
        loop.call_soon_threadsafe(asked.set)

    lifeline.watch(platform_ended)
    ended = asyncio.create_task(asyncio.to_thread(process.wait))
    signs: set[asyncio.Task[object]] = {asyncio.create_task(asked.wait())}
    if hold:
        signs.add(asyncio.create_task(_hold(hold)))
    await asyncio.wait({ended, *signs}, return_when=asyncio.FIRST_COMPLETED)
    if not ended.done():
        process.terminate()
        await asyncio.wait({ended}, timeout=GRACE_S)
        if not ended.done():
            process.kill()
    for each in signs:
        each.cancel()
    return await ended


def main(argv: list[str]) -> int:
    """Run as the first process of a sandbox."""
    # Sockets that this process makes are reached by other user ids; their folder decides whose.
    os.umask(0o022)
    code = asyncio.run(run(parse(argv)))
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
