from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from strongroom.http.loop import NOTHING, READABLE, Loop
from strongroom.logical.ambient import SystemClock


class Reader:
    """Reads what came, and lets something come for the next one."""

    def __init__(self, tells: socket.socket | None) -> None:
        self.ours, self.theirs = socket.socketpair()
        self.tells = tells
        self.read = 0

    def on_event(self, mask: int) -> None:
        del mask
        self.read += len(self.ours.recv(16))
        if self.tells is not None:
            self.tells.send(b"!")


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop(SystemClock(), lambda failure: pytest.fail(repr(failure)))
    made.adopt_thread()
    yield made
    made.close()


def test_what_comes_while_others_are_read_belongs_to_the_same_round_but_no_round_lasts_for_ever(loop: Loop) -> None:
    readers = [Reader(None)]
    for _ in range(4):
        readers.insert(0, Reader(readers[0].theirs))
    for reader in readers:
        loop.watch(reader.ours.fileno(), reader, NOTHING, READABLE)
    readers[0].theirs.send(b"!")
    loop.wait(at_once=False)
    assert [reader.read for reader in readers] == [1, 1, 1, 0, 0]
    loop.wait(at_once=False)
    assert [reader.read for reader in readers] == [1, 1, 1, 1, 1]
    for reader in readers:
        reader.ours.close()
        reader.theirs.close()
