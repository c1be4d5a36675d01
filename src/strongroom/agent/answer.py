"""The server's answer with a secret: as templates see it, and how long it is good for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from strongroom.agent.methods import LIFETIME_SECONDS_MAX
from strongroom.agent.template.values import Record
from strongroom.client.errors import BadAnswer
from strongroom.logical.ambient import Clock
from strongroom.logical.instant import NANOSECONDS

_DEPTH_MAX = 50


class Lifetime(NamedTuple):
    """How long an answer is good for: 0 seconds where nothing says so. ``lease_id`` is "" where there is no lease.

    ``may_change`` tells that it may become another one before that.
    """

    lease_id: str = ""
    ttl_seconds: int = 0
    renewable: bool = False
    may_change: bool = False


def record_of(answer: Mapping[str, Any], *, as_certificate: bool) -> Record:
    """The answer with the names that templates know. Raises BadAnswer for a certificate that is none."""
    _check_depth(answer)
    if as_certificate:
        return _certificate(_mapping(answer.get("data")))
    return Record(
        RequestID=answer.get("request_id") or "",
        LeaseID=answer.get("lease_id") or "",
        LeaseDuration=answer.get("lease_duration") or 0,
        Renewable=bool(answer.get("renewable")),
        Data=answer.get("data"),
        Warnings=answer.get("warnings"),
        Auth=_auth(answer.get("auth")),
        WrapInfo=_wrap_info(answer.get("wrap_info")),
    )


def version_of(answer: Any) -> int:
    """The version of a secret, as templates see it; 0 where there are none."""
    return _whole(_mapping(_mapping(_mapping(answer).get("Data")).get("metadata")).get("version"))


def lifetime_of(answer: Mapping[str, Any], clock: Clock) -> Lifetime:
    """From its lease, the token in it, its certificate's end, or the rotation of a password."""
    lease_id, ttl = answer.get("lease_id"), _whole(answer.get("lease_duration"))
    if isinstance(lease_id, str) and lease_id and ttl:
        return Lifetime(lease_id, ttl, answer.get("renewable") is True)
    if ttl:
        # A store without versions repeats what somebody wrote into the secret, or the mount's default.
        return Lifetime(ttl_seconds=ttl, may_change=True)
    auth_ttl = _whole(_mapping(answer.get("auth")).get("lease_duration"))
    if auth_ttl:
        return Lifetime(ttl_seconds=auth_ttl)
    wrapped_ttl = _whole(_mapping(answer.get("wrap_info")).get("ttl"))
    if wrapped_ttl:
        return Lifetime(ttl_seconds=wrapped_ttl)
    data = _mapping(answer.get("data"))
    expiration = _whole(data.get("expiration"))
    if isinstance(data.get("certificate"), str) and expiration:
        return Lifetime(ttl_seconds=max(1, expiration - clock.now_ns() // NANOSECONDS))
    if "rotation_period" in data or "rotation_schedule" in data:
        return Lifetime(ttl_seconds=max(1, _whole(data.get("ttl"))))
    return Lifetime()


def _certificate(data: Mapping[str, Any]) -> Record:
    found = {"Cert": data.get("certificate"), "Key": data.get("private_key"), "CA": data.get("issuing_ca")}
    if not all(isinstance(value, str) for value in found.values()):
        raise BadAnswer("the server's answer is no certificate with its key")
    chain = data.get("ca_chain") or []
    # Older templates read the same through .Data.
    return Record(found, CAChain=chain, Data=Record(found, CAChain=chain))


def _auth(auth: Any) -> Record | None:
    if not isinstance(auth, Mapping):
        return None
    return Record(
        ClientToken=auth.get("client_token") or "",
        Accessor=auth.get("accessor") or "",
        Policies=auth.get("policies") or [],
        Metadata=auth.get("metadata") or {},
        LeaseDuration=auth.get("lease_duration") or 0,
        Renewable=bool(auth.get("renewable")),
    )


def _wrap_info(about: Any) -> Record | None:
    if not isinstance(about, Mapping):
        return None
    return Record(
        Token=about.get("token") or "",
        TTL=about.get("ttl") or 0,
        CreationTime=about.get("creation_time") or "",
        WrappedAccessor=about.get("wrapped_accessor") or "",
    )


def _check_depth(answer: Mapping[str, Any]) -> None:
    """Whether everything that looks at the answer gets to its end. Raises BadAnswer: somebody else has written it."""
    level: list[Any] = [answer]
    for _ in range(_DEPTH_MAX):
        level = [inner for value in level for inner in _members(value)]
        if not level:
            return
    raise BadAnswer(f"the secret is nested deeper than {_DEPTH_MAX} levels")


def _members(value: Any) -> Iterable[Any]:
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, list) else ()


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _whole(value: Any) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        return 0
    return min(value, LIFETIME_SECONDS_MAX)
