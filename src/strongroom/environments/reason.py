"""Why somebody changes something in a protected environment: said in a header, kept by the audit record."""

from __future__ import annotations

from strongroom.environments.environment import Environment
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request

_CHANGES = frozenset({Operation.UPDATE, Operation.PATCH, Operation.DELETE})


def require_reason(request: Request, environment: Environment | None) -> None:
    """Refuse a change in a protected environment that says no reason. Raises InvalidRequest."""
    if environment is None or not environment.protected or request.reason or request.operation not in _CHANGES:
        return
    raise InvalidRequest(
        "this belongs to a protected environment: say why you change it, in the header X-Strongroom-Reason "
        "(-reason=... on the command line)"
    )
