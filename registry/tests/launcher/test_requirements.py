"""Requirements of applications: the lines of their files, and whether this environment has them."""

from __future__ import annotations

from importlib import metadata

import pytest
from qcrbox_registry.launcher.requirements import all_satisfied, lines, of_agent

HERE = metadata.version("numpy")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", []),
        ("numpy\n\n  scipy>=1 \n", ["numpy", "scipy>=1"]),
        ("# all of it\nnumpy # fast\n", ["numpy"]),
        ("numpy>=1 \\\n  --hash=sha256:abc \\\n  --hash=sha256:def\n", ["numpy>=1"]),
        ("numpy\r\nscipy\r\n", ["numpy", "scipy"]),
        ("lib @ file:///x#egg=lib\n", ["lib @ file:///x#egg=lib"]),
        ("-r other.txt\n", ["-r other.txt"]),
    ],
    ids=["empty", "blank lines", "comments", "hashes", "Windows", "fragment", "option"],
)
def test_the_lines_of_a_file(tmp_path, text, found):
    path = tmp_path / "requirements.txt"
    path.write_bytes(text.encode())
    assert [" ".join(line.split()) for line in lines(path)] == found


def test_an_application_without_a_file_asks_for_nothing(tmp_path):
    assert lines(tmp_path / "requirements.txt") == []


@pytest.mark.parametrize(
    ("wanted", "is_there"),
    [
        ([], True),
        (["numpy"], True),
        (["NumPy"], True),
        ([f"numpy=={HERE}"], True),
        (["numpy<1"], False),
        (["numpy", "no-such-distribution-at-all"], False),
        (["no-such-distribution-at-all; python_version < '3'"], True),
        (["numpy; python_version >= '3'"], True),
        (["numpy<1; python_version >= '3'"], False),
        (["numpy[no-such-extra]"], True),
        (["numpy @ https://example.org/numpy.whl"], False),
        (["-r other.txt"], False),
        (["./local"], False),
    ],
)
def test_what_this_environment_has(wanted, is_there):
    assert all_satisfied(wanted) is is_there


def test_the_agent_asks_for_other_distributions_and_has_them_here():
    found = of_agent()
    assert found
    assert not any(line.startswith("qcrbox") for line in found)
    assert all_satisfied(found)
