"""Which pages may call with a cookie."""

from __future__ import annotations

import pytest
from qcrbox.contract.errors import NotAllowed
from qcrbox_registry.access.origins import require_own_origin, require_same_origin
from starlette.requests import HTTPConnection


def request(method="GET", kind="http", **headers):
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": kind, "path": "/", "headers": raw}
    if kind == "http":
        scope["method"] = method
    return HTTPConnection(scope)


@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({"origin": "http://hub.example", "host": "hub.example"}, True),
        ({"origin": "https://hub.example", "host": "hub.example"}, True),
        ({"origin": "https://hub.example", "host": "127.0.0.1:9", "x_forwarded_host": "hub.example"}, True),
        ({"origin": "https://hub.example", "host": "x", "x_forwarded_host": "hub.example, inner"}, True),
        ({"origin": "https://inner", "host": "x", "x_forwarded_host": "hub.example, inner"}, False),
        ({"origin": "http://hub.example:81", "host": "hub.example"}, False),
        ({"origin": "http://hub.example.evil", "host": "hub.example"}, False),
        ({"origin": "http://evil", "host": "hub.example"}, False),
        ({"origin": "null", "host": "hub.example"}, False),
        ({"origin": "", "host": "hub.example"}, False),
        ({"origin": "file://hub.example", "host": "hub.example"}, False),
        ({"host": "hub.example"}, True),
    ],
)
def test_a_page_that_says_where_it_is_from_must_be_ours(headers, ours):
    if ours:
        require_own_origin(request(**headers))
    else:
        with pytest.raises(NotAllowed, match="foreign page"):
            require_own_origin(request(**headers))


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
def test_reading_needs_no_origin(method):
    require_same_origin(request(method, host="a"))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PROPFIND"])
@pytest.mark.parametrize("site", [None, "none", "same-site", "cross-site"])
def test_a_change_must_say_which_page_it_comes_from(method, site):
    headers = {} if site is None else {"sec_fetch_site": site}
    with pytest.raises(NotAllowed, match="does not say which page"):
        require_same_origin(request(method, host="a", **headers))


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_the_browser_vouches_for_our_own_page(method):
    require_same_origin(request(method, host="a", sec_fetch_site="same-origin"))


def test_a_websocket_is_a_change():
    with pytest.raises(NotAllowed, match="does not say which page"):
        require_same_origin(request(kind="websocket", host="a"))
    require_same_origin(request(kind="websocket", host="a", origin="https://a"))


def test_a_foreign_origin_is_refused_although_the_fetch_header_says_otherwise():
    with pytest.raises(NotAllowed, match="foreign page"):
        require_same_origin(request("POST", host="a", origin="http://b", sec_fetch_site="same-origin"))


def test_a_long_origin_is_cut_in_the_answer():
    with pytest.raises(NotAllowed) as refused:
        require_own_origin(request(host="a", origin="http://" + "x" * 10_000))
    assert len(refused.value.where) <= 200
