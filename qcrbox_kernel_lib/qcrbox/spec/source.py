"""YAML with line numbers and the literal text of scalars.

YAML would turn `version: 2022.10` into 2022.1 and `choices: [yes, no]` into booleans, so every scalar
remembers its own text. Files come from strangers: unknown tags, anchors that multiply (the "billion
laughs") and endless nesting are refused before anything is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from typing import Any

import yaml
from yaml.reader import ReaderError

from qcrbox.contract.errors import SpecError

Path = tuple[str | int, ...]

MAX_BYTES = 2_000_000
MAX_NODES = 200_000
MAX_DEPTH = 60

_MERGE = "tag:yaml.org,2002:merge"
_CORE_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "timestamp")}


@dataclass
class Source:
    """The content of a spec file with its positions."""

    filename: str
    data: Any = None
    lines: dict[Path, int] = field(default_factory=dict)
    texts: dict[Path, str] = field(default_factory=dict)  # of scalars, as written
    notes: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)  # commands that cannot be run, with the reason

    def line(self, path: Path) -> int:
        """Line of the nearest node in the file: a missing key has the line of its parent."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def text(self, path: Path) -> str | None:
        """The scalar at `path` as written; None when it is absent, null or no scalar."""
        return self.texts.get(path)

    def note(self, path: Path, text: str) -> None:
        """Note something with its line."""
        self.notes.append(f"line {self.line(path)}: {text}")

    def problem(self, path: Path, text: str) -> None:
        """Note a fault with its file and line."""
        self.problems.append(f"{self.filename}:{self.line(path)}: {text}")

    def raise_problems(self) -> None:
        """Raise SpecError with all faults, if there are any."""
        if self.problems:
            first = self.problems[0]
            more = len(self.problems) - 1
            raise SpecError(
                first.removeprefix(f"{self.filename}:").partition(": ")[2],
                where=first.partition(": ")[0],
                why=f"({more} more: see details)" if more else "",
                details=list(self.problems),
                file=self.filename,
                line=int(first.removeprefix(f"{self.filename}:").partition(":")[0]),
                problems=list(self.problems),
            )


def read(text: str, filename: str) -> Source:
    """Parse `text`. Raises SpecError with file and line for invalid or unacceptable YAML."""
    source = Source(filename)
    if len(text.encode("utf-8", "replace")) > MAX_BYTES:
        source.problem((), f"the file is larger than {MAX_BYTES // 1_000_000} MB")
        source.raise_problems()
    try:
        node = _composed(text, source)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        source.lines[()] = mark.line + 1 if mark else 1
        column = f", column {mark.column + 1}" if mark else ""
        source.problem((), f"not valid YAML{column}: {error.problem or error.context}")
    except yaml.YAMLError as error:
        if isinstance(error, ReaderError):
            source.lines[()] = text.count("\n", 0, error.position) + 1
        source.problem((), f"not valid YAML: {str(error).splitlines()[0]}")
    else:
        if node is None:
            source.problem((), "the file is empty")
        else:
            source.data = _build(node, (), source)
    source.raise_problems()
    return source


def refuse_bombs(text: str, filename: str) -> None:
    """Raises SpecError for YAML whose anchors multiply or that is nested too deeply, and YAMLError for no YAML."""
    _composed(text, Source(filename))


def _composed(text: str, source: Source) -> yaml.Node | None:
    try:
        node = yaml.compose(text, Loader=_ShallowLoader)
    except _NestedTooDeepError as error:
        source.lines[()] = error.line
        source.problem((), f"nested more than {MAX_DEPTH} deep")
        source.raise_problems()
    if node is not None:
        _refuse_bombs(node, source)
    return node


