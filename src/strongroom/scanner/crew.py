"""Processes that share work: forked, heard through pipes, and never lost in silence.

A worker that dies without a last word makes the whole work a failed one, because nobody knows what it did not look at.
"""

from __future__ import annotations

import gc
import json
import os
import selectors
import signal
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

Send = Callable[[Any], None]
"""Sends the parent a value that JSON can hold."""

_LENGTH = 4
_READ_SIZE = 1 << 20


class WorkerLost(Exception):
    """A worker ended before it was done."""


def run_workers(count: int, work: Callable[[Send], None], receive: Callable[[Any], None]) -> None:
    """Run `work` in `count` forked processes, and give each value that they send to `receive`, here.

    Raises WorkerLost if any of them dies or raises; the others are ended. Must be called where only one thread runs.
    """
    pipes: list[int] = []
    children: list[int] = []
    gc.collect()
    gc.freeze()  # what is there now is shared with the workers for as long as nobody writes to it
    try:
        for _ in range(count):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                _be_a_worker(work, writing, [reading, *pipes])
            os.close(writing)
            pipes.append(reading)
            children.append(child)
        _listen(pipes, receive)
    except BaseException:
        for child in children:
            os.kill(child, signal.SIGKILL)
        raise
    finally:
        gc.unfreeze()
        for pipe in pipes:
            os.close(pipe)
        for child in children:
            os.waitpid(child, 0)


def _be_a_worker(work: Callable[[Send], None], pipe: int, others: Sequence[int]) -> NoReturn:
    exit_code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for other in others:
            os.close(other)
        gc.disable()

        def send(value: Any) -> None:
            _write(pipe, json.dumps(value, separators=(",", ":")).encode())

        work(send)
        _write(pipe, b"")
        exit_code = 0
    finally:
        # Not sys.exit: what the parent has not yet written is not to be written twice.
        os._exit(exit_code)


def _write(pipe: int, payload: bytes) -> None:
    rest = memoryview(len(payload).to_bytes(_LENGTH, "little") + payload)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _listen(pipes: Sequence[int], receive: Callable[[Any], None]) -> None:
    """Hear all pipes to their ends. Raises WorkerLost unless each of them ended with a worker's last word."""
    finished = 0
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            for key, _ in selector.select():
                received = os.read(key.fd, _READ_SIZE)
                if not received:
                    selector.unregister(key.fd)
                    continue
                buffer: bytearray = key.data
                buffer += received
                finished += _take_messages(buffer, receive)
    if finished != len(pipes):
        raise WorkerLost


def _take_messages(buffer: bytearray, receive: Callable[[Any], None]) -> int:
    """Give every whole message in `buffer` to `receive`, and count the last words, which are empty."""
    position, last_words = 0, 0
    while len(buffer) - position >= _LENGTH:
        length = int.from_bytes(buffer[position : position + _LENGTH], "little")
        end = position + _LENGTH + length
        if len(buffer) < end:
            break
        if length:
            receive(json.loads(buffer[position + _LENGTH : end]))
        else:
            last_words += 1
        position = end
    del buffer[:position]
    return last_words
