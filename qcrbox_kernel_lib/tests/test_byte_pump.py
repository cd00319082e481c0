"""Two connections joined into one: what is said, half-closed, broken or given up at one end is seen at the other."""

from __future__ import annotations

import asyncio
import os
import socket
import struct

import pytest
from qcrbox.byte_pump import CHUNK, End, join


class Joined:
    """`left` and `right` are the far ends of two connections whose near ends are joined."""

    async def start(self) -> Joined:
        left_far, left_near = await _connection()
        right_far, right_near = await _connection()
        self.left, self.right = left_far, right_far
        self.task = asyncio.create_task(join(left_near, right_near))
        return self

    async def end(self) -> None:
        for _, writer in (self.left, self.right):
            writer.close()
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


async def _connection() -> tuple[End, End]:
    server_end: asyncio.Future[End] = asyncio.get_running_loop().create_future()
    server = await asyncio.start_server(lambda *end: server_end.set_result(end), "127.0.0.1", 0)
    far = await asyncio.open_connection(*server.sockets[0].getsockname())
    near = await server_end
    server.close()
    return far, near


@pytest.fixture
async def joined():
    made = await Joined().start()
    yield made
    await made.end()


async def test_bytes_go_both_ways_as_they_are(joined):
    data = os.urandom(3 * CHUNK + 17)
    for here, there in ((joined.left, joined.right), (joined.right, joined.left)):
        reading = asyncio.create_task(there[0].readexactly(len(data)))
        here[1].write(data)
        await here[1].drain()
        assert await reading == data


async def test_an_end_that_has_said_all_still_hears_the_answer(joined):
    joined.left[1].write(b"question")
    joined.left[1].write_eof()
    assert await joined.right[0].read() == b"question"
    joined.right[1].write(b"answer")
    joined.right[1].write_eof()
    assert await joined.left[0].read() == b"answer"
    await asyncio.wait_for(joined.task, 60)


async def test_a_broken_end_ends_the_other_one(joined):
    joined.left[1].write(b"half")
    assert await joined.right[0].read(4) == b"half"
    sock = joined.left[1].get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # close by a reset
    joined.left[1].transport.abort()
    assert await joined.right[0].read() == b""
    await asyncio.wait_for(joined.task, 60)


async def test_giving_up_closes_both(joined):
    joined.task.cancel()
    assert await joined.left[0].read() == b""
    assert await joined.right[0].read() == b""
