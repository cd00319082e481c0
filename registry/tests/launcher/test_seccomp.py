"""The filter of system calls. What it does in a container is seen in docker/test_sandbox.py and in tests/attacks."""

from __future__ import annotations

import json

import pytest
from qcrbox.sandbox import seccomp
from qcrbox_registry.launcher.managers.base import StartFailed
from qcrbox_registry.launcher.managers.docker import DockerManager
from qcrbox_registry.launcher.managers.swarm import SwarmManager

pytestmark = pytest.mark.attack(25)

DANGEROUS = """
    ptrace process_vm_readv process_vm_writev kcmp keyctl add_key request_key bpf userfaultfd perf_event_open
    io_uring_setup io_uring_enter io_uring_register unshare setns mount umount2 pivot_root chroot open_by_handle_at
    name_to_handle_at init_module finit_module delete_module kexec_load kexec_file_load reboot swapon swapoff syslog
    acct settimeofday clock_settime stime iopl ioperm pidfd_getfd process_madvise move_mount open_tree fsopen fsmount
    fsconfig fspick mount_setattr quotactl lookup_dcookie nfsservctl vhangup sethostname setdomainname fanotify_init
    personality clone clone3 socket socketcall modify_ldt
"""


def test_what_has_been_a_way_out_is_let_through_nowhere_without_a_condition():
    profile = seccomp.profile()
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    free = {
        name
        for rule in profile["syscalls"]
        if rule["action"] == "SCMP_ACT_ALLOW" and not rule.get("args")
        for name in rule["names"]
    }
    assert free.isdisjoint(DANGEROUS.split())
    assert {"read", "execve", "futex", "openat", "exit_group"} <= free


def test_only_the_machines_own_calls_are_known():
    assert all(not entry["subArchitectures"] for entry in seccomp.profile()["archMap"])


async def test_a_sites_own_profile_takes_its_place_and_a_broken_one_stops_the_start(tmp_path):
    manager = DockerManager(data=str(tmp_path), seccomp_file=str(tmp_path / "profile.json"))
    with pytest.raises(StartFailed, match="seccomp profile cannot be read"):
        manager._seccomp()
    (tmp_path / "profile.json").write_text('{"defaultAction": "SCMP_ACT_ERRNO"}')
    assert json.loads(manager._seccomp()) == {"defaultAction": "SCMP_ACT_ERRNO"}


def test_a_swarm_that_can_be_told_is_told(tmp_path):
    manager = SwarmManager(data=str(tmp_path))
    manager._knows_privileges = False
    assert manager._privileges() == {}
    manager._knows_privileges = True
    told = manager._privileges()["Privileges"]
    assert told["NoNewPrivileges"] is True
    assert told["Seccomp"]["Mode"] == "custom"
