"""One consumer: a program that runs with secrets, and what it said about them last."""

from __future__ import annotations

import re

import msgspec

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.instant import NANOSECONDS

SECRETS_MAX = 256
"""Of one consumer."""
PER_IDENTITY_MAX = 64
"""Consumers of one identity."""
CONSUMERS_MAX = 10_000
"""In all."""
TTL_SECONDS_MIN = 60
TTL_SECONDS_MAX = 30 * 86_400
HOST_CHARACTERS_MAX = 255

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_KIND = re.compile(r"[a-z][a-z0-9-]{0,31}")


class Running(msgspec.Struct, frozen=True, omit_defaults=True):
    """A version of a secret that a consumer runs. ``path`` is that below the mount; ``version`` is 0 where there are none.

    ``since_ns`` is when the consumer reported it first; versions that it does not run any more are gone.
    """

    mount: str
    path: str
    version: int
    since_ns: int = 0


class Consumer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A consumer. Instants are nanoseconds since the epoch, ``ttl`` is seconds.

    ``identity`` is a keyed hash of who reports, and together with ``name`` says which consumer it is. ``accessor`` and
    ``display_name`` are those of the token of the last report.
    """

    name: str
    identity: str
    kind: str
    host: str = ""
    accessor: str = ""
    display_name: str = ""
    entity_id: str = ""
    ttl: int
    first_seen_ns: int
    last_seen_ns: int
    secrets: tuple[Running, ...] = ()

    @property
    def expire_time_ns(self) -> int:
        """When the report is over, unless it is renewed."""
        return self.last_seen_ns + self.ttl * NANOSECONDS


def check_name(name: str) -> str:
    """``name``, if it can be that of a consumer. Raises InvalidRequest."""
    if not _NAME.fullmatch(name):
        raise InvalidRequest(
            "a consumer's name has up to 128 letters, digits, '.', '_' and '-', a letter or digit first"
        )
    return name


def check_description(kind: str, host: str, ttl: int) -> None:
    """Refuse what a report cannot say of its consumer. Raises InvalidRequest."""
    if not _KIND.fullmatch(kind):
        raise InvalidRequest("'kind' is one small word, like agent, run or service")
    if len(host) > HOST_CHARACTERS_MAX or not (host.isprintable() or not host):
        raise InvalidRequest(f"'host' is printable text of at most {HOST_CHARACTERS_MAX} characters")
    if not TTL_SECONDS_MIN <= ttl <= TTL_SECONDS_MAX:
        raise InvalidRequest("'ttl' must be from one minute to 30 days")


def split_reference(text: str) -> tuple[str, int]:
    """The path and the version of ``PATH@VERSION``. Raises InvalidRequest, whose text does not repeat it."""
    path, at, digits = text.rpartition("@")
    if not at or not path or not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
        raise InvalidRequest(
            "each of 'secrets' is a path, '@' and a version, like secret/data/app@3; 0 where there are none"
        )
    return path, int(digits)
