"""Can this machine make sandboxes? Found out by making one."""

from __future__ import annotations

import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from qcrbox.contract.errors import QcError
from qcrbox.sandbox import bubblewrap, cgroups, seccomp, subordinate
from qcrbox.sandbox.user_ids import first_user_id

# Passes only inside: no other process is seen, no capability is held, no namespace can be made.
_TEST = (
    '[ "$(ls -d /proc/[0-9]* | wc -l)" -le 8 ] && grep -q "^CapEff:.0*$" /proc/self/status '
    '&& grep -q "^Seccomp:.2$" /proc/self/status && ! unshare --user true 2>/dev/null && echo walls'
)


@dataclass(frozen=True)
class Sandboxes:
    """What a probe found. `reason` and `advice` say why there are none, or what is weaker than it could be."""

    available: bool
    reason: str = ""
    advice: str = ""
    own_user_ids: bool = False
    # Own user ids are to be had in the namespace that `subordinate.enter` makes.
    subordinate_ids: bool = False
    limits: cgroups.Kind = cgroups.Kind.NONE


def probe(*, subordinate_ids: bool = True) -> Sandboxes:
    """Make a sandbox, look around in it, and say what was found. Takes some 50 ms.

    subordinate_ids: may the platform begin anew in a namespace (`subordinate.enter`)?
    """
    if os.name != "posix" or not Path("/proc/self/ns").is_dir():
        return Sandboxes(False, "sandboxes need Linux")
    if missing := bubblewrap.programs_missing():
        return Sandboxes(
            False,
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed",
            "Debian and Ubuntu: apt-get install bubblewrap util-linux; Fedora: dnf install bubblewrap util-linux.",
        )
    try:
        program = seccomp.bpf()
    except (QcError, OSError) as error:
        return Sandboxes(False, str(getattr(error, "what", error)), getattr(error, "next", ""))
    first = first_user_id()
    if first is None and os.geteuid() == 0:
        return Sandboxes(False, "this container gives root too few user ids")
    subordinate_id = subordinate.first_id() if subordinate_ids else None
    if subordinate_id is not None and not _try(subordinate_id, program, subordinate.PREFIX):
        return Sandboxes(True, own_user_ids=True, subordinate_ids=True, limits=cgroups.kind())
    failure = _try(first, program)
    if failure:
        return Sandboxes(False, f"bubblewrap cannot make a sandbox: {failure}", _advice(failure))
    return Sandboxes(True, own_user_ids=first is not None, limits=cgroups.kind())


def _try(uid: int | None, program: bytes, prefix: tuple[str, ...] = ()) -> str:
    """Why no sandbox can be made; "" when one was. prefix: what makes the namespace in which `uid` can be given."""
    with tempfile.TemporaryDirectory(prefix="qcrbox-probe-") as folder, tempfile.TemporaryFile() as filter_:
        filter_.write(program)
        filter_.seek(0)
        accounts = Path(folder)
        accounts.chmod(0o755)
        bubblewrap.write_accounts(accounts, "probe", "/tmp", uid or os.getuid())
        sandbox = bubblewrap.Sandbox("probe", "/tmp", uid)
        command = [*prefix, *sandbox.wrap(["/bin/sh", "-c", _TEST], accounts, filter_.fileno())]
        try:
            done = subprocess.run(
                command,
                pass_fds=[filter_.fileno()],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=subordinate.LIMIT_S,
                check=False,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return str(error)
    if done.returncode == 0 and done.stdout.strip() == "walls":
        return ""
    return done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "its walls do not hold"


def _advice(failure: str) -> str:
    if "user namespace" in failure.lower() or "uid map" in failure.lower() or "permission" in failure.lower():
        return (
            "This machine does not let ordinary users make user namespaces. As root: sysctl -w "
            "kernel.unprivileged_userns_clone=1 (Debian), or an AppArmor profile for bwrap (Ubuntu 24.04), "
            "or start the platform as root."
        )
    return "Containers often forbid namespaces: start this one with --security-opt seccomp=unconfined, or use Docker."
