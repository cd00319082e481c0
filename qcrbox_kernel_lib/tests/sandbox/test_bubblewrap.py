"""What a program in a sandbox sees of the machine, and what it may do."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import pytest
from qcrbox.sandbox import bubblewrap
from qcrbox.sandbox.user_ids import FALLBACK_FIRST, PREFERRED_FIRST, first_user_id

pytestmark = pytest.mark.attack(25)


def inside(run, code: str) -> str:
    """The output of Python code in the sandbox."""
    done = run(sys.executable, "-I", "-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_other_folders_of_the_machine_are_not_there(run, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    listed = inside(run, "import os; print(sorted(os.listdir('/')))")
    assert set(eval(listed)) <= {
        *(
            "bin",
            "dev",
            "etc",
            "home",
            "lib",
            "lib32",
            "lib64",
            "libx32",
            "proc",
            "run",
            "sbin",
            "tmp",
            "usr",
        ),
        *(Path(path).parts[1] for path in bubblewrap.python_environment([tmp_path])),
    }
    assert inside(run, f"import os; print(os.path.exists({str(tmp_path / 'secret')!r}))") == "False"
    assert inside(run, "import os; print(os.listdir('/home'))") == "['ada']"


def test_users_of_the_machine_are_not_named(run) -> None:
    assert inside(run, "import pwd; print([user.pw_name for user in pwd.getpwall()])") == "['root', 'ada']"


def test_only_own_processes_are_seen(run) -> None:
    code = "import os; print(len([name for name in os.listdir('/proc') if name.isdigit()]))"
    assert int(inside(run, code)) < 8
    assert os.getpid() > 8


def test_no_capability_is_held_and_none_can_be_had(run) -> None:
    status = inside(run, "print(open('/proc/self/status').read())")
    for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb"):
        assert f"Cap{kind}:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "Seccomp:\t2" in status


def test_there_is_no_network(run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"""
import socket
found = [name for _, name in socket.if_nameindex()]
try:
    socket.create_connection(("127.0.0.1", {port}), 1)
    found.append("reached")
except OSError:
    pass
print(found)"""
        assert inside(run, code) == "['lo']"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give user ids")
def test_user_id_is_its_own(run, tmp_path: Path) -> None:
    first = first_user_id()
    assert first is not None
    assert inside(run, "import os; print(os.getuid(), os.getgid(), os.getgroups())") == (
        f"{first + 7} {first + 7} []"
    )
    run("/bin/sh", "-c", "echo mine > /home/ada/file")
    assert (tmp_path / "home" / "file").stat().st_uid == first + 7


@pytest.mark.parametrize(
    "path", ["/x", "/usr/x", "/etc/x", "/run/x", "/home/x", "/proc/sys/kernel/core_pattern"]
)
def test_nothing_but_home_and_tmp_can_be_written(run, path: str) -> None:
    done = run(sys.executable, "-I", "-c", f"open({path!r}, 'w').write('x')")
    assert done.returncode != 0
    assert any(word in done.stderr for word in ("Read-only", "Permission", "No such file"))


def test_home_and_tmp_can_be_written_and_tmp_has_a_size(run) -> None:
    assert (
        inside(run, "open('/home/ada/a', 'w').write('x'); open('/tmp/a', 'w').write('x'); print('well')")
        == "well"
    )
    done = run("/bin/sh", "-c", "head -c 64M /dev/zero > /tmp/full")
    assert "No space left" in done.stderr


@pytest.mark.parametrize(
    "command",
    [
        ["unshare", "--user", "true"],
        ["unshare", "--mount", "true"],
        ["mount", "-t", "tmpfs", "none", "/tmp"],
        ["bwrap", "--ro-bind", "/", "/", "true"],
        ["su", "-c", "true"],
    ],
    ids=lambda command: " ".join(command),
)
def test_no_further_namespace_mount_or_user(run, command: list[str]) -> None:
    assert run(*command).returncode != 0


@pytest.mark.parametrize(
    ("name", "number", "arguments"),
    [
        ("ptrace", 101, "0, 0, 0, 0"),
        ("keyctl", 250, "0, 0, 0, 0"),
        ("bpf", 321, "0, 0, 0, 0"),
        ("io_uring_setup", 425, "1, 0, 0, 0"),
        ("userfaultfd", 323, "0, 0, 0, 0"),
        ("perf_event_open", 298, "0, 0, 0, 0"),
        ("unshare", 272, "0x10000000, 0, 0, 0"),
        ("setns", 308, "0, 0, 0, 0"),
        ("clone with a user namespace", 56, "0x10000000 | 17, 0, 0, 0"),
        ("socket of a rare family", 41, "40, 2, 0, 0"),
    ],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="numbers of calls are those of x86-64")
def test_dangerous_calls_are_refused(run, name: str, number: int, arguments: str) -> None:
    code = f"""
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.syscall({number}, {arguments}), ctypes.get_errno())"""
    assert inside(run, code) == "-1 1"


def test_exit_code_comes_out(run) -> None:
    assert run("/bin/sh", "-c", "exit 7").returncode == 7


def test_later_mounts_hide_nothing(tmp_path: Path) -> None:
    sandbox = bubblewrap.Sandbox(
        "x", "/home/x", read_only={"/a/b": tmp_path}, writable={"/a": tmp_path, "/a/b/c": tmp_path}
    )
    command = sandbox.wrap(["true"], tmp_path, 9)
    binds = [command[i + 2] for i, word in enumerate(command) if word in ("--bind", "--ro-bind")]
    assert binds.index("/a") < binds.index("/a/b") < binds.index("/a/b/c")


def test_interpreter_can_be_run_from_what_is_named_for_it() -> None:
    named = bubblewrap.python_environment()
    for place in (Path(sys.prefix), Path(sys.base_prefix), Path(sys.executable).resolve()):
        assert place.is_relative_to("/usr") or any(place.is_relative_to(each) for each in named)


@pytest.mark.parametrize(
    ("uid_map", "first"),
    [
        ("         0          0 4294967295\n", PREFERRED_FIRST),
        ("         0     100000      65536\n", FALLBACK_FIRST),
        ("         0       1000          1\n", None),
        ("0 1000 1\n1 100000 65536\n", FALLBACK_FIRST),
    ],
)
def test_user_ids_are_those_that_a_container_allows(uid_map: str, first: int | None) -> None:
    assert first_user_id(uid_map) == first
