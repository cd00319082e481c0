"""What makes large programs, the registry and those of Jupyter, start sooner."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


def leave_out_extras() -> None:
    """Let later imports do without libraries that others import when they are installed and that we never use.

    Called before those imports, it saves a third of a second of each start.
    """
    for name in ("aiohttp", "rich"):
        sys.modules.setdefault(name, None)  # type: ignore[arg-type]


@contextmanager
def quick_imports() -> Iterator[None]:
    """Import inside this block.

    rfc3987_syntax compiles a grammar of 1.3 s when it is imported; jsonschema needs it only to check
    internationalised addresses and does without it. The garbage collector is off in the block: imports
    leave nothing to collect.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
