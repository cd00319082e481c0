"""`python -I -m qcrbox_hub.jupyterhub.bytecode [--gently]`: compile what people's servers, kernels and agents import.

Python keeps compiled modules beside their sources. A sandbox sees both read-only, so what is missing there is compiled
anew by every server, two seconds of a processor each. `qcrbox up` runs this beside it, with what the processors have
left; later starts find a note beside the compiled modules that everything is done. Where the environment may not
be written (another user installed it) it changes nothing.
"""

from __future__ import annotations

import compileall
import contextlib
import importlib
import os
import sys
import sysconfig
import threading
from importlib.util import cache_from_source, find_spec
from pathlib import Path

from qcrbox_hub.platform.child import Child, ChildSpec
from qcrbox_hub.platform.shutdown import end_with_platform

GENTLY, LEAST_URGENT = "--gently", 19  # of a process, and of a session
# Importing these compiles them and all that they load.
LOADED = (
    *("qcrbox_hub.jupyterhub.singleuser", "jupyterhub.singleuser", "jupyterlab.labapp", "qcrbox_extension"),
    *("jupyter_lsp", "jupyter_server_terminals", "notebook_shim", "ipykernel.kernelapp", "qcrbox"),
    # Agents write nothing beside an application's files, and so compile nothing for the next one.
    "qcrbox_agent.__main__",
)
# Of these, parts are loaded later, by what a person does first.
WHOLE = (
    *(
        "jupyter_server",
        "jupyterlab",
        "jupyterlab_server",
        "jupyter_client",
        "jupyter_lsp",
        "ipykernel",
        "IPython",
    ),
    *("qcrbox", "qcrbox_extension", "nbformat"),
)
# A function `keep` of these writes what servers would otherwise each look up, beside the compiled module.
LOOKED_UP = ("qcrbox_extension.export_formats",)


def start(environment: dict[str, str], logs: Path, lifeline_fd: int) -> Child | None:
    """Compile in a separate process, which ends by itself; None when everything is compiled.

    Whoever ends the platform kills it: on a busy machine it would get to see the end of the lifeline seconds later.
    """
    if _is_done():
        return None
    spec = ChildSpec(
        "bytecode", [sys.executable, "-I", "-m", __name__, GENTLY], environment, niceness=LEAST_URGENT
    )
    child = Child(spec, logs / "bytecode.log")
    child.start(lifeline_fd)
    assert child.process is not None
    # Its exit code is not needed, but an ended child stays a zombie until it is waited for.
    threading.Thread(target=child.process.wait, name="bytecode", daemon=True).start()
    return child


def look_up_all(modules: tuple[str, ...] = LOOKED_UP) -> None:
    """Let modules keep what every server asks for; packages that are not installed are left out."""
    for name in modules:
        with contextlib.suppress(ImportError):
            importlib.import_module(name).keep()


def compile_all(loaded: tuple[str, ...] = LOADED, whole: tuple[str, ...] = WHOLE) -> None:
    """Compile modules that are not compiled yet; packages that are not installed are left out."""
    for name in loaded:
        if find_spec(name.partition(".")[0]):
            importlib.import_module(name)
    for name in whole:
        spec = find_spec(name)
        for folder in (spec.submodule_search_locations or ()) if spec else ():
            compileall.compile_dir(Path(folder), quiet=2)


def main() -> None:
    """Compile the modules once per set of installed packages; `--gently` gives the process the lowest priority."""
    end_with_platform()
    if GENTLY in sys.argv:
        os.nice(LEAST_URGENT)
    if _is_done():
        return
    installed = _installed()
    look_up_all()
    compile_all()
    with contextlib.suppress(OSError):
        _note().write_text(installed)


def _note() -> Path:
    return Path(cache_from_source(__file__)).with_suffix(".done")


def _is_done() -> bool:
    try:
        return _note().read_text() == _installed()
    except OSError:
        return False


def _installed() -> str:
    """Changes with Python and with every package that is installed or removed; not with what is compiled beside them."""
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    packages = sorted(path for folder in folders for path in Path(folder).glob("*.dist-info"))
    return "\n".join([sys.version, *(f"{path.name} {path.stat().st_mtime_ns}" for path in packages)])


if __name__ == "__main__":
    main()
