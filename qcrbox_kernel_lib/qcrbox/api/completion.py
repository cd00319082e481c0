"""Tab in IPython: lets its completer look into our objects, which it would otherwise not trust."""

from __future__ import annotations

import sys
from typing import Any


def install() -> None:
    """Where IPython runs, have it complete `qc.refine.` and `qc.examples["thpp"].files["`.

    Its completer evaluates what stands before the cursor only for types it knows to have no side effects. Ours ask
    the registry and change nothing.
    """
    if "IPython" not in sys.modules:
        return
    try:
        # Optional: older IPython has no such table.
        from IPython.core.guarded_eval import EVALUATION_POLICIES
    except ImportError:  # an older IPython, which trusts everything
        return
    policy: Any = EVALUATION_POLICIES["limited"]
    for name in ("allowed_getattr", "allowed_getitem"):
        allowed = getattr(policy, name)
        if not isinstance(allowed, _AndOurs):
            setattr(policy, name, _AndOurs(allowed))


class _AndOurs(set[Any]):
    """A set of types that holds every type of this package as well, also those not loaded yet."""

    def __contains__(self, kind: object) -> bool:
        module = getattr(kind, "__module__", None) if isinstance(kind, type) else None
        return super().__contains__(kind) or str(module or "").partition(".")[0] == "qcrbox"
