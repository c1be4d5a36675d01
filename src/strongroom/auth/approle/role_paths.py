"""The paths of roles: the whole role, its role ID, and each of its fields by itself.

The paths of single fields are one table. Each reads, writes and clears fields that the whole role has too, by the same code.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, make_dataclass
from typing import Annotated, Any, get_type_hints

from strongroom.auth.approle import secret_id
from strongroom.auth.approle.role import (
    ROLES,
    Role,
    RoleFields,
    RoleRequest,
    check_id,
    find_role,
    get_role,
    new_role,
    read_back,
    remove_role,
    store_role,
    updated,
)
from strongroom.auth.names import check_name, is_canonical
from strongroom.logical.backend import Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, NotFound
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class ListRequest:
    """Part of a list."""

    after: Annotated[str, Doc("Only names after this one.", public=True)] = ""
    limit: Annotated[int, Doc("At most so many names; 0: all.", public=True)] = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleIdRequest(RoleRequest):
    """A role ID of the client's choice."""

    role_id: Annotated[str, Doc("The new role ID.")] = ""


def paths() -> tuple[Path, ...]:
    """The declarations, the whole role first."""
    return (
        Path("role", "Lists the roles.", (Endpoint(Operation.LIST, list_roles, "List the roles."),)),
        Path(
            "role/{role_name}",
            "A role: which machines may log in through it, and what their tokens are.",
            (
                Endpoint(Operation.READ, read_role, "Read a role."),
                Endpoint(Operation.UPDATE, write_role, "Create or change a role.", exists=role_exists),
                Endpoint(Operation.DELETE, delete_role, "Delete a role and all its secret IDs."),
            ),
        ),
        Path(
            "role/{role_name}/role-id",
            "The ID by which a machine names its role at a login.",
            (
                Endpoint(Operation.READ, read_role_id, "Read the role ID."),
                Endpoint(Operation.UPDATE, write_role_id, "Give the role an ID of your own choice."),
            ),
        ),
        *(_path_of(single) for single in _SINGLE_FIELDS),
    )


def list_roles(context: Context, request: ListRequest) -> Response:
    """The names of the roles."""
    names = context.storage.children(ROLES, request.after, request.limit if request.limit > 0 else None)
    if not names:
        raise NotFound
    return Response(data={"keys": names})


def role_exists(context: Context, request: RoleFields) -> bool:
    """Whether a write would change a role and not create one."""
    return is_canonical(request.role_name) and find_role(context.storage, request.role_name) is not None


def read_role(context: Context, request: RoleRequest) -> Response:
    """All fields of a role."""
    return Response(data=read_back(_existing(context, request)))


def write_role(context: Context, request: RoleFields) -> None:
    """Create a role, or change the fields that were sent."""
    name = check_name(request.role_name, "role")
    before = find_role(context.storage, name)
    role = updated(before or new_role(context), request, context.warnings, is_new=before is None)
    store_role(context, name, role, before)


def delete_role(context: Context, request: RoleRequest) -> None:
    """Remove a role and everything that belongs to it; nothing happens if it is not there."""
    name = check_name(request.role_name, "role")
    role = find_role(context.storage, name)
    if role is not None:
        secret_id.destroy_all(context.storage, role)
        remove_role(context.storage, name, role)


def read_role_id(context: Context, request: RoleRequest) -> Response:
    """The role ID."""
    return Response(data={"role_id": _existing(context, request).role_id})


def write_role_id(context: Context, request: RoleIdRequest) -> None:
    """Replace the role ID."""
    check_id(request.role_id, "role_id")
    _write_fields(context, RoleFields(role_name=request.role_name, role_id=request.role_id))


def _existing(context: Context, request: RoleRequest) -> Role:
    role = find_role(context.storage, check_name(request.role_name, "role"))
    if role is None:
        raise NotFound
    return role


def _write_fields(context: Context, changes: RoleFields) -> None:
    name = check_name(changes.role_name, "role")
    before = get_role(context.storage, name)
    store_role(context, name, updated(before, changes, context.warnings, is_new=False), before)


@dataclass(frozen=True, slots=True)
class _SingleField:
    """A path that shows one field of a role. ``names`` are the field's name of today and its older one, if it has one."""

    segment: str
    names: tuple[str, ...]
    cleared: Mapping[str, Any]
    summary: str
    may_be_missing: bool = False
    """An empty write clears the field instead of being refused."""
    warnings: tuple[str, ...] = ()


