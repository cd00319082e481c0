"""`python -m qcrbox_registry --data DIR [--port P] …` serves; `backup`, `restore`, `migrate`, `check`, `audit` as first word do that."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import logging
import os
import socket
import sys
from pathlib import Path
from typing import IO, Any, TextIO, cast

from qcrbox.quick_imports import leave_out_extras, quick_imports

if __name__ == "__main__":
    leave_out_extras()

import structlog
import uvicorn
from pydantic import ValidationError
from qcrbox import lifeline
from qcrbox.contract.errors import Conflict, QcError

from qcrbox_registry.api.agent_socket import serve_agent_socket
from qcrbox_registry.settings import Settings

PROXY_ADDRESS = "127.0.0.1"  # where the platform's proxy comes from


def parser() -> argparse.ArgumentParser:
    """The command line: one flag for each setting."""
    made = argparse.ArgumentParser(prog="python -m qcrbox_registry", description="The QCrBox registry.")
    for name, field in Settings.model_fields.items():
        flag = "--" + name.replace("_", "-")
        about = field.description or ""
        if field.annotation is bool:
            made.add_argument(flag, action=argparse.BooleanOptionalAction, default=None, help=about)
        elif name == "applications":
            made.add_argument(flag, action="append", default=None, metavar="DIR", help=about)
        else:
            made.add_argument(flag, default=None, help=about)
    made.add_argument(
        "--no-auth", action="store_true", help="one local person with every right; loopback only"
    )
    return made


def settings_from(argv: list[str]) -> Settings:
    """Settings from the command line, then the environment, then the defaults; raises ValidationError."""
    given = vars(parser().parse_args(argv))
    if given.pop("no_auth"):
        given["auth"] = "none"
    return Settings(**{name: value for name, value in given.items() if value is not None})


def main(argv: list[str] | None = None) -> int:
    """Serve, or run one of the maintenance commands; returns the exit code."""
    words = sys.argv[1:] if argv is None else argv
    try:
        if words and words[0] in ("backup", "restore", "migrate", "check", "audit"):
            # Start-up time: only the maintenance commands need it.
            from qcrbox_registry import maintenance

            return maintenance.main(words)
        return serve(settings_from(words))
    except ValidationError as error:
        for fault in error.errors():
            name = "--" + ".".join(str(part) for part in fault["loc"]).replace("_", "-")
            sys.stderr.write(f"qcrbox registry: {name}: {fault['msg']}\n")
        return 2
    except QcError as error:
        sys.stderr.write(f"qcrbox registry: {error.message}\n")
        return 2 if error.status == 400 else 1


def serve(settings: Settings) -> int:
    """Run until SIGTERM, SIGINT or the end of the platform."""
    configure_log(settings)
    settings.data.mkdir(parents=True, exist_ok=True)
    with only_one(settings.data), listening(settings) as listener:
        port = listener.getsockname()[1]
        settings = settings.model_copy(update={"port": port})
        server = _Server(settings, f"http://{_shown(settings.host)}:{port}")
        lifeline.watch(lifeline.terminate_self)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(server, listener))
        return server.exit_code


async def _serve(server: _Server, listener: socket.socket) -> None:
    async with serve_agent_socket(
        server.config.app, server.settings.data / "run" / "internal.sock", server.settings.prefix
    ):
        await server.serve(sockets=[listener])


def _loop_factory() -> Any:
    try:
        # Optional: some systems have none; the usual loop does the same, slower.
        import uvloop
    except ImportError:
        return None
    return uvloop.new_event_loop


class _Server(uvicorn.Server):
    """Uvicorn that says when it is ready."""

    def __init__(self, settings: Settings, url: str) -> None:
        with quick_imports():
            # Start-up time: a refused setting or a taken port is reported without it.
            from qcrbox_registry.app import create_app

            application = create_app(settings)
        self._url, self.settings = url, settings
        self.exit_code = 0
        super().__init__(
            uvicorn.Config(
                application,
                http="httptools",
                ws="websockets-sansio",
                ws_per_message_deflate=False,  # what goes through a tunnel is compressed already
                lifespan="on",
                access_log=False,
                log_config=None,
                server_header=False,
                # Without the platform's proxy in front, no header about the client's address is trusted. The proxy overwrites
                # what a client claims, and code of people reaches us from other addresses than its own.
                proxy_headers=bool(settings.prefix),
                forwarded_allow_ips=PROXY_ADDRESS,
                timeout_graceful_shutdown=3,
                # Longer than any client keeps an idle connection: else both may end it at the same moment.
                timeout_keep_alive=75,
                backlog=4096,
                h11_max_incomplete_event_size=64 * 1024,
            )
        )

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        if self.should_exit:
            self.exit_code = 1
            return
        sys.stdout.write(f"registry ready at {self._url}\n")
        sys.stdout.flush()


@contextlib.contextmanager
def only_one(data: Path) -> Any:
    """Hold the data folder's lock. Raises Conflict when another registry has it."""
    folder = data / "run"
    folder.mkdir(parents=True, exist_ok=True)
    file: IO[str]
    with (folder / "registry.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            pid = file.read().strip()
            raise Conflict(
                "Another registry uses this data folder.",
                where=str(data),
                why=f"It runs as process {pid}." if pid else "",
                next="Stop it with `qcrbox down`, or choose another --data.",
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextlib.contextmanager
def listening(settings: Settings) -> Any:
    """A bound socket. Raises Conflict when the port is taken."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # asyncio sends small packets at once only where the protocol is named; else each answer may wait 40 ms.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # At once: who connects while we start waits instead of being refused, and the port is really taken.
        listener.listen(4096)
    except OSError as error:
        listener.close()
        raise Conflict(
            f"Port {settings.port} on {settings.host} cannot be used.",
            why=f"({error.strerror})",
            next="Choose another --port, or omit it to use a free port.",
        ) from None
    listener.set_inheritable(False)
    with listener:
        yield listener


class _Forgiving:
    """A text stream that loses what cannot be written: a log on a full disk must not end the request that logs."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        with contextlib.suppress(OSError):
            return self._stream.write(text)
        return 0

    def flush(self) -> None:
        with contextlib.suppress(OSError):
            self._stream.flush()


def configure_log(settings: Settings) -> None:
    """Structured lines on standard error; standard output says only that we are ready."""
    level = getattr(logging, settings.log_level.upper())
    logging.basicConfig(level=max(level, logging.INFO), stream=sys.stderr, format="%(name)s %(message)s")
    # Addresses may hold tokens, and httpx prints each.
    for name in ("httpx", "alembic", "uvicorn.error"):
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Forgiving(sys.stderr))),
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        cache_logger_on_first_use=True,
    )


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


if __name__ == "__main__":
    sys.exit(main())
