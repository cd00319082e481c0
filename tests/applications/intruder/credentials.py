"""Attack 22: tokens and keys within reach of a program."""

import glob
import os
import re

from telling import DOORS, attempt, content, tell


def credentials(about):
    own = content(f"{DOORS}/token").decode()
    # Its own process and those that led to it may hold nothing; the agent's memory is closed.
    for folder in glob.glob("/proc/[0-9]*"):
        pid = int(folder.rpartition("/")[2])
        command = content(f"{folder}/cmdline")
        tell(f"token in the command line of {pid}", own.encode() in command, command)
        attempt(
            f"token in the environment of {pid}", lambda f=folder: own.encode() in content(f"{f}/environ")
        )
        if re.match(rb"[^\0]*python[^\0]*\0-m\0qcrbox_agent\0", command):
            attempt(f"read the agent's memory ({pid})", lambda f=folder: memory_of(f))
            attempt(f"read the agent's open files ({pid})", lambda f=folder: os.listdir(f"{f}/fd"))
            attempt(f"see the agent's maps ({pid})", lambda f=folder: content(f"{f}/maps"))
    held = {
        name: value for name, value in os.environ.items() if re.search("TOKEN|SECRET|SEED|PASSWORD|KEY", name)
    }
    tell("credentials in the environment", held, held)
    tell(
        "names of the platform in the environment",
        [name for name in os.environ if name == "QCRBOX_ENROLMENT_FILE"],
    )
    seeds = []
    for root, folders, names in os.walk("/"):
        folders[:] = [
            one
            for one in folders
            if os.path.join(root, one) not in ("/proc", "/sys", "/usr/lib", "/usr/share")
        ]
        for name in names:
            path = os.path.join(root, name)
            if name.endswith((".nk", ".seed", ".pem.key")) or name in ("enrol", "id_rsa", "solo_token"):
                seeds.append(path)
    tell("key files in the image", seeds, seeds)


def memory_of(folder):
    with open(f"{folder}/maps") as maps:
        first = next(line for line in maps if " rw-p " in line)
    start = int(first.split("-")[0], 16)
    with open(f"{folder}/mem", "rb") as memory:
        memory.seek(start)
        return len(memory.read(64)) > 0
