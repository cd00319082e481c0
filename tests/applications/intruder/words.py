#!/usr/bin/env python3
"""Prints its arguments as JSON."""

import json
import os
import sys

print(json.dumps({"words": sys.argv[1:], "folder": sorted(os.listdir("."))}))
