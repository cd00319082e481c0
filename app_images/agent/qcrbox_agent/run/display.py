"""A display for a program with a window: an X server that serves VNC on a Unix socket, and a small window manager.

No TCP port is opened, neither for X nor for VNC. Who may draw is settled by a cookie file that only the
programs of this session are told of, who may look by the folder the VNC socket lies in (0700).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import struct
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from qcrbox.contract.errors import Unreachable
from qcrbox.waiting import within

from qcrbox_agent.run import groups
from qcrbox_agent.run.start_warden import program_environment

WIDTH, HEIGHT = 1280, 800
READY_S = 20.0
SERVERS = ("Xtigervnc", "Xvnc")
WINDOW_MANAGER = "openbox"
ABSENT = "This machine cannot show windows: the program Xtigervnc is not installed (Debian package tigervnc-standalone-server)."

_FAMILY_WILD = 0xFFFF
# Main windows fill the picture, dialogs keep their size; no menus and no shortcuts: every key goes to the program.
_OPENBOX = """<?xml version="1.0"?>
<openbox_config xmlns="http://openbox.org/3.4/rc">
  <focus><focusNew>yes</focusNew><followMouse>no</followMouse></focus>
  <placement><policy>Smart</policy><center>yes</center></placement>
  <theme><name>Clearlooks</name><titleLayout>L</titleLayout></theme>
  <desktops><number>1</number></desktops>
  <keyboard/>
  <mouse>
    <context name="Titlebar"><mousebind button="Left" action="Drag"><action name="Move"/></mousebind></context>
    <context name="Client"><mousebind button="Left" action="Press"><action name="Focus"/><action name="Raise"/></mousebind></context>
    <context name="Close"><mousebind button="Left" action="Click"><action name="Close"/></mousebind></context>
  </mouse>
  <applications>
    <application type="normal"><maximized>yes</maximized><decor>no</decor></application>
    <application type="dialog"><decor>yes</decor></application>
  </applications>
</openbox_config>
"""


def server_program() -> str | None:
    """The X server this machine has, None when none can be used."""
    return next((path for name in SERVERS if (path := shutil.which(name))), None)


@dataclass
class Display:
    """A running display. `environment` is for the programs that draw on it."""

    environment: Mapping[str, str]
    socket_path: Path  # serves RFB
    width: int
    height: int
    _folder: Path
    _release: Callable[[int], None]
    _processes: list[asyncio.subprocess.Process] = field(default_factory=list)

    @property
    def is_alive(self) -> bool:
        """Whether the X server still runs."""
        return bool(self._processes) and self._processes[0].returncode is None

    async def close(self) -> None:
        """End window manager and server, and remove what they left."""
        for process in reversed(self._processes):
            await groups.terminate(process.pid, 2.0)
            with contextlib.suppress(ProcessLookupError):
                await process.wait()
            groups.remove(process.pid)
            self._release(process.pid)
        self._processes.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


async def open_display(
    guard: Callable[[int], None] = lambda _: None,
    release: Callable[[int], None] = lambda _: None,
    *,
    width: int = WIDTH,
    height: int = HEIGHT,
) -> Display | None:
    """Start a display; None when this machine has no X server for it.

    guard, release: called with process groups, so that they end with the agent however it ends.
    Raises Unreachable with the server's last words when it does not come up.
    """
    server = server_program()
    if server is None:
        return None
    # Not below the working directory: the path of a Unix socket has 108 characters at most.
    # The launcher removes those whose agent, by its number, was killed.
    folder = Path(tempfile.mkdtemp(prefix=f"qcrbox-display-{os.getpid()}-"))
    runtime = folder / "runtime"
    runtime.mkdir(mode=0o700)
    display = Display({}, folder / "rfb", width, height, folder, release)
    try:
        cookie = folder / "xauthority"
        write_cookie(cookie, secrets.token_bytes(16))
        number = await _start_server(display, server, cookie, guard)
        display.environment = {
            "DISPLAY": f":{number}",
            "XAUTHORITY": str(cookie),
            "XDG_RUNTIME_DIR": str(runtime),
            "LIBGL_ALWAYS_SOFTWARE": "1",
            "NO_AT_BRIDGE": "1",  # no accessibility bus here; waiting for it costs seconds
            "QT_X11_NO_MITSHM": "1",
        }
        await _start_window_manager(display, guard)
    except BaseException:
        await display.close()
        raise
    return display


async def _start_server(display: Display, server: str, cookie: Path, guard: Callable[[int], None]) -> int:
    with contextlib.suppress(OSError):
        # In a container the folder of X sockets is not there, and the server makes it as root only.
        os.mkdir("/tmp/.X11-unix")
        os.chmod("/tmp/.X11-unix", 0o1777)
    read_end, write_end = os.pipe()
    log = display._folder / "server.log"
    command = [server, "-displayfd", str(write_end), "-auth", str(cookie), "-nolisten", "tcp"]
    command += ["-rfbunixpath", str(display.socket_path), "-rfbunixmode", "0600", "-rfbport", "-1"]
    command += ["-SecurityTypes", "None", "-AlwaysShared", "-desktop", "QCrBox", "-depth", "24"]
    command += ["-geometry", f"{display.width}x{display.height}", "-FrameRate", "60"]
    try:
        await _spawn(display, command, log, guard, pass_fds=(write_end,))
    finally:
        os.close(write_end)
    loop = asyncio.get_running_loop()
    try:
        text = await within(loop.run_in_executor(None, _read_line, read_end), READY_S)
    except TimeoutError:
        text = ""
    number = text.strip()
    if not number.isdigit() or not await _is_there(display.socket_path):
        raise Unreachable(
            "The display did not come up.",
            why=" ".join(log.read_text(errors="replace").split()[-40:]) if log.exists() else "",
            part="display",
        )
    return int(number)


def _read_line(descriptor: int) -> str:
    with os.fdopen(descriptor, "rb") as pipe:
        return pipe.readline().decode(errors="replace")


async def _is_there(path: Path) -> bool:
    for _ in range(500):
        if path.exists():
            return True
        await asyncio.sleep(0.01)
    return False


async def _start_window_manager(display: Display, guard: Callable[[int], None]) -> None:
    program = shutil.which(WINDOW_MANAGER)
    if program is None:
        return
    settings = display._folder / "openbox.xml"
    settings.write_text(_OPENBOX)
    log = display._folder / "window-manager.log"
    ready = display._folder / "window-manager-ready"
    command = [program, "--config-file", str(settings), "--sm-disable", "--startup", f"touch {ready}"]
    await _spawn(display, command, log, guard, environment=display.environment)
    # A window that is there before its manager gets no keyboard.
    await _is_there(ready)


async def _spawn(
    display: Display,
    command: list[str],
    log: Path,
    guard: Callable[[int], None],
    *,
    environment: Mapping[str, str] | None = None,
    pass_fds: tuple[int, ...] = (),
) -> None:
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *command,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**program_environment(display._folder), "HOME": str(display._folder), **(environment or {})},
            start_new_session=True,
            pass_fds=pass_fds,
        )
    display._processes.append(process)
    groups.add(process.pid)
    guard(process.pid)


def write_cookie(path: Path, cookie: bytes) -> None:
    """An Xauthority file with one MIT-MAGIC-COOKIE-1 that is good for every address (its layout: Xau(3))."""
    parts = (b"", b"", b"MIT-MAGIC-COOKIE-1", cookie)
    content = struct.pack(">H", _FAMILY_WILD) + b"".join(struct.pack(">H", len(p)) + p for p in parts)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


__all__ = ["ABSENT", "Display", "open_display", "server_program", "write_cookie"]
