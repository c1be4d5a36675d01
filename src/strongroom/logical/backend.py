"""What a plug declares: one ``Path`` per path, one ``Endpoint`` per operation on it.

Routing, decoding, 404 and 405, the capability that is needed, what audit may show, OpenAPI, path help and the reference pages
are all derived from these declarations; nothing about a path is said a second time anywhere else.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, Protocol, get_type_hints, runtime_checkable

from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import UnsupportedOperation, UnsupportedPath
from strongroom.logical.field import RequestType, read_request_type
from strongroom.logical.operation import Operation
from strongroom.logical.path import Specificity, TemplateTree, parse_template
from strongroom.logical.request import Auth, Connection, Request, Response
from strongroom.logical.storage import Storage


class Shape(Enum):
    """How an answer's data stands in the body."""

    ENVELOPE = "envelope"
    """In ``data`` of the usual envelope."""
    ENVELOPE_AND_TOP_LEVEL = "envelope and top level"
    """In ``data``, and its members once more at the top level, where older clients look."""
    BARE = "bare"
    """As the whole body, without an envelope."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as handlers may know it: never the token itself. ``token_id`` is the token's keyed hash."""

    token_id: str
    accessor: str
    display_name: str
    policies: tuple[str, ...]
    token_policies: tuple[str, ...] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    entity_id: str = ""
    is_root: bool = False
    is_batch: bool = False
    environments: tuple[str, ...] = ()
    """To which environments the token is bound; none: to no environment in particular."""


@dataclass(frozen=True, slots=True)
class Mount:
    """The mount that a request reached, as its engine may know it. TTLs are seconds and already resolved."""

    path: str
    accessor: str
    uuid: str
    type: str
    options: Mapping[str, str]
    default_lease_ttl: int
    max_lease_ttl: int
    is_auth: bool = False


