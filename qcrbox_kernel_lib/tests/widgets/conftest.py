"""Structures to draw, and a bare page in a real Chromium whose kernel is this process."""

from __future__ import annotations

import base64
import functools
import http.server
import json
import shutil
import threading
from pathlib import Path

import pytest
from qcrbox.analysis.density.hirshfeld import HirshfeldSurface
from qcrbox.crystallography.structure import Structure
from qcrbox.widgets import bundle
from qcrbox.widgets.structure_view import StructureView
from qcrbox.widgets.structure_view.answers import answer_to

MOLECULE = b"""data_molecule
_cell_length_a 8.10(1)
_cell_length_b 9.20(1)
_cell_length_c 10.30(1)
_cell_angle_alpha 78.1(1)
_cell_angle_beta 81.0(1)
_cell_angle_gamma 68.0(1)
_space_group_name_H-M_alt 'P -1'
_chemical_formula_sum 'C4 H N O2 Br'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_adp_type
_atom_site_U_iso_or_equiv
_atom_site_occupancy
_atom_site_disorder_assembly
_atom_site_disorder_group
C1 C 0.2001(3) 0.3002(3) 0.4003(3) Uani 0.0695 1 . .
C2 C 0.3501(3) 0.2302(3) 0.4603(3) Uani 0.0618 1 . .
N1 N 0.4601(3) 0.3202(3) 0.4803(3) Uani 0.0831 1 . .
O1 O 0.3801(3) 0.0902(3) 0.4903(3) Uani 0.0855 1 . .
C3A C 0.6201(3) 0.2602(3) 0.5403(3) Uani 0.0761 0.7 A 1
C3B C 0.6301(3) 0.3402(3) 0.4303(3) Uani 0.0618 0.3 A 2
H1 H 0.42 0.42 0.45 Uiso 0.07 1 . .
Br1 Br 0.0801(3) 0.1602(3) 0.3703(3) Uani 0.07 1 . .
O2 O 0.1501(3) 0.4402(3) 0.3703(3) Uiso 0.07 1 . .
loop_
_atom_site_aniso_label
_atom_site_aniso_U_11
_atom_site_aniso_U_22
_atom_site_aniso_U_33
_atom_site_aniso_U_23
_atom_site_aniso_U_13
_atom_site_aniso_U_12
C1 0.05 0.06 0.09 0.01 -0.01 -0.02
C2 0.05 0.06 0.07 0.01 -0.01 -0.02
N1 0.05 0.06 0.12 0.03 -0.01 -0.02
O1 0.05 0.04 0.15 0.01 -0.01 -0.01
C3A 0.05 0.10 0.07 0.01 -0.03 -0.02
C3B 0.05 0.06 0.07 0.01 -0.01 -0.02
Br1 -0.02 0.06 0.07 -0.03 -0.03 0.01
"""

_PAGE = """<!doctype html><meta charset="utf-8"><body style="margin:8px"><div id="el"></div><script type="module">
import widget from "./structure_view.js";
const bytes = (o) => {
  if (o && o.__bytes !== undefined) {
    const text = atob(o.__bytes), array = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) array[i] = text.charCodeAt(i);
    return new DataView(array.buffer);
  }
  if (!o || typeof o !== "object" || Array.isArray(o)) return o;
  return Object.fromEntries(Object.entries(o).map(([k, v]) => [k, bytes(v)]));
};
const heard = {}, state = {};
const tell = (name, ...what) => (heard[name] ?? []).forEach((f) => f(...what));
const model = {
  get: (name) => state[name],
  on: (name, f) => (heard[name] ??= []).push(f),
  off: () => {},
  send: async (message) => {
    const { scene, answer } = JSON.parse(await window.kernel(JSON.stringify(message)));
    if (scene) { state.scene = bytes(scene); tell("change:scene"); }
    if (answer) tell("msg:custom", { re: message.id, ...answer });
  },
};
window.start = (text) => {
  const { scene, density, surface } = JSON.parse(text);
  Object.assign(state, { scene: bytes(scene), density: bytes(density), surface: bytes(surface), twin: "none" });
  widget.render({ model, el: document.getElementById("el") });
};
window.change = (name, text) => { state[name] = bytes(JSON.parse(text)); tell(`change:${name}`); };
window.ready = true;
</script>"""

# Any other widget: its state, and what it sends, without a kernel.
_PLAIN_PAGE = """<!doctype html><meta charset="utf-8"><body style="margin:8px"><div id="el"></div><script type="module">
const bytes = (o) => {
  if (o && o.__bytes !== undefined) return new DataView(Uint8Array.from(atob(o.__bytes), (c) => c.charCodeAt(0)).buffer);
  if (Array.isArray(o)) return o.map(bytes);
  return o && typeof o === "object" ? Object.fromEntries(Object.entries(o).map(([k, v]) => [k, bytes(v)])) : o;
};
window.start = async (name, text) => {
  const state = bytes(JSON.parse(text));
  const heard = {};
  window.sent = [];
  window.change = (key, value) => { state[key] = bytes(JSON.parse(value)); (heard[`change:${key}`] ?? []).forEach((f) => f()); };
  const model = { get: (key) => state[key], on: (key, f) => (heard[key] ??= []).push(f), off() {}, send: (message) => window.sent.push(message) };
  (await import(`./${name}.js`)).default.render({ model, el: document.getElementById("el") });
};
window.ready = true;
</script>"""


