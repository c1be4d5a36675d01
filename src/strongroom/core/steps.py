"""The steps of the pipeline, each a small function with one question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from strongroom.audit.facts import Facts
from strongroom.audit.hasher import NOTHING_SHOWN
from strongroom.barrier.transaction import Transaction
from strongroom.core.fingerprints import FingerprintIndex
from strongroom.core.reuse import Guards
from strongroom.core.unit import Unit
from strongroom.describe.path_help import help_endpoint
from strongroom.environments.binding import narrowed
from strongroom.environments.environment import Environment
from strongroom.environments.reason import require_reason
from strongroom.logical.backend import Context, Declared, Mount, Shape
from strongroom.logical.errors import (
    AccessDenied,
    InvalidRequest,
    LogicalError,
    NoRoute,
    PermissionDenied,
    UnsupportedOperation,
    UnsupportedPath,
)
from strongroom.logical.operation import Capability, Operation
from strongroom.logical.request import Auth, Request, Response
from strongroom.logical.storage import Storage
from strongroom.mounts.table import EPOCH_KEY, LiveMount
from strongroom.policy.decision import Decision, Question
from strongroom.system.unsealed import ROOT_STORAGE_TYPES, Unsealed
from strongroom.tokens.addresses import is_address_allowed
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.issue import issue_for_login

_NO_MOUNT = Mount(path="", accessor="", uuid="", type="", options={}, default_lease_ttl=0, max_lease_ttl=0)

_CAPABILITY = {
    Operation.READ: Capability.READ,
    Operation.UPDATE: Capability.UPDATE,
    Operation.PATCH: Capability.PATCH,
    Operation.DELETE: Capability.DELETE,
    Operation.LIST: Capability.LIST,
    Operation.HELP: Capability.READ,
}


class Route(msgspec.Struct):
    """Where a request goes. ``miss`` is the error to give once the caller is authorised."""

    live: LiveMount | None = None
    declared: Declared | None = None
    captures: dict[str, str] | None = None
    miss: LogicalError | None = None

    @property
    def is_slow(self) -> bool:
        """Whether the endpoint must run on the pool."""
        return self.declared is not None and self.declared.endpoint.slow

    @property
    def is_unauthenticated(self) -> bool:
        """Whether the endpoint is declared to be answered without a token."""
        return self.declared is not None and self.declared.endpoint.unauthenticated

    @property
    def shape(self) -> Shape:
        """The shape of the answer's body."""
        return self.declared.endpoint.shape if self.declared else Shape.ENVELOPE


class Verdict(msgspec.Struct):
    """Whether the request may happen. ``denial`` is the error to give once that is written down.

    ``capability`` is what it needs, where that was asked; it tells a write that creates from one that changes.
    """

    decision: Decision | None = None
    denial: LogicalError | None = None
    capability: Capability | None = None


class Decoded(msgspec.Struct):
    """What was sent, as its declaration reads it, and the names that no field takes. ``refusal`` is why it cannot be read."""

    typed: Any = None
    unknown: Sequence[str] = ()
    refusal: Exception | None = None


def current_epoch(storage: Transaction) -> int:
    """The version of the record that every change of mounts and policies touches: what caches are good for."""
    version = storage.version(EPOCH_KEY)
    if version is None:
        raise LookupError("the epoch record is missing from the store")
    return version


def find_route(unsealed: Unsealed, storage: Storage, epoch: int, request: Request) -> Route:
    """The endpoint that ``request`` means, or why there is none."""
    mounts = unsealed.mounts.at(storage, epoch)
    known = mounts.endpoint(request.path, request.operation)
    if known is not None:
        return Route(*known)
    found = mounts.find(request.path)
    if found is None:
        return Route(miss=NoRoute(request.path))
    live, rest = found
    try:
        if request.operation is Operation.HELP:
            return Route(live, help_endpoint(live.router, live.entry.path, rest))
        declared, captures = live.router.find(rest, request.operation)
    except (UnsupportedPath, UnsupportedOperation) as miss:
        return Route(live=live, miss=miss)
    mounts.remember(request.path, request.operation, (live, declared, captures))
    return Route(live, declared, captures)


def canonical(request: Request, route: Route) -> Request:
    """The request with its names in their one spelling, from here on for everybody: ACL, audit and handler."""
    if route.declared is None or route.live is None or route.captures is None:
        return request
    folded = route.declared.path.fold(route.captures)
    if folded is None:
        return request
    route.captures = folded
    return replace(request, path=route.live.entry.path + route.declared.path.filled(folded))


def identify(unsealed: Unsealed, storage: Transaction, request: Request, route: Route) -> TokenEntry | None:
    """The token that the request shows, if it is good here and now. Unauthenticated endpoints do not look at it."""
    if request.token is None or route.is_unauthenticated:
        return None
    entry = unsealed.tokens.recognise(storage, request.token)
    if entry is None or not is_address_allowed(entry, request.connection.remote_address):
        return None
    return entry


