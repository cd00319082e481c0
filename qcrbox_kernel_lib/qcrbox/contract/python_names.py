"""Names of applications and commands as Python names, and the names that `qcrbox` itself needs.

An application is an attribute: `qc.refine`. Modules, classes and functions of the library are attributes of the same
object and come first, so an application with the name of one of them could only be reached as `qc.apps["name"]`.
"""

from __future__ import annotations

import keyword
import unicodedata

# Modules and layers of the package: importing one makes it an attribute of `qcrbox`.
MODULES = frozenset(
    [
        "analysis",
        "api",
        "background",
        "byte_pump",
        "cif",
        "client",
        "contract",
        "crystallography",
        "display",
        "kept_bytes",
        "language",
        "lifeline",
        "markup",
        "nats_client",
        "old_paths",
        "quick_imports",
        "signal_flag",
        "sandbox",
        "spec",
        "waiting",
        "widgets",
    ]
)
# What the library offers as `qc.<name>`; names that begin with a capital are classes and errors.
_OFFERED = frozenset(
    [
        "NA",
        "UNKNOWN",
        "Box",
        "Calculation",
        "CifInput",
        "Dataset",
        "FileInput",
        "StructureView",
        "as_completed",
        "connect",
        "hirshfeld",
        "read_cube",
        "QcError",
        "UserInputError",
        "CifError",
        "MissingItemsError",
        "SpecError",
        "NotSignedIn",
        "NotAllowed",
        "NotFound",
        "Conflict",
        "TooLarge",
        "QuotaExceeded",
        "QueueFull",
        "Unreachable",
        "StorageFull",
        "CalculationFailed",
        "CalculationCancelled",
    ]
)
# Attributes of a connected registry (`Box`).
_OF_THE_BOX = frozenset(
    [
        "add",
        "apps",
        "calculations",
        "changes",
        "client",
        "close",
        "compare",
        "courses",
        "datasets",
        "diff",
        "doctor",
        "examples",
        "exercise",
        "feed",
        "files",
        "find",
        "found_at",
        "history_of",
        "lineage_of",
        "map",
        "me",
        "say_once",
        "projects",
        "search",
        "sessions",
        "shares",
        "source",
        "stubs",
        "undo",
        "url",
    ]
)
RESERVED = MODULES | _OFFERED | _OF_THE_BOX


def identifier(name: str) -> str:
    """A Python name for a slug or command name: `crysalis-pro` → `crysalis_pro`, `3ded` → `_3ded`."""
    # Python compares names in this form of Unicode; some signs that count as digits are in no name (`²`).
    plain = unicodedata.normalize("NFKC", name) if not name.isascii() else name
    made = "".join(char if f"_{char}".isidentifier() else "_" for char in plain)
    if not made.isidentifier():
        made = f"_{made}"
    return f"{made}_" if keyword.iskeyword(made) else made


def is_private(name: str) -> bool:
    """True for names that Python and IPython look up on every object; these never reach the registry.

    `_3ded` is none of them: it is how an application is called whose name begins with a digit.
    """
    return name.startswith("_") and not name[1:2].isdigit()


def why_unreachable(slug: str) -> str | None:
    """Why `qc.<slug>` could not be this application; None when it can."""
    name = identifier(slug)
    if name in RESERVED:
        return f"'qc.{name}' is a part of the library"
    if is_private(name):
        return "Python keeps attributes that begin with '_' for itself"
    return None
