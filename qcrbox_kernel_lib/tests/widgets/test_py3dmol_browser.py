"""The view of py3Dmol in a page that reaches no network."""

from __future__ import annotations

import io

import pytest
from PIL import Image

pytestmark = pytest.mark.browser


@pytest.mark.slow
def test_py3dmol_draws_without_a_network(chromium, urea):
    context = chromium.new_context(offline=True)
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda r: None if r.url.startswith(("data:", "blob:")) else asked.append(r.url))
    view = urea.to_py3dmol()
    html = view.write_html()
    page.set_content(f"<body>{html}</body>")
    name = f"viewer_{view.uniqueid}"
    page.wait_for_function(f"window.{name}?.selectedAtoms({{}}).length === 8")
    page.wait_for_selector("canvas")
    page.wait_for_timeout(500)
    picture = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    assert len(picture.getcolors(picture.width * picture.height) or []) > 50
    assert asked == []
    context.close()
