"""Console commands: `python -m qcrbox.cif to_unified in.cif out.cif` and related commands.

to_unified       input output                                      [--custom_categories ...] [...]
to_specific      input output --required_entries ... --optional_entries ... [--merge_su]
specific_by_yml  input output yml command parameter
unified_by_yml   input output merge yml command parameter           merge: the CIF the command started from
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from qcrbox.cif.convert import DIALECTS, Conversion, InputEntries, OutputEntries, merge_back, specific, unify
from qcrbox.contract.errors import QcError, SpecError


def main(argv: Sequence[str] | None = None) -> int:
    """Run one of the console commands; 0 when it went well, 1 with a message on standard error otherwise."""
    options = _parser().parse_args(argv)
    try:
        conversion: Conversion = options.run(options)
        Path(options.output).write_bytes(conversion.bytes)
    except QcError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return 1
    for remark in conversion.warnings:
        sys.stderr.write(f"{remark}\n")
    return 0


def to_unified(argv: Sequence[str] | None = None) -> int:
    """Console command `to_unified`."""
    return main(["to_unified", *(sys.argv[1:] if argv is None else argv)])


def to_specific(argv: Sequence[str] | None = None) -> int:
    """Console command `to_specific`."""
    return main(["to_specific", *(sys.argv[1:] if argv is None else argv)])


def specific_by_yml(argv: Sequence[str] | None = None) -> int:
    """Console command `specific_by_yml`."""
    return main(["specific_by_yml", *(sys.argv[1:] if argv is None else argv)])


def unified_by_yml(argv: Sequence[str] | None = None) -> int:
    """Console command `unified_by_yml`."""
    return main(["unified_by_yml", *(sys.argv[1:] if argv is None else argv)])


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m qcrbox.cif", description="Convert CIF between programs.")
    commands = parser.add_subparsers(required=True, metavar="command")
    unified = _command(commands, "to_unified", _run_unified, "a CIF in any dialect to unified CIF")
    unified.add_argument(
        "--custom_categories", nargs="*", default=None, help="categories such as shelx, without _"
    )
    _switch(unified, "convert_keywords", default=True, summary="canonical names, or as they are written")
    _switch(unified, "split_sus", default=True, summary="s.u. in items of their own, or in their brackets")
    chosen = _command(commands, "to_specific", _run_specific, "the items that one program reads")
    chosen.add_argument("--required_entries", nargs="*", default=[])
    chosen.add_argument("--optional_entries", nargs="*", default=[])
    chosen.add_argument("--custom_categories", nargs="*", default=[])
    _switch(chosen, "merge_su", default=False, summary="put s.u. back into brackets")
    chosen.add_argument(
        "--dialect", choices=DIALECTS, default="unified", help="spelling of what is not asked for by name"
    )
    by_yml = _command(
        commands, "specific_by_yml", _run_specific_by_yml, "as a command of an application requests it"
    )
    _yml_arguments(by_yml)
    back = _command(
        commands, "unified_by_yml", _run_unified_by_yml, "a command's output into the CIF it started from"
    )
    back.usage = "%(prog)s input output [merge] yml command [parameter]"
    back.add_argument("rest", nargs="+", metavar="merge yml command parameter", help=_REST)
    return parser


_REST = "the CIF the command started from (may be left out), application spec, command, its CIF parameter or output"


def _command(commands: Any, name: str, run: Any, summary: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = commands.add_parser(name, help=summary, description=summary)
    parser.add_argument("input", help="CIF to read")
    parser.add_argument("output", help="CIF to write")
    parser.set_defaults(run=run)
    return parser


def _switch(parser: argparse.ArgumentParser, name: str, *, default: bool, summary: str) -> None:
    """`--name` and `--no_name`; scripts written for older tools give either, the last one counts."""
    summary = f"{summary} (default: {'--' if default else '--no_'}{name})"
    parser.add_argument(f"--{name}", dest=name, action="store_true", default=default, help=summary)
    parser.add_argument(f"--no_{name}", dest=name, action="store_false", help=argparse.SUPPRESS)


def _yml_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("yml", help="application spec")
    parser.add_argument("command", help="name of the command in it")
    parser.add_argument(
        "parameter", nargs="?", help="name of its CIF parameter or output; else the first one there is"
    )


def _run_unified(options: argparse.Namespace) -> Conversion:
    return unify(
        Path(options.input),
        custom_categories=options.custom_categories,
        split_su=options.split_sus,
        convert_names=options.convert_keywords,
    )


def _run_specific(options: argparse.Namespace) -> Conversion:
    entries = InputEntries(
        required=options.required_entries,
        optional=options.optional_entries,
        merge_su=options.merge_su,
        custom_categories=options.custom_categories,
        dialect=options.dialect,
    )
    return specific(Path(options.input), entries)


def _run_specific_by_yml(options: argparse.Namespace) -> Conversion:
    spec = load_spec(Path(options.yml))
    keys = cif_keys(spec, options.command, options.parameter, where=options.yml)
    return specific(Path(options.input), input_entries(keys, spec))


def _run_unified_by_yml(options: argparse.Namespace) -> Conversion:
    merge, yml, command, parameter = _back_arguments(options.rest)
    spec = load_spec(Path(yml))
    keys = cif_keys(spec, command, parameter, where=yml, output=True)
    return merge_back(Path(options.input), None if merge is None else Path(merge), output_entries(keys, spec))


def _back_arguments(rest: Sequence[str]) -> tuple[str | None, str, str, str | None]:
    """merge, yml, command, parameter; scripts of the oldest generation give yml and command alone."""
    listed = list(rest)
    first_yml = next(
        (n for n, text in enumerate(listed) if text.lower().endswith((".yml", ".yaml"))), len(listed) - 3
    )
    merge = listed.pop(0) if first_yml == 1 else None
    if len(listed) not in (2, 3):
        raise SpecError(
            f"Expected [merge] yml command [parameter], not {' '.join(rest)}.", where="command line"
        )
    return merge, listed[0], listed[1], listed[2] if len(listed) == 3 else None


# The CIF keys of a spec, in any of its generations


def load_spec(path: Path) -> Mapping[str, Any]:
    """An application spec as plain data. Raises SpecError when it is not a YAML mapping."""
    try:
        spec = yaml.safe_load(path.read_text("utf-8"))
    # ValueError: not UTF-8, or an impossible date such as 2024-99-99.
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise SpecError(
            "The application spec is not readable YAML.", where=str(path), why=str(error)
        ) from error
    if not isinstance(spec, Mapping):
        raise SpecError("The application spec is not a mapping.", where=str(path))
    return spec


def cif_keys(
    spec: Mapping[str, Any],
    command: str,
    parameter: str | None = None,
    *,
    where: str = "",
    output: bool = False,
) -> dict[str, Any]:
    """The CIF keys of a parameter or output, without a name of the first that reads (writes: `output`) a CIF.

    Old specs hold them at the command, with `cif_` in their names, or in its `cif_input` and `cif_output`.
    """
    own = _named(spec.get("commands"), command)
    if own is None:
        raise SpecError(
            f"There is no command {command!r}.", where=where, why=f"Commands: {_names(spec.get('commands'))}."
        )
    both = [*_listed(own.get("parameters")), *_listed(own.get("outputs"))]
    found = _first_cif(own, output) if parameter is None else _named(both, parameter)
    if found is None:
        raise SpecError(
            f"Command {command!r} has no parameter or output {parameter or 'for a CIF'!r}.",
            where=where,
            why=f"It has: {_names(both)}.",
        )
    keys = {_new_key(key): value for source in (own, found) for key, value in source.items()}
    return {key: value for key, value in keys.items() if value is not None}


# Data types of all generations, in lower case.
_CIF_INPUTS = ("qcrbox.cif_data_file", "qcrbox.cif_path", "qcrbox.input_cif")


def _first_cif(command: Mapping[str, Any], output: bool) -> Mapping[str, Any] | None:
    for entry in [*_listed(command.get("outputs")), *_listed(command.get("parameters"))]:
        if isinstance(entry, Mapping) and _is_cif(entry, output):
            return entry
    for section in _listed(command.get("cif_output" if output else "cif_input")):
        if isinstance(section, Mapping):
            return section
    return {} if _has_entries(command) else None


def _is_cif(entry: Mapping[str, Any], output: bool) -> bool:
    """Whether a parameter or output is a CIF that is read (written: `output`); an old one shows that by its keys."""
    word = str(entry.get("dtype", entry.get("type", ""))).lower()
    if output:
        return word == "qcrbox.output_cif" or (word.startswith("qcrbox.output") and _has_entries(entry))
    return word in _CIF_INPUTS or (not word and _has_entries(entry))


def _has_entries(keys: Mapping[str, Any]) -> bool:
    return any(_new_key(str(key)) in _ENTRY_KEYS for key in keys)


_ENTRY_KEYS = (
    "required_entries",
    "optional_entries",
    "required_entry_sets",
    "optional_entry_sets",
    "invalidated_entries",
    "invalidated_entry_sets",
)


def _new_key(key: str) -> str:
    plain = key.replace("cif_", "")
    return plain if plain in (*_ENTRY_KEYS, "custom_categories", "merge_su", "dialect") else key


def input_entries(keys: Mapping[str, Any], spec: Mapping[str, Any]) -> InputEntries:
    """The entries a command reads, from the keys of a parameter and the entry sets of its spec."""
    return InputEntries(
        required=_listed(keys.get("required_entries")),
        optional=_listed(keys.get("optional_entries")),
        required_sets=_listed(keys.get("required_entry_sets")),
        optional_sets=_listed(keys.get("optional_entry_sets")),
        merge_su=bool(keys.get("merge_su", False)),
        custom_categories=_listed(keys.get("custom_categories")),
        entry_sets=_listed(spec.get("cif_entry_sets")),
        dialect=str(keys.get("dialect") or "unified").lower(),
    )


def output_entries(keys: Mapping[str, Any], spec: Mapping[str, Any]) -> OutputEntries:
    """The entries a command writes, from the keys of an output and the entry sets of its spec."""
    return OutputEntries(
        required=_listed(keys.get("required_entries")),
        optional=_listed(keys.get("optional_entries")),
        required_sets=_listed(keys.get("required_entry_sets")),
        optional_sets=_listed(keys.get("optional_entry_sets")),
        invalidated=_listed(keys.get("invalidated_entries")),
        invalidated_sets=_listed(keys.get("invalidated_entry_sets")),
        custom_categories=_listed(keys.get("custom_categories")),
        output_block=keys.get("output_block", keys.get("select_block", "0")),
        entry_sets=_listed(spec.get("cif_entry_sets")),
    )


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def _named(entries: Any, name: str) -> Mapping[str, Any] | None:
    return next(
        (entry for entry in _listed(entries) if isinstance(entry, Mapping) and entry.get("name") == name),
        None,
    )


def _names(entries: Any) -> str:
    return (
        ", ".join(str(entry.get("name")) for entry in _listed(entries) if isinstance(entry, Mapping))
        or "none"
    )
