"""What hostile and broken clients send: each attack speaks to the real server over TLS, and says what it was answered."""

from __future__ import annotations

import contextlib
import gzip
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

BODY_BYTES = 32 * 1024 * 1024
"""The largest body that the server takes by default."""
PATIENCE_SECONDS = 20.0
_STATUS = re.compile(rb"HTTP/1\.[01] (\d{3}) ")
_LOGIN = "auth/userpass/login/someone"
_SLOW_SECONDS_MAX = 30.0
_CHUNK = b"10000\r\n" + b"a" * 65536 + b"\r\n"


@dataclass
class Target:
    """The server, and the statuses of all answers so far. ``read_bytes`` bounds what is kept of one connection's answers."""

    port: int
    context: ssl.SSLContext
    token: str
    statuses: list[int] = field(default_factory=list)
    resets: int = 0
    slow_header_seconds: float = 0.0
    """After how long the last of those was told to go who sent headers byte by byte."""

    def plain(self) -> socket.socket:
        """A connection on which nothing was said yet."""
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_SECONDS)

    @contextlib.contextmanager
    def connection(self) -> Iterator[ssl.SSLSocket]:
        """A connection with TLS; what breaks it is counted and is no failure of ours."""
        try:
            with self.plain() as plain, self.context.wrap_socket(plain, server_hostname="127.0.0.1") as connected:
                yield connected
        except OSError:
            self.resets += 1

    def send(self, pieces: Sequence[bytes] | Iterator[bytes]) -> None:
        """Send what a refusal does not stop, and note every status that comes back."""
        received = b""
        with self.connection() as connected:
            connected.settimeout(0.0)
            for piece in pieces:
                if not _push(connected, piece):
                    break
            connected.settimeout(PATIENCE_SECONDS)
            with contextlib.suppress(OSError):
                received = _drain(connected, received)
        self.statuses += [int(status) for status in _STATUS.findall(received)]


def _push(connected: ssl.SSLSocket, piece: bytes) -> bool:
    """Send all of it; False where an answer came first, or the other side is gone."""
    view, deadline = memoryview(piece), time.monotonic() + PATIENCE_SECONDS
    while view and time.monotonic() < deadline:
        try:
            view = view[connected.send(view) :]
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            time.sleep(0.001)
        except OSError:
            return False
        if connected.pending():
            return False
    return not view


def _drain(connected: ssl.SSLSocket, received: bytes) -> bytes:
    while piece := connected.recv(65536):
        received += piece
        if received.endswith(b"}") or b"\r\nConnection: close" in received or b" 204 " in received:
            connected.settimeout(0.5)
    return received


def request(method: str, path: str, body: bytes = b"", *headers: str) -> bytes:
    """A request that is whole."""
    lines = "".join(f"{header}\r\n" for header in headers)
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    return f"{method} /v1/{path} HTTP/1.1\r\nHost: a\r\n{lines}{length}\r\n".encode() + body


def _as_body(target: Target, body: bytes) -> None:
    """As a login, which anybody may send, and as a secret, with a token."""
    target.send([request("POST", _LOGIN, body, "Connection: close")])
    token = f"X-Vault-Token: {target.token}"
    target.send([request("POST", "secret/data/hostile", body, token, "Connection: close")])


