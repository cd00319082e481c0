"""The libraries behind the views are loaded once, before threads use them."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest
import qcrbox_extension
from qcrbox.contract.errors import NotFound
from qcrbox_extension.in_threads import LIBRARIES, in_thread
from qcrbox_extension.stored import as_qc_error

MANY_AT_ONCE = """
import sys, threading
from importlib import import_module
from qcrbox_extension.in_threads import LIBRARIES, load_libraries
assert "numpy" not in sys.modules
failed = []
def load(name):
    try:
        load_libraries()
        import_module(name)
    except BaseException as error:
        failed.append((name, error))
threads = [threading.Thread(target=load, args=(name,)) for name in LIBRARIES]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert not failed, failed
"""


def test_many_threads_may_begin_at_once() -> None:
    done = subprocess.run([sys.executable, "-c", MANY_AT_ONCE], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_everything_that_is_imported_in_a_function_is_loaded_before() -> None:
    found = set()
    for file in Path(qcrbox_extension.__file__).parent.glob("*.py"):
        for function in ast.walk(ast.parse(file.read_text())):
            if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
                imports = (node for node in ast.walk(function) if isinstance(node, ast.ImportFrom))
                found |= {node.module for node in imports if (node.module or "").startswith("qcrbox.")}
    assert found
    assert found <= set(LIBRARIES) | {"qcrbox.widgets"}


async def test_work_that_takes_too_long_is_given_up() -> None:
    import threading

    end = threading.Event()
    with pytest.raises(TimeoutError):
        await in_thread(end.wait, 0.01)
    end.set()


@pytest.mark.parametrize(
    ("error", "why"),
    [(ValueError("no cell"), "no cell"), (KeyError("x.y"), "It holds something that is not foreseen here.")],
)
def test_a_fault_is_told_without_the_class_of_an_exception(error: Exception, why: str) -> None:
    told = as_qc_error(error)
    assert isinstance(told, NotFound)
    assert told.why == why
