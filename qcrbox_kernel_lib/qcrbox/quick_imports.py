"""What makes large programs, the registry and those of Jupyter, start sooner."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


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
