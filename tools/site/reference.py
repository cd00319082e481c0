"""Pages of the reference that are made from the code: command line, REST, settings, traits, errors, CIF items.

Each function returns Markdown. What must be on a page is asked of the code itself, so a new command, setting, trait,
error or item is there without another step.
"""

from __future__ import annotations

import argparse
import importlib
import inspect
import pkgutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import qcrbox_hub
import qcrbox_registry
import traitlets
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from qcrbox.cif import names as cif_names
from qcrbox.contract.errors import QcError
from qcrbox_hub.cli import COMMANDS, make_app
from qcrbox_registry.app import create_app
from qcrbox_registry.scheduler.settings import SchedulerSettings
from qcrbox_registry.settings import Settings
from typer.main import get_command

# Variables that a person or an administrator sets, and those that the platform gives to its own processes.
ENVIRONMENT = {
    "QCRBOX_DATA": "The data folder. Default: `~/.local/share/qcrbox`.",
    "QCRBOX_MANAGER": "What runs programs, as `qcrbox up --manager`.",
    "QCRBOX_SPAWNER": "What people's Jupyter servers run in, as `qcrbox up --spawner`.",
    "QCRBOX_LANGUAGE": "Language of texts in notebooks, `en` or `de`. Default: that of JupyterLab or the system.",
    "QCRBOX_URL": "Address of the registry, for kernels and programs.",
    "QCRBOX_TOKEN_FILE": "File with the token for that address.",
    "QCRBOX_LOG_LEVEL": "How much launcher and agents log: DEBUG, INFO, WARNING, ERROR.",
    "QCRBOX_AGENT_ID": "Agent: its name.",
    "QCRBOX_NATS_URL": "Agent: address of NATS.",
    "QCRBOX_ENROLMENT_FILE": "Agent: file with the token for NATS.",
    "QCRBOX_SPEC": "Agent: path of `application.yaml`.",
    "QCRBOX_WORK_DIR": "Agent: folder for the working directories. Programs: their own working directory.",
    "QCRBOX_CALCULATION_ID": "Programs: id of the calculation.",
    "QCRBOX_LAUNCHER": "Agent: name of the launcher that started it.",
    "QCRBOX_KEEP_FAILED_S": "Agent: how long folders of failed calculations stay, s.",
    "QCRBOX_ORPHANED_AFTER_S": "Agent: an idle agent ends when NATS is away this long, s; 0: never.",
    "QCRBOX_NATS_SOCKET": "Agent in a container: socket that leads to NATS.",
    "QCRBOX_REGISTRY_SOCKET": "Agent in a container: socket that leads to the registry's routes for agents.",
    "QCRBOX_PROXY_SETTINGS": "Proxy: its settings as JSON; tokens stay in files.",
    "QCRBOX_RELAY_SETTINGS": "Relay to the internet for people's servers: its settings as JSON.",
    "QCRBOX_SEALED": "Agent in a container: 1 when programs must not read its memory.",
}


def pages() -> dict[str, str]:
    """File name below `reference/` -> text."""
    return {
        "commands.md": commands(),
        "rest.md": rest(),
        "processes.md": processes(),
        "traits.md": traits(),
        "errors.md": errors(),
        "cif_items.md": cif_items(),
    }


# ---------------------------------------------------------------- command line; Typer's classes are private, hence Any


def commands() -> str:
    """Every command and option of `qcrbox`, then the other programs of the distribution."""
    from qcrbox.cif.console import _parser as cif_parser

    lines = [
        "# Command line",
        "",
        "Made from the programs' own help. `qcrbox COMMAND --help` prints the same.",
    ]
    root = get_command(make_app(*COMMANDS))
    lines += ["", "## qcrbox", "", _prose(root.help), "", *_options(root)]
    lines += [line for name, command in sorted(_commands(root)) for line in _command(name, command)]
    lines += ["", "## Conversion of CIF", "", "The same as `python -m qcrbox.cif COMMAND`."]
    for action in cif_parser()._actions:
        if isinstance(action, argparse._SubParsersAction):
            lines += [line for name, sub in action.choices.items() for line in _argparse(name, sub)]
    return "\n".join(lines) + "\n"