def _endless_chunks(target: Target) -> None:
    head = f"POST /v1/{_LOGIN} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()

    def pieces() -> Iterator[bytes]:
        yield head
        for _ in range(10 * 2**30 // 65536):
            yield _CHUNK

    target.send(pieces())


def _deep(target: Target) -> None:
    for opened, closed in ((b"[", b"]"), (b'{"a":', b"}")):
        _as_body(target, opened * 100_000 + b"1" + closed * 100_000)


def _many_keys(target: Target) -> None:
    _as_body(target, b"{" + b",".join(b'"key%d":%d' % (n, n) for n in range(1_000_000)) + b"}")


def _many_objects(target: Target) -> None:
    _as_body(target, b'{"a":[' + b"{}," * ((BODY_BYTES - 64) // 3) + b"1]}")


def _large_text(target: Target) -> None:
    _as_body(target, b'{"data":{"a":"' + b"x" * (BODY_BYTES - 64) + b'"},"password":"x"}')


def _escapes(target: Target) -> None:
    _as_body(target, b'{"data":{"a":"' + b"\\u0061" * (4 * 2**20 // 6) + b'"},"password":"x"}')


def _small_and_strange(target: Target) -> None:
    digits = b"9" * 4300
    for value in (
        b'{"password":"a","password":"b"}',
        b'{"data":{"a":"b","a":"c"}}',
        b'{"data":{"a":"\\ud800"},"password":"\\udfff"}',
        b'{"data":{"a":' + digits + b'},"password":"x"}',
        b'{"data":{"a":1e999999999},"password":"x"}',
        b'{"data":{"a":NaN},"password":Infinity}',
        b'{"data":{"a":"\xff\xfe"},"password":"x"}',
        b'{"data":"text","password":[1]}',
        b"[" * 70,
        b"\xef\xbb\xbf{}",
        b"null",
        b"{",
    ):
        _as_body(target, value)


def _bombs(target: Target) -> None:
    bomb = gzip.compress(b"0" * (100 * 2**20))
    for encoding in ("gzip", "deflate", "br", "zstd", "gzip, gzip"):
        target.send([request("POST", _LOGIN, bomb, f"Content-Encoding: {encoding}", "Connection: close")])


def _header_floods(target: Target) -> None:
    target.send([request("GET", "sys/health", b"", "A: " + "b" * 1_000_000)])
    target.send([request("GET", "sys/health", b"", *(f"A{n}: b" for n in range(5000)))])
    target.send([request("GET", "x" * 1_000_000)])
    target.send([request("GET", "secret/data/" + "a/" * 15_000, b"", "Connection: close")])
    target.send([request("GET", "secret/data/a?" + "a=b&" * 7_000, b"", "Connection: close")])


def _pipelining(target: Target) -> None:
    """Ten thousand requests that are sent without a look at the answers."""
    lines = request("GET", "secret/data/read/1") * 10_000 + request("GET", "sys/health", b"", "Connection: close")
    target.send([lines])


def _half_open(target: Target) -> None:
    with contextlib.ExitStack() as stack:
        for number in range(300):
            try:
                plain = stack.enter_context(target.plain())
                if number % 2:
                    plain.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")  # the beginning of a hello
            except OSError:
                target.resets += 1
        time.sleep(2.0)


def _handshakes(target: Target) -> None:
    for _ in range(150):
        with target.connection():
            pass


def _slow(target: Target) -> None:
    """Headers and bodies that trickle in, over a hundred connections, until the server has had enough of the headers."""
    with contextlib.ExitStack() as stack:
        headers: list[ssl.SSLSocket] = []
        bodies: list[ssl.SSLSocket] = []
        began = time.monotonic()
        for number in range(100):
            plain = stack.enter_context(target.plain())
            connected = stack.enter_context(target.context.wrap_socket(plain, server_hostname="127.0.0.1"))
            connected.sendall(b"GET /v1/sys/he" if number % 2 else request("POST", _LOGIN, b"{" + b" " * 1000)[:-1000])
            (headers if number % 2 else bodies).append(connected)
        while headers and time.monotonic() - began < _SLOW_SECONDS_MAX:
            time.sleep(0.3)
            headers = [connected for connected in headers if not _was_told(connected)]
            for connected in (*headers, *bodies):
                with contextlib.suppress(OSError):
                    connected.sendall(b"a")
        target.slow_header_seconds = time.monotonic() - began


def _was_told(connected: ssl.SSLSocket) -> bool:
    """Whether something came back, if only the end."""
    connected.settimeout(0.0)
    try:
        connected.recv(1)
    except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
        return False
    except OSError:
        return True
    finally:
        connected.settimeout(PATIENCE_SECONDS)
    return True


def _noise(target: Target) -> None:
    chance = random.Random(1)
    for _ in range(60):
        target.send([chance.randbytes(chance.randrange(1, 20_000))])
        with contextlib.suppress(OSError), target.plain() as plain:
            plain.sendall(chance.choice([chance.randbytes(500), request("GET", "sys/health")]))
            plain.settimeout(1)
            plain.recv(100)


def _passwords(target: Target) -> None:
    """Wrong passwords, each of which costs the server a hash: forty at a time."""

    def guess(_: int) -> None:
        target.send([request("POST", _LOGIN, b'{"password":"a guess"}', "Connection: close")])

    with ThreadPoolExecutor(40) as pool:
        list(pool.map(guess, range(120)))


ATTACKS: dict[str, Callable[[Target], None]] = {
    "slow headers and bodies": _slow,
    "10 GB in chunks": _endless_chunks,
    "100,000 levels": _deep,
    "1,000,000 keys": _many_keys,
    "32 MiB of empty objects": _many_objects,
    "32 MiB of text": _large_text,
    "4 MiB of escapes": _escapes,
    "strange values": _small_and_strange,
    "compressed bombs": _bombs,
    "header floods": _header_floods,
    "pipelining": _pipelining,
    "half-open connections": _half_open,
    "handshakes": _handshakes,
    "noise": _noise,
    "wrong passwords": _passwords,
}
