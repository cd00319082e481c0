"""Attack 25: getting out of the container, or more rights in it."""

import ctypes
import mmap
import os
import platform
import resource
import signal
import socket
import stat
import time

from telling import attempt, content, tell

LIBC = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "x86_64": {
        "ptrace": 101, "mount": 165, "umount2": 166, "unshare": 272, "setns": 308, "bpf": 321, "keyctl": 250,
        "add_key": 248, "request_key": 249, "process_vm_readv": 310, "process_vm_writev": 311, "kcmp": 312,
        "userfaultfd": 323, "perf_event_open": 298, "io_uring_setup": 425, "pivot_root": 155, "chroot": 161,
        "init_module": 175, "finit_module": 313, "kexec_load": 246, "open_by_handle_at": 304, "pidfd_getfd": 438,
        "clone3": 435, "clone": 56, "fsopen": 430, "open_tree": 428, "move_mount": 429, "reboot": 169, "swapon": 167,
        "syslog": 103, "acct": 163, "quotactl": 179, "iopl": 172, "fanotify_init": 300, "name_to_handle_at": 303,
    },
    "aarch64": {
        "ptrace": 117, "mount": 40, "umount2": 39, "unshare": 97, "setns": 268, "bpf": 280, "keyctl": 219,
        "add_key": 217, "request_key": 218, "process_vm_readv": 270, "process_vm_writev": 271, "kcmp": 272,
        "userfaultfd": 282, "perf_event_open": 241, "io_uring_setup": 425, "pivot_root": 41, "chroot": 51,
        "init_module": 105, "finit_module": 273, "kexec_load": 104, "open_by_handle_at": 265, "pidfd_getfd": 438,
        "clone3": 435, "clone": 220, "fsopen": 430, "open_tree": 428, "move_mount": 429, "reboot": 142, "swapon": 224,
        "syslog": 116, "acct": 89, "quotactl": 60, "fanotify_init": 262, "name_to_handle_at": 264,
    },
}[platform.machine()]  # fmt: skip
CLONE_NEWUSER = 0x10000000