def _plain(value: object) -> dict[str, str]:
    assert isinstance(value, bytes)
    return {"__bytes": base64.b64encode(value).decode()}


class Kernel:
    """In the place of the widget: keeps the scene that the view sends, answers what the page asks."""

    def __init__(self, view: StructureView) -> None:
        self.view, self.sent, self.density, self.surface = view, None, {}, {}
        self.heard: list[dict] = []
        view._widget = self
        view._send_density()
        view._send_surface()

    def show_scene(self, scene, title):
        from qcrbox.widgets.structure_view.packing import packed

        self.sent = packed(scene, title)

    def change(self, page, name: str) -> None:
        """Tell the page what is new: "density" or "surface"."""
        text = json.dumps(getattr(self, name), default=_plain)
        page.evaluate("([name, text]) => window.change(name, text)", [name, text])

    def answer(self, message: str) -> str:
        self.sent = None
        self.heard.append(json.loads(message))
        said = answer_to(self.view, json.loads(message))
        return json.dumps({"answer": said, "scene": self.sent}, default=_plain)


@pytest.fixture
def molecule():
    return Structure.from_cif(MOLECULE)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """A folder with the built script and the page, served on loopback."""
    if not bundle.path("structure_view").is_file():
        pytest.skip("the widgets are not built: npm ci && npm run build in qcrbox_kernel_lib/js")
    folder = tmp_path_factory.mktemp("site")
    for name in bundle.NAMES:
        shutil.copy(bundle.path(name), folder)
    (folder / "plain.html").write_text(_PLAIN_PAGE)
    (folder / "index.html").write_text(_PAGE)
    (folder / "favicon.ico").touch()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=folder))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()


@pytest.fixture(scope="module")
def chromium():
    playwright = pytest.importorskip("playwright.sync_api")
    playwright.expect.set_options(timeout=60_000)
    path = next(
        (p for p in map(Path, ("/usr/bin/chromium", "/usr/bin/chromium-browser")) if p.exists()), None
    )
    if path is None:
        pytest.skip("no Chromium on this machine")
    with playwright.sync_playwright() as p:
        flags = [
            "--no-sandbox",
            "--disable-gpu",
            "--enable-unsafe-swiftshader",
            "--disable-background-networking",
        ]
        browser = p.chromium.launch(executable_path=str(path), args=flags)
        yield browser
        browser.close()


@pytest.fixture
def shown(chromium, site, monkeypatch):
    """`page = shown(view)`: the view, drawn in a page. Fails on script errors and foreign requests.

    The finer mesh of a surface is replaced by the surface itself: computing it beside the browser takes longer than
    the tests do, and test_finer_mesh.py tests it.
    """
    monkeypatch.setattr(HirshfeldSurface, "finer", lambda surface, *_: surface)
    faults: list[str] = []
    pages = []

    def show(view: StructureView):
        from qcrbox.widgets.structure_view.packing import packed

        page = chromium.new_page(viewport={"width": 900, "height": 640})
        pages.append(page)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request", lambda r: None if r.url.startswith((site, "data:", "blob:")) else faults.append(r.url)
        )
        kernel = Kernel(view)
        page.expose_function("kernel", kernel.answer)
        page.goto(site)
        page.wait_for_function("window.ready")
        state = {"scene": packed(view.scene), "density": kernel.density, "surface": kernel.surface}
        page.evaluate("state => window.start(state)", json.dumps(state, default=_plain))
        page.wait_for_function("document.querySelector('.qcv-canvas').width > 300")
        # Until the first frame is drawn.
        page.wait_for_function("document.querySelector('.qcv-canvas').dataset.level")
        page.focus(".qcv-canvas")
        return page

    yield show
    for page in pages:
        page.close()
    assert not faults


@pytest.fixture
def rendered(chromium, site):
    """`page = rendered("chart", state)`: a widget of that state in a page. Fails on script errors and foreign requests."""
    faults: list[str] = []
    pages = []

    def show(name: str, state: dict[str, object]):
        page = chromium.new_page(viewport={"width": 900, "height": 640})
        pages.append(page)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on(
            "request", lambda r: None if r.url.startswith((site, "data:", "blob:")) else faults.append(r.url)
        )
        page.goto(f"{site}plain.html")
        page.wait_for_function("window.ready")
        text = json.dumps({"twin": "none", **state}, default=_plain)
        page.evaluate("([name, text]) => window.start(name, text)", [name, text])
        return page

    yield show
    for page in pages:
        page.close()
    assert not faults
