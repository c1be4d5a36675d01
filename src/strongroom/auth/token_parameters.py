"""What a role or a user says about the tokens that its logins get. One declaration for all auth methods.

``TokenFields`` is how clients write it, ``TokenParameters`` how it is stored, read back and turned into an ``Auth``. Some methods
also have older names for a few fields; such a name is read back as long as it was the last one written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any

import msgspec

from strongroom.auth import networks
from strongroom.auth.policy_names import check_policy_names
from strongroom.logical.environment_name import check_environment_names
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.field import Doc, Duration
from strongroom.logical.request import Auth, TokenType

_TYPES = {"": "default", "default": "default", "service": "service", "batch": "batch"}
# Types that only make sense for a mount; for a role they mean the plain type.
_ADJUSTED = {"default-service": "service", "default-batch": "batch"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenFields:
    """The fields about tokens in a request that writes a role or a user. What is left out stays as it is."""

    token_ttl: Annotated[
        Duration | None,
        Doc("How long a token lives at first and after each renewal; 0: the mount's default.", public=True),
    ] = None
    token_max_ttl: Annotated[
        Duration | None, Doc("How long renewals can keep a token alive; 0: the mount's maximum.", public=True)
    ] = None
    token_policies: Annotated[list[str] | None, Doc("The policies of the tokens.", public=True)] = None
    token_bound_cidrs: Annotated[
        list[str] | None,
        Doc("The addresses and CIDR blocks from which the tokens can be used; none: from anywhere.", public=True),
    ] = None
    token_explicit_max_ttl: Annotated[
        Duration | None, Doc("A lifetime that nothing extends, not even a period; 0: none.", public=True)
    ] = None
    token_no_default_policy: Annotated[
        bool | None, Doc("Leave the policy 'default' out of the tokens.", public=True)
    ] = None
    token_num_uses: Annotated[int | None, Doc("How often a token can be used; 0: as often as wanted.", public=True)] = (
        None
    )
    token_period: Annotated[
        Duration | None,
        Doc("Makes periodic tokens, which live on as long as they are renewed within this time.", public=True),
    ] = None
    token_strictly_bind_ip: Annotated[
        bool | None, Doc("Bind each token to the address of the login that made it.", public=True)
    ] = None
    token_type: Annotated[
        str | None, Doc("'service', 'batch', or 'default' for what the mount is tuned to.", public=True)
    ] = None
    token_environments: Annotated[
        list[str] | None, Doc("The environments that the tokens are bound to; none: to no particular one.", public=True)
    ] = None


class TokenParameters(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is stored. Durations are seconds, and 0 means unset. ``older_names`` are those to be read back too."""

    ttl: int = 0
    max_ttl: int = 0
    policies: tuple[str, ...] = ()
    bound_cidrs: tuple[str, ...] = ()
    explicit_max_ttl: int = 0
    no_default_policy: bool = False
    num_uses: int = 0
    period: int = 0
    strictly_bind_ip: bool = False
    type: str = "default"
    older_names: tuple[str, ...] = ()
    environments: tuple[str, ...] = ()

    def updated(self, fields: TokenFields, older_names: Mapping[str, str], warnings: list[str]) -> TokenParameters:
        """These parameters with what ``fields`` says. ``older_names`` maps older names of fields to the names they stand for.

        Raises InvalidRequest where a value, or what comes of all of them together, makes no sense.
        """
        wanted = _wanted(fields, older_names)
        changes: dict[str, Any] = {}
        for name, value in wanted.items():
            changes[name.removeprefix("token_")] = _checked(name, value, warnings)
        written = {older: getattr(fields, older) is not None for older, name in older_names.items() if name in wanted}
        kept = tuple(
            sorted((set(self.older_names) - set(written)) | {older for older, is_used in written.items() if is_used})
        )
        updated = msgspec.structs.replace(self, **changes, older_names=kept)
        _check_together(updated)
        return updated

    def read_back(self, older_names: Mapping[str, str]) -> dict[str, Any]:
        """The fields as clients read them."""
        data: dict[str, Any] = {
            "token_bound_cidrs": list(networks.without_full_length(self.bound_cidrs)),
            "token_explicit_max_ttl": self.explicit_max_ttl,
            "token_max_ttl": self.max_ttl,
            "token_no_default_policy": self.no_default_policy,
            "token_num_uses": self.num_uses,
            "token_period": self.period,
            "token_policies": list(self.policies),
            "token_strictly_bind_ip": self.strictly_bind_ip,
            "token_ttl": self.ttl,
            "token_type": self.type,
        }
        if self.environments:
            data["token_environments"] = list(self.environments)
        data |= {older: data[older_names[older]] for older in self.older_names if data[older_names[older]]}
        return data

    def granted_policies(self) -> list[str]:
        """The policies that a login gets today, as stored with its token: what a renewal compares with."""
        return sorted({*self.policies, *(() if self.no_default_policy else ("default",))})

    def check_unchanged(self, environments: Sequence[str]) -> None:
        """Refuse to renew a token that was bound to other environments than a login would bind it to today. Raises InvalidRequest."""
        if list(self.environments) != list(environments):
            raise InvalidRequest("environments have changed, not renewing; log in again")

    def auth(self, remote_address: str) -> Auth:
        """The token for a login from ``remote_address``; who it is for is left to the caller to fill in."""
        return Auth(
            policies=self.policies,
            ttl=self.ttl,
            max_ttl=self.max_ttl,
            explicit_max_ttl=self.explicit_max_ttl,
            period=self.period,
            renewable=self.type != "batch",
            num_uses=self.num_uses,
            bound_cidrs=networks.only_block_of(remote_address) if self.strictly_bind_ip else self.bound_cidrs,
            no_default_policy=self.no_default_policy,
            token_type=None if self.type == "default" else TokenType(self.type),
            environments=self.environments,
        )

    def renewed(self, auth: Auth) -> Auth:
        """``auth`` with the durations that hold today."""
        return replace(auth, ttl=self.ttl, max_ttl=self.max_ttl, period=self.period)


