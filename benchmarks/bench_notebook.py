"""What a person at a notebook waits for: the import, the first picture of a structure, live cards, the scripts' size.

    python benchmarks/bench_notebook.py [--json out.json] [--repeat 5]

No registry is needed. Times within Python are processor seconds, so that a busy machine does not count. The first
picture is timed by the clock in a real Chromium without a graphics card (software rendering),
so it is an upper bound; the live cards run in a real kernel that gets a thousand progress events a second.
"""

from __future__ import annotations

import argparse
import base64
import functools
import gzip
import http.server
import importlib.util
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import qcrbox.crystallography._gemmi  # noqa: F401 - before cctbx
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets import bundle
from qcrbox.widgets.structure_view import StructureView

CHROMIUM = next((p for p in ("/usr/bin/chromium", "/usr/bin/chromium-browser") if Path(p).exists()), None)


@dataclass
class Row:
    step: str
    unit: str
    values: list[float] = field(default_factory=list)
    limit: float | None = None

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    HEAD = "| step | median | lowest to highest | runs | limit | |\n|---|---|---|---|---|---|"

    def line(self) -> str:
        limit = "" if self.limit is None else f"{self.limit:g} {self.unit}"
        verdict = "" if self.limit is None else "met" if self.median <= self.limit else "MISSED"
        spread = f"{min(self.values):.3g} to {max(self.values):.3g}"
        return f"| {self.step} | {self.median:.3g} {self.unit} | {spread} | {len(self.values)} | {limit} | {verdict} |"


def timed(repeat: int, act: Callable[[], object]) -> list[float]:
    times = []
    for _ in range(repeat):
        begun = time.process_time()
        act()
        times.append(time.process_time() - begun)
    return times


def import_rows(repeat: int) -> list[Row]:
    """Processor seconds of an import in a fresh interpreter, beside gemmi's, in turn: the load of the machine counts less."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("QCRBOX")}
    rows = [Row("import qcrbox (processor time)", "s", limit=0.3), Row("import gemmi (processor time)", "s")]
    for _ in range(max(5, repeat)):
        for row, name in zip(rows, ("qcrbox", "gemmi"), strict=True):
            code = f"import time; t = time.process_time(); import {name}; print(time.process_time() - t)"
            run = subprocess.run(
                [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
            )
            row.values.append(float(run.stdout))
    return rows


COUNT_CONNECTIONS = """
import socket
made = []
for name in ("connect", "connect_ex", "sendto"):
    setattr(socket.socket, name, lambda *_, name=name: made.append(name))
import qcrbox
print(len(made))
"""


def connections_row() -> Row:
    run = subprocess.run(
        [sys.executable, "-c", COUNT_CONNECTIONS], capture_output=True, text=True, check=True
    )
    return Row("connections that import qcrbox opens", "", [float(run.stdout)], 0)


def example() -> Path:
    """A published structure of 92 atoms that lies inside the wheel of cctbx-base."""
    found = importlib.util.find_spec("iotbx")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / "regression" / "data" / "cu3182sup1.cif"


def python_rows(repeat: int) -> list[Row]:
    from qcrbox.widgets.structure_view.packing import packed

    text = example().read_bytes()
    boxes = {"one cell": ((0, 1),) * 3, "twelve half cells": ((0, 2), (0, 2), (0, 1.5))}
    rows = []
    for name, box in boxes.items():
        size = len(StructureView(Structure.from_cif(text), grow="cell", ranges=box).scene)

        def make(box: tuple = box) -> None:
            packed(StructureView(Structure.from_cif(text), grow="cell", ranges=box).scene)

        limit = 0.3 if size > 2000 else None
        rows.append(
            Row(f"CIF to arrays for the browser, {name}, {size} atoms", "s", timed(repeat, make), limit)
        )
    structure = Structure.from_cif(text)
    rows.append(Row("SVG picture, 92 atoms", "s", timed(repeat, lambda: StructureView(structure).svg())))
    return rows


PAGE = """<!doctype html><body><div id="el"></div><script type="module">
import widget from "./structure_view.js";
const bytes = (o) => o?.__bytes !== undefined ? new DataView(Uint8Array.from(atob(o.__bytes), (c) => c.charCodeAt(0)).buffer)
  : o && typeof o === "object" && !Array.isArray(o) ? Object.fromEntries(Object.entries(o).map(([k, v]) => [k, bytes(v)])) : o;
