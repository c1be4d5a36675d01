"""The JSON envelope in which every logical answer travels (CONTRACT 2): all keys always present, in this order.

It is built here and nowhere else, so that what an unwrap gives back is byte for byte what the first answer would have been.
"""

from __future__ import annotations

from typing import Any

from strongroom.logical.instant import rfc3339
from strongroom.logical.request import Auth, Response, TokenType, WrapInfo


def envelope(response: Response, request_id: str) -> dict[str, Any]:
    """``response`` as the members of its JSON object. A wrapped answer carries no request id, as Vault's does not."""
    return {
        "request_id": "" if response.wrap_info else request_id,
        "lease_id": response.lease_id,
        "renewable": response.renewable,
        "lease_duration": response.lease_duration,
        "data": response.data,
        "wrap_info": _wrap_info(response.wrap_info) if response.wrap_info else None,
        "warnings": list(response.warnings) or None,
        "auth": _auth(response.auth) if response.auth else None,
    }


def _wrap_info(info: WrapInfo) -> dict[str, Any]:
    members = {
        "token": info.token.reveal(),
        "accessor": info.accessor,
        "ttl": info.ttl,
        "creation_time": rfc3339(info.creation_time_ns),
        "creation_path": info.creation_path,
    }
    if info.wrapped_accessor:
        members["wrapped_accessor"] = info.wrapped_accessor
    return members


def _auth(auth: Auth) -> dict[str, Any]:
    token_type = auth.token_type or TokenType.SERVICE
    policies = list(auth.policies)
    return {
        "client_token": auth.client_token.reveal() if auth.client_token else "",
        "accessor": auth.accessor,
        "policies": policies,
        "token_policies": policies,
        "metadata": dict(auth.metadata) or None,
        "lease_duration": auth.lease_duration,
        "renewable": auth.renewable,
        "entity_id": auth.entity_id,
        "token_type": token_type.value,
        "orphan": auth.orphan,
        "mfa_requirement": None,
        "num_uses": auth.num_uses,
    }
