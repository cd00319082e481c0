"""Which system calls may be made inside the walls: what programs of an ordinary user need, and nothing else.

`profile` is the filter in Docker's form, `bpf` the same as the program that bubblewrap loads. Docker's own profile
is made for any container, so it lets through what no crystallographic program needs and what has been a way out before: looking into other processes (ptrace, process_vm_readv), kernel keyrings, io_uring,
32-bit calls, and unusual kinds of sockets. Here everything is refused that is not named, as Docker does it
(https://docs.docker.com/engine/security/seccomp/ describes the form). A refused call fails with EPERM, but for
calls that C libraries replace by an older one when the kernel does not know them: those fail with ENOSYS.
"""

from __future__ import annotations

import ctypes
import json
import os
import tempfile
from functools import cache
from typing import Any

from qcrbox.contract.errors import Unreachable

_EPERM, _ENOSYS = 1, 38

FILES = """
    access chdir chmod chown close close_range copy_file_range creat dup dup2 dup3 faccessat faccessat2 fadvise64
    fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl fdatasync fgetxattr flistxattr flock fremovexattr
    fsetxattr fstat fstatfs fsync ftruncate futimesat getcwd getdents getdents64 getxattr inotify_add_watch inotify_init
    inotify_init1 inotify_rm_watch ioctl lchown lgetxattr link linkat listxattr llistxattr lremovexattr lseek lsetxattr
    lstat mkdir mkdirat mknod mknodat newfstatat open openat openat2 pread64 preadv preadv2 pwrite64 pwritev pwritev2
    read readahead readlink readlinkat readv removexattr rename renameat renameat2 rmdir sendfile setxattr splice stat
    statfs statx symlink symlinkat sync sync_file_range syncfs tee truncate umask unlink unlinkat utime utimensat utimes
    vmsplice write writev cachestat
"""
MEMORY = """
    brk madvise membarrier memfd_create mincore mlock mlock2 mlockall mmap mprotect mremap mseal msync munlock munlockall
    munmap pkey_alloc pkey_free pkey_mprotect remap_file_pages map_shadow_stack
"""
PROCESSES = """
    arch_prctl capget capset execve execveat exit exit_group fork vfork get_robust_list get_thread_area getcpu getegid geteuid
    getgid getgroups getpgid getpgrp getpid getppid getpriority getresgid getresuid getrlimit getrusage getsid gettid
    getuid ioprio_get ioprio_set kill pidfd_open pidfd_send_signal prctl prlimit64 rseq rt_sigaction rt_sigpending
    rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_tgsigqueueinfo sched_get_priority_max
    sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler sched_rr_get_interval
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp set_robust_list
    set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setpgid setpriority setregid setresgid setresuid
    setreuid setrlimit setsid setuid sigaltstack signalfd signalfd4 tgkill tkill wait4 waitid landlock_add_rule
    landlock_create_ruleset landlock_restrict_self restart_syscall
"""
WAITING = """
    alarm clock_getres clock_gettime clock_nanosleep epoll_create epoll_create1 epoll_ctl epoll_ctl_old epoll_pwait
    epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 futex futex_requeue futex_wait futex_waitv futex_wake
    getitimer gettimeofday nanosleep pause poll ppoll pselect6 select setitimer time timer_create timer_delete
    timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times
"""
TALKING = """
    accept accept4 bind connect getpeername getsockname getsockopt listen recvfrom recvmmsg recvmsg sendmmsg sendmsg
    sendto setsockopt shutdown socketpair pipe pipe2 mq_getsetattr mq_notify mq_open mq_timedreceive mq_timedsend
    mq_unlink msgctl msgget msgrcv msgsnd semctl semget semop semtimedop shmat shmctl shmdt shmget
"""
MACHINE = "getrandom sysinfo uname"
UNKNOWN_TO_OLD_KERNELS = (
    "clone3"  # its flags lie in memory, where no filter can look; libraries fall back to clone
)

# CLONE_NEW…: a new namespace, in which a process would hold capabilities again.
_NEW_NAMESPACES = 0x7E020000
# Unix, IPv4, IPv6, and the netlink that address look-ups speak.
_SOCKET_FAMILIES = (1, 2, 10, 16)
# Linux, 32-bit addresses (PER_LINUX32 without its calls), both without randomised addresses, and asking which it is.
_PERSONALITIES = (0x0, 0x0008, 0x20000, 0x20008, 0xFFFFFFFF)


