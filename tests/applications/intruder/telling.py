"""What the intruder's parts share: telling, and the doors."""

import json
import socket

DOORS = "/run/qcrbox"


def tell(name, harm, said=""):
    print(json.dumps({"try": name, "harm": bool(harm), "said": str(said)[:300]}), flush=True)


def attempt(name, act):
    """Harm is done when `act` raises nothing and returns something true."""
    try:
        found = act()
        tell(name, found, found)
    except (OSError, ValueError, RuntimeError) as error:
        tell(name, False, f"{type(error).__name__}: {error}")


def content(path, most=-1):
    with open(path, "rb") as file:
        return file.read(most)


def unix(path):
    made = socket.socket(socket.AF_UNIX)
    made.settimeout(5)
    made.connect(path)
    return made
