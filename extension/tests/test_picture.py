"""Pictures of stored structures."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from typing import TYPE_CHECKING

import httpx
import pytest
from qcrbox.contract.errors import TooLarge
from qcrbox_extension.picture import LARGEST_BYTES, picture_of

if TYPE_CHECKING:
    from conftest import Upstream

CIF = """data_a
_cell_length_a 5
_cell_length_b 6
_cell_length_c 7
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_space_group_name_H-M_alt 'P 1'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
_atom_site_U_iso_or_equiv
{label} C 0.1 0.2 0.3 0.02
O1 O 0.3 0.2 0.3 0.02
"""


def serve(upstream: Upstream, content: str) -> str:
    """Store a file, and answer the path of its picture. A stored file never changes: each content has an id of its own."""
    file = f"qcrbox_df_0x{hashlib.md5(content.encode()).hexdigest()}"
    upstream.files[f"/api/data-files/{file}/download?form=original"] = content.encode()
    return f"/qcrbox/picture/{file}"


def test_a_structure_is_drawn_with_the_persons_token(browser: httpx.Client, upstream: Upstream) -> None:
    picture = serve(upstream, CIF.format(label="C1"))
    answer = browser.get(picture)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "image/svg+xml"
    assert "<svg" in answer.text
    assert ">C1<" in answer.text
    assert upstream.seen[0]["headers"]["authorization"].startswith("Bearer ")


def test_a_picture_has_the_ground_of_the_theme(browser: httpx.Client, upstream: Upstream) -> None:
    picture = serve(upstream, CIF.format(label="C1"))
    grounds = {
        theme: re.findall(r'<rect [^>]*fill="(#\w+)"', browser.get(f"{picture}{theme}").text)
        for theme in ("", "?theme=dark", "?theme=<x>")
    }
    assert grounds == {"": ["#ffffff"], "?theme=dark": ["#1e1e1e"], "?theme=<x>": ["#ffffff"]}


def test_nothing_in_a_picture_runs(browser: httpx.Client, upstream: Upstream) -> None:
    picture = serve(upstream, CIF.format(label="<script>alert(1)</script>"))
    answer = browser.get(picture)
    assert answer.status_code == 200
    assert "<script" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    "content", ["data_a\n_cell_length_a 5\n", "", "no cif at all", "data_a\nloop_\n_atom_site_label\nC1\n"]
)
def test_what_cannot_be_drawn_is_not_found(browser: httpx.Client, upstream: Upstream, content: str) -> None:
    picture = serve(upstream, content)
    assert browser.get(picture).status_code == 404


def test_a_stranger_gets_no_picture(server_url: str, upstream: Upstream) -> None:
    picture = serve(upstream, CIF.format(label="C1"))
    stranger = httpx.Client(base_url=server_url, trust_env=False)
    assert stranger.get(picture).status_code in (302, 401, 403)
    assert upstream.seen == []


def test_a_picture_that_the_registry_refuses_says_why(browser: httpx.Client, upstream: Upstream) -> None:
    refused = "qcrbox_df_0x" + 32 * "a"
    envelope = {"status": "error", "error": {"code": 403, "message": "You may not read this."}}
    upstream.refusals[f"/api/data-files/{refused}/download?form=original"] = (
        403,
        json.dumps(envelope).encode(),
    )
    answer = browser.get(f"/qcrbox/picture/{refused}")
    assert (answer.status_code, answer.json()["error"]["message"]) == (403, "You may not read this.")


def test_a_large_file_is_not_drawn() -> None:
    with pytest.raises(TooLarge, match="too large to draw"):
        asyncio.run(picture_of(bytes(LARGEST_BYTES + 1), dark=False))
