"""2. Lines of code for "load, refine, show R1": at most 4. Characters typed with Tab: at most 60."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator

import pytest
from jupyter_client.blocking.client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

from tests.conftest import RunningRegistry

pytestmark = pytest.mark.slow

TAB = "⇥"
# As typed: ⇥ is the Tab key and counts as a character.
TYPED = ("import qcr⇥ as qc", 'qc.refi⇥.refine_i⇥.run(qc.exa⇥["thpp"]).R1')


@pytest.fixture(scope="module")
def kernel(registry: RunningRegistry) -> Iterator[BlockingKernelClient]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("QCRBOX")}
    manager, client = start_new_kernel(env=environment | {"QCRBOX_URL": registry.url})
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def run(kernel: BlockingKernelClient, line: str) -> str:
    """The value that the line shows; cards of calculations beside it do not count."""
    shown: list[str] = []

    def take(message: dict) -> None:
        if message["msg_type"] == "execute_result":
            shown.append(message["content"]["data"]["text/plain"])

    answer = kernel.execute_interactive(line, timeout=240, output_hook=take)
    assert answer["content"]["status"] == "ok", answer["content"]
    return "".join(shown)


def completed(ask: Callable[[str], dict], text: str) -> str:
    """The text after Tab: what all proposals that begin like it have in common."""
    content = ask(text)
    start = content["cursor_start"]
    written = text[start:]
    names = [name for name in content["matches"] if name.startswith(written)]
    return text[:start] + _common_start(names) if names else text


def _common_start(names: list[str]) -> str:
    first, last = min(names), max(names)
    same = next(
        (n for n, pair in enumerate(zip(first, last, strict=False)) if pair[0] != pair[1]), len(first)
    )
    return first[:same]


def type_line(kernel: BlockingKernelClient, typed: str) -> str:
    def ask(text: str) -> dict:
        # By its own request: a slow kernel may still answer what it was asked while it started.
        return kernel.complete(text, len(text), reply=True, timeout=60)["content"]

    line = ""
    for piece in re.split(f"({TAB})", typed):
        line = completed(ask, line) if piece == TAB else line + piece
    return line


def test_r1_of_a_refinement_takes_two_lines_and_few_keys(kernel: BlockingKernelClient) -> None:
    lines = []
    for typed in TYPED:
        lines.append(type_line(kernel, typed))
        shown = run(kernel, lines[-1])
    assert lines == ["import qcrbox as qc", 'qc.refine.refine_iam.run(qc.examples["thpp"]).R1']
    assert len(lines) <= 4
    assert sum(map(len, TYPED)) <= 60
    assert 0.03 < float(shown) < 0.08