def read_file(path: FilePath) -> Source:
    """Like `read`, from a UTF-8 file."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise SpecError(
            f"The spec cannot be read: {error.strerror or error}.", where=str(path), file=str(path), line=1
        ) from error
    except UnicodeDecodeError as error:
        raise SpecError("The spec is not UTF-8 text.", where=str(path), file=str(path), line=1) from error
    return read(text, path.name)


class _NestedTooDeepError(Exception):
    """line: where the first collection begins that is too deep, from 1."""

    def __init__(self, line: int) -> None:
        super().__init__(line)
        self.line = line


class _ShallowLoader(yaml.SafeLoader):  # type: ignore[misc] # PyYAML has no types.
    """Stops at the first collection that is too deep: composing deep flow lists costs the square of their depth."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if not self.check_event(yaml.CollectionStartEvent):
            return super().compose_node(parent, index)
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _NestedTooDeepError(self.peek_event().start_mark.line + 1)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def _refuse_bombs(root: yaml.Node, source: Source) -> None:
    """Count the nodes of the tree with all aliases expanded, without expanding them."""
    measured: dict[int, tuple[int, int]] = {}  # node -> values in it, depth
    open_nodes: set[int] = set()

    def refuse(node: yaml.Node, text: str) -> None:
        source.lines[()] = node.start_mark.line + 1
        source.problem((), text)
        source.raise_problems()

    def measure(node: yaml.Node) -> tuple[int, int]:
        if id(node) in open_nodes:
            refuse(node, "an anchor contains itself")
        if id(node) not in measured:
            open_nodes.add(id(node))
            parts = [measure(child) for child in _children(node)]
            open_nodes.discard(id(node))
            size = 1 + sum(part[0] for part in parts)
            depth = 1 + max((part[1] for part in parts), default=0)
            if size > MAX_NODES:
                refuse(node, f"more than {MAX_NODES} values once its anchors are written out")
            if depth > MAX_DEPTH:
                refuse(node, f"nested more than {MAX_DEPTH} deep once its anchors are written out")
            measured[id(node)] = size, depth
        return measured[id(node)]

    measure(root)


def _children(node: yaml.Node) -> list[yaml.Node]:
    if isinstance(node, yaml.MappingNode):
        return [part for pair in node.value for part in pair]
    if isinstance(node, yaml.SequenceNode):
        return list(node.value)
    return []


def _build(node: yaml.Node, path: Path, source: Source) -> Any:
    source.lines.setdefault(path, node.start_mark.line + 1)
    if isinstance(node, yaml.MappingNode):
        return _build_mapping(node, path, source)
    if isinstance(node, yaml.SequenceNode):
        return [_build(child, (*path, index), source) for index, child in enumerate(node.value)]
    return _build_scalar(node, path, source)


def _build_mapping(node: yaml.MappingNode, path: Path, source: Source) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for key_node, value_node in node.value:
        if not isinstance(key_node, yaml.ScalarNode):
            source.lines[(*path, "?")] = key_node.start_mark.line + 1
            source.problem((*path, "?"), "a key must be plain text")
            continue
        if key_node.tag == _MERGE:
            continue
        key = key_node.value
        here = (*path, key)
        if key in made:
            source.note(here, f"key '{key}' is written twice; the last one counts")
            _forget(here, source)
        source.lines[here] = key_node.start_mark.line + 1
        made[key] = _build(value_node, here, source)
    for key_node, value_node in _taken_over(node, path, source):
        if key_node.value not in made:
            made[key_node.value] = _build(value_node, (*path, key_node.value), source)
    return made


def _taken_over(
    node: yaml.MappingNode, path: Path, source: Source
) -> Iterator[tuple[yaml.ScalarNode, yaml.Node]]:
    """What `<<` takes over from other mappings, and from those that they take over; what counts first comes first."""
    for key_node, value_node in node.value:
        if key_node.tag != _MERGE:
            continue
        for part in value_node.value if isinstance(value_node, yaml.SequenceNode) else [value_node]:
            if not isinstance(part, yaml.MappingNode):
                source.lines[(*path, "<<")] = key_node.start_mark.line + 1
                source.problem((*path, "<<"), "<< takes over a mapping or a list of mappings")
                continue
            # The last of two equal keys counts, as everywhere.
            own = {key.value: (key, value) for key, value in part.value if _is_own_key(key)}
            yield from own.values()
            yield from _taken_over(part, path, source)


def _is_own_key(key: yaml.Node) -> bool:
    return isinstance(key, yaml.ScalarNode) and key.tag != _MERGE


def _forget(path: Path, source: Source) -> None:
    for table in (source.lines, source.texts):
        for known in [known for known in table if known[: len(path)] == path]:
            del table[known]


def _build_scalar(node: yaml.ScalarNode, path: Path, source: Source) -> Any:
    if node.tag not in _CORE_TAGS:
        source.problem(path, f"the YAML tag '{node.tag}' is not allowed")
        return None
    if node.tag.endswith(":null"):
        return None
    source.texts[path] = node.value
    if node.tag.endswith((":str", ":timestamp")):
        return node.value
    try:
        return yaml.SafeLoader("").construct_object(node)
    except (ValueError, OverflowError):
        return node.value
