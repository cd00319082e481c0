"""A sandbox made of Linux namespaces by bubblewrap (https://github.com/containers/bubblewrap).

The command gets a file system made of what is named here, process, IPC, network, host-name and user namespaces of
its own, no capability, and the filter of `seccomp`. Root gives each sandbox a user id of its own: the mounts are made
by root, then `setpriv` drops every right, and a second bubblewrap adds the user namespace. An ordinary user has one
id only, so its sandboxes are parted by their namespaces alone.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

MiB = 1024**2
# What /etc holds for programs: names, certificates, libraries, fonts, time. No passwd: it names the machine's users.
ETC = (
    *("alternatives", "ca-certificates", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime"),
    *(
        "magic",
        "mime.types",
        "nsswitch.conf",
        "protocols",
        "services",
        "ssl/certs",
        "ssl/openssl.cnf",
        "timezone",
        "ImageMagick-6",
    ),
)
_SYSTEM = ("bin", "lib", "lib32", "lib64", "libx32", "sbin")


@dataclass(frozen=True)
class Sandbox:
    """What a command in the sandbox sees, and as whom it runs.

    read_only and writable map paths inside to paths outside. uid None: the caller's own.
    """

    name: str
    home: str
    uid: int | None = None
    read_only: dict[str, Path] = field(default_factory=dict)
    writable: dict[str, Path] = field(default_factory=dict)
    memory_files_bytes: int = 512 * MiB

    def wrap(self, command: list[str], accounts: Path, filter_fd: int) -> list[str]:
        """The command line that runs `command` inside.

        accounts: a folder with the files `passwd`, `group` and `hosts` (see `write_accounts`); filter_fd: an
        inherited descriptor of a file with `seccomp.bpf()`.
        """
        outer = [
            "bwrap",
            *("--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net", "--unshare-cgroup-try"),
            *("--hostname", "qcrbox", "--new-session"),
            *self._file_system(accounts),
        ]
        own_namespace = ["--unshare-user", "--disable-userns"]
        last = ["--chdir", self.home, "--seccomp", str(filter_fd), "--", *command]
        if self.uid is None:
            return [*outer, *own_namespace, *last]
        identity = [str(self.uid)] * 2
        return [
            *(*outer, "--chdir", "/", "--"),
            *("setpriv", "--reuid", identity[0], "--regid", identity[1], "--clear-groups"),
            *("--inh-caps=-all", "--bounding-set=-all", "--no-new-privs", "--"),
            *("bwrap", *own_namespace, "--uid", identity[0], "--gid", identity[1], "--dev-bind", "/", "/"),
            *last,
        ]

    def _file_system(self, accounts: Path) -> list[str]:
        tree = _Tree()
        tree.bind_system()
        for name in ETC:
            tree.bind("--ro-bind-try", f"/etc/{name}", Path("/etc") / name)
        for name in ("passwd", "group", "hosts"):
            tree.bind("--ro-bind", f"/etc/{name}", accounts / name)
        tree.add("--proc", "/proc", "--dev", "/dev")
        for place in ("/dev/shm", "/tmp"):
            tree.add("--perms", "1777", "--size", str(self.memory_files_bytes), "--tmpfs", place)
        # Parents before what lies in them: a later mount hides what is below it.
        for inside in sorted({*self.read_only, *self.writable}):
            if inside in self.writable:
                tree.bind("--bind", inside, self.writable[inside])
            else:
                tree.bind("--ro-bind", inside, self.read_only[inside])
        tree.add("--remount-ro", "/")
        return tree.arguments


class _Tree:
    """Mount arguments in order; makes parent folders that everyone may pass (bubblewrap's own are closed)."""

    def __init__(self) -> None:
        self.arguments: list[str] = []
        self._made = {"/"}

    def add(self, *arguments: str) -> None:
        self.arguments += arguments

    def bind(self, kind: str, inside: str, outside: Path) -> None:
        for parent in reversed(Path(inside).parents):
            if str(parent) not in self._made:
                self._made.add(str(parent))
                self.add("--perms", "0755", "--dir", str(parent))
        self._made.add(inside)
        self.add(kind, str(outside), inside)

    def bind_system(self) -> None:
        self.bind("--ro-bind", "/usr", Path("/usr"))
        for name in _SYSTEM:
            path = Path("/") / name
            if path.is_symlink():
                self.add("--symlink", os.readlink(path), str(path))
            elif path.is_dir():
                self.bind("--ro-bind", str(path), path)


def write_accounts(folder: Path, name: str, home: str, uid: int) -> None:
    """The files of /etc that name users and hosts, with one user in them."""
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    texts = {
        "passwd": f"root:x:0:0:root:/:/usr/sbin/nologin\n{name}:x:{uid}:{uid}::{home}:/bin/bash\n",
        "group": f"root:x:0:\n{name}:x:{uid}:\n",
        "hosts": "127.0.0.1 localhost qcrbox\n",
    }
    for file, text in texts.items():
        (folder / file).write_text(text)
        (folder / file).chmod(0o644)


def python_environment(packages: Iterable[Path] = ()) -> dict[str, Path]:
    """What this interpreter needs to run: its prefix, its base, and packages that lie elsewhere (a checkout's)."""
    paths = {Path(sys.prefix), Path(sys.base_prefix), *(Path(each) for each in packages)}
    # pip and uv link interpreters: the link and what it leads to may lie in different trees.
    executable = Path(sys.executable)
    while executable.is_symlink():
        executable = executable.parent / os.readlink(executable)
        paths.add(executable.parent.parent)
    outside_usr = {Path(os.path.normpath(path)) for path in paths}
    needed = {path for path in outside_usr if not path.is_relative_to("/usr") and path != Path("/")}
    # A parent that is bound already holds its children.
    return {
        str(path): path
        for path in sorted(needed)
        if not any(path != other and path.is_relative_to(other) for other in needed)
    }


def programs_missing() -> list[str]:
    """Programs that are needed and not installed."""
    needed = ["bwrap", *(["setpriv"] if os.geteuid() == 0 else [])]
    return [program for program in needed if shutil.which(program) is None]