window.draw = async (text) => {
  const begun = performance.now(), scene = bytes(JSON.parse(text));
  const model = { get: (n) => ({ scene, twin: "none", density: {} })[n], on() {}, off() {}, send() {} };
  document.getElementById("el").replaceChildren();
  widget.render({ model, el: document.getElementById("el") });
  await new Promise((r) => requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(r))));
  return (performance.now() - begun) / 1000;
};
// By arrow key, as a person turns; a frame is over when the next one begins.
window.turn = async (frames) => {
  const canvas = document.querySelector(".qcv-canvas"), times = [];
  for (let i = 0; i < frames; i++) {
    const begun = performance.now();
    canvas.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true }));
    await new Promise((r) => requestAnimationFrame(() => setTimeout(r)));
    const gl = canvas.getContext("webgl2"), pixel = new Uint8Array(4);
    gl.readPixels(0, 0, 1, 1, gl.RGBA, gl.UNSIGNED_BYTE, pixel); // waits until all is drawn
    times.push((performance.now() - begun) / 1000);
  }
  return times;
};
window.ready = true;
</script>"""


@contextmanager
def page() -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(bundle.path("structure_view"), folder)
        (Path(folder) / "index.html").write_text(PAGE)
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as p:
            flags = ["--no-sandbox", "--disable-gpu", "--enable-unsafe-swiftshader"]
            browser = p.chromium.launch(executable_path=CHROMIUM, args=flags)
            tab = browser.new_page(viewport={"width": 900, "height": 640})
            tab.goto(f"http://127.0.0.1:{server.server_port}/")
            tab.wait_for_function("window.ready")
            yield tab
            browser.close()
        server.shutdown()


def first_picture_rows(repeat: int) -> list[Row]:
    from qcrbox.widgets.structure_view.packing import packed

    text = example().read_bytes()
    row = Row("structure object to first frame in the browser, 92 atoms", "s", limit=0.5)
    with page() as tab:
        for _ in range(repeat + 1):
            begun = time.perf_counter()
            view = StructureView(Structure.from_cif(text))
            scene = json.dumps(
                packed(view.scene), default=lambda b: {"__bytes": base64.b64encode(b).decode()}
            )
            python = time.perf_counter() - begun
            row.values.append(python + tab.evaluate("text => window.draw(text)", scene))
    row.values.pop(0)  # the first one compiles the shaders of a fresh browser
    return [row]


def frame_rows() -> list[Row]:
    """Time of a frame while a structure is turned, drawn by the processor: with a graphics card it is far less."""
    from qcrbox.widgets.structure_view.packing import packed

    text = example().read_bytes()
    rows = []
    with page() as tab:
        for name, box, limit in (
            ("2 000", ((0, 2), (0, 2), (0, 1.5)), 0.1),
            ("20 000", ((0, 5), (0, 5), (0, 2.2)), 0.1),
        ):
            scene = StructureView(Structure.from_cif(text), grow="cell", ranges=box).scene
            state = json.dumps(packed(scene), default=lambda b: {"__bytes": base64.b64encode(b).decode()})
            tab.evaluate("text => window.draw(text)", state)
            times = tab.evaluate("() => window.turn(20)")
            rows.append(Row(f"a frame while turning, about {name} atoms ({len(scene)})", "s", times, limit))
    return rows


LIVE = """
import json, time
from qcrbox.api.box import Box
from qcrbox.api.calculations import Calculation
from qcrbox.client.http import ServerEvent

def record(name):
    return {"calculation_id": name, "status": "running", "application_slug": "a", "command_name": "b",
            "status_events": [], "title": "b", "owner": "ada"}

class Registry:
    url = "http://nowhere"
    def get(self, path, *_, **__):
        given = path.rpartition("/")[2]
        return {"calculations": [record(given)] if len(given) == 32 else []}
    def events(self, last, on_open=None, **_):
        end, n = time.monotonic() + 60, 0
        while time.monotonic() < end:
            begun = time.monotonic()
            for i in range(100):
                n += 1
                yield ServerEvent("", "progress", {
                    "id": f"{i:032x}", "kind": "progress", "fraction": n % 1000 / 1000, "text": f"cycle {n}",
                    "metrics": {"cycle": n // 100, "R1": 0.05 + 1 / n, "max_shift_su": 1 / n}})
            time.sleep(max(0.0, 0.1 - (time.monotonic() - begun)))

from ipywidgets import Widget
updates = []
send = Widget.send_state
def counted(widget, *arguments, **keywords):
    updates.append((id(widget), time.monotonic()))
    return send(widget, *arguments, **keywords)
Widget.send_state = counted

box = Box(Registry())
for i in range(100):
    Calculation(box, record(f"{i:032x}"))._display_card()
time.sleep(2)
for _ in range(5):
    updates.clear()
    cpu, begun = time.process_time(), time.monotonic()
    time.sleep(3)
    span, many = time.monotonic() - begun, {}
    for widget, _ in list(updates):
        many[widget] = many.get(widget, 0) + 1
    print("SEEN", json.dumps([(time.process_time() - cpu) / span, max(many.values(), default=0) / span, len(updates) / span]))
"""


def live_rows() -> list[Row]:
    from jupyter_client.manager import start_new_kernel

    manager, client = start_new_kernel()
    try:
        said: list[str] = []
        reply = client.execute_interactive(
            LIVE,
            timeout=90,
            output_hook=lambda m: (
                said.append(m["content"].get("text", "")) if m["msg_type"] == "stream" else None
            ),
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise RuntimeError("\n".join(reply["content"].get("traceback", ["the kernel gave no reply"])))
    seen = [json.loads(line[5:]) for line in "".join(said).splitlines() if line.startswith("SEEN ")]
    if not seen or not any(total for *_, total in seen):
        raise RuntimeError("no update of a card was seen: the figures would say nothing")
    shares, fastest, total = (list(column) for column in zip(*seen, strict=True))
    live = "100 live calculations, each telling 10 times a second"
    return [
        Row(f"kernel, {live} (processor time per second)", "cores", shares, 0.2),
        Row(f"updates of the busiest card, {live}", "/s", fastest, 10),
        Row(f"updates of all cards, {live}", "/s", total),
    ]


def size_row() -> Row:
    sizes = [len(gzip.compress(bundle.path(name).read_bytes())) for name in bundle.NAMES]
    return Row("scripts of all widgets, gzip", "kB", [sum(sizes) / 1000], 900)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    repeat = 2 if options.quick else options.repeat
    rows = [*import_rows(repeat), connections_row(), *python_rows(repeat), size_row(), *live_rows()]
    if CHROMIUM and importlib.util.find_spec("playwright"):
        rows += [*first_picture_rows(repeat), *frame_rows()]
    else:
        print("frames: not measured, there is no Chromium here")
    print(Row.HEAD)
    for row in rows:
        print(row.line())
    if options.json:
        options.json.write_text(json.dumps([asdict(row) | {"median": row.median} for row in rows], indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
