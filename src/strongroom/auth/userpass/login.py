"""Logging in with a name and a password, and renewing what came of it.

Every failed login answers the same text after the same work and the same kind of commit, whether the user does not exist, is
locked, may not come from this address, or gave a wrong password (SECURITY INV-11).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated

import msgspec

from strongroom.auth import networks
from strongroom.auth.names import fold
from strongroom.auth.userpass.lockout import Attempt, Lockout
from strongroom.auth.userpass.passwords import Passwords, check_password
from strongroom.auth.userpass.user import User, find_user, store_user
from strongroom.crypto.passwords import Mismatch
from strongroom.logical.backend import Context
from strongroom.logical.errors import InvalidRequest, LoginFailed
from strongroom.logical.field import Doc
from strongroom.logical.request import Auth, Response
from strongroom.logical.secret import Secret

_WRONG = "invalid username or password"


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginRequest:
    """Who wants in."""

    username: Annotated[str, Doc("The user's name; capitals mean the same as small letters.", public=True)]
    password: Annotated[Secret[str] | None, Doc("The user's password.")] = None


class Login:
    """The login and its renewal, with the hash and the lockout that they need."""

    def __init__(self, passwords: Passwords, lockout: Lockout) -> None:
        self._passwords = passwords
        self._lockout = lockout

    def log_in(self, context: Context, request: LoginRequest) -> Response:
        """The token of the user. Raises LoginFailed."""
        password = check_password(request.password)
        name = fold(request.username)
        user = None if name is None else find_user(context.storage, name)
        address = context.request.connection.remote_address
        if name is None or user is None or not networks.allows(user.token.bound_cidrs, address):
            raise self._fail_uncounted(context, password)
        attempt = self._lockout.admit(context, name, user.uid)
        if attempt is Attempt.LOCKED:
            raise self._fail_uncounted(context, password)
        if attempt is Attempt.KNOWN_WRONG or not self._is_right(context, name, user, password):
            self._lockout.count_failure(context, name, user.uid)
            raise LoginFailed(_WRONG)
        self._lockout.forgive(context, name)
        if self._passwords.needs_rehash(user.password_hash):
            fresh = self._passwords.hash(password, context.entropy)
            store_user(context.storage, name, msgspec.structs.replace(user, password_hash=fresh))
        return Response(auth=_auth(context, name, user))

    def renew(self, context: Context, auth: Auth) -> Auth:
        """``auth`` with the durations that hold today. Raises InvalidRequest where the login would fail today, or grant less."""
        known = auth.internal
        name = str(known.get("username", ""))
        user = find_user(context.storage, name)
        if user is None:
            raise InvalidRequest("the user no longer exists, not renewing")
        if user.uid != known.get("uid"):
            raise InvalidRequest("the password has changed, not renewing; log in again")
        if user.token.granted_policies() != list(known.get("policies", ())):
            raise InvalidRequest("policies have changed, not renewing")
        user.token.check_unchanged(known.get("environments", ()))
        if not networks.allows(user.token.bound_cidrs, context.request.connection.remote_address):
            raise InvalidRequest("source address unauthorized by CIDR restrictions on the user, not renewing")
        if self._lockout.is_locked(context, name, user.uid):
            raise InvalidRequest("the user is locked after wrong passwords, not renewing; try again later")
        return user.token.renewed(auth)

    def _is_right(self, context: Context, name: str, user: User, password: Secret[str]) -> bool:
        try:
            self._passwords.check(user.password_hash, password)
        except Mismatch:
            return False
        except BaseException:
            # The place that was taken must not stay taken for ever; a failed check counts as a wrong password.
            self._lockout.count_failure(context, name, user.uid)
            raise
        return True

    def _fail_uncounted(self, context: Context, password: Secret[str]) -> LoginFailed:
        try:
            self._passwords.check(None, password)
        except Mismatch:
            self._lockout.count_for_nobody(context)
        return LoginFailed(_WRONG)


def _auth(context: Context, name: str, user: User) -> Auth:
    return replace(
        user.token.auth(context.request.connection.remote_address),
        display_name=name,
        alias=name,
        metadata={"username": name},
        internal={
            "username": name,
            "uid": user.uid,
            "policies": user.token.granted_policies(),
            "environments": list(user.token.environments),
        },
    )
