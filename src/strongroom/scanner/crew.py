"""Processes that share work: forked, heard through pipes, and never lost in silence.

A worker that dies without a last word makes the whole work a failed one, because nobody knows what it did not look at: the others are ended
at once, for what they would still find could not be told as the whole.
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
    """Worker `number` ended before it was done; by the signal `by`, if that is not 0."""

    def __init__(self, number: int, by: int = 0) -> None:
        super().__init__(f"worker {number} was lost")
        self.number = number
        self.by = by


def run_workers(count: int, work: Callable[[int, Send], None], receive: Callable[[Any], None]) -> None:
    """Run `work` in `count` forked processes, each with its number from 0, and give each value that they send to `receive`, here.

    Raises WorkerLost as soon as any of them dies or raises; the others are ended. Must be called where only one thread runs.
    """
    pipes: list[int] = []
    children: list[int] = []
    gc.freeze()  # what is there now is shared with the workers for as long as nobody writes to it
    try:
        for number in range(count):
            reading, writing = os.pipe()
            child = os.fork()
            if child == 0:
                _be_a_worker(work, number, writing, [reading, *pipes])
            os.close(writing)
            pipes.append(reading)
            children.append(child)
        _listen(pipes, children, receive)
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


def _ended(child: int) -> int:
    """The signal that ended a process which closed its pipe; 0 if it ended by itself."""
    _, status = os.waitpid(child, 0)
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def _be_a_worker(work: Callable[[int, Send], None], number: int, pipe: int, others: Sequence[int]) -> NoReturn:
    exit_code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        for other in others:
            os.close(other)
        gc.disable()

        def send(value: Any) -> None:
            _write(pipe, json.dumps(value, separators=(",", ":")).encode())

        work(number, send)
        _write(pipe, b"")
        exit_code = 0
    finally:
        # Not sys.exit: what the parent has not yet written is not to be written twice.
        os._exit(exit_code)


def _write(pipe: int, payload: bytes) -> None:
    rest = memoryview(len(payload).to_bytes(_LENGTH, "little") + payload)
    while rest:
        rest = rest[os.write(pipe, rest) :]


def _listen(pipes: Sequence[int], children: list[int], receive: Callable[[Any], None]) -> None:
    """Hear all pipes to their ends. Raises WorkerLost when one ends without its worker's last word, whose child is gone then."""
    finished = set[int]()
    with selectors.DefaultSelector() as selector:
        for pipe in pipes:
            selector.register(pipe, selectors.EVENT_READ, bytearray())
        while selector.get_map():
            for key, _ in selector.select():
                received = os.read(key.fd, _READ_SIZE)
                if not received:
                    if key.fd not in finished:
                        lost = pipes.index(key.fd)
                        raise WorkerLost(lost, _ended(children.pop(lost)))
                    selector.unregister(key.fd)
                    continue
                buffer: bytearray = key.data
                buffer += received
                if _take_messages(buffer, receive):
                    finished.add(key.fd)


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
