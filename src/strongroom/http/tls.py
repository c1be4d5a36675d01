"""TLS for the listener: one context from files, with errors that name the setting and never what a file holds.

pyOpenSSL brings the OpenSSL of ``cryptography``: TLS 1.3 with the hybrid group X25519MLKEM768 by default, and client certificates
that are asked for but not verified, which the standard library cannot do (SECURITY C6).
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from enum import Enum
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from OpenSSL import SSL
from OpenSSL.crypto import X509

# What TLS 1.2 may still use: forward secret, authenticated encryption only (RFC 9325 4.2).
_TLS_1_2_CIPHERS = b"ECDHE+AESGCM:ECDHE+CHACHA20"

_READ_BYTES = 65536
_MESSAGES_MAX = 16
"""So many messages that are no data a client may send after the handshake. None needs more than a few updates of its key in years."""


class TlsVersion(Enum):
    """The least TLS version that a listener accepts, as Vault's configuration spells it."""

    TLS_1_2 = "tls12"
    TLS_1_3 = "tls13"


_OPENSSL_VERSIONS = {TlsVersion.TLS_1_2: SSL.TLS1_2_VERSION, TlsVersion.TLS_1_3: SSL.TLS1_3_VERSION}


class ClientCertificates(Enum):
    """What a listener does about client certificates."""

    IGNORED = "ignored"
    """They are not asked for."""
    REQUESTED = "requested"
    """They are asked for and passed on unverified: who trusts one verifies it (the certificate login)."""
    REQUIRED = "required"
    """A handshake without one that the client CA has issued fails."""


@dataclass(frozen=True, slots=True)
class TlsSettings:
    """Where a listener's certificate comes from, and what it asks of clients."""

    certificate_file: str
    key_file: str
    min_version: TlsVersion = TlsVersion.TLS_1_2
    client_certificates: ClientCertificates = ClientCertificates.REQUESTED
    client_ca_file: str = ""


class TlsConfigurationError(Exception):
    """A TLS setting cannot be used. The text names the setting, what is wrong and what to do; never a file's content."""


def build_context(settings: TlsSettings) -> SSL.Context:
    """A server context for ``settings``. Raises TlsConfigurationError."""
    certificates = _read_certificates(settings.certificate_file, "tls_cert_file")
    key = _read_key(settings.key_file)
    if _public_bytes(certificates[0].public_key()) != _public_bytes(key.public_key()):
        raise TlsConfigurationError(
            "tls_key_file is not the key of the certificate in tls_cert_file: use the matching pair"
        )
    context = SSL.Context(SSL.TLS_SERVER_METHOD)
    context.set_min_proto_version(_OPENSSL_VERSIONS[settings.min_version])
    context.set_options(
        SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_NO_TICKET | SSL.OP_CIPHER_SERVER_PREFERENCE
    )
    context.set_cipher_list(_TLS_1_2_CIPHERS)
    # No resumption: a resumed session would carry a client certificate past the moment at which it was shown.
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    context.set_session_id(b"strongroom")
    context.set_info_callback(_end_chatter)
    context.set_alpn_select_callback(_select_http_1_1)
    try:
        context.use_certificate(certificates[0])
        for issuer in certificates[1:]:
            context.add_extra_chain_cert(issuer)
        context.use_privatekey(key)  # type: ignore[arg-type]  # build_context's key types are all that OpenSSL takes
    except (SSL.Error, TypeError, ValueError):
        raise TlsConfigurationError(
            "tls_cert_file and tls_key_file cannot be used together: use an RSA (2048 bits or more), ECDSA or Ed25519 pair"
        ) from None
    _set_client_certificates(context, settings)
    return context


def _set_client_certificates(context: SSL.Context, settings: TlsSettings) -> None:
    if settings.client_certificates is ClientCertificates.IGNORED:
        context.set_verify(SSL.VERIFY_NONE)
        return
    if settings.client_certificates is ClientCertificates.REQUESTED:
        context.set_verify(SSL.VERIFY_PEER, _accept_any)
        return
    if not settings.client_ca_file:
        raise TlsConfigurationError("tls_require_and_verify_client_cert needs tls_client_ca_file")
    authorities = _read_certificates(settings.client_ca_file, "tls_client_ca_file")
    store = context.get_cert_store()
    if store is None:
        raise TlsConfigurationError("tls_client_ca_file cannot be used: OpenSSL has no certificate store")
    for authority in authorities:
        store.add_cert(X509.from_cryptography(authority))
        context.add_client_ca(authority)
    context.set_verify(SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT, _accept_verified)


def _accept_any(_connection: SSL.Connection, _certificate: X509, _error: int, _depth: int, _verified: int) -> bool:
    return True


def _accept_verified(_connection: SSL.Connection, _certificate: X509, _error: int, _depth: int, verified: int) -> bool:
    return bool(verified)


def _end_chatter(connection: SSL.Connection, where: int, code: int) -> None:
    """Take a connection for ended whose client updates its key again and again.

    OpenSSL would read on, in one call, for as long as such messages come. They can be made beforehand, and an update costs a tenth of
    a millisecond here: with a megabyte of them a client would hold up all others for seconds.
    """
    del code
    if where & SSL.SSL_CB_HANDSHAKE_DONE:
        connection.set_app_data([])
    elif where & SSL.SSL_CB_EXIT and (messages := connection.get_app_data()) is not None:
        messages.append(where)
        if len(messages) > _MESSAGES_MAX:
            connection.set_shutdown(SSL.RECEIVED_SHUTDOWN)


def _select_http_1_1(_connection: SSL.Connection, offered: list[bytes]) -> Any:
    return b"http/1.1" if b"http/1.1" in offered else SSL.NO_OVERLAPPING_PROTOCOLS


def _read(file: str, setting: str) -> bytes:
    try:
        # A server that runs reads this, too: it must not wait for whoever writes to a pipe that was put here.
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            if stat.S_ISREG(os.fstat(descriptor).st_mode):
                return b"".join(iter(lambda: os.read(descriptor, _READ_BYTES), b""))
        finally:
            os.close(descriptor)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise TlsConfigurationError(f"{setting}: the file cannot be read ({reason.lower()})") from None
    raise TlsConfigurationError(f"{setting}: this is a folder, a pipe or a device, and no file")


def _read_certificates(file: str, setting: str) -> list[x509.Certificate]:
    try:
        certificates = x509.load_pem_x509_certificates(_read(file, setting))
    except ValueError:
        certificates = []
    if not certificates:
        raise TlsConfigurationError(f"{setting}: the file holds no PEM certificate")
    return certificates


def _read_key(file: str) -> PrivateKeyTypes:
    content = _read(file, "tls_key_file")
    try:
        return serialization.load_pem_private_key(content, password=None)
    except TypeError:
        raise TlsConfigurationError("tls_key_file: the key has a passphrase; store it without one, mode 0600") from None
    except Exception:  # noqa: BLE001 -- cryptography raises several types, and each means the same here
        raise TlsConfigurationError("tls_key_file: the file holds no PEM private key that can be used") from None


def _public_bytes(key: object) -> bytes:
    return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)  # type: ignore[attr-defined, no-any-return]  # every kind of public key has it
