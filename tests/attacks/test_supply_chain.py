"""Packages: what is installed is what was pinned, from wherever it comes, and nothing in a home changes the server."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from qcrbox_hub.jupyterhub.spawners.base import PersonServer

pytestmark = pytest.mark.attack(29)
ROOT = Path(__file__).parents[2]
PINS = sorted((ROOT / "constraints").glob("*.txt"))
MAKEFILE = (ROOT / "Makefile").read_text()
OUR_NAMES = (
    "qcrbox",
    "qcrbox-registry",
    "qcrbox-hub",
    "qcrbox-agent",
    "qcrbox-extension",
    "qcrbox-kernel-lib",
)


def requirements(file: Path) -> dict[str, list[str]]:
    """Name -> hashes."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in file.read_text().splitlines():
        if match := re.match(r"([A-Za-z0-9][\w.-]*)(?:\[[^\]]*\])?==", line):
            name = match[1].lower().replace("_", "-")
            found[name] = []
        found.setdefault(name, []).extend(re.findall(r"--hash=sha256:([0-9a-f]{64})", line))
    return found


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.stem)
def test_every_pin_has_hashes_and_names_no_index(file: Path) -> None:
    pins = requirements(file)
    assert pins
    assert [name for name, hashes in pins.items() if name and not hashes] == []
    text = file.read_text()
    for option in ("--index-url", "--extra-index-url", "--find-links", "--trusted-host", "://", " @ "):
        assert option not in text, f"{file.name}: {option}"


@pytest.mark.parametrize("file", PINS, ids=lambda file: file.stem)
def test_none_of_our_names_is_asked_of_an_index(file: Path) -> None:
    """Somebody else could publish it there."""
    assert not set(requirements(file)) & set(OUR_NAMES)


def test_what_is_installed_needs_its_hash() -> None:
    installs = re.findall(r"(?:pip install|\$\(UV\)).*", MAKEFILE)
    from_index = [line for line in installs if "-r constraints/" in line]
    assert len(from_index) >= 4
    assert [line for line in from_index if "--require-hashes" not in line] == []
    own = [line for line in installs if "--editable ." in line]
    assert own
    assert all("--no-deps" in line for line in own)
    image = (ROOT / "app_images" / "person" / "Dockerfile").read_text()
    assert "--require-hashes" in image


def wheel(folder: Path, value: int = 1) -> Path:
    """A wheel of a package that no index has."""
    file = folder / "qcrboxprobe-1.0-py3-none-any.whl"
    contents = {
        "qcrboxprobe.py": f"VALUE = {value}\n",
        "qcrboxprobe-1.0.dist-info/METADATA": "Metadata-Version: 2.1\nName: qcrboxprobe\nVersion: 1.0\n",
        "qcrboxprobe-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = ""
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in contents.items():
            archive.writestr(name, text)
            digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
            record += f"{name},sha256={digest},{len(text)}\n"
        archive.writestr("qcrboxprobe-1.0.dist-info/RECORD", record + "qcrboxprobe-1.0.dist-info/RECORD,,\n")
    return file


@pytest.mark.parametrize("changed", [False, True], ids=["whole", "one byte changed"])
def test_offline_bundle_with_one_byte_changed_is_not_installed(tmp_path: Path, changed: bool) -> None:
    """With the installer and the flags of the Makefile."""
    file = wheel(tmp_path)
    pins = tmp_path / "pins.txt"
    pins.write_text(f"qcrboxprobe==1.0 --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n")
    if changed:
        wheel(tmp_path, value=2)  # a sound archive, by somebody who knows the format
    flags = [
        "--no-index",
        "--find-links",
        str(tmp_path),
        "--target",
        str(tmp_path / "out"),
        "--require-hashes",
    ]
    done = subprocess.run(
        [Path(sys.executable).parent / "uv", "pip", "install", "--quiet", *flags, "-r", pins],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"UV_CACHE_DIR": str(tmp_path / "cache")},
    )
    assert (tmp_path / "out" / "qcrboxprobe.py").exists() is not changed, done.stderr
    assert (done.returncode != 0) is changed
    if changed:
        assert "hash" in done.stderr.lower()


def test_nothing_in_a_home_is_code_or_configuration_of_the_server(tmp_path: Path) -> None:
    """The server's own command line, with a home that tries every way into it."""
    (tmp_path / "sitecustomize.py").write_text("print('HACKED')")
    packages = (
        tmp_path / ".local/lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    )
    packages.mkdir(parents=True)
    (packages / "usercustomize.py").write_text("print('HACKED')")
    (packages / "evil.pth").write_text("import sys; print('HACKED')\n")
    (packages / "jupyterhub.py").write_text("print('HACKED')")
    (tmp_path / "jupyterhub.py").write_text("print('HACKED')")
    (tmp_path / ".config/pip").mkdir(parents=True)
    (tmp_path / ".config/pip/pip.conf").write_text("[global]\nindex-url = https://evil.example/simple\n")
    spawner = PersonServer.__new__(PersonServer)
    command = PersonServer._cmd(spawner) if callable(PersonServer._cmd) else list(spawner.cmd)
    assert command[1:3] == ["-I", "-m"]
    code = (
        "import jupyterhub, sys, site; print(jupyterhub.__file__, sys.flags.isolated, site.ENABLE_USER_SITE)"
    )
    done = subprocess.run(
        [command[0], command[1], "-c", code],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={
            "HOME": str(tmp_path),
            "PYTHONPATH": str(tmp_path),
            "PYTHONSTARTUP": str(tmp_path / "jupyterhub.py"),
            "PATH": os.environ["PATH"],
        },
    )
    assert "HACKED" not in done.stdout + done.stderr
    assert str(tmp_path) not in done.stdout
    assert done.stdout.split()[1:] == ["1", "False"]