def _commands(group: Any, prefix: str = "qcrbox") -> Iterator[tuple[str, Any]]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{prefix} {name}", command
        yield from _commands(command, f"{prefix} {name}")


def _command(name: str, command: Any) -> list[str]:
    usage = " ".join([name, *command.collect_usage_pieces(command.context_class(command))])
    return ["", f"## {name}", "", "```", usage, "```", "", _prose(command.help), "", *_options(command)]


def _options(command: Any) -> list[str]:
    rows = []
    for parameter in command.params:
        if parameter.param_type_name == "option":
            shown = ", ".join([*parameter.opts, *parameter.secondary_opts])
            default = parameter.default
            value = "" if default in (None, False, (), []) or callable(default) else f"`{default}`"
            envvar = (
                parameter.envvar if isinstance(parameter.envvar, str) else ", ".join(parameter.envvar or ())
            )
            rows.append((f"`{shown}`", value, f"`{envvar}`" if envvar else "", parameter.help or ""))
        else:
            rows.append((f"`{parameter.name.upper()}`", "", "", getattr(parameter, "help", "") or ""))
    return _table(("option", "default", "environment", "meaning"), rows)


def _argparse(name: str, parser: argparse.ArgumentParser) -> list[str]:
    rows = [
        (f"`{', '.join(a.option_strings) or a.metavar or a.dest}`", a.help or "")
        for a in parser._actions
        if a.dest != "help"
    ]
    summary = _prose(parser.description)
    return [
        "",
        f"### {name}",
        "",
        f"{summary[:1].upper()}{summary[1:]}",
        "",
        *_table(("argument", "meaning"), rows),
    ]


# ---------------------------------------------------------------- REST


def rest() -> str:
    """Every route with its parameters, bodies and answers, and the models they speak."""
    page = create_app(Settings(data=Path("unused"), auth="none")).openapi()
    lines = [
        "# REST",
        "",
        "Made from the OpenAPI description that a running registry serves at `/api/openapi.json` (with a page to try it",
        "at `/api/docs`). [The registry's REST interface](../registry.md) explains it.",
    ]
    for path, methods in sorted(page["paths"].items()):
        for method, route in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                lines += _route(method, path, route)
    lines += ["", "## Models"]
    for name, schema in sorted(page["components"]["schemas"].items()):
        lines += _schema(name, schema)
    return "\n".join(lines) + "\n"


def _route(method: str, path: str, route: dict[str, Any]) -> list[str]:
    lines = [
        "",
        f"## {method.upper()} {_escape(path)}",
        "",
        _prose(route.get("description") or route.get("summary")),
    ]
    rows = [
        (
            f"`{p['name']}`",
            p["in"],
            _kind(p["schema"]),
            "yes" if p.get("required") else "",
            p.get("description", ""),
        )
        for p in route.get("parameters", ())
    ]
    if rows:
        lines += ["", *_table(("parameter", "in", "type", "required", "meaning"), rows)]
    for kind, body in route.get("requestBody", {}).get("content", {}).items():
        lines += ["", f"Body: `{kind}`, {_kind(body.get('schema', {}))}."]
    answers = [
        (
            f"`{code}`",
            ", ".join(_kind(c.get("schema", {})) for c in a.get("content", {}).values()),
            a["description"],
        )
        for code, a in route["responses"].items()
    ]
    return [*lines, "", *_table(("answer", "body", "when"), answers)]


def _schema(name: str, schema: dict[str, Any]) -> list[str]:
    lines = ["", f"### {name}", "", _prose(schema.get("description"))]
    needed = schema.get("required", ())
    rows = [
        (f"`{key}`", _kind(field), "yes" if key in needed else "", field.get("description", ""))
        for key, field in schema.get("properties", {}).items()
    ]
    if rows:
        return [*lines, "", *_table(("field", "type", "always there", "meaning"), rows)]
    return (
        [*lines, "", f"One of: {', '.join(f'`{v}`' for v in schema['enum'])}."] if "enum" in schema else lines
    )


