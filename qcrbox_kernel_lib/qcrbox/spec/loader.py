"""Reads a spec file of any generation into the one model.

The generations share the version text "0.1", so they are distinguished by their keys, and a file may mix them.
What had to be guessed is in `Application.notes`; what cannot be accepted is raised as one SpecError that lists
every problem with file and line.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from qcrbox.contract.python_names import why_unreachable
from qcrbox.spec import source as yaml_source
from qcrbox.spec.commands import read_command
from qcrbox.spec.model import Application, CifInput, CifOutput, Command, EntrySet
from qcrbox.spec.parameters import read_entries
from qcrbox.spec.section import Section
from qcrbox.spec.source import Source

_REUSE = ("never", "same-owner", "any")


def load(path: str | Path) -> Application:
    """The application described by the file at `path`. Raises SpecError."""
    return _application(yaml_source.read_file(Path(path)))


def loads(text: str, filename: str = "application.yaml") -> Application:
    """The same from text; `filename` is what messages call it."""
    return _application(yaml_source.read(text, filename))


def _application(source: Source) -> Application:
    top = Section(source, (), source.data)
    source.raise_problems()
    identity = {key: _needed(top, key) for key in ("name", "slug", "version")}
    _check_identity(top, identity["slug"], identity["version"])
    about: dict[str, Any] = {key: top.text(key) for key in ("description", "url", "email", "licence")}
    dois = top.dois("doi")
    entry_sets = _entry_sets(top)
    commands: list[Command] = []
    for section in top.sections("commands"):
        commands += read_command(section)
    _check_commands(source, commands, entry_sets)
    reuse = top.text("reuse") or "same-owner"
    if reuse not in _REUSE:
        top.problem(f"'reuse: {reuse}' is not one of {', '.join(_REUSE)}", "reuse")
    older_versions = top.texts("older_versions")
    if identity["version"] in older_versions:
        top.problem(f"older_versions names the version {identity['version']} itself", "older_versions")
    if not top.has("qcrbox_yaml_spec_version"):
        top.note("qcrbox_yaml_spec_version is missing; the oldest files have none")
    top.note_unknown("the application")
    source.raise_problems()
    return Application(
        **identity,
        **about,
        doi=dois,
        commands=commands,
        cif_entry_sets=entry_sets,
        older_versions=older_versions,
        reuse=reuse,
        notes=list(source.notes),
        left_out=list(source.left_out),
    )


def _needed(section: Section, key: str) -> str:
    text = section.text(key)
    if text is None:
        section.problem(f"'{key}' is missing or empty", key)
    return text or ""


def _check_identity(top: Section, slug: str, version: str) -> None:
    if slug and not re.fullmatch(r"[A-Za-z0-9_-]{1,255}", slug):
        top.problem(f"the slug '{slug}' may hold only letters, digits, _ and - (at most 255)", "slug")
    elif slug and (reason := why_unreachable(slug)):
        top.problem(
            f"the slug '{slug}' cannot be used: {reason}; choose another, such as '{slug.strip('_')}_app'",
            "slug",
        )
    if version and (len(version) > 255 or not version.isprintable()):
        top.problem("the version must be one line of at most 255 characters", "version")


def _entry_sets(top: Section) -> list[EntrySet]:
    made: dict[str, EntrySet] = {}
    for section in top.sections("cif_entry_sets"):
        name = _needed(section, "name")
        if name in made:
            section.problem(f"the entry set '{name}' is there twice", "name")
        made[name] = EntrySet(
            name=name,
            required=read_entries(section, "required", "required_entries", "required_cif_entries"),
            optional=read_entries(section, "optional", "optional_entries", "optional_cif_entries"),
        )
        section.note_unknown(f"entry set '{name}'")
    return list(made.values())


def _check_commands(source: Source, commands: list[Command], entry_sets: list[EntrySet]) -> None:
    seen: set[str] = set()
    known = {entry_set.name for entry_set in entry_sets}
    _check_estimates(source, commands)
    for command in commands:
        if command.name in seen:
            source.problems.append(
                f"{source.filename}:{command.line}: the command '{command.name}' is there twice"
            )
        seen.add(command.name)
        for line, cif in _cif_parts(command):
            for name in dict.fromkeys(_set_names(cif)):
                if name not in known:
                    sets = ", ".join(sorted(known)) or "none"
                    source.problems.append(
                        f"{source.filename}:{line}: command '{command.name}' names the unknown entry set "
                        f"'{name}' (known: {sets})"
                    )


def _check_estimates(source: Source, commands: list[Command]) -> None:
    names = {command.name for command in commands}
    for command in commands:
        if command.estimate is not None and command.estimate not in names - {command.name}:
            source.problems.append(
                f"{source.filename}:{command.line}: estimate of '{command.name}' names '{command.estimate}', which is "
                "no other command of this application"
            )


def _cif_parts(command: Command) -> list[tuple[int, CifInput]]:
    inputs = [(p.line, p.cif) for p in command.parameters if p.cif]
    return inputs + [(o.line, o.cif) for o in command.outputs if o.cif]


def _set_names(cif: CifInput) -> list[str]:
    names = cif.required_entry_sets + cif.optional_entry_sets
    return names + (cif.invalidated_entry_sets if isinstance(cif, CifOutput) else [])
