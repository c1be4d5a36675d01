"""The paths of secret IDs: handing out, looking up by value or accessor, taking back, tidying."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

from strongroom.auth import networks
from strongroom.auth.approle import secret_id as secret_ids
from strongroom.auth.approle.metadata import parse_metadata
from strongroom.auth.approle.role import Role, RoleRequest, check_id, get_role
from strongroom.auth.approle.role_paths import ListRequest
from strongroom.auth.approle.secret_id import SecretId, Terms
from strongroom.auth.approle.tidy import tidy
from strongroom.auth.identifiers import new_uuid
from strongroom.auth.names import check_name
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc, Duration
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response
from strongroom.logical.secret import Secret

# What Go's zero time reads as: clients parse every time that they are given.
_NEVER = "0001-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsRequest(RoleRequest):
    """What a new secret ID shall be good for."""

    metadata: Annotated[
        Any, Doc("Texts by name that the tokens carry: a JSON object of strings, or the text of one.")
    ] = None
    cidr_list: Annotated[
        list[str] | None, Doc("From where this secret ID can be used: part of what the role allows.", public=True)
    ] = None
    token_bound_cidrs: Annotated[
        list[str] | None, Doc("From where its tokens can be used: part of what the role allows.", public=True)
    ] = None
    num_uses: Annotated[
        int | None, Doc("How many logins it is good for; not more than the role's limit.", public=True)
    ] = None
    ttl: Annotated[Duration | None, Doc("How long it is good for; not more than the role's limit.", public=True)] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomTermsRequest(TermsRequest):
    """A secret ID of the client's own choice."""

    secret_id: Annotated[Secret[str] | None, Doc("The secret ID.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretIdRequest(RoleRequest):
    """One secret ID, by its value."""

    secret_id: Annotated[Secret[str] | None, Doc("The secret ID.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessorRequest(RoleRequest):
    """One secret ID, by its accessor."""

    secret_id_accessor: Annotated[str, Doc("The accessor that came with the secret ID.")] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListAccessorsRequest(ListRequest):
    """Part of the list of a role's accessors."""

    role_name: Annotated[str, Doc("The role's name.", public=True)]


def paths() -> tuple[Path, ...]:
    """The declarations."""
    by_value = "A secret ID, by its value."
    by_accessor = "A secret ID, by the accessor that was handed out with it."
    destroy = "Take a secret ID back: no login with it, and no renewal of its tokens."
    return (
        Path(
            "role/{role_name}/secret-id",
            "Hands out secret IDs for a role.",
            (
                Endpoint(Operation.UPDATE, generate, "Hand out a new secret ID."),
                Endpoint(Operation.LIST, list_accessors, "List the accessors of the role's secret IDs."),
            ),
        ),
        Path(
            "role/{role_name}/custom-secret-id",
            "Registers a secret ID of your own choice for a role. Choose one that cannot be guessed.",
            (Endpoint(Operation.UPDATE, register_custom, "Register a secret ID."),),
        ),
        Path(
            "role/{role_name}/secret-id/lookup",
            by_value,
            (Endpoint(Operation.UPDATE, look_up, "Read what a secret ID is good for."),),
        ),
        Path(
            "role/{role_name}/secret-id/destroy",
            by_value,
            (
                Endpoint(Operation.UPDATE, destroy_by_value, destroy, audit_exempt=True),
                Endpoint(Operation.DELETE, destroy_by_value, destroy, audit_exempt=True),
            ),
        ),
        Path(
            "role/{role_name}/secret-id-accessor/lookup",
            by_accessor,
            (Endpoint(Operation.UPDATE, look_up_accessor, "Read what a secret ID is good for."),),
        ),
        Path(
            "role/{role_name}/secret-id-accessor/destroy",
            by_accessor,
            (
                Endpoint(Operation.UPDATE, destroy_by_accessor, destroy, audit_exempt=True),
                Endpoint(Operation.DELETE, destroy_by_accessor, destroy, audit_exempt=True),
            ),
        ),
        Path(
            "tidy/secret-id",
            "Removes what is left of secret IDs whose time is over. They are refused at logins with or without it.",
            # It looks at all of them, so not in the loop.
            (Endpoint(Operation.UPDATE, tidy, "Remove expired secret IDs.", slow=True),),
        ),
    )


def generate(context: Context, request: TermsRequest) -> Response:
    """A new random secret ID. This answer is the only place where its value ever stands."""
    return _hand_out(context, request, None)


def register_custom(context: Context, request: CustomTermsRequest) -> Response:
    """Register the secret ID that was sent."""
    return _hand_out(context, request, _sent(request.secret_id))


def list_accessors(context: Context, request: ListAccessorsRequest) -> Response:
    """The accessors of the role's secret IDs."""
    found = secret_ids.accessors(
        context.storage, _role(context, request.role_name), request.after, request.limit if request.limit > 0 else None
    )
    if not found:
        raise NotFound
    return Response(data={"keys": found})


def look_up(context: Context, request: SecretIdRequest) -> Response | None:
    """What a secret ID is good for; nothing where it is good for nothing."""
    value = _sent(request.secret_id)
    role = _role(context, request.role_name)
    entry = secret_ids.find(context, role, secret_ids.mark_of(context.storage, role, value))
    return None if entry is None else Response(data=_read_back(entry))


def look_up_accessor(context: Context, request: AccessorRequest) -> Response:
    """What the secret ID with this accessor is good for. Raises NotFound."""
    role = _role(context, request.role_name)
    entry = secret_ids.find(context, role, _mark_by_accessor(context, role, request))
    if entry is None:
        raise NotFound(_NO_ACCESSOR)
    return Response(data=_read_back(entry))


def destroy_by_value(context: Context, request: SecretIdRequest) -> None:
    """Take a secret ID back; nothing happens if it is not known."""
    value = _sent(request.secret_id)
    role = _role(context, request.role_name)
    mark = secret_ids.mark_of(context.storage, role, value)
    if mark is not None:
        secret_ids.destroy(context, role, mark)


def destroy_by_accessor(context: Context, request: AccessorRequest) -> None:
    """Take the secret ID with this accessor back. Raises NotFound, also where it belongs to another role (row 73)."""
    role = _role(context, request.role_name)
    secret_ids.destroy(context, role, _mark_by_accessor(context, role, request))


_NO_ACCESSOR = "failed to find accessor entry for the secret_id_accessor; list the role's accessors"


def _role(context: Context, name: str) -> Role:
    return get_role(context.storage, check_name(name, "role"))


def _sent(secret_id: Secret[str] | None) -> str:
    return check_id("" if secret_id is None else secret_id.reveal(), "secret_id")


def _mark_by_accessor(context: Context, role: Role, request: AccessorRequest) -> str:
    if not request.secret_id_accessor:
        raise InvalidRequest("missing secret_id_accessor")
    mark = secret_ids.find_mark_by_accessor(context.storage, role, request.secret_id_accessor)
    if mark is None:
        raise NotFound(_NO_ACCESSOR)
    return mark


def _hand_out(context: Context, request: TermsRequest, chosen: str | None) -> Response:
    role = _role(context, request.role_name)
    if not role.bind_secret_id:
        raise InvalidRequest("bind_secret_id is not set on the role, so its logins need no secret ID")
    value = chosen if chosen is not None else new_uuid(context.entropy)
    entry = secret_ids.register(context, role, value, _terms(role, request))
    return Response(
        data={
            "secret_id": value,
            "secret_id_accessor": entry.accessor,
            "secret_id_num_uses": entry.num_uses,
            "secret_id_ttl": entry.ttl,
        }
    )


def _terms(role: Role, request: TermsRequest) -> Terms:
    return Terms(
        ttl=_limited("ttl", request.ttl, role.secret_id_ttl, "longer than the role's secret_id_ttl"),
        num_uses=_limited(
            "num_uses", request.num_uses, role.secret_id_num_uses, "higher than the role's secret_id_num_uses"
        ),
        metadata=parse_metadata(request.metadata),
        cidr_list=_narrowed("cidr_list", request.cidr_list, role.secret_id_bound_cidrs),
        token_bound_cidrs=_narrowed("token_bound_cidrs", request.token_bound_cidrs, role.token.bound_cidrs),
    )


def _limited(name: str, wanted: int | None, limit: int, excess: str) -> int:
    """What was asked for, or else the role's limit. 0 means unlimited on both sides."""
    if wanted is None:
        return limit
    if wanted < 0:
        raise InvalidRequest(f"{name} cannot be negative")
    if limit and (wanted == 0 or wanted > limit):
        raise InvalidRequest(f"{name} cannot be {excess}")
    return wanted


def _narrowed(name: str, wanted: list[str] | None, allowed: tuple[str, ...]) -> tuple[str, ...]:
    blocks = networks.check_blocks(wanted or (), name)
    if not networks.are_within(blocks, allowed):
        raise InvalidRequest(f"field {name!r} must lie within the CIDR blocks that the role allows")
    return blocks


def _read_back(entry: SecretId) -> dict[str, Any]:
    return {
        "cidr_list": list(entry.cidr_list),
        "creation_time": rfc3339(entry.creation_ns),
        "expiration_time": rfc3339(entry.expiration_ns) if entry.expiration_ns else _NEVER,
        "last_updated_time": rfc3339(entry.updated_ns),
        "metadata": entry.metadata,
        "secret_id_accessor": entry.accessor,
        "secret_id_num_uses": entry.num_uses,
        "secret_id_ttl": entry.ttl,
        "token_bound_cidrs": list(entry.token_bound_cidrs),
    }