def new_context(
    unsealed: Unsealed, unit: Unit, epoch: int, request: Request, route: Route, token: TokenEntry | None
) -> Context:
    """What the handler will be given. What it has to take back and which tokens it makes is the unit's to know."""
    storage = unit.transaction
    mount = route.live.mount if route.live else _NO_MOUNT
    warnings: list[str] = []
    guards = guards_for(unsealed, storage, epoch, token, warnings, is_batched=unit.is_batched)
    # By place, here and in the codec: for each request, and half of what it takes by name.
    context = Context(
        view_of(storage, route),
        mount,
        unsealed.tokens.caller_of(token) if token else None,
        request,
        unsealed.clock,
        unsealed.entropy,
        FingerprintIndex(unsealed.fingerprint_key, storage, mount.uuid, guards),
        warnings,
    )
    unit.take_back, unit.issued = context.take_back, context.issued
    return context


def guards_for(
    unsealed: Unsealed,
    storage: Transaction,
    epoch: int,
    token: TokenEntry | None,
    warnings: list[str],
    *,
    is_batched: bool = False,
) -> Guards | None:
    """What keeps values in one environment, or None where there are no two. ``warnings`` takes what the caller is told."""
    environments = unsealed.environments.at(storage, epoch)
    if not environments.are_apart:
        return None
    return Guards(unsealed, storage, environments, warnings, token, is_batched=is_batched)


def view_of(storage: Transaction, route: Route) -> Storage:
    """The part of the storage that the reached mount may see: its own, or all of it for the system's own plugs."""
    if route.live is None or route.live.entry.type in ROOT_STORAGE_TYPES:
        return storage
    return storage.view(route.live.storage_prefix)


def authorize(
    unsealed: Unsealed,
    storage: Storage,
    epoch: int,
    context: Context,
    route: Route,
    decoded: Decoded,
    token: TokenEntry | None,
) -> Verdict:
    """Whether the request may happen, by the endpoint's declaration and the token's policies."""
    if route.is_unauthenticated:
        return Verdict()
    request = context.request
    endpoint = route.declared.endpoint if route.declared else None
    if endpoint is not None and endpoint.open_to is not None and endpoint.open_to(request.connection):
        return Verdict()
    if token is None:
        return Verdict(denial=PermissionDenied())
    if token.environments and is_out_of_bounds(unsealed, storage, epoch, route, token):
        return Verdict(denial=AccessDenied())  # said like any other no: it must not tell what lies where
    acl = unsealed.acl_for(storage, token, epoch)
    if request.operation is Operation.HELP and route.live is not None:
        # A mount below which the token may do nothing is not explained either: it would show that it is there.
        may_see = acl.has_any_access(route.live.entry.path, now_ns=context.now_ns())
        return Verdict(denial=None if may_see else AccessDenied())
    if endpoint is not None and endpoint.any_access:
        return Verdict()
    capability = capability_for(context, route, decoded)
    decision = acl.decide(
        Question(
            path=request.path,
            capability=capability,
            body=request.body,
            wrap_ttl=request.wrap_ttl,
            needs_sudo=endpoint is not None and endpoint.sudo,
            now_ns=context.now_ns(),
        )
    )
    return Verdict(decision, None if decision.allowed else AccessDenied(), capability)


def is_out_of_bounds(unsealed: Unsealed, storage: Storage, epoch: int, route: Route, token: TokenEntry) -> bool:
    """Whether the token is bound to environments and the request goes elsewhere, whatever its policies say."""
    if route.live is None:
        return False
    endpoints = (route.declared.endpoint,) if route.declared else ()
    return unsealed.is_out_of_bounds(storage, token, route.live.entry, endpoints, epoch)


def environment_of(unsealed: Unsealed, storage: Storage, epoch: int, route: Route) -> Environment | None:
    """The environment that the reached mount belongs to."""
    return unsealed.environments.at(storage, epoch).of_mount(route.live.entry.uuid) if route.live else None


def check_reason(request: Request, route: Route, environment: Environment | None) -> None:
    """Refuse a change in a protected environment without a stated reason; a login is none. Raises InvalidRequest."""
    if environment is not None and not route.is_unauthenticated:
        require_reason(request, environment)


def capability_for(context: Context, route: Route, decoded: Decoded) -> Capability:
    """The capability that the operation needs; for a write the engine says whether it creates or updates."""
    declared = route.declared
    # What cannot be read will be refused for that once the caller is authorised.
    if declared is None or declared.endpoint.exists is None or decoded.refusal is not None:
        return _CAPABILITY[context.request.operation]
    try:
        exists = declared.endpoint.exists(context, decoded.typed)
    except LogicalError:
        return _CAPABILITY[context.request.operation]
    return Capability.UPDATE if exists else Capability.CREATE