class Fingerprints(Protocol):
    """Records which secret values exist, by keyed fingerprint, so that a leaked value can be recognised (DESIGN 1).

    ``values`` maps the names of keys to values as they came (text, or any JSON value).
    """

    def record(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        """Remember the values of one version of the secret at ``path`` of this mount. They stay known when the version goes.

        To be called by whoever stores a secret, whatever it came from: raises InvalidRequest where it may not be stored here.
        """
        ...

    def judge(self, values: Mapping[str, Any]) -> None:
        """Refuse values that may not be stored in this mount, as :meth:`record` does, without remembering them. Raises InvalidRequest."""
        ...

    def forget(self, path: str, values: Mapping[str, Any]) -> None:
        """Forget them: the secret was removed, or has no history to speak of."""
        ...

    def of_mount(self, uuid: str, *, is_known: bool = False) -> Fingerprints:
        """The same for another mount: for the system's own handlers. ``is_known`` where its values were there before."""
        ...


@dataclass(slots=True)
class Context:
    """What a handler is given besides its typed request: its storage, its mount, who asks, time and randomness.

    ``caller`` is None exactly on unauthenticated endpoints. ``warnings`` may be appended to. What is appended to
    ``after_commit`` runs once the changes are durable and the response is recorded, before the answer is sent; it must not fail. What is appended to ``take_back``, by slow endpoints alone,
    undoes an effect outside of the storage where the changes cannot be committed or the answer not be recorded, so that nobody will
    be told it. ``issued`` takes the ids of tokens that the handler made itself: they are revoked again in the same case.
    """

    storage: Storage
    mount: Mount
    caller: Caller | None
    request: Request
    clock: Clock
    entropy: Entropy
    fingerprints: Fingerprints
    warnings: list[str] = field(default_factory=list)
    after_commit: list[Callable[[], None]] = field(default_factory=list)
    take_back: list[Callable[[], None]] = field(default_factory=list)
    issued: list[str] = field(default_factory=list)

    def now_ns(self) -> int:
        """Nanoseconds since the Unix epoch."""
        return self.clock.now_ns()


Handler = Callable[[Context, Any], "Response | None"]
Exists = Callable[[Context, Any], bool]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation on one path.

    ``exists`` tells creation from update where the difference matters to the ACL; without it a write needs ``update``.
    ``unauthenticated`` endpoints are answered without a token. ``answers_sealed`` ones exist while the vault is sealed too.
    ``slow`` ones call a password hash, or have an effect outside their transaction: they run on the bounded pool instead of the
    loop, and their request record is durable before their handler starts.
    """

    operation: Operation
    handler: Handler
    summary: str
    exists: Exists | None = None
    sudo: bool = False
    unauthenticated: bool = False
    answers_sealed: bool = False
    slow: bool = False
    shape: Shape = Shape.ENVELOPE
    deprecated: bool = False
    audit_exempt: bool = False
    """It must always work, even while no audit device does: only for sealing and for revoking tokens and leases, which give nobody anything.
    Its records are kept in memory then, and written as soon as a device is back."""
    any_access: bool = False
    """Any valid token may ask; the handler itself shows only what the token may see."""
    open_to_bound: bool = False
    """Of ``sys/`` and of auth methods that belong to no environment: whether a token that is bound to environments may ask here, too.
    Only for what concerns nothing but the token itself, or what it was told. Where ``any_access`` is set it may in any case."""
    open_to: Callable[[Connection], bool] | None = None
    """Where the operator opened it: connections over which no token is needed. An endpoint that has this and ``answers_sealed``
    is answered on such connections alone while the vault is sealed."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path template of a backend with its endpoints. ``help`` is one or more sentences.

    ``folded`` names captures whose capital letters mean the small ones (user names, policies). They are folded where the request
    is routed, before the ACL looks at the path, so that what was judged is what is touched (SECURITY INV-2).
    """

    template: str
    help: str
    endpoints: tuple[Endpoint, ...]
    folded: frozenset[str] = frozenset()

    def fold(self, captures: Mapping[str, str]) -> dict[str, str] | None:
        """The captures in their one spelling, or None where they are in it already. Only ASCII has capitals here."""
        if not self.folded:
            return None
        spelled = {
            name: value.lower() if name in self.folded and value.isascii() else value
            for name, value in captures.items()
        }
        return None if spelled == captures else spelled

    def filled(self, captures: Mapping[str, str]) -> str:
        """The path that the template gives with these captures."""
        segments = parse_template(self.template)
        return "/".join(
            segment.name if segment.specificity is Specificity.LITERAL else captures[segment.name]
            for segment in segments
        ).rstrip("/")


def folding(capture: str, paths: Iterable[Path]) -> tuple[Path, ...]:
    """``paths``, with ``capture`` folded wherever it stands in a template."""
    return tuple(
        replace(path, folded=path.folded | {capture}) if f"{{{capture}}}" in path.template else path for path in paths
    )


@dataclass(frozen=True, slots=True)
class Declared:
    """An endpoint with everything that was derived from its declaration."""

    path: Path
    endpoint: Endpoint
    request_type: RequestType


class Backend(Protocol):
    """A plug that answers below a mount. Everything it does is in its paths.

    Implementations also may offer the optional protocols below (``Renews``, ``Initializes``): second, tiny protocols and
    never a wider first one.
    """

    @property
    def help(self) -> str:
        """What this backend is for, in a paragraph."""
        ...

    def paths(self) -> tuple[Path, ...]:
        """The declarations, in the order in which the documentation shall show them."""
        ...


@runtime_checkable
class Renews(Protocol):
    """An auth method that re-checks at renewal everything that its login checked (SECURITY INV-14)."""

    def renew(self, context: Context, auth: Auth) -> Auth:
        """The auth with fresh durations. Raises PermissionDenied or InvalidRequest where the login would fail today."""
        ...


@runtime_checkable
class NamesRole(Protocol):
    """An auth method that can say as which role a login is tried, before it is. Quotas can be about such a role."""

    def role_of(self, storage: Storage, path: str, body: Mapping[str, Any]) -> str:
        """The role of a login at ``path`` (below the mount) with ``body``, in its canonical spelling; "" where there is none.

        May raise InvalidRequest. Proves nothing, changes nothing, and reads ``body`` as the login itself does.
        """
        ...


@runtime_checkable
class BindsEnvironments(Protocol):
    """An auth method whose roles or users can bind their tokens to environments."""

    def bound_to(self, storage: Storage, environment: str) -> list[str]:
        """The paths, below the mount, of every role or user that names this environment."""
        ...


@runtime_checkable
class KeepsValues(Protocol):
    """A secrets engine that records fingerprints, and can say what it keeps: for a mount that joins an environment."""

    def values_in(self, storage: Storage, mount_uuid: str, after: str) -> Iterator[tuple[str, list[Mapping[str, Any]]]]:
        """The path of each secret after ``after``, in order, with the values of every version that is kept."""
        ...


@runtime_checkable
class LeavesRows(Protocol):
    """A backend that leaves rows which nothing finds any more, where one request would have to remove too many of them."""

    def remove_left(self, storage: Storage, limit: int) -> bool:
        """Remove up to ``limit`` of them; whether there may be more to do. Called behind the requests until there is not."""
        ...


@runtime_checkable
class BoundTo(Protocol):
    """A backend that keeps data under a token and drops it when the token dies (cubbyhole)."""

    def drop(self, storage: Storage, token_id: str) -> None:
        """Remove all that is kept for the token with this id."""
        ...


class Router:
    """The declarations of one backend, read once and searchable. Immutable after construction."""

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self.declared: list[Declared] = []
        self._tree: TemplateTree[dict[Operation, Declared]] = TemplateTree()
        for path in backend.paths():
            captures = frozenset(
                segment.name
                for segment in parse_template(path.template)
                if segment.specificity is not Specificity.LITERAL
            )
            by_operation: dict[Operation, Declared] = {}
            for endpoint in path.endpoints:
                declared = Declared(path, endpoint, _request_type_of(endpoint, captures))
                if endpoint.operation in by_operation:
                    raise ValueError(f"{path.template!r} declares {endpoint.operation} twice")
                by_operation[endpoint.operation] = declared
                self.declared.append(declared)
            self._tree.add(path.template, by_operation)

    def find(self, path: str, operation: Operation) -> tuple[Declared, dict[str, str]]:
        """The endpoint for ``operation`` on ``path`` (relative, no trailing slash) with its captures.

        The most specific template that has the operation wins. Raises UnsupportedPath where no template matches, and
        UnsupportedOperation where one does but none has the operation.
        """
        has_matched = False
        for by_operation, captures in self._tree.find(path):
            has_matched = True
            declared = by_operation.get(operation)
            if declared is not None:
                return declared, captures
        raise UnsupportedOperation if has_matched else UnsupportedPath

    def matching(self, path: str) -> list[Declared]:
        """Every endpoint of every template that matches ``path``, those of the most specific template first."""
        return [declared for by_operation, _ in self._tree.find(path) for declared in by_operation.values()]


def _request_type_of(endpoint: Endpoint, captures: frozenset[str]) -> RequestType:
    parameters = list(inspect.signature(endpoint.handler).parameters.values())
    if len(parameters) != 2:
        raise TypeError(f"{endpoint.handler!r} must take a context and a typed request")
    hints = get_type_hints(inspect.unwrap(endpoint.handler))
    return read_request_type(hints[parameters[1].name], captures)
