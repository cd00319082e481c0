"""What sandboxes cannot compile for themselves is compiled by the platform."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from qcrbox_hub.jupyterhub import bytecode
from qcrbox_hub.jupyterhub.bytecode import LOADED, LOOKED_UP, WHOLE, compile_all, look_up_all
from qcrbox_hub.platform.child import Child


def test_modules_are_compiled_where_servers_find_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("loaded", "later"):
        package = tmp_path / f"qcrbox_test_{name}"
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "part.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    monkeypatch.setattr(sys, "pycache_prefix", None)
    compile_all(("qcrbox_test_loaded", "not_installed_here"), ("qcrbox_test_later", "not_installed_here"))

    def compiled(module: str) -> bool:
        return Path(importlib.util.cache_from_source(str(tmp_path / module))).is_file()

    # Of the first package only what an import loads; of the second every module.
    assert compiled("qcrbox_test_loaded/__init__.py")
    assert not compiled("qcrbox_test_loaded/part.py")
    assert compiled("qcrbox_test_later/part.py")


def test_nothing_is_done_twice_until_something_else_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    monkeypatch.setattr(bytecode, "cache_from_source", lambda _: str(tmp_path / "bytecode.pyc"))
    monkeypatch.setattr(bytecode, "end_with_platform", lambda: None)
    monkeypatch.setattr(bytecode, "look_up_all", lambda: None)
    monkeypatch.setattr(bytecode, "compile_all", lambda: done.append(bytecode._installed()))
    bytecode.main()
    bytecode.main()
    assert len(done) == 1
    started: list[Child] = []
    monkeypatch.setattr(Child, "start", lambda child, _: started.append(child))
    assert bytecode.start({}, tmp_path, lifeline_fd=-1) is None, "no process for what is done"
    assert started == []
    monkeypatch.setattr(bytecode, "_installed", lambda: "one package more")
    bytecode.main()
    assert done[1:] == ["one package more"]


def test_modules_keep_what_servers_ask_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = tmp_path / "kept"
    (tmp_path / "qcrbox_test_looked_up.py").write_text(
        f"from pathlib import Path\ndef keep(): Path({str(kept)!r}).touch()\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    look_up_all(("not_installed_here", "qcrbox_test_looked_up"))
    assert kept.exists()


def test_compiling_does_not_look_like_another_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bytecode.sysconfig, "get_path", lambda _: str(tmp_path))
    (tmp_path / "atoms-1.0.dist-info").mkdir()
    before = bytecode._installed()
    (tmp_path / "__pycache__").mkdir()
    assert bytecode._installed() == before
    (tmp_path / "bonds-1.0.dist-info").mkdir()
    assert bytecode._installed() != before


def test_names_are_those_of_modules() -> None:
    """Without importing them: they are large."""
    missing = []
    for name in (*LOADED, *WHOLE, *LOOKED_UP):
        package, *inside = name.split(".")
        spec = importlib.util.find_spec(package)
        folder = Path(*(spec.submodule_search_locations or ())) if spec else Path("nowhere")
        path = folder.joinpath(*inside)
        if not path.with_suffix(".py").is_file() and not (path / "__init__.py").is_file():
            missing.append(name)
    assert missing == []