def _kind(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    for word in ("anyOf", "allOf", "oneOf"):
        if word in schema:
            return " or ".join(_kind(each) for each in schema[word])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


# ---------------------------------------------------------------- settings


def processes() -> str:
    """Settings of the registry and the scheduler, and environment variables."""
    lines = ["# Settings of processes", ""]
    lines += [
        "`DATA/platform.toml` is what an administrator edits: see [Settings](../settings.md). The platform gives"
    ]
    lines += ["these to its processes; they matter to who runs a registry without `qcrbox up`.", ""]
    lines += [
        "## Registry",
        "",
        "Environment variables `QCRBOX_REGISTRY_…`, or flags of `python -m qcrbox_registry`.",
        "",
    ]
    lines += _model(Settings, lambda name: f"`QCRBOX_REGISTRY_{name.upper()}`")
    lines += ["", "## Scheduler", "", _prose(inspect.getdoc(SchedulerSettings)), ""]
    lines += _model(SchedulerSettings, lambda name: f"`{name}`")
    lines += ["", "## Environment variables", ""]
    lines += _table(("variable", "meaning"), [(f"`{name}`", text) for name, text in ENVIRONMENT.items()])
    return "\n".join(lines) + "\n"


def _model(model: type[BaseModel], shown: Any) -> list[str]:
    rows = []
    for name, field in model.model_fields.items():
        default = field.get_default(call_default_factory=True)
        value = "" if default in (None, "", PydanticUndefined, []) else f"`{default}`"
        rows.append((shown(name), value, field.description or ""))
    return _table(("setting", "default", "meaning"), rows)


def traits() -> str:
    """Every configurable trait of managers, spawners and authenticators that is defined in this project."""
    lines = ["# Traits", ""]
    lines += [
        'Managers read theirs from `DATA/launcher.json`, for example `{"DockerManager": {"most_agents": 8}}`;'
    ]
    lines += ["spawners and authenticators from the file `hub_config` of [the settings](../settings.md), as"]
    lines += ["`c.SandboxSpawner.name = value`."]
    for cls in configurable_classes():
        lines += [
            "",
            f"## {cls.__name__}",
            "",
            f"`{cls.__module__}.{cls.__name__}`. {_prose(cls.__doc__)}",
            "",
        ]
        rows = [
            (f"`{name}`", type(trait).__name__, f"`{trait.default()!r}`", str(trait.help))
            for name, trait in sorted(own_traits(cls).items())
        ]
        lines += _table(("trait", "type", "default", "meaning"), rows)
    return "\n".join(lines) + "\n"


def configurable_classes() -> list[type[traitlets.HasTraits]]:
    """Classes of this project that define a configurable trait, by module and name."""
    for package in (qcrbox_registry, qcrbox_hub):
        _import_all(package, ("launcher.managers", "jupyterhub.spawners", "accounts"))
    found = {cls for cls in _subclasses(traitlets.HasTraits) if _is_ours(cls) and own_traits(cls)}
    return sorted(found, key=lambda cls: (cls.__module__, cls.__name__))


def own_traits(cls: type[traitlets.HasTraits]) -> dict[str, traitlets.TraitType[Any, Any]]:
    """The configurable traits that a class itself defines."""
    return {
        name: trait
        for name, trait in vars(cls).items()
        if isinstance(trait, traitlets.TraitType) and trait.metadata.get("config")
    }


def _import_all(package: Any, folders: Iterable[str]) -> None:
    for folder in folders:
        try:
            found = importlib.import_module(f"{package.__name__}.{folder}")
        except ModuleNotFoundError:
            continue
        for module in pkgutil.walk_packages(found.__path__, f"{found.__name__}."):
            # Alembic runs migrations in a context of its own; __main__ modules are programs.
            if ".migrations" not in module.name and "__main__" not in module.name:
                importlib.import_module(module.name)


# ---------------------------------------------------------------- errors and items


def errors() -> str:
    """The tree of errors: class, kind on the wire, HTTP status, meaning."""
    lines = ["# Errors", ""]
    lines += [
        "Every error says what happened, where, why, and what to do next. In Python it is one of these classes; in"
    ]
    lines += [
        'REST it is `{"status": "error", "error": {"code": …, "kind": …, "what": …, "where": …, "why": …,'
    ]
    lines += [
        '"next": …}}` with the HTTP status as `code`. An unknown kind is read as the class of its status.',
        "",
    ]
    rows = [
        (
            f"`{cls.kind}`",
            f"`{cls.__name__}`",
            str(cls.status),
            f"`{cls.__mro__[1].__name__}`",
            cls.__doc__ or "",
        )
        for cls in error_classes()
    ]
    lines += _table(("kind", "class", "status", "is a", "meaning"), rows)
    return "\n".join(lines) + "\n"


def error_classes() -> list[type[QcError]]:
    """Every error class of the product, from the contract's and from the rooms'."""
    for package, folders in ((qcrbox_registry, ("launcher", "store")), (qcrbox_hub, ("apps", "admin"))):
        _import_all(package, folders)
    found = {QcError, *(cls for cls in _subclasses(QcError) if _is_ours(cls))}
    return sorted(found, key=lambda cls: (cls.status, cls.kind, cls.__name__))


def cif_items() -> str:
    """Every CIF item that the product knows, with its other spellings, unit and range."""
    lines = ["# CIF items", ""]
    lines += [
        "Names, units, ranges and states are facts of the IUCr dictionaries; [Names of CIF items](../cif_names.md) says"
    ]
    lines += [
        "from which and under which licence. `qcrbox.cif.names.canonical` finds the canonical name of any spelling."
    ]
    categories: dict[str, list[str]] = {}
    for name in cif_names.all_names():
        categories.setdefault(name.partition(".")[0].lstrip("_"), []).append(name)
    for category, members in sorted(categories.items()):
        lines += [
            "",
            f"## {category}",
            "",
            *_table(("item", "other spellings", "unit", "range", "states"), map(_item, members)),
        ]
    return "\n".join(lines) + "\n"


def _item(name: str) -> tuple[str, ...]:
    facts = cif_names.facts(name)
    assert facts is not None, name
    ends = (
        ""
        if facts.minimum is None and facts.maximum is None
        else f"{_end(facts.minimum)} … {_end(facts.maximum)}"
    )
    spellings = ", ".join(f"`{alias}`" for alias in cif_names.aliases(name) if alias != name)
    return f"`{name}`", spellings, facts.unit, ends, ", ".join(f"`{s}`" for s in facts.states)


def _end(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


# ---------------------------------------------------------------- Markdown


def _subclasses(cls: type) -> Iterator[Any]:
    for sub in type.__subclasses__(cls):
        yield sub
        yield from _subclasses(sub)


def _is_ours(cls: type) -> bool:
    return cls.__module__.split(".")[0] in ("qcrbox", "qcrbox_hub", "qcrbox_registry", "qcrbox_agent")


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    """A Markdown table; cells are one line and cannot break out of it."""
    made = [f"| {' | '.join(_cell(cell) for cell in row)} |" for row in rows]
    return [f"| {' | '.join(head)} |", "|---" * len(head) + "|", *made] if made else []


def _cell(text: str) -> str:
    text = " ".join(str(text).split()).replace("|", "\\|")
    return text if text.startswith("`") else _escape(text)


def _prose(text: str | None) -> str:
    return _escape(inspect.cleandoc(text or "").replace("\b", ""))


def _escape(text: str) -> str:
    """Text of docstrings and help as Markdown that shows it as it is; `code` stays code."""
    parts = text.split("`")
    for index in range(0, len(parts), 2):
        for mark in ("<", "*", "_", "[", "{", "#", "$"):
            parts[index] = parts[index].replace(mark, f"\\{mark}")
    return "`".join(parts)
