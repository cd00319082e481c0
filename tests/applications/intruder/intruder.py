#!/usr/bin/env python3
"""What a program in a container may try. `intruder.py WHAT JSON`: one JSON line for each try, `harm` true when it worked.

Runs in the application's container with nothing but Python's standard library, as any approved program could.
"""

import json
import sys

from credentials import credentials
from escape import escape
from exhaust import exhaust
from messages import forge, nats
from network import doors, network

KNOWN = {act.__name__: act for act in (network, escape, credentials, nats, doors, forge, exhaust)}

if __name__ == "__main__":
    KNOWN[sys.argv[1]](json.loads(sys.argv[2]))
