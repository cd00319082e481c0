"""An ordinary user's platform gives each person a user id: with the real newuidmap, as a real ordinary user."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from qcrbox.sandbox import subordinate
from qcrbox.sandbox.cgroups import ControlGroup, Kind, Limits

UID, FIRST = 61234, 700_000
# Accounts and ranges of this test, and an interpreter that an ordinary user may reach, in a mount namespace of its own.
SETTING = """
set -e
mount --make-rprivate /
cp /etc/passwd /etc/group .
echo 'plain:x:{uid}:{uid}::/:/bin/sh' >> passwd
echo 'plain:x:{uid}:' >> group
echo 'plain:{first}:65536' > ids
for file in passwd group; do mount --bind $file /etc/$file; done
for file in subuid subgid; do touch /etc/$file; mount --bind ids /etc/$file; done
mkdir interpreter
mount --bind {base} interpreter
mount -t tmpfs -o mode=755 tmpfs /root
mkdir -p {base}
mount --bind interpreter {base}
exec setpriv --reuid {uid} --regid {uid} --clear-groups {python} -I program.py
"""
PROGRAM = """
import json, os, subprocess
from qcrbox.sandbox import subordinate
from qcrbox.sandbox.probe import probe
from qcrbox.sandbox.user_ids import first_user_id
if os.geteuid() != 0:
    print(json.dumps({"subordinate": probe().subordinate_ids, "pid": os.getpid()}), flush=True)
    subordinate.enter()
found = probe()
os.mkdir("/tmp/qcrbox-test-home-%d" % os.getpid())
home = "/tmp/qcrbox-test-home-%d" % os.getpid()
os.chown(home, first_user_id() + 7, first_user_id() + 7)
print(json.dumps({
    "own": found.own_user_ids, "again": found.subordinate_ids, "pid": os.getpid(), "home": home,
    "machine": subordinate.machine_uid(), "root": subordinate.root_of_machine(),
}), flush=True)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="root alone can make the accounts of this test")
def test_people_have_ids_of_their_own_without_root(tmp_path: Path) -> None:
    if missing := [each for each in ("newuidmap", "newgidmap", "unshare", "bwrap") if not shutil.which(each)]:
        pytest.skip(f"not installed: {', '.join(missing)}")
    base = Path(sys.base_prefix)
    if not base.is_relative_to("/root"):
        base = tmp_path / "none"
        base.mkdir()
    text = SETTING.format(uid=UID, first=FIRST, base=base, python=sys.executable)
    (tmp_path / "program.py").write_text(textwrap.dedent(PROGRAM))
    for folder in (tmp_path, *tmp_path.parents):
        if folder.is_relative_to("/tmp") and folder != Path("/tmp"):
            folder.chmod(folder.stat().st_mode | 0o011)
    (tmp_path / "program.py").chmod(0o644)
    absent = [file for file in (Path("/etc/subuid"), Path("/etc/subgid")) if not file.exists()]
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", text],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        timeout=120,
        check=False,
    )
    for file in absent:
        file.unlink(missing_ok=True)  # made to be covered
    assert done.returncode == 0, done.stderr
    before, after = map(json.loads, done.stdout.splitlines())
    home = Path(after["home"])
    try:
        assert before["subordinate"] is True
        assert after["pid"] == before["pid"], "the program began anew as the same process"
        assert (after["own"], after["again"]) == (True, False)
        assert (after["machine"], after["root"]) == (UID, False)
        # Neither the user's id nor one that another account of the machine has.
        assert FIRST < home.stat().st_uid < FIRST + 65536
    finally:
        home.rmdir()


def test_limits_are_asked_of_the_users_own_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    group = ControlGroup("g", Limits(memory_bytes=5), Kind.SYSTEMD)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert "--user" not in group.command_prefix()
    monkeypatch.setenv(subordinate.VARIABLE, "1000")
    assert "--user" in group.command_prefix(), "root in a namespace is an ordinary user of the machine"