def profile() -> dict[str, Any]:
    """The profile in Docker's form."""
    plain = sorted(
        {name for part in (FILES, MEMORY, PROCESSES, WAITING, TALKING, MACHINE) for name in part.split()}
    )
    return {
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": _EPERM,
        # Only the machine's own calls: the 32-bit ones are a second door to the same kernel.
        "archMap": [
            {"architecture": name, "subArchitectures": []}
            for name in ("SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_RISCV64")
        ],
        "syscalls": [
            _allow(plain),
            _allow(["clone"], [_argument(0, _NEW_NAMESPACES, "SCMP_CMP_MASKED_EQ", 0)]),
            *(_allow(["socket"], [_argument(0, family)]) for family in _SOCKET_FAMILIES),
            *(_allow(["personality"], [_argument(0, value)]) for value in _PERSONALITIES),
            {"names": UNKNOWN_TO_OLD_KERNELS.split(), "action": "SCMP_ACT_ERRNO", "errnoRet": _ENOSYS},
        ],
    }


def text() -> str:
    """The profile as the daemon takes it: its JSON, not a path."""
    return json.dumps(profile(), separators=(",", ":"))


def _allow(names: list[str], arguments: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {"names": names, "action": "SCMP_ACT_ALLOW", "args": arguments or []}


def _argument(index: int, value: int, compare: str = "SCMP_CMP_EQ", second: int = 0) -> dict[str, Any]:
    return {"index": index, "value": value, "valueTwo": second, "op": compare}


# ---------------------------------------------------------------- for bubblewrap

_LIBRARY = "libseccomp.so.2"
_ACT_ALLOW, _ACT_ERRNO = 0x7FFF0000, 0x00050000
_FILTER_BAD_ARCH = 2
_COMPARE = {"SCMP_CMP_EQ": 4, "SCMP_CMP_MASKED_EQ": 7}
_UNKNOWN = -1


class _Argument(ctypes.Structure):
    """`struct scmp_arg_cmp` of seccomp.h."""

    _fields_ = (
        ("index", ctypes.c_uint),
        ("compare", ctypes.c_int),
        ("value", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


@cache
def bpf() -> bytes:
    """The filter as a BPF program for this machine's processor.

    Raises Unreachable where libseccomp is missing: never a sandbox without the filter.
    """
    try:
        library = ctypes.CDLL(_LIBRARY, use_errno=True)
    except OSError as error:
        raise Unreachable(
            f"{_LIBRARY} is not installed.",
            why="It translates the filter of system calls for this processor.",
            next="Debian and Ubuntu: apt-get install libseccomp2.",
            part="sandbox",
        ) from error
    library.seccomp_init.restype = ctypes.c_void_p
    context = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ACT_ERRNO | _EPERM)))
    try:
        _check(library.seccomp_attr_set(context, _FILTER_BAD_ARCH, ctypes.c_uint32(_ACT_ERRNO | _EPERM)))
        for rule in profile()["syscalls"]:
            allowed = rule["action"] == "SCMP_ACT_ALLOW"
            action = _ACT_ALLOW if allowed else _ACT_ERRNO | int(rule["errnoRet"])
            for name in rule["names"]:
                _add(library, context, action, name, rule.get("args") or [])
        return _exported(library, context)
    finally:
        library.seccomp_release(context)


def _add(library: Any, context: Any, action: int, name: str, arguments: list[dict[str, Any]]) -> None:
    number = library.seccomp_syscall_resolve_name(name.encode())
    if number == _UNKNOWN:
        return  # newer than this libseccomp: refused like everything that is not named
    compare = (_Argument * len(arguments))(
        *(
            _Argument(each["index"], _COMPARE[each["op"]], each["value"], each["valueTwo"])
            for each in arguments
        )
    )
    _check(
        library.seccomp_rule_add_array(context, ctypes.c_uint32(action), number, len(arguments), compare),
        name,
    )


def _exported(library: Any, context: Any) -> bytes:
    with tempfile.TemporaryFile() as file:
        _check(library.seccomp_export_bpf(context, file.fileno()))
        file.seek(0)
        return file.read()


def _check(code: int, what: str = "the filter") -> None:
    if code < 0:
        raise OSError(-code, f"libseccomp: {what}: {os.strerror(-code)}")
