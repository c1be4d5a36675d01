"""A provider on the loopback that stands for every host: it keeps what was asked of it, and answers as a test tells it."""

from __future__ import annotations

import datetime as dt
import socket
import ssl
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

Answers = Callable[[ssl.SSLSocket], None]


class Provider:
    """Serves TLS under the names of all `hosts`. `dialled` is whom clients wanted, `requests` what they sent."""

    def __init__(self, folder: Path, hosts: Iterable[str]) -> None:
        self.dialled: list[str] = []
        self.requests: list[bytes] = []
        self.answers: Answers = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
        certificate, key = _certificate(folder, hosts)
        self.context = ssl.create_default_context(cafile=str(certificate))
        self._server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._server.load_cert_chain(certificate, key)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def dial(self, host: str, timeout: float) -> socket.socket:
        """Connects here, whoever is wanted."""
        self.dialled.append(host)
        return socket.create_connection(self._listener.getsockname(), timeout)

    def close(self) -> None:
        """Stop serving."""
        self._closing.set()
        socket.create_connection(self._listener.getsockname()).close()
        self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while not self._closing.is_set():
            plain, _ = self._listener.accept()
            with plain:
                plain.settimeout(5)
                try:
                    with self._server.wrap_socket(plain, server_side=True) as connected:
                        self.requests.append(_request(connected))
                        self.answers(connected)
                except OSError:
                    continue


def answer(data: bytes) -> Answers:
    """Sends `data`, and closes."""
    return lambda connected: connected.sendall(data)


def _request(connected: ssl.SSLSocket) -> bytes:
    data = b""
    while b"\r\n\r\n" not in data and (more := connected.recv(4096)):
        data += more
    return data


def _certificate(folder: Path, hosts: Iterable[str]) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "providers")])
    now = dt.datetime.now(dt.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, secret = folder / "providers.pem", folder / "providers.key"
    certificate.write_bytes(built.public_bytes(serialization.Encoding.PEM))
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    secret.write_bytes(key.private_bytes(encoding, form, serialization.NoEncryption()))
    return certificate, secret
