"""User ids of their own for people, where an ordinary user starts the platform.

The system may give a user subordinate ids (/etc/subuid and /etc/subgid, see newuidmap(1)). In a user namespace with
these the platform is root towards them: it gives each sandbox an id and changes owners of homes, and the code for
root does it. Towards the machine it stays the ordinary user that it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

from qcrbox.sandbox.user_ids import first_user_id

# The user's id on the machine, for the platform in its namespace and all that it starts.
VARIABLE = "QCRBOX_ORDINARY_USER"
PREFIX = ("unshare", "--user", "--map-root-user", "--map-auto", "--")
_PROGRAMS = ("unshare", "newuidmap", "newgidmap")
# A probe that times out counts as a missing feature, so the limit allows for a busy machine.
LIMIT_S = 60.0
ADVICE = "install uidmap and give this user a range in /etc/subuid and /etc/subgid, or start as root"


def machine_uid() -> int:
    """This process's user id as the machine knows it."""
    return int(os.environ.get(VARIABLE) or os.geteuid())


def root_of_machine() -> bool:
    """Is this process root, and not merely so in a namespace of `enter`?"""
    return os.geteuid() == 0 and not os.environ.get(VARIABLE)


def first_id() -> int | None:
    """The first id in the namespace that people can have; None where there is none to be made, or no need for one."""
    if os.geteuid() == 0 or not all(shutil.which(program) for program in _PROGRAMS):
        return None
    try:
        done = subprocess.run(
            [*PREFIX, "cat", "/proc/self/uid_map"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return first_user_id(done.stdout) if done.returncode == 0 else None


def enter() -> None:
    """Begin this program anew in the namespace, with the same process id. Does not return; raises OSError."""
    environment = {**os.environ, VARIABLE: str(os.geteuid())}
    os.execvpe(PREFIX[0], [*PREFIX, sys.executable, *sys.orig_argv[1:]], environment)
