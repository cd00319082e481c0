"""Tab completion in IPython for objects whose attributes come from the registry."""

from __future__ import annotations

import re
import sys
from typing import Any

from qcrbox.contract.errors import QcError

# The dotted names before the cursor, and the part of the last one that is typed: `x = qc.refine.re`.
_DOTTED = re.compile(r"(?<![\w.\])'\"])((?:[A-Za-z_]\w*\.)+)(\w*)$")


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
    _offer_commands_first()


def _offer_commands_first() -> None:
    """Register `commands_first` with the shell that runs, once."""
    # Optional: outside IPython nothing is completed.
    import IPython

    # Optional: as above.
    from IPython.core.completer import context_matcher

    shell = IPython.get_ipython()
    known = getattr(getattr(shell, "Completer", None), "custom_matchers", None)
    if known is not None and not any(getattr(each, "is_of_qcrbox", False) for each in known):
        matcher: Any = context_matcher(identifier="qcrbox.commands_first")(
            lambda context: commands_first(context.text_until_cursor, shell.user_ns)
        )
        matcher.is_of_qcrbox = True
        known.append(matcher)


def commands_first(text: str, names: dict[str, Any]) -> Any:
    """IPython's answer for the text before the cursor: of an application its commands, then the rest.

    The names come without `(`: `refine_iam?` and `refine_iam.run(` begin like `refine_iam(`.
    names: those of the notebook. Nothing is evaluated but attributes of this package's own objects.
    """
    # Optional: outside IPython nothing is completed.
    from IPython.core.completer import SimpleCompletion

    # Start-up time: `import qcrbox` loads no applications.
    from qcrbox.api.applications import Application

    found = _DOTTED.search(text)
    value, typed = (_value(found[1].split(".")[:-1], names), found[2]) if found else (None, "")
    if not isinstance(value, Application):
        return {"completions": []}
    commands = [name for name in value.commands if name.startswith(typed)]
    others = [name for name in dir(value) if name.startswith(typed) and name not in value.commands]
    return {
        "completions": [
            *(SimpleCompletion(text=name, type="function") for name in commands),
            *(SimpleCompletion(text=name, type="instance") for name in others),
        ],
        "matched_fragment": typed,
        "ordered": True,
        "suppress": True,
    }


def _value(path: list[str], names: dict[str, Any]) -> Any:
    """The object of a dotted name; None unless each owner is this package or an object of it."""
    value = names.get(path[0])
    for name in path[1:]:
        if str(getattr(type(value), "__module__", "")).partition(".")[0] != "qcrbox":
            return None
        try:
            value = getattr(value, name)
        except (AttributeError, QcError):
            # A name that is not there, or a registry that is away: nothing is offered.
            return None
    return value


class _AndOurs(set[Any]):
    """A set of types that also contains every type of this package, those not loaded yet included."""

    def __contains__(self, kind: object) -> bool:
        module = getattr(kind, "__module__", None) if isinstance(kind, type) else None
        return super().__contains__(kind) or str(module or "").partition(".")[0] == "qcrbox"
