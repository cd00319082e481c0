"""The entries that a command reads and writes: entries, entry sets, `one_of`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from qcrbox.contract.errors import SpecError

ALL_UNIFIED: Final = "all_unified"
UNIFIED: Final = "unified"
DDL1: Final = "ddl1"
DIALECTS: Final = (UNIFIED, DDL1)
DEFAULT_CATEGORIES: Final = ("iucr", "shelx", "olex2", "oxdiff", "qcrbox")

OneOf = Mapping[str, Sequence["str | Sequence[str]"]]
Entry = str | OneOf
Sets = Mapping[str, Mapping[str, Sequence[Entry]]] | Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class InputEntries:
    """The CIF keys of an input parameter. Names in any spelling; `{"one_of": [name, [name, name]]}`.

    `entry_sets` are the sets of the application, by name or as the list of its spec. `dialect` spells what is not
    requested by name: `unified`, or `ddl1` for the classic names of programs older than the DDLm dictionaries.
    """

    required: Sequence[Entry] = ()
    optional: Sequence[Entry] = ()
    required_sets: Sequence[str] = ()
    optional_sets: Sequence[str] = ()
    merge_su: bool = False
    custom_categories: Sequence[str] = ()
    entry_sets: Sets = field(default_factory=dict)
    dialect: str = UNIFIED

    def __post_init__(self) -> None:
        if self.dialect not in DIALECTS:
            raise SpecError(
                f"There is no CIF dialect {self.dialect!r}.",
                where="dialect",
                next=f"Use {' or '.join(DIALECTS)}.",
            )

    @property
    def is_empty(self) -> bool:
        """True when no entry is named."""
        return not (self.required or self.optional or self.required_sets or self.optional_sets)


@dataclass(frozen=True)
class OutputEntries:
    """The CIF keys of an output. Entries are names or regular expressions on whole names.

    `invalidated` and `invalidated_sets` say which items of the source no longer hold. `missing_is_warning`: required
    entries that are not there are a warning, because the promises of older specs were never checked.
    """

    required: Sequence[Entry] = ()
    optional: Sequence[Entry] = ()
    required_sets: Sequence[str] = ()
    optional_sets: Sequence[str] = ()
    invalidated: Sequence[str] = ()
    invalidated_sets: Sequence[str] = ()
    custom_categories: Sequence[str] = ()
    output_block: str | int = "0"
    missing_is_warning: bool = False
    entry_sets: Sets = field(default_factory=dict)

    @classmethod
    def of_input(cls, entries: InputEntries) -> OutputEntries:
        """For commands that declare no output: the returned file is merged by the input's own entries."""
        return cls(
            required=entries.required,
            optional=entries.optional,
            required_sets=entries.required_sets,
            optional_sets=entries.optional_sets,
            custom_categories=entries.custom_categories,
            missing_is_warning=True,  # required inputs are not promised outputs
            entry_sets=entries.entry_sets,
        )

    @property
    def is_empty(self) -> bool:
        """True when no entry is named."""
        return not (self.required or self.optional or self.required_sets or self.optional_sets)


@dataclass(frozen=True)
class Wanted:
    """Entries with their sets resolved: plain names, and choices still to be made."""

    required: list[str]
    optional: list[str]
    required_choices: list[list[list[str]]]
    optional_choices: list[list[list[str]]]

    @property
    def everything(self) -> bool:
        """Whether the whole file is asked for."""
        return ALL_UNIFIED in self.required or ALL_UNIFIED in self.optional

    @property
    def names(self) -> list[str]:
        """Every name that is asked for, alternatives included."""
        choices = [*self.required_choices, *self.optional_choices]
        plain = [name for name in (*self.required, *self.optional) if name != ALL_UNIFIED]
        return [*plain, *(name for choice in choices for group in choice for name in group)]


def collect(entries: InputEntries | OutputEntries) -> Wanted:
    """Required and optional entries with those of the sets. Raises SpecError for unknown sets and keys.

    Required are the entries and the required part of every required set; optional the entries, the
    optional part of required sets and all of optional sets. What is required is not optional.
    """
    sets = sets_by_name(entries.entry_sets)
    required, optional = list(entries.required), list(entries.optional)
    for name in entries.required_sets:
        chosen = _set(sets, name)
        required += chosen["required"]
        optional += chosen["optional"]
    for name in entries.optional_sets:
        chosen = _set(sets, name)
        optional += [*chosen["required"], *chosen["optional"]]
    plain_required, required_choices = _split(required)
    plain_optional, optional_choices = _split(optional)
    return Wanted(
        plain_required,
        [name for name in plain_optional if name not in plain_required],
        required_choices,
        optional_choices,
    )


def sets_by_name(sets: Sets) -> dict[str, dict[str, list[Entry]]]:
    """Sets in one form, from a mapping or from the list in a spec."""
    if isinstance(sets, Mapping):
        listed = [{"name": name, **content} for name, content in sets.items()]
    else:
        listed = [dict(content) for content in sets]
    known: dict[str, dict[str, list[Entry]]] = {}
    for content in listed:
        name = content.pop("name", None)
        if not isinstance(name, str):
            raise SpecError("An entry set has no name.", where="cif_entry_sets")
        strange = set(content) - {"required", "optional"}
        if strange:
            raise SpecError(
                f"Entry set {name!r} has the unknown key {sorted(map(str, strange))[0]!r}.",
                where="cif_entry_sets",
                next="A set has name, required and optional.",
            )
        known[name] = {key: list(content.get(key) or ()) for key in ("required", "optional")}
    return known


def _set(sets: dict[str, dict[str, list[Entry]]], name: str) -> dict[str, list[Entry]]:
    if name not in sets:
        raise SpecError(
            f"There is no entry set {name!r}.",
            where="cif_entry_sets",
            why=f"Sets: {', '.join(sorted(sets)) or 'none'}.",
        )
    return sets[name]


def _split(entries: Iterable[Entry]) -> tuple[list[str], list[list[list[str]]]]:
    """Plain names without repeats, and the alternatives of each `one_of`."""
    names: list[str] = []
    choices: list[list[list[str]]] = []
    for entry in entries:
        if isinstance(entry, str):
            if entry not in names:
                names.append(entry)
        elif isinstance(entry, Mapping) and set(entry) == {"one_of"}:
            choices.append(
                [[choice] if isinstance(choice, str) else list(choice) for choice in entry["one_of"]]
            )
        else:
            raise SpecError(
                f"The entry {entry!r} cannot be understood.",
                where="CIF entries",
                next="An entry is a name or {one_of: [name, [name, name]]}.",
            )
    return names, choices


def first_present(alternatives: list[list[str]], is_present: Callable[[str], bool]) -> list[str] | None:
    """The first alternative of which every member is present."""
    for members in alternatives:
        if members and all(is_present(name) for name in members):
            return members
    return None


def shown_choice(alternatives: list[list[str]]) -> str:
    """`one of _a, (_b and _c)` for messages."""
    parts = [members[0] if len(members) == 1 else f"({' and '.join(members)})" for members in alternatives]
    return "one of " + ", ".join(parts)