def call(name, *arguments):
    """A system call by its number; its result. Raises OSError."""
    ctypes.set_errno(0)
    found = LIBC.syscall(
        ctypes.c_long(NUMBERS[name]), *[ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    )
    if found < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return found


def escape(about):
    tell("be root", os.getuid() == 0 or os.geteuid() == 0, os.getuid())
    status = dict(
        line.split(":", 1) for line in content("/proc/self/status").decode().splitlines() if ":" in line
    )
    held = {name: status[name].strip() for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")}
    tell("hold a capability", any(int(value, 16) for value in held.values()), held)
    tell("gain rights by a program", status["NoNewPrivs"].strip() != "1", status["NoNewPrivs"])
    tell("run without a filter", status["Seccomp"].strip() != "2", status["Seccomp"])
    attempt("become root", lambda: os.setuid(0) or "root")
    attempt("a set-uid copy of a shell", set_uid_shell)
    child = os.fork()
    if child == 0:
        time.sleep(20)
        os._exit(0)
    before = (ctypes.c_char * 64)()
    vector = (ctypes.c_void_p * 2)(ctypes.addressof(before), 64)
    tries = {
        "ptrace a process of its own": lambda: call("ptrace", 16, child, 0, 0) == 0,
        "read another process's memory by a call": lambda: call("process_vm_readv", child, vector, 1, vector, 1, 0),
        "write another process's memory by a call": lambda: call("process_vm_writev", child, vector, 1, vector, 1, 0),
        "compare kernel objects": lambda: call("kcmp", os.getpid(), child, 0, 0, 0) >= 0,
        "take another process's file": lambda: call("pidfd_getfd", os.pidfd_open(child), 1, 0) >= 0,
        "mount": lambda: call("mount", b"none", b"/tmp", b"tmpfs", 0, None) == 0,
        "unmount": lambda: call("umount2", b"/run/qcrbox", 0) == 0,
        "mount by the new calls": lambda: call("fsopen", b"tmpfs", 0) >= 0,
        "clone a mount": lambda: call("open_tree", -100, b"/", 1) >= 0,
        "a user namespace": lambda: call("unshare", CLONE_NEWUSER) == 0,
        "a user namespace by clone": lambda: call("clone", CLONE_NEWUSER | signal.SIGCHLD, 0, 0, 0, 0) >= 0,
        "a user namespace by clone3": clone3_namespace,
        "another's namespace": lambda: call("setns", os.open("/proc/1/ns/mnt", os.O_RDONLY), 0) == 0,
        "change the root": lambda: call("chroot", b"/tmp") == 0,
        "pivot the root": lambda: call("pivot_root", b"/tmp", b"/tmp") == 0,
        "a kernel program": lambda: call("bpf", 0, (ctypes.c_char * 128)(), 72) >= 0,
        "a keyring": lambda: call("keyctl", 0, -3, 1) >= 0,
        "a key": lambda: call("add_key", b"user", b"x", b"y", 1, -3) >= 0,
        "ask for a key": lambda: call("request_key", b"user", b"x", None, -3) >= 0,
        "page faults in user space": lambda: call("userfaultfd", 1) >= 0,
        "watch the processor": perf_event,
        "io_uring": lambda: call("io_uring_setup", 8, (ctypes.c_char * 120)()) >= 0,
        "a kernel module": lambda: call("finit_module", -1, b"", 0) == 0,
        "another kernel": lambda: call("kexec_load", 0, 0, None, 0) == 0,
        "open by handle": lambda: call("open_by_handle_at", -100, (ctypes.c_char * 64)(), 0) >= 0,
        "watch all files": lambda: call("fanotify_init", 0, 0) >= 0,
        "restart the machine": lambda: call("reboot", 0xFEE1DEAD, 672274793, 0, None) == 0,
        "swap": lambda: call("swapon", b"/tmp/x", 0) == 0,
        "read the kernel's log": lambda: call("syslog", 3, (ctypes.c_char * 64)(), 64) >= 0,
        "process accounting": lambda: call("acct", b"/tmp/x") == 0,
        "a raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).fileno() >= 0,
        "a packet socket": lambda: socket.socket(17, socket.SOCK_RAW).fileno() >= 0,
        "a socket to the machine below": lambda: socket.socket(40, socket.SOCK_STREAM).fileno() >= 0,
        "a socket of the kernel's crypto": lambda: socket.socket(38, socket.SOCK_SEQPACKET).fileno() >= 0,
        "a device": lambda: os.mknod("/tmp/disk", stat.S_IFBLK | 0o600, os.makedev(8, 0)) or "made",
        "kernel memory": lambda: content("/dev/mem", 1) and True,
        "kernel memory by proc": lambda: content("/proc/kcore", 1) and True,
        "the clock": lambda: time.clock_settime(time.CLOCK_REALTIME, 0) or "set",
        "the host's name": lambda: socket.sethostname("x") or "set",
        "a real-time priority": lambda: os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50)) or "set",
        "a better priority": lambda: os.setpriority(os.PRIO_PROCESS, 0, -10) or "set",
        "more open files": lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (10**6, 10**6)) or "set",
        "the processors' ports": lambda: "iopl" in NUMBERS and call("iopl", 3) == 0,
        "32-bit calls": thirty_two_bit,
    }  # fmt: skip
    for name, act in tries.items():
        attempt(name, act)
    os.kill(child, signal.SIGKILL)
    writes = {
        "/proc/sys/kernel/core_pattern": "|/tmp/x", "/proc/sys/kernel/modprobe": "/tmp/x", "/proc/sysrq-trigger": "b",
        "/proc/sys/vm/drop_caches": "3", "/proc/1/oom_score_adj": "-1000", "/sys/kernel/uevent_helper": "/tmp/x",
        "/proc/sys/fs/binfmt_misc/register": ":x:M::x::/tmp/x:", "/sys/fs/cgroup/release_agent": "/tmp/x",
        "/etc/passwd": "x::0:0::/:/bin/sh", "/opt/application/application.yaml": "x", "/usr/bin/env": "x",
        "/run/qcrbox/token": "x", "/run/qcrbox/new": "x",
    }  # fmt: skip
    for path, text in writes.items():
        attempt(f"write {path}", lambda path=path, text=text: written(path, text))
    for folder in ("/sys/fs/cgroup/x", "/sys/fs/cgroup/memory/x", "/sys/fs/cgroup/devices/x"):
        attempt(f"make {folder}", lambda folder=folder: os.mkdir(folder) or "made")
    attempt("hide its doors", lambda: os.rename("/run/qcrbox/nats.sock", "/run/qcrbox/x") or "moved")


def written(path, text):
    with open(path, "r+" if path.startswith(("/proc", "/sys")) else "a") as file:
        file.write(text)
        file.flush()
    return "written"


def set_uid_shell():
    """A copy of a shell that belongs to root would need root; one of our own gives nothing, even if it is marked."""
    with open("/tmp/shell", "wb") as file:
        file.write(content("/bin/sh"))
    os.chmod("/tmp/shell", 0o6755)
    found = os.stat("/tmp/shell")
    return found.st_uid == 0 and "belongs to root"


def clone3_namespace():
    arguments = (ctypes.c_uint64 * 11)(CLONE_NEWUSER, 0, 0, 0, signal.SIGCHLD, 0, 0, 0, 0, 0, 0)
    found = call("clone3", arguments, ctypes.sizeof(arguments))
    if found == 0:
        os._exit(0)
    return found


def perf_event():
    attributes = (ctypes.c_uint32 * 32)(1, 128)
    return call("perf_event_open", attributes, 0, -1, -1, 0) >= 0


def thirty_two_bit():
    """getpid by int 0x80 in a child: killed or refused is well."""
    if platform.machine() != "x86_64":
        return False
    child = os.fork()
    if child == 0:
        code = b"\xb8\x14\x00\x00\x00\xcd\x80\xc3"  # mov eax, 20; int 0x80; ret
        page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
        page.write(code)
        address = ctypes.addressof(ctypes.c_char.from_buffer(page))
        found = ctypes.CFUNCTYPE(ctypes.c_int)(address)()
        os._exit(0 if found == os.getpid() else 1)
    _, status = os.waitpid(child, 0)
    return os.WIFEXITED(status) and os.WEXITSTATUS(status) == 0
