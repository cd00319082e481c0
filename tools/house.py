"""Print the house table: size, functions, docstrings, tests and import circles of every room.

    python tools/house.py [ROOT]             a Markdown table; ROOT is another checkout, this one by default
    python tools/house.py --circles ROOM     the circles of a room, file by file
    python tools/house.py --deferred ROOM    imports inside functions, each with the reason that the code gives
    python tools/house.py --package DIR      the same figures for any package of Python files, tests beside it or not

A circle is a set of files each of which imports every other, directly or through others. Imports inside functions
count; imports for type checkers only do not run and do not count.
"""

from __future__ import annotations

import argparse
import ast
import statistics
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

SHORT_FUNCTION_LINES = 35
MANY_PARAMETERS = 6
# Room: folder of its package, folder of its unit tests.
ROOMS = {
    "qcrbox": ("qcrbox_kernel_lib/qcrbox", "qcrbox_kernel_lib/tests"),
    "qcrbox_registry": ("registry/qcrbox_registry", "registry/tests"),
    "qcrbox_agent": ("app_images/agent/qcrbox_agent", "app_images/agent/tests"),
    "refine": ("app_images/refine", "app_images/refine/tests"),
    "har": ("app_images/har", "app_images/har/tests"),
    "qcrbox_extension": ("extension/qcrbox_extension", "extension/tests"),
    "qcrbox_hub": ("hub/qcrbox_hub", "hub/tests"),
}
# The front ends, of Lab and of the widgets, have their unit tests in one folder.
FRONT_ENDS = ("extension/src", "qcrbox_kernel_lib/qcrbox/widgets")
FRONT_END_TESTS = "extension/tests"
_SCRIPTS = (".ts", ".tsx", ".js", ".mjs")
_GENERATED = ("contract.ts", "figure_words.ts")
ACROSS_ROOMS = "tests"
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass
class Function:
    """One function or method: its length in lines and the number of its parameters without self and cls."""

    name: str
    lines: int
    parameters: int


@dataclass
class Measured:
    """Figures of one folder of Python files."""

    lines_per_file: list[int] = field(default_factory=list)
    functions: list[Function] = field(default_factory=list)
    public: int = 0
    documented: int = 0
    undocumented: list[str] = field(default_factory=list)
    imports: dict[str, set[str]] = field(default_factory=dict)
    # Module and line of each import inside a function -> its comment, above or behind it; "" without one.
    deferred: dict[str, str] = field(default_factory=dict)
    test_lines: int = 0

    @property
    def lines(self) -> int:
        return sum(self.lines_per_file)

    @property
    def short_share(self) -> float:
        return sum(f.lines <= SHORT_FUNCTION_LINES for f in self.functions) / max(1, len(self.functions))

    @property
    def many_parameters(self) -> list[Function]:
        return [f for f in self.functions if f.parameters > MANY_PARAMETERS]

    def circles(self) -> list[list[str]]:
        return [sorted(group) for group in strongly_connected(self.imports) if len(group) > 1]


def measure(package: Path, tests: Path | None = None) -> Measured:
    """The figures of a package; files below a folder named `tests` inside it are tests."""
    files = {
        _module_name(package, file): file
        for file in sorted(package.rglob("*.py"))
        if not _is_test(file.relative_to(package)) and "node_modules" not in file.parts
    }
    found = Measured()
    for name, file in files.items():
        text = file.read_text(encoding="utf-8")
        tree = ast.parse(text)
        found.lines_per_file.append(text.count("\n"))
        found.functions += _functions(tree)
        found.deferred |= {f"{name}:{line}": reason for line, reason in _deferred(tree, text.splitlines())}
        for what, documented in _public(tree, name):
            found.public += 1
            found.documented += documented
            if not documented:
                found.undocumented.append(what)
        is_package = file.name == "__init__.py"
        found.imports[name] = set(_imported(tree, name, is_package, files)) - {name}
    if tests is not None and tests.is_dir():
        found.test_lines = sum(map(_count, tests.rglob("*.py")))
    return found


@dataclass
class Counted:
    """Lines of files, and of the tests beside them."""

    lines_per_file: list[int]
    test_lines: int


def count_front_ends(root: Path) -> Counted:
    """TypeScript and JavaScript of Lab and the widgets, without what is generated or built, and their unit tests."""
    files = [file for folder in FRONT_ENDS for file in _scripts(root / folder) if file.name not in _GENERATED]
    # With what the tests share, as in the rooms of Python.
    tests = list(_scripts(root / FRONT_END_TESTS))
    return Counted([_count(file) for file in files], sum(map(_count, tests)))


def _scripts(folder: Path) -> Iterator[Path]:
    for file in sorted(folder.rglob("*")):
        if file.suffix in _SCRIPTS and not {"node_modules", "static"} & set(file.parts):
            yield file


def _count(file: Path) -> int:
    return file.read_text(encoding="utf-8").count("\n")