def decode(request: Request, route: Route) -> Decoded:
    """The typed request. Why there is none stays a value until the caller is authorised and the request is written down."""
    if route.declared is None:
        return Decoded()
    try:
        typed, unknown = route.declared.request_type.decode(request.body, route.captures or {})
    except Exception as refusal:  # noqa: BLE001 -- it is raised again where it belongs: by readable
        return Decoded(refusal=refusal)
    return Decoded(typed, unknown)


def facts_for_audit(
    context: Context,
    route: Route,
    verdict: Verdict,
    decoded: Decoded,
    environment: Environment | None,
    audited_headers: Mapping[str, bool],
) -> Facts:
    """What both audit records of this request say about it.

    What its declaration cannot read is public in nothing: a value of another type may be anything, pasted into the wrong field
    (SECURITY row 80).
    """
    live = route.live
    declared = route.declared if decoded.refusal is None else None
    public = declared.request_type.public_fields if declared else NOTHING_SHOWN
    return Facts(
        request=context.request,
        caller=context.caller,
        mount=live.mount if live else None,
        environment=environment.name if environment else "",
        policies_allowed=verdict.denial is None,
        granting_policies=verdict.decision.reasons if verdict.decision else (),
        operation=Capability.CREATE.value if verdict.capability is Capability.CREATE else "",
        public_fields=public,
        non_hmac_request_keys=live.shown_request_keys if live else NOTHING_SHOWN,
        non_hmac_response_keys=live.shown_response_keys if live else NOTHING_SHOWN,
        audited_headers=audited_headers,
    )


def is_emergency(route: Route, verdict: Verdict) -> bool:
    """Whether the request is one that must work without an audit device, and may happen."""
    return verdict.denial is None and route.declared is not None and route.declared.endpoint.audit_exempt


def note_answer(unsealed: Unsealed, unit: Unit, response: Response | None) -> None:
    """Note which tokens the answer makes. One that tells anything but how it went never leaves without a record, emergency or not."""
    unit.issued.extend(issued_tokens(unsealed, response))
    if unit.is_emergency and response is not None and replace(response, warnings=(), status=None) != Response():
        unit.is_emergency = False


def admitted(route: Route, verdict: Verdict) -> Declared:
    """The endpoint, now that nothing speaks against it; raises what does."""
    if verdict.denial is not None:
        raise verdict.denial
    if route.declared is None:
        raise route.miss or UnsupportedPath
    return route.declared


def readable(decoded: Decoded, context: Context) -> Any:
    """The typed request; raises why there is none. Names that no field takes become a warning, as they may be misspelt."""
    if decoded.refusal is not None:
        raise decoded.refusal
    if decoded.unknown:
        context.warnings.append(f"Endpoint ignored these unrecognized parameters: [{' '.join(decoded.unknown)}]")
    return decoded.typed


def limited(response: Response | None, verdict: Verdict) -> Response | None:
    """A list cut to what the policy's pagination limit allows, whatever the request said (SECURITY row 11)."""
    limit = verdict.decision.pagination_limit if verdict.decision else None
    if limit is None or response is None or response.data is None or "keys" not in response.data:
        return response
    keys = response.data["keys"][:limit]
    data = {**response.data, "keys": keys}
    if "key_info" in data:
        data["key_info"] = {key: info for key, info in data["key_info"].items() if key in keys}
    return replace(response, data=data)


def issue_token(
    unsealed: Unsealed, storage: Storage, context: Context, route: Route, auth: Auth, environment: Environment | None
) -> None:
    """Make the token for a login that an auth method found good, bound to the method's environment and to what the method says."""
    if route.live is None or not context.mount.is_auth:
        raise InvalidRequest("only an auth method may log anybody in")
    auth.environments = narrowed(auth.environments, (environment.name,) if environment else ())
    context.warnings.extend(
        issue_for_login(
            unsealed.tokens,
            storage,
            unsealed.clock,
            context.mount,
            context.request.path,
            auth,
            mount_token_type=route.live.entry.config.token_type,
        )
    )


def origin_of(environment: Environment | None, token: TokenEntry | None) -> tuple[str, ...]:
    """From which environments an answer comes: the mount's, or else those that the caller is bound to."""
    if environment is not None:
        return (environment.name,)
    return token.environments if token is not None else ()


def with_warnings(response: Response | None, warnings: list[str]) -> Response | None:
    """The response with the warnings that arose on the way. A write with warnings is 200 and not 204."""
    if not warnings:
        return response
    if response is None:
        return Response(warnings=tuple(warnings))
    return replace(response, warnings=(*response.warnings, *warnings))


def issued_tokens(unsealed: Unsealed, response: Response | None) -> list[str]:
    """The ids of the tokens that this answer makes."""
    if response is None:
        return []
    issued = []
    if response.auth is not None and response.auth.is_new and response.auth.client_token:
        issued.append(unsealed.tokens.id_of(response.auth.client_token))
    if response.wrap_info is not None:
        issued.append(unsealed.tokens.id_of(response.wrap_info.token))
    return issued
