"""The ``userpass`` auth method as a plug: its paths, and the administration of users."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec

from strongroom.auth.identifiers import new_uuid
from strongroom.auth.names import check_name, fold, is_canonical
from strongroom.auth.token_parameters import TokenFields
from strongroom.auth.userpass.lockout import Lockout, LockoutRule
from strongroom.auth.userpass.login import Login
from strongroom.auth.userpass.passwords import Argon2Passwords, Passwords, check_password
from strongroom.auth.userpass.user import OLDER_NAMES, USERS, User, find_user, store_user, users_bound_to
from strongroom.crypto.passwords import Mismatch
from strongroom.logical.backend import Context, Endpoint, Path, folding
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Response
from strongroom.logical.secret import Secret
from strongroom.logical.storage import Storage


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Part of the list of users."""

    after: Annotated[str, Doc("Only names after this one.", public=True)] = ""
    limit: Annotated[int, Doc("At most so many names; 0: all.", public=True)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRequest:
    """One user, by name."""

    username: Annotated[str, Doc("The user's name, in small letters.", public=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasswordRequest(UserRequest):
    """A new password."""

    password: Annotated[Secret[str] | None, Doc("The new password: 1 to 1024 characters.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesRequest(UserRequest):
    """New policies."""

    token_policies: Annotated[list[str] | None, Doc("The policies of the user's tokens.", public=True)] = None
    policies: Annotated[list[str] | None, Doc("An older name of token_policies.", public=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UserFields(TokenFields):
    """A user as clients write it. What is left out stays as it is."""

    username: Annotated[str, Doc("The user's name, in small letters.", public=True)]
    password: Annotated[Secret[str] | None, Doc("The password: 1 to 1024 characters; a new user needs one.")] = None
    policies: Annotated[list[str] | None, Doc("An older name of token_policies.", public=True)] = None
    ttl: Annotated[Duration | None, Doc("An older name of token_ttl.", public=True)] = None
    max_ttl: Annotated[Duration | None, Doc("An older name of token_max_ttl.", public=True)] = None
    bound_cidrs: Annotated[list[str] | None, Doc("An older name of token_bound_cidrs.", public=True)] = None


class UserPass:
    """Logins for people. Implements ``Backend`` and ``Renews``. One instance may answer for several mounts.

    Keep the instance as long as the server runs: it knows the logins that are under way (see ``lockout``).
    """

    help = (
        "Users log in with a name and a password. Passwords are kept as argon2id hashes. After some wrong passwords in a row "
        "nobody is let in as that user for a while; giving the user a new password ends that at once."
    )

    def __init__(self, passwords: Passwords | None = None, lockout: LockoutRule | None = None) -> None:
        self._passwords = passwords or Argon2Passwords()
        self._lockout = Lockout(lockout or LockoutRule())
        self._login = Login(self._passwords, self._lockout)

    def paths(self) -> tuple[Path, ...]:
        """The declarations: login first, then users."""
        login = Endpoint(Operation.UPDATE, self._login.log_in, "Log in.", unauthenticated=True, slow=True)
        return folding(
            "username",
            (
                Path("login/{username}", "Logs a user in.", (login,)),
                Path("users", "Lists the users.", (Endpoint(Operation.LIST, list_users, "List the users."),)),
                Path(
                    "users/{username}",
                    "A user: a password, and what the tokens are.",
                    (
                        Endpoint(Operation.READ, read_user, "Read a user, without the password."),
                        Endpoint(
                            Operation.UPDATE, self.write_user, "Create or change a user.", exists=user_exists, slow=True
                        ),
                        Endpoint(Operation.DELETE, self.delete_user, "Delete a user."),
                    ),
                ),
                Path(
                    "users/{username}/password",
                    "The password of a user.",
                    (
                        Endpoint(
                            Operation.UPDATE, self.write_password, "Set a new password and end a lockout.", slow=True
                        ),
                    ),
                ),
                Path(
                    "users/{username}/policies",
                    "The policies of a user's tokens.",
                    (Endpoint(Operation.UPDATE, write_policies, "Set the policies."),),
                ),
            ),
        )

    def role_of(self, storage: Storage, path: str, body: Mapping[str, Any]) -> str:
        """The user who logs in, whether there is one or not; see ``NamesRole``."""
        del storage, body
        return fold(path.removeprefix("login/")) or "" if path.startswith("login/") else ""

    def bound_to(self, storage: Storage, environment: str) -> list[str]:
        """The users who name ``environment``; see ``BindsEnvironments``."""
        return [f"users/{name}" for name in users_bound_to(storage, environment)]

    def renew(self, context: Context, auth: Auth) -> Auth:
        """``auth`` with the durations that hold today; see ``login``."""
        return self._login.renew(context, auth)

    def write_user(self, context: Context, request: UserFields) -> None:
        """Create a user, or change the fields that were sent."""
        name = check_name(request.username, "user")
        before = find_user(context.storage, name)
        if before is None and not request.password:
            raise InvalidRequest("missing password: a new user needs one")
        # Everything that can be refused is, before the slow part.
        token = (before or _NOBODY).token.updated(request, OLDER_NAMES, context.warnings)
        user = before if not request.password else self._with_password(context, before, request.password)
        if user is not None:
            store_user(context.storage, name, msgspec.structs.replace(user, token=token))

    def write_password(self, context: Context, request: PasswordRequest) -> None:
        """Replace the password of a user."""
        before = _existing(context, request.username)
        store_user(context.storage, request.username, self._with_password(context, before, request.password))

    def delete_user(self, context: Context, request: UserRequest) -> None:
        """Remove a user; nothing happens if there is none."""
        name = check_name(request.username, "user")
        context.storage.delete(USERS + name)
        self._lockout.forget_user(context, name)

    def _with_password(self, context: Context, before: User | None, password: Secret[str] | None) -> User:
        """The user with this password. One who has it already keeps the uid, and so tokens that can be renewed."""
        checked = check_password(password)
        if before is not None:
            try:
                self._passwords.check(before.password_hash, checked)
            except Mismatch:
                pass
            else:
                return before
        fresh = self._passwords.hash(checked, context.entropy)
        return msgspec.structs.replace(before or _NOBODY, uid=new_uuid(context.entropy), password_hash=fresh)


_NOBODY = User(uid="", password_hash="")


def list_users(context: Context, request: ListRequest) -> Response:
    """The names of the users."""
    names = context.storage.children(USERS, request.after, request.limit if request.limit > 0 else None)
    if not names:
        raise NotFound
    return Response(data={"keys": names})


def user_exists(context: Context, request: UserFields) -> bool:
    """Whether a write would change a user and not create one."""
    return is_canonical(request.username) and find_user(context.storage, request.username) is not None


def read_user(context: Context, request: UserRequest) -> Response:
    """A user as stored, but for the password."""
    user = find_user(context.storage, check_name(request.username, "user"))
    if user is None:
        raise NotFound
    return Response(data=dict(sorted(user.token.read_back(OLDER_NAMES).items())))


def write_policies(context: Context, request: PoliciesRequest) -> None:
    """Replace the policies of a user."""
    user = _existing(context, request.username)
    fields = UserFields(username=request.username, token_policies=request.token_policies, policies=request.policies)
    token = user.token.updated(fields, OLDER_NAMES, context.warnings)
    store_user(context.storage, request.username, msgspec.structs.replace(user, token=token))


def _existing(context: Context, name: str) -> User:
    user = find_user(context.storage, check_name(name, "user"))
    if user is None:
        raise NotFound("the user does not exist; create it first")
    return user