def _wanted(fields: TokenFields, older_names: Mapping[str, str]) -> dict[str, Any]:
    """What was sent, by today's names. Where both names were sent, today's wins."""
    wanted = {name: getattr(fields, older) for older, name in older_names.items()}
    for name in _NAMES:
        value = getattr(fields, name)
        if value is not None:
            wanted[name] = value
    return {name: value for name, value in wanted.items() if value is not None}


_NAMES = tuple(TokenFields.__dataclass_fields__)


def _checked(name: str, value: Any, warnings: list[str]) -> Any:
    if name == "token_policies":
        return check_policy_names(value, name)
    if name == "token_bound_cidrs":
        return networks.check_blocks(value, name)
    if name == "token_environments":
        return check_environment_names(value)
    if name == "token_type":
        return _checked_type(value, warnings)
    if not isinstance(value, bool) and value < 0:
        raise InvalidRequest(f"{name!r} cannot be negative")
    return value


def _checked_type(value: str, warnings: list[str]) -> str:
    if value in _ADJUSTED:
        warnings.append(f"{value} has no useful meaning; adjusting to {_ADJUSTED[value]}")
        return _ADJUSTED[value]
    if value not in _TYPES:
        raise InvalidRequest("invalid 'token_type' value: it must be 'default', 'service' or 'batch'")
    return _TYPES[value]


def _check_together(parameters: TokenParameters) -> None:
    if parameters.max_ttl and parameters.ttl > parameters.max_ttl:
        raise InvalidRequest("'token_ttl' cannot be greater than 'token_max_ttl'")
    if parameters.strictly_bind_ip and parameters.bound_cidrs:
        raise InvalidRequest("'token_strictly_bind_ip' conflicts with 'token_bound_cidrs'; set only one")
    if parameters.type != "batch":
        return
    for value, kind in (
        (parameters.num_uses, "tokens with limited use count"),
        (parameters.period, "periodic tokens"),
        (parameters.explicit_max_ttl, "tokens with an explicit maximum lifetime"),
    ):
        if value:
            raise InvalidRequest(f"'token_type' cannot be 'batch' or 'default_batch' when set to generate {kind}")
