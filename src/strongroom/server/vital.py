"""What must work however busy the server is: to see how it does, to close and open it, and to take access away."""

from __future__ import annotations

_TARGETS = frozenset(
    {
        "/v1/sys/health",
        "/v1/sys/in-flight-req",
        "/v1/sys/leader",
        "/v1/sys/metrics",
        "/v1/sys/seal",
        "/v1/sys/seal-status",
        "/v1/sys/unseal",
    }
)
_STARTS = ("/v1/auth/token/revoke", "/v1/sys/leases/revoke", "/v1/sys/revoke")


def is_vital(target: str) -> bool:
    """Whether a request with this target, as it stands on the wire, is answered under overload too.

    Other spellings of the same path only lose a privilege: nothing is allowed by this that would not be otherwise.
    """
    return target.partition("?")[0] in _TARGETS or target.startswith(_STARTS)