def strongly_connected(graph: dict[str, set[str]]) -> Iterator[set[str]]:
    """Sets of nodes that all reach one another (Tarjan, SIAM J. Comput. 1 (1972) 146)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []

    def visit(node: str) -> Iterator[set[str]]:
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph[node]):
            if other not in index:
                yield from visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            place = stack.index(node)
            group, stack[place:] = set(stack[place:]), []
            yield group

    for node in graph:
        if node not in index:
            yield from visit(node)


def _is_test(path: Path) -> bool:
    return "tests" in path.parts[:-1] or path.name == "conftest.py"


def _module_name(package: Path, file: Path) -> str:
    parts = (package.name, *file.relative_to(package).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _functions(tree: ast.AST) -> Iterator[Function]:
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS):
            arguments = node.args
            names = [a.arg for a in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
            count = len(names) - (names[:1] in (["self"], ["cls"]))
            yield Function(node.name, (node.end_lineno or node.lineno) - node.lineno + 1, count)


def _deferred(tree: ast.AST, lines: list[str]) -> Iterator[tuple[int, str]]:
    """Imports inside functions: line and comment. Imports that follow one another share the comment above the first."""
    found = {
        node.lineno
        for function in ast.walk(tree)
        if isinstance(function, _FUNCTIONS)
        for node in ast.walk(function)
        if isinstance(node, (ast.Import, ast.ImportFrom))
    }
    for number in sorted(found):
        above = number - 1
        while above in found:
            above -= 1
        comment, behind = lines[above - 1].strip(), lines[number - 1].partition("#")[2].strip()
        if comment.startswith("#"):
            yield number, comment.removeprefix("#").strip()
        else:
            yield number, "" if behind.startswith(("noqa", "type:")) else behind


def _public(tree: ast.Module, module: str) -> Iterator[tuple[str, bool]]:
    """Public functions, classes and methods with whether they have a docstring, and the module itself."""
    yield module, ast.get_docstring(tree) is not None
    pending: list[tuple[str, ast.AST]] = [(module, tree)]
    while pending:
        prefix, parent = pending.pop()
        for node in getattr(parent, "body", ()):
            if isinstance(node, (*_FUNCTIONS, ast.ClassDef)) and not _is_private(node):
                name = f"{prefix}.{node.name}"
                yield name, ast.get_docstring(node) is not None
                if isinstance(node, ast.ClassDef):
                    pending.append((name, node))


def _is_private(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> bool:
    """Private by name, or a form of something that has its docstring elsewhere: an overload, a setter."""
    decorators = [ast.unparse(decorator) for decorator in node.decorator_list]
    return node.name.startswith("_") or any(d == "overload" or d.endswith(".setter") for d in decorators)


def _imported(tree: ast.Module, module: str, is_package: bool, known: Iterable[str]) -> Iterator[str]:
    """Names of modules of the same package that `module` imports when it runs."""
    parent = module if is_package else module.rpartition(".")[0]
    for node in _running(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = parent.split(".")[: len(parent.split(".")) - node.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            for alias in node.names:
                name = f"{base}.{alias.name}"
                if name in known:
                    yield name
                elif base in known:
                    yield base


def _running(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            for other in child.orelse:
                yield other
                yield from _running(other)
            continue
        yield child
        yield from _running(child)


def _row(name: str, m: Measured) -> str:
    lengths = [f.lines for f in m.functions]
    circles = m.circles()
    cells = [
        name,
        f"{len(m.lines_per_file)}",
        f"{m.lines:,}",
        f"{statistics.median(m.lines_per_file or [0]):.0f}",
        f"{max(m.lines_per_file, default=0)}",
        f"{len(lengths):,}",
        f"{statistics.median(lengths or [0]):.0f}",
        f"{m.short_share:.1%}",
        f"{len(m.many_parameters)}",
        f"{m.documented / max(1, m.public):.0%}",
        f"{m.test_lines / max(1, m.lines):.2f}" if m.test_lines else "",
        f"{len(circles)} ({sum(map(len, circles))} files)" if circles else "0",
    ]
    return f"| {' | '.join(cells)} |"


HEAD = (
    "| room | files | lines | median file | longest file | functions | median function | "
    f"≤ {SHORT_FUNCTION_LINES} lines | > {MANY_PARAMETERS} parameters | docstrings | tests : code | circles |\n"
    "|---|" + "---:|" * 11
)


FRONT_END_HEAD = (
    "| front ends | files | lines | median file | longest file | tests : code |\n|---|" + "---:|" * 5
)


def _front_end_row(counted: Counted) -> str:
    lines = counted.lines_per_file
    total = sum(lines)
    cells = [
        "Lab and widgets",
        f"{len(lines)}",
        f"{total:,}",
        f"{statistics.median(lines or [0]):.0f}",
        f"{max(lines, default=0)}",
        f"{counted.test_lines / max(1, total):.2f}",
    ]
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Parse the command line and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parents[1])
    parser.add_argument("--circles", metavar="ROOM", choices=ROOMS)
    parser.add_argument("--deferred", metavar="ROOM", choices=ROOMS)
    parser.add_argument("--undocumented", metavar="ROOM", choices=ROOMS)
    parser.add_argument("--package", type=Path)
    arguments = parser.parse_args()
    if arguments.package:
        print(f"{HEAD}\n{_row(arguments.package.name, measure(arguments.package))}")
        return
    room = arguments.circles or arguments.deferred or arguments.undocumented
    if room:
        measured = measure(*(arguments.root / folder for folder in ROOMS[room]))
        if arguments.circles:
            lines = [" ".join(circle) for circle in measured.circles()]
        elif arguments.deferred:
            lines = [f"{place}: {reason or 'no reason'}" for place, reason in measured.deferred.items()]
        else:
            lines = measured.undocumented
        print("\n".join(lines) or "none")
        return
    print(HEAD)
    for name, (package, tests) in ROOMS.items():
        if (arguments.root / package).is_dir():
            print(_row(name, measure(arguments.root / package, arguments.root / tests)))
    print(f"\n{FRONT_END_HEAD}\n{_front_end_row(count_front_ends(arguments.root))}")
    across = sum(map(_count, (arguments.root / ACROSS_ROOMS).rglob("*.py")))
    print(f"\nTests that cross rooms (`{ACROSS_ROOMS}/`): {across:,} lines.")


if __name__ == "__main__":
    main()
