"""A widget's button during a long cell, as JupyterLab sends it: over a subshell of a real kernel."""

from __future__ import annotations

import queue
import time

import pytest
from jupyter_client.manager import start_new_kernel

CELL = """
import time
import anywidget
from qcrbox.widgets.answering import answer_while_busy

class Card(anywidget.AnyWidget):
    _esm = "export default { render() {} }"

card, heard = Card(), []
card.on_msg(lambda *_: heard.append(True))
answer_while_busy(card)
print("COMM", card.comm.comm_id, flush=True)
until = time.monotonic() + 60
while not heard and time.monotonic() < until:
    time.sleep(0.05)
print("HEARD", bool(heard), flush=True)
"""


@pytest.fixture
def kernel():
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def _said(client, word):
    """The rest of the line that the cell prints after `word`."""
    until = time.monotonic() + 40
    while time.monotonic() < until:
        try:
            message = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            continue
        text = message["content"].get("text", "")
        if message["msg_type"] == "error":
            pytest.fail(f"{message['content']['ename']}: {message['content']['evalue']}")
        if message["msg_type"] == "stream" and word in text:
            return text.split(word, 1)[1].split()[0]
    pytest.fail(f"the cell never said {word}")


def test_button_is_heard_while_the_cell_runs(kernel):
    kernel.execute(CELL)
    comm_id = _said(kernel, "COMM")
    kernel.control_channel.send(kernel.session.msg("create_subshell_request", {}))
    subshell = kernel.get_control_msg(timeout=20)["content"]["subshell_id"]
    click = kernel.session.msg(
        "comm_msg", {"comm_id": comm_id, "data": {"method": "custom", "content": {"do": "cancel"}}}
    )
    click["header"]["subshell_id"] = subshell
    kernel.shell_channel.send(click)
    assert _said(kernel, "HEARD") == "True"
