"""Whether a vault and the model say the same: everything that a client with the root token can see of what it was given to keep."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from tests.kit import Vault
from tests.machine.model import NEVER, Model, Mount, Secret, Token, policy_text

BUILT_IN = {"cubbyhole/", "identity/", "sys/", "token/", "approle/"}


def differences(vault: Vault, model: Model) -> list[str]:
    """What the vault says otherwise than the model, in words."""
    return [*_of_mounts(vault, model), *_of_policies(vault, model), *_of_tokens(vault, model), *_of_users(vault, model)]


def _of_mounts(vault: Vault, model: Model) -> Iterator[str]:
    listed = vault.get("sys/mounts").data
    found = {
        path.strip("/"): (one["description"], one["options"]) for path, one in listed.items() if path not in BUILT_IN
    }
    expected = {
        path: (mount.description, {"version": "2"} if mount.is_versioned else None)
        for path, mount in model.mounts.items()
    }
    if found != expected:
        yield f"mounts: {found} instead of {expected}"
        return
    for path, mount in model.mounts.items():
        yield from _of_versioned(vault, path, mount) if mount.is_versioned else _of_plain(vault, path, mount)


def _of_plain(vault: Vault, path: str, mount: Mount) -> Iterator[str]:
    if (names := _names(vault, path)) != sorted(mount.plain):
        yield f"{path}: {names} instead of {sorted(mount.plain)}"
    for name, body in mount.plain.items():
        result = vault.get(f"{path}/{name}")
        if result.status != 200 or result.data != body:
            yield f"{path}/{name}: {result} instead of {body}"


def _of_versioned(vault: Vault, path: str, mount: Mount) -> Iterator[str]:
    if (names := _names(vault, f"{path}/metadata")) != sorted(mount.secrets):
        yield f"{path}: {names} instead of {sorted(mount.secrets)}"
        return
    for name, secret in mount.secrets.items():
        yield from _of_secret(vault, path, name, secret)


def _of_secret(vault: Vault, path: str, name: str, secret: Secret) -> Iterator[str]:
    looked_up = vault.get(f"{path}/metadata/{name}")
    if looked_up.status != 200:
        yield f"{path}/{name}: {looked_up}"
        return
    found = looked_up.data
    expected = {
        str(number): (version.is_deleted, version.is_destroyed)
        for number, version in enumerate(secret.versions, 1)
        if version is not None
    }
    shown = {number: (one["deletion_time"] != "", one["destroyed"]) for number, one in found["versions"].items()}
    if (found["current_version"], shown) != (secret.current, expected):
        yield f"{path}/{name}: version {found['current_version']}, {shown} instead of {secret.current}, {expected}"
    # The newest ones: they are what most rules change.
    for number in range(max(1, secret.current - 2), secret.current + 1):
        result = vault.get(f"{path}/data/{name}?version={number}")
        body = secret.readable(number)
        found_body = ((result.body or {}).get("data") or {}).get("data")
        if (result.status, found_body) != (404 if body is None else 200, body):
            yield f"{path}/{name} version {number}: {result} instead of {body}"


def _names(vault: Vault, path: str) -> list[str]:
    listed = vault.list(path)
    return list(listed.data["keys"]) if listed.status == 200 else []


def _of_policies(vault: Vault, model: Model) -> Iterator[str]:
    found = set(vault.list("sys/policies/acl").data["keys"]) - {"default", "root"}
    if found != set(model.policies):
        yield f"policies: {found} instead of {set(model.policies)}"
        return
    for name, rules in model.policies.items():
        text = vault.get(f"sys/policies/acl/{name}").data["policy"]
        if text != policy_text(rules):
            yield f"policy {name}: {text} instead of {policy_text(rules)}"


def _of_tokens(vault: Vault, model: Model) -> Iterator[str]:
    now = vault.clock.now_ns()
    for text, token in model.tokens.items():
        result = vault.post("auth/token/lookup", {"token": text})
        if not model.is_alive(text, now):
            if result.status == 200:
                yield f"a dead token is good: {token}"
        elif result.status != 200:
            yield f"a token that should be good is not: {token}"
        else:
            yield from _of_token(result.data, token)
    for text, wrapped in model.wrapped.items():
        is_there = vault.post("sys/wrapping/lookup", {"token": text}).status == 200
        if is_there != (now < wrapped.expiry_ns):
            yield f"a wrapping token is {'there' if is_there else 'gone'}: {wrapped}"


def _of_token(data: dict[str, Any], token: Token) -> Iterator[str]:
    if set(data["policies"]) - {"default"} != token.policies:
        yield f"policies {data['policies']}: {token}"
    if data["num_uses"] != (token.uses or 0):
        yield f"{data['num_uses']} uses left: {token}"
    if (expiry := expiry_of(data)) != token.expiry_ns and token.expiry_ns is not None:
        yield f"expires {expiry}: {token}"


def expiry_of(data: dict[str, Any]) -> int:
    """When the token of a lookup expires, in nanoseconds; whole seconds are exact, as the clock of these tests is."""
    if data["expire_time"] is None:
        return NEVER
    return int(datetime.fromisoformat(data["expire_time"][:19] + "+00:00").timestamp()) * 10**9


def _of_users(vault: Vault, model: Model) -> Iterator[str]:
    has_userpass = "userpass/" in vault.get("sys/auth").data
    if has_userpass != model.has_userpass:
        yield f"userpass is {'there' if has_userpass else 'gone'}"
        return
    found = _names(vault, "auth/userpass/users") if has_userpass else []
    if found != sorted(model.users):
        yield f"users: {found} instead of {sorted(model.users)}"
        return
    for name, user in model.users.items():
        policies = set(vault.get(f"auth/userpass/users/{name}").data["token_policies"])
        if policies != user.policies:
            yield f"user {name}: {policies} instead of {set(user.policies)}"
