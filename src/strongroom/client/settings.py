"""Where the server is and how to reach it, from the environment: ``STRONGROOM_*`` before ``BAO_*`` before ``VAULT_*``.

Nothing is read at import; a caller passes the environment. An empty variable counts as unset. The records of this room are
named tuples, because a dataclass costs the start of every command five times as much.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from strongroom.client.errors import BadSettings
from strongroom.logical.secret import Secret

DEFAULT_ADDRESS = "https://127.0.0.1:8200"
DEFAULT_TIMEOUT_SECONDS = 60.0
DEFAULT_RETRIES = 2
PREFIXES = ("STRONGROOM_", "BAO_", "VAULT_")

_TRUE = frozenset({"1", "t", "true"})
_FALSE = frozenset({"0", "f", "false"})


class Tls(NamedTuple):
    """How the server proves who it is, and how we do. Paths are files; ``ca_path`` is a folder of hashed certificates."""

    ca_cert: str = ""
    ca_path: str = ""
    ca_cert_bytes: str = ""
    client_cert: str = ""
    client_key: str = ""
    server_name: str = ""
    skip_verify: bool = False


class Settings(NamedTuple):
    """Everything that a ``Client`` needs to know. ``timeout_seconds`` bounds one whole request with its answer."""

    address: str = DEFAULT_ADDRESS
    token: Secret[str] | None = None
    namespace: str = ""
    wrap_ttl: str = ""
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    max_retries: int = DEFAULT_RETRIES
    follow_redirects: bool = True
    headers: tuple[tuple[str, str], ...] = ()
    tls: Tls = Tls()


def variable(environ: Mapping[str, str], name: str) -> str:
    """The value of the first of ``STRONGROOM_name``, ``BAO_name`` and ``VAULT_name`` that is set, else ``""``."""
    for prefix in PREFIXES:
        value = environ.get(prefix + name, "")
        if value:
            return value
    return ""


def boolean(text: str, name: str) -> bool:
    """``text`` as a yes or no in Go's spellings; ``""`` is no. Raises BadSettings that names the variable."""
    if not text or text.lower() in _FALSE:
        return False
    if text.lower() in _TRUE:
        return True
    raise BadSettings(f"{name} must be true or false")


def from_environment(environ: Mapping[str, str]) -> Settings:
    """The settings that ``environ`` asks for, without a token (see ``token_helper``). Raises BadSettings."""
    return Settings(
        address=variable(environ, "ADDR") or DEFAULT_ADDRESS,
        namespace=variable(environ, "NAMESPACE"),
        wrap_ttl=variable(environ, "WRAP_TTL"),
        timeout_seconds=_timeout(variable(environ, "CLIENT_TIMEOUT")),
        max_retries=_retries(variable(environ, "MAX_RETRIES")),
        follow_redirects=not boolean(variable(environ, "DISABLE_REDIRECTS"), "DISABLE_REDIRECTS"),
        tls=Tls(
            ca_cert=variable(environ, "CACERT"),
            ca_path=variable(environ, "CAPATH"),
            ca_cert_bytes=variable(environ, "CACERT_BYTES"),
            client_cert=variable(environ, "CLIENT_CERT"),
            client_key=variable(environ, "CLIENT_KEY"),
            server_name=variable(environ, "TLS_SERVER_NAME"),
            skip_verify=boolean(variable(environ, "SKIP_VERIFY"), "SKIP_VERIFY"),
        ),
    )


def _timeout(text: str) -> float:
    if not text:
        return DEFAULT_TIMEOUT_SECONDS
    from strongroom.logical.instant import parse_duration

    try:
        seconds = parse_duration(text)
    except ValueError:
        seconds = 0
    if seconds <= 0:
        raise BadSettings("CLIENT_TIMEOUT must be a duration above zero, like 60 or 1m30s")
    return float(seconds)


def _retries(text: str) -> int:
    if not text:
        return DEFAULT_RETRIES
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise BadSettings("MAX_RETRIES must be a whole number from 0 to 999")
    return int(text)
