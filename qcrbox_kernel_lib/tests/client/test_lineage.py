"""Lineage graphs: order, sources, makers, and graphs that are damaged."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st
from qcrbox.client.lineage import Lineage


def graph(edges: list[tuple[str, str]], nodes: str = "abcd", **more) -> Lineage:
    payload = {
        "nodes": [{"id": name, "label": name.upper()} for name in nodes],
        "edges": [{"source": source, "target": target} for source, target in edges],
    }
    return Lineage({**payload, **more}, nodes[0])


@pytest.mark.parametrize("order", list(itertools.permutations("abcd")))
def test_a_node_stands_after_what_it_was_made_from_however_they_are_listed(order):
    found = graph([("a", "b"), ("b", "c"), ("a", "c"), ("c", "d")], "".join(order))
    assert [node["id"] for node in found.in_order()] == ["a", "b", "c", "d"]


@given(st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=20), st.permutations(range(8)))
def test_every_edge_points_forward_in_the_order(pairs, order):
    edges = [(str(min(p)), str(max(p))) for p in pairs if p[0] != p[1]]
    found = graph(edges, "".join(map(str, order))).in_order()
    place = {node["id"]: n for n, node in enumerate(found)}
    assert len(place) == 8
    assert all(place[source] < place[target] for source, target in edges)


def test_a_loop_does_not_hang_and_loses_no_node():
    found = graph([("a", "b"), ("b", "a"), ("b", "c")]).in_order()
    assert sorted(node["id"] for node in found) == ["a", "b", "c", "d"]


def test_edges_to_nodes_that_a_truncated_graph_left_out_do_not_matter():
    found = graph([("zz", "a"), ("a", "b"), ("d", "yy")], truncated=True)
    assert found.truncated
    assert len(found.in_order()) == 4
    assert found.sources_text({"id": "a"}) == "?"


def test_sources_and_makers():
    found = graph([("a", "c"), ("b", "c"), ("c", "d")])
    assert found.sources_text({"id": "c"}) == "A, B"
    assert found.sources_text({"id": "a"}) == ""
    assert (found.maker("d"), found.maker("a")) == ("c", None)


def test_an_empty_answer_is_an_empty_graph():
    found = Lineage({}, "x")
    assert (found.in_order(), found.truncated, found.maker("x")) == ([], False, None)
