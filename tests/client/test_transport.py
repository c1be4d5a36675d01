from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from strongroom.client.client import Client
from strongroom.client.errors import BadSettings, ConnectionFailed
from strongroom.client.settings import Settings, Tls
from strongroom.client.transport import Address, make_tls, parse_address


@pytest.mark.parametrize(
    ("text", "address", "authority"),
    [
        ("https://127.0.0.1:8200", Address("https", "127.0.0.1", 8200), "127.0.0.1:8200"),
        ("HTTPS://vault.test", Address("https", "vault.test", 443), "vault.test"),
        ("http://vault.test/prefix/", Address("http", "vault.test", 80, "/prefix"), "vault.test"),
        ("http://[::1]:8200", Address("http", "::1", 8200), "[::1]:8200"),
        ("unix:///run/agent.sock", Address("unix", "/run/agent.sock", 0), "localhost"),
    ],
)
def test_an_address_is_understood(text: str, address: Address, authority: str) -> None:
    assert parse_address(text) == address
    assert parse_address(text).authority == authority


@pytest.mark.parametrize(
    "text",
    [
        "",
        "CANARY",
        "ftp://CANARY",
        "http://",
        "http://CANARY:x",
        "http://CANARY:0",
        "http://CANARY:65536",
        "http://user:CANARY@host",
        "http://[CANARY",
        "http://[::1]CANARY",
        "http://CAN ARY",
        "unix://CANARY",
        "http://h/CAN ARY",
    ],
)
def test_a_bad_address_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(BadSettings) as caught:
        parse_address(text)
    assert "CANARY" not in str(caught.value)


class TlsServer:
    """Speaks TLS with a certificate for ``vault.test`` and 127.0.0.1, and answers every request with an empty 204."""

    def __init__(self, folder: Path) -> None:
        self.certificate = folder / "certificate.pem"
        self.key = folder / "key.pem"
        make_certificate(self.certificate, self.key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        self._context = context
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"https://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._listener.accept()
            except OSError:
                return
            try:
                with self._context.wrap_socket(plain, server_side=True) as secured:
                    secured.recv(65536)
                    secured.sendall(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
            except OSError:
                plain.close()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(timeout=10)


def make_certificate(certificate: Path, key: Path) -> None:
    private = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "vault.test")])
    names = [x509.DNSName("vault.test"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(7)
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    key.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )


@pytest.fixture(scope="module")
def tls_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TlsServer]:
    server = TlsServer(tmp_path_factory.mktemp("tls"))
    yield server
    server.close()


def ask(server: TlsServer, tls: Tls) -> int:
    with Client(Settings(address=server.address, tls=tls, max_retries=0)) as client:
        return client.request("GET", "sys/health").status


def test_the_named_authority_is_believed(tls_server: TlsServer) -> None:
    assert ask(tls_server, Tls(ca_cert=str(tls_server.certificate))) == 204
    assert ask(tls_server, Tls(ca_cert_bytes=tls_server.certificate.read_text())) == 204


def test_the_servers_name_can_be_given(tls_server: TlsServer) -> None:
    known = str(tls_server.certificate)
    assert ask(tls_server, Tls(ca_cert=known, server_name="vault.test")) == 204
    with pytest.raises(ConnectionFailed, match="does not verify"):
        ask(tls_server, Tls(ca_cert=known, server_name="other.test"))


def test_an_unknown_authority_is_refused_unless_told_otherwise(tls_server: TlsServer) -> None:
    with pytest.raises(ConnectionFailed, match="-ca-cert"):
        ask(tls_server, Tls())
    assert ask(tls_server, Tls(skip_verify=True)) == 204


def test_a_pinned_authority_is_the_only_one(tls_server: TlsServer) -> None:
    context = make_tls(Tls(ca_cert=str(tls_server.certificate)))
    assert context.cert_store_stats()["x509"] == 1


def test_our_certificate_is_loaded_with_its_key(tls_server: TlsServer) -> None:
    certificate, key = str(tls_server.certificate), str(tls_server.key)
    assert ask(tls_server, Tls(ca_cert=certificate, client_cert=certificate, client_key=key)) == 204


@pytest.mark.parametrize(
    "tls",
    [
        Tls(ca_cert="no-such-file"),
        Tls(ca_cert_bytes="not PEM"),
        Tls(skip_verify=True, client_cert="only-one"),
        Tls(skip_verify=True, client_cert="no-such-file", client_key="no-such-file"),
    ],
    ids=["authority", "authority bytes", "half a pair", "pair"],
)
def test_what_cannot_be_loaded_is_said(tls: Tls) -> None:
    with pytest.raises(BadSettings):
        make_tls(tls)
