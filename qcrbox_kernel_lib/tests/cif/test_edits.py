"""Any number of edits of any file: what is written is read again as what stands in memory, and the rest stays."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st
from qcrbox.cif import Block, Document, Item, Loop, raw_of, read

from .cif_strategies import NUMBERS, TEXT, content

PIECES = st.sampled_from(
    [
        "_a 1 # of a\n",
        "_b 'two words'\n",
        "_c\n;text\nfield\n; # behind\n",
        "# a comment\n",
        "\n",
        "_d 1.5(2) _e ?\n",
        "loop_ # l\n_l1\n_l2\n1 2 # row\n'3 4' .\n",
        "loop_\n_m\n;t\n;\nx\n",
        "_f .   # end",
        "\t_g\t5\n",
    ]
)
ENDS = st.sampled_from(["", "\n", "\r\n", "\x1a", "\n\x00", " # last"])
ENCODINGS = st.sampled_from(["utf-8", "utf-8-sig", "latin-1", "utf-16"])


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """A file of one or two blocks in some encoding, with comments and some kind of line end."""
    text = ""
    for name in draw(st.sampled_from([["x"], ["x", "y"]])):
        pieces = draw(st.lists(PIECES, max_size=5, unique=True))
        # Nothing follows a last line without its end.
        text += f"data_{name} # block\n" + "".join(
            piece if piece.endswith("\n") else piece + "\n" for piece in pieces
        )
    text = text.rstrip("\n") + "\n" if draw(st.booleans()) else text.rstrip("\n")
    text = (text + " " if draw(st.booleans()) else text) + draw(ENDS)
    return text.replace("\n", draw(st.sampled_from(["\n", "\r\n"]))).encode(draw(ENCODINGS))


TAGS = st.sampled_from(["_a", "_b", "_c", "_d", "_e", "_f", "_g", "_n1", "_n2"])
LOOP_TAGS = st.sampled_from(["_l1", "_l2", "_m", "_n3"])
Edit = Callable[[Document], None]


def block_of(document: Document, which: int) -> Block:
    return document.blocks[which % len(document.blocks)]


def edit_loop(act: Callable[[Loop, str], None], tag: str) -> Callable[[Block], None]:
    def edit(block: Block) -> None:
        loop = block.loop(tag)
        if loop is not None:
            act(loop, tag)
            block.forget_index()

    return edit


def set_first(raw: str) -> Callable[[Loop, str], None]:
    return lambda loop, tag: loop.set_cell(0, tag, raw) if loop.n_rows else None


def replaced(raw: str) -> Callable[[Loop, str], None]:
    return lambda loop, tag: loop.set_column(tag, [raw] * loop.n_rows)


def added(loop: Loop, tag: str) -> None:
    if tag + "_new" not in loop:
        loop.set_column(tag + "_new", ["9"] * loop.n_rows, after=tag)


def last_row_only(loop: Loop, tag: str) -> None:
    del tag
    loop.keep_rows([loop.n_rows - 1] if loop.n_rows else [])


def new_loop(block: Block) -> None:
    if "_new_loop" not in block:
        block.add_loop({"_new_loop": ["1", "'a b'"], "_new_other": ["?", ";t\n;"]})


RAWS = st.one_of(TEXT.map(raw_of), NUMBERS, st.sampled_from(["?", "."]))
EDITS = st.one_of(
    st.builds(
        lambda tag, raw: lambda block: block.set_raw(tag, raw) if block.loop(tag) is None else None,
        TAGS,
        RAWS,
    ),
    st.builds(lambda tag: lambda block: block.remove(tag), TAGS),
    st.builds(lambda tag: lambda block: block.remove(tag), LOOP_TAGS),
    st.builds(lambda tag, raw: edit_loop(set_first(raw), tag), LOOP_TAGS, RAWS),
    st.builds(lambda tag, raw: edit_loop(replaced(raw), tag), LOOP_TAGS, RAWS),
    st.builds(lambda tag: edit_loop(added, tag), LOOP_TAGS),
    st.builds(lambda tag: edit_loop(lambda loop, _: loop.add_row({}), tag), LOOP_TAGS),
    st.builds(lambda tag: edit_loop(last_row_only, tag), LOOP_TAGS),
    st.just(new_loop),
    st.builds(
        lambda tag: (
            lambda block: (
                block.replace_entry(block.find(tag), Item("_in_place", "7"))
                if tag in block and "_in_place" not in block
                else None
            )
        ),
        TAGS,
    ),
)


@settings(max_examples=120, deadline=None)
@given(files(), st.lists(st.tuples(st.integers(0, 1), EDITS), min_size=1, max_size=6))
def test_any_edits_are_read_again_as_they_stand_in_memory(data, edits):
    document = read(data)
    for which, edit in edits:
        edit(block_of(document, which))
        again = read(document.to_bytes())
        assert content(again) == content(document)


@settings(max_examples=60, deadline=None)
@given(
    files(), st.lists(st.sampled_from(["first", "last", "rename", "append", "set"]), min_size=1, max_size=4)
)
def test_blocks_come_go_and_get_names(data, acts):
    document = read(data)
    for number, act in enumerate(acts):
        if act in ("first", "last") and len(document.blocks) > 1:
            del document.blocks[0 if act == "first" else -1]
        elif act == "rename":
            document.blocks[0].name = f"renamed{number}"
        elif act == "append":
            document.blocks.append(Block(f"new{number}", [Item("_z", str(number))]))
        elif act == "set":
            document.blocks[-1].set("_set", number)
        assert content(read(document.to_bytes())) == content(document)


@settings(max_examples=60, deadline=None)
@given(files(), TAGS, RAWS)
def test_what_is_set_and_set_back_is_read_as_before(data, tag, raw):
    document = read(data)
    block = document.blocks[0]
    before = block.get(tag)
    if before is None or not isinstance(block.find(tag), Item):
        return
    block.set_raw(tag, raw)
    block.set_raw(tag, before)
    again = read(document.to_bytes())
    assert content(again) == content(read(data))
