from __future__ import annotations

import contextlib
import datetime as dt
import fcntl
import os
import socket
import ssl
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from tests.http.conftest import PATIENCE, Serve, Served, echo, get, read_answer, read_to_end

from strongroom.http.shared import Exchange
from strongroom.http.tls import ClientCertificates, TlsConfigurationError, TlsSettings, TlsVersion, build_context
from strongroom.http.transport import TlsTransport
from strongroom.logical.request import Connection


@dataclass(frozen=True)
class Pair:
    """A certificate and its key in files, and the certificate itself."""

    certificate_file: str
    key_file: str
    certificate: x509.Certificate
    key: ec.EllipticCurvePrivateKey


def issue(folder: Path, name: str, issuer: Pair | None = None) -> Pair:
    """A certificate for ``name``, of ``issuer`` or its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(issuer.key if issuer else key, hashes.SHA256())
    )
    files = folder / f"{name}.crt", folder / f"{name}.key"
    files[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    files[1].write_bytes(private)
    return Pair(str(files[0]), str(files[1]), certificate, key)


@pytest.fixture
def server_pair(tmp_path: Path) -> Pair:
    return issue(tmp_path, "localhost")


def settings(pair: Pair, **more: object) -> TlsSettings:
    return TlsSettings(pair.certificate_file, pair.key_file, **more)  # type: ignore[arg-type]  # tests pass what fits


def connect(served: Served, trusted: Pair | None, client: Pair | None = None, **options: object) -> ssl.SSLSocket:
    """A TLS client of the standard library that verifies the server."""
    context = ssl.create_default_context(cafile=trusted.certificate_file if trusted else None)
    context.set_alpn_protocols(["h2", "http/1.1"])
    if client:
        context.load_cert_chain(client.certificate_file, client.key_file)
    for name, value in options.items():
        setattr(context, name, value)
    tls = context.wrap_socket(socket.create_connection(served.address, timeout=PATIENCE), server_hostname="localhost")
    return served.stack.enter_context(tls)


def handshake(served: Served, maximum: int | None = None) -> SSL.Connection:
    """The finished handshake of a client that verifies nothing and speaks ``maximum`` at most."""
    context = SSL.Context(SSL.TLS_CLIENT_METHOD)
    if maximum is not None:
        context.set_max_proto_version(maximum)
        context.set_cipher_list(b"ALL:@SECLEVEL=0")
    client = served.connect()
    client.setblocking(True)
    tls = SSL.Connection(context, client)
    tls.set_connect_state()
    tls.do_handshake()
    return tls


def test_a_request_over_tls_is_answered_with_the_newest_version(serve: Serve, server_pair: Pair) -> None:
    client = connect(serve(tls=settings(server_pair)), server_pair)
    assert client.version() == "TLSv1.3"
    assert client.selected_alpn_protocol() == "http/1.1"
    for name in ("a", "b"):
        client.sendall(get(f"/v1/{name}"))
        assert read_answer(client)[0] == 200


def test_the_key_exchange_is_hybrid_post_quantum_where_the_client_can(serve: Serve, server_pair: Pair) -> None:
    assert handshake(serve(tls=settings(server_pair))).get_group_name() == "X25519MLKEM768"


def test_tls_1_2_is_spoken_unless_the_listener_says_otherwise(serve: Serve, server_pair: Pair) -> None:
    old = ssl.TLSVersion.TLSv1_2
    served = serve(tls=settings(server_pair))
    assert connect(served, server_pair, maximum_version=old).version() == "TLSv1.2"
    strict = serve(tls=settings(server_pair, min_version=TlsVersion.TLS_1_3))
    with pytest.raises(ssl.SSLError):
        connect(strict, server_pair, maximum_version=old)


def test_older_versions_are_never_spoken(serve: Serve, server_pair: Pair) -> None:
    with pytest.raises(SSL.Error):
        handshake(serve(tls=settings(server_pair)), SSL.TLS1_1_VERSION)


def seen_by(serve: Serve, tls: TlsSettings) -> tuple[Served, list[tuple[str, bytes | None]]]:
    seen: list[tuple[str, bytes | None]] = []

    def note(exchange: Exchange) -> None:
        connection = exchange.request.connection
        seen.append((connection.tls_version, connection.client_certificate_der))
        echo(exchange)

    return serve(note, tls=tls), seen


def test_a_client_certificate_of_any_issuer_is_passed_on_unverified(
    serve: Serve, server_pair: Pair, tmp_path: Path
) -> None:
    stranger = issue(tmp_path, "stranger")
    served, seen = seen_by(serve, settings(server_pair))
    for client in (connect(served, server_pair, stranger), connect(served, server_pair)):
        client.sendall(get("/v1/a"))
        assert read_answer(client)[0] == 200
    der = stranger.certificate.public_bytes(serialization.Encoding.DER)
    assert seen == [("TLSv1.3", der), ("TLSv1.3", None)]


def test_no_certificate_is_asked_for_where_the_listener_says_so(
    serve: Serve, server_pair: Pair, tmp_path: Path
) -> None:
    served, seen = seen_by(serve, settings(server_pair, client_certificates=ClientCertificates.IGNORED))
    client = connect(served, server_pair, issue(tmp_path, "client"))
    client.sendall(get("/v1/a"))
    read_answer(client)
    assert seen == [("TLSv1.3", None)]


def test_only_clients_with_a_certificate_of_the_client_ca_get_in_where_it_is_required(
    serve: Serve, server_pair: Pair, tmp_path: Path
) -> None:
    authority = issue(tmp_path, "authority")
    tls = settings(
        server_pair, client_certificates=ClientCertificates.REQUIRED, client_ca_file=authority.certificate_file
    )
    served, seen = seen_by(serve, tls)
    client = connect(served, server_pair, issue(tmp_path, "client", authority))
    client.sendall(get("/v1/a"))
    assert read_answer(client)[0] == 200
    for refused in (issue(tmp_path, "stranger"), None):
        # In TLS 1.3 the client has finished before the server refuses, and learns of it when it reads.
        with pytest.raises(ssl.SSLError):
            read_to_end(connect(served, server_pair, refused))
    assert len(seen) == 1


def test_whoever_speaks_plain_http_to_tls_is_told(serve: Serve, server_pair: Pair) -> None:
    received = serve(tls=settings(server_pair)).exchange(get("/v1/a"))
    assert received.startswith(b"HTTP/1.0 400 Bad Request\r\n")
    assert b"Client sent an HTTP request to an HTTPS server." in received


def test_whoever_speaks_tls_to_plain_http_is_refused_at_once(serve: Serve) -> None:
    with pytest.raises(ssl.SSLError):
        connect(serve(), None)


def test_a_handshake_that_does_not_go_on_is_closed(serve: Serve, server_pair: Pair) -> None:
    served = serve(tls=settings(server_pair))
    client = served.connect()
    client.sendall(b"\x16\x03\x01\x02\x00\x01")
    served.pass_time(9)
    assert served.listener.connections == 1
    served.pass_time(2)
    assert served.listener.connections == 0
    assert read_to_end(client) == b""


def test_a_body_cut_off_without_goodbye_never_reaches_the_application(serve: Serve, server_pair: Pair) -> None:
    served = serve(tls=settings(server_pair))
    client = connect(served, server_pair)
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{}")
    served.settle()
    client.shutdown(socket.SHUT_RDWR)
    served.settle()
    assert served.paths == []
    assert served.listener.connections == 0


def test_large_bodies_pass_both_ways_through_tls(serve: Serve, server_pair: Pair) -> None:
    client = connect(serve(tls=settings(server_pair)), server_pair)
    body = b'{"a":"%b"}' % (b"x" * 3_000_000)
    client.sendall(b"PUT /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
    status, _, answer = read_answer(client)
    assert (status, len(answer) > 3_000_000) == (200, True)


def test_a_new_certificate_is_used_after_a_reload_and_a_bad_one_changes_nothing(
    serve: Serve, server_pair: Pair, tmp_path: Path
) -> None:
    served = serve(tls=settings(server_pair))
    old = connect(served, server_pair)
    fresh = issue(tmp_path, "localhost")
    served.listener.reload_certificates()
    assert connect(served, fresh).getpeercert(binary_form=True) == der_of(fresh)
    old.sendall(get("/v1/a"))
    assert read_answer(old)[0] == 200
    Path(server_pair.certificate_file).write_text("damaged")
    with pytest.raises(TlsConfigurationError):
        served.listener.reload_certificates()
    assert handshake(served).get_peer_certificate(as_cryptography=True) == fresh.certificate


def der_of(pair: Pair) -> bytes:
    return pair.certificate.public_bytes(serialization.Encoding.DER)


CANARY = "s3cr3t-canary"


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (("crt", None), "tls_cert_file: the file cannot be read (no such file or directory)"),
        (("key", None), "tls_key_file: the file cannot be read (no such file or directory)"),
        (("crt", CANARY), "tls_cert_file: the file holds no PEM certificate"),
        (("key", CANARY), "tls_key_file: the file holds no PEM private key that can be used"),
    ],
)
def test_a_file_that_cannot_be_used_is_named_by_its_setting_and_not_shown(
    tmp_path: Path, server_pair: Pair, change: tuple[str, str | None], text: str
) -> None:
    file = tmp_path / f"localhost.{change[0]}"
    if change[1] is None:
        file.unlink()
    else:
        file.write_text(change[1])
    with pytest.raises(TlsConfigurationError) as failed:
        build_context(settings(server_pair))
    assert str(failed.value) == text


@pytest.mark.parametrize(("ending", "setting"), [("crt", "tls_cert_file"), ("key", "tls_key_file")])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_refused_and_nobody_waits_for_it(
    tmp_path: Path, server_pair: Pair, make: Callable[[Path], None], ending: str, setting: str
) -> None:
    file = tmp_path / f"localhost.{ending}"
    file.unlink()
    make(file)
    with pytest.raises(TlsConfigurationError, match=f"^{setting}: this is a folder, a pipe or a device, and no file$"):
        build_context(settings(server_pair))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path, server_pair: Pair) -> None:
    other = issue(tmp_path, "other")
    with pytest.raises(TlsConfigurationError, match="tls_key_file is not the key of the certificate in tls_cert_file"):
        build_context(TlsSettings(server_pair.certificate_file, other.key_file))


def test_a_key_with_a_passphrase_is_refused(server_pair: Pair) -> None:
    sealed = server_pair.key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.BestAvailableEncryption(CANARY.encode()),
    )
    Path(server_pair.key_file).write_bytes(sealed)
    with pytest.raises(TlsConfigurationError, match="tls_key_file: the key has a passphrase"):
        build_context(settings(server_pair))


def test_requiring_client_certificates_needs_an_authority(server_pair: Pair) -> None:
    with pytest.raises(TlsConfigurationError, match="needs tls_client_ca_file"):
        build_context(settings(server_pair, client_certificates=ClientCertificates.REQUIRED))


class Flooder:
    """A TLS 1.3 client that makes records by itself, from the secret that the key log names."""

    def __init__(self, context: SSL.Context, ours: socket.socket, theirs: socket.socket) -> None:
        lines: list[bytes] = []
        client = SSL.Context(SSL.TLS_CLIENT_METHOD)
        client.set_keylog_callback(lambda _, line: lines.append(line))
        tls = SSL.Connection(client, ours)
        tls.set_connect_state()
        theirs.setblocking(False)
        ours.setblocking(False)
        self.ours = ours
        self.transport = TlsTransport(theirs, context)
        done = False
        while not done:
            with contextlib.suppress(SSL.WantReadError):
                tls.do_handshake()
            done = self.transport.handshake(Connection())
        assert tls.get_cipher_name() == "TLS_AES_256_GCM_SHA384"
        self._secret = next(bytes.fromhex(line.split()[2].decode()) for line in lines if b"CLIENT_TRAFFIC" in line)
        self._tls = tls

    def send_key_update(self) -> None:
        """Have the server read with another key from now on."""
        key, vector = self._expand(b"key", 32), self._expand(b"iv", 12)
        content = bytes([24, 0, 0, 1, 0, 22])
        head = bytes([23, 3, 3]) + (len(content) + 16).to_bytes(2)
        self.ours.sendall(head + AESGCM(key).encrypt(vector, content, head))
        self._secret = self._expand(b"traffic upd", 48)

    def _expand(self, label: bytes, length: int) -> bytes:
        label = b"tls13 " + label
        info = length.to_bytes(2) + bytes([len(label)]) + label + b"\0"
        return HKDFExpand(hashes.SHA384(), length, info).derive(self._secret)


def unread(connected: socket.socket) -> int:
    """How many bytes wait in the socket."""
    count = bytearray(4)
    fcntl.ioctl(connected, termios.FIONREAD, count)
    return int.from_bytes(count, sys.byteorder)


def test_a_client_may_update_its_key_but_not_again_and_again(server_pair: Pair) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        flooder = Flooder(build_context(settings(server_pair)), ours, theirs)
        for _ in range(8):
            flooder.send_key_update()
        assert flooder.transport.receive() is None
        for _ in range(100):
            flooder.send_key_update()
        before = unread(theirs)
        assert flooder.transport.receive() == b""
        assert unread(theirs) > before * 0.8
