"""Tab completion in IPython for objects whose attributes come from the registry."""

from __future__ import annotations

import sys
from typing import Any


def install() -> None:
    """Let IPython complete `qc.refine.` and `qc.examples["thpp"].files["`; does nothing elsewhere.

    The completer evaluates the code before the cursor only for types listed as free of side effects. Properties of
    this package read from the registry and change nothing.
    """
    if "IPython" not in sys.modules:
        return
    try:
        # Optional: older IPython has no such table.
        from IPython.core.guarded_eval import EVALUATION_POLICIES
    except ImportError:  # an older IPython evaluates every type
        return
    policy: Any = EVALUATION_POLICIES["limited"]
    for name in ("allowed_getattr", "allowed_getitem"):
        allowed = getattr(policy, name)
        if not isinstance(allowed, _AndOurs):
            setattr(policy, name, _AndOurs(allowed))


class _AndOurs(set[Any]):
    """A set of types that also contains every type of this package, those not loaded yet included."""

    def __contains__(self, kind: object) -> bool:
        module = getattr(kind, "__module__", None) if isinstance(kind, type) else None
        return super().__contains__(kind) or str(module or "").partition(".")[0] == "qcrbox"