_BLOCKS_HELP = "the addresses and CIDR blocks from which"
_SINGLE_FIELDS = (
    _SingleField(
        "policies", ("token_policies", "policies"), {"token_policies": []}, "the policies of the role's tokens"
    ),
    _SingleField(
        "bound-cidr-list",
        ("bound_cidr_list",),
        {"bound_cidr_list": []},
        f"{_BLOCKS_HELP} a login may come, by an older name",
        may_be_missing=True,
        warnings=(
            'The "bound_cidr_list" field is deprecated and will be removed. Please use "secret_id_bound_cidrs" instead.',
        ),
    ),
    _SingleField(
        "secret-id-bound-cidrs",
        ("secret_id_bound_cidrs",),
        {"secret_id_bound_cidrs": []},
        f"{_BLOCKS_HELP} a login may come",
        may_be_missing=True,
    ),
    _SingleField(
        "token-bound-cidrs",
        ("token_bound_cidrs",),
        {"token_bound_cidrs": []},
        f"{_BLOCKS_HELP} the role's tokens can be used",
        may_be_missing=True,
    ),
    _SingleField(
        "bind-secret-id", ("bind_secret_id",), {"bind_secret_id": True}, "whether a login must show a secret ID"
    ),
    _SingleField(
        "secret-id-num-uses",
        ("secret_id_num_uses",),
        {"secret_id_num_uses": 0},
        "how many logins a secret ID is good for",
    ),
    _SingleField("secret-id-ttl", ("secret_id_ttl",), {"secret_id_ttl": 0}, "how long a secret ID is good for logins"),
    _SingleField("period", ("token_period", "period"), {"token_period": 0}, "the period of the role's tokens"),
    _SingleField(
        "token-num-uses", ("token_num_uses",), {"token_num_uses": 0}, "how often one of the role's tokens can be used"
    ),
    _SingleField("token-ttl", ("token_ttl",), {"token_ttl": 0}, "how long the role's tokens live between renewals"),
    _SingleField("token-max-ttl", ("token_max_ttl",), {"token_max_ttl": 0}, "how long renewals can keep a token alive"),
    _SingleField(
        "local-secret-ids", ("local_secret_ids",), {}, "whether secret IDs stay in this cluster; set at creation"
    ),
)


def _path_of(single: _SingleField) -> Path:
    endpoints = [Endpoint(Operation.READ, _reader(single), f"Read {single.summary}.")]
    if single.cleared:
        endpoints += [
            Endpoint(Operation.UPDATE, _writer(single), f"Set {single.summary}."),
            Endpoint(Operation.DELETE, _clearer(single), f"Reset {single.summary}."),
        ]
    return Path(
        f"role/{{role_name}}/{single.segment}",
        f"One field of a role: {single.summary}.",
        tuple(endpoints),
    )


def _reader(single: _SingleField) -> Any:
    def read(context: Context, request: RoleRequest) -> Response:
        data = read_back(_existing(context, request))
        data["bound_cidr_list"] = data["secret_id_bound_cidrs"]
        # Alone, an empty list of blocks reads as null; in the whole role it reads as a list.
        data["token_bound_cidrs"] = data["token_bound_cidrs"] or None
        shown = {name: data[name] for name in sorted(single.names) if name in data}
        return Response(data=shown, warnings=single.warnings)

    return read


def _writer(single: _SingleField) -> Any:
    def write(context: Context, request: Any) -> None:
        sent = {name: getattr(request, name) for name in single.names}
        if all(value is None for value in sent.values()):
            if not single.may_be_missing:
                raise InvalidRequest(f"missing {single.names[0]}")
            sent = dict(single.cleared)
        _write_fields(context, RoleFields(role_name=request.role_name, **sent))

    # The declaration layer decodes what the handler's annotation says.
    write.__annotations__["request"] = _request_type(single)
    return write


def _clearer(single: _SingleField) -> Any:
    def clear(context: Context, request: RoleRequest) -> None:
        if find_role(context.storage, check_name(request.role_name, "role")) is not None:
            _write_fields(context, RoleFields(role_name=request.role_name, **single.cleared))

    return clear


def _request_type(single: _SingleField) -> type:
    """The request that holds only these fields of the whole role, declared there."""
    hints = get_type_hints(RoleFields, include_extras=True)
    wanted = {"role_name", *single.names}
    picked = [item.name for item in fields(RoleFields) if item.name in wanted]
    name = "".join(word.capitalize() for word in single.segment.split("-")) + "Request"
    return make_dataclass(
        name,
        [(item, hints[item]) if item == "role_name" else (item, hints[item], field(default=None)) for item in picked],
        frozen=True,
        slots=True,
        kw_only=True,
    )
