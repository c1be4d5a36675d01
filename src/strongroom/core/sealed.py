"""The way of a request while the vault is sealed: only endpoints that are declared to answer then exist.

Attempts to initialize and unseal are audited all the same, on the devices of the configuration file, without any value: the key
that would hash values is behind the barrier.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from strongroom import failpoints
from strongroom.audit.facts import SealedFacts
from strongroom.core.batch import Alarms, refusal_for
from strongroom.core.pipeline import STORE_FAILURES, Answer
from strongroom.logical.backend import Context, Declared, Mount, Router
from strongroom.logical.errors import AuditUnavailable, InternalFailure, InvalidRequest, LogicalError, Sealed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.storage import Storage
from strongroom.system.node import Node

_SYSTEM = "sys/"
_MOUNT = Mount(path=_SYSTEM, accessor="", uuid="", type="system", options={}, default_lease_ttl=0, max_lease_ttl=0)


def handle_sealed(node: Node, router: Router, request: Request, alarms: Alarms) -> Answer:
    """Answer ``request`` of a vault that is sealed, by the declarations of ``router`` (those of ``sys/``)."""
    is_change = request.operation is not Operation.READ
    facts, context = SealedFacts(request=request), _context(node, request)
    try:
        if is_change:
            node.broker.write([node.broker.sealed_line(facts)])
        declared, captures = _find(router, request)
        typed, _ = declared.request_type.decode(_in_small_letters(request.body), captures)
        response = declared.endpoint.handler(context, typed)
        if is_change:
            _record_answer(node, facts)
        for action in context.after_commit:
            action()
    except (LogicalError, *STORE_FAILURES) as error:
        _undo(context, alarms)
        return _refused(node, facts, refusal_for(error, alarms), is_change=is_change)
    except Exception as failure:  # noqa: BLE001 -- a broken handler must not take the others of its batch with it
        alarms.on_failure(failure)
        _undo(context, alarms)
        return _refused(node, facts, InternalFailure(), is_change=is_change)
    return Answer(response=response, shape=declared.endpoint.shape)


def _in_small_letters(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The body with its names in small letters: what initializes and unseals is written in either, as Vault takes it. Raises InvalidRequest."""
    folded = {name.lower(): value for name, value in body.items()}
    if len(folded) != len(body):
        raise InvalidRequest("a field is given twice, in capitals and in small letters")
    return folded


def _record_answer(node: Node, facts: SealedFacts) -> None:
    failpoints.reach("before_audit_response")
    try:
        node.broker.write([node.broker.sealed_line(facts, is_response=True)])
    except AuditUnavailable:
        raise AuditUnavailable(is_late=True) from None
    failpoints.reach("after_audit_response")


def _undo(context: Context, alarms: Alarms) -> None:
    """Take back what the handler did, because nobody will be told of it."""
    for action in context.take_back:
        try:
            action()
        except Exception as failure:  # noqa: BLE001 -- the operator must hear of it, and the client get the first error
            alarms.on_failure(failure)


def _find(router: Router, request: Request) -> tuple[Declared, dict[str, str]]:
    if not request.path.startswith(_SYSTEM):
        raise Sealed
    try:
        declared, captures = router.find(request.path.removeprefix(_SYSTEM), request.operation)
    except LogicalError:
        raise Sealed from None
    endpoint = declared.endpoint
    if not endpoint.answers_sealed or (endpoint.open_to is not None and not endpoint.open_to(request.connection)):
        raise Sealed
    return declared, captures


def _refused(node: Node, facts: SealedFacts, error: LogicalError, *, is_change: bool) -> Answer:
    if is_change and not isinstance(error, AuditUnavailable):
        try:
            node.broker.write([node.broker.sealed_line(facts, error, is_response=True)])
        except AuditUnavailable as unavailable:
            return Answer(error=unavailable)
    return Answer(error=error)


def _context(node: Node, request: Request) -> Context:
    nothing = NoStorage()
    return Context(
        storage=nothing,
        mount=_MOUNT,
        caller=None,
        request=request,
        clock=node.clock,
        entropy=node.entropy,
        fingerprints=NoFingerprints(),
    )


class NoStorage:
    """The storage of a sealed vault: there is none."""

    def get(self, key: str) -> bytes | None:
        """Refuse."""
        raise Sealed

    def version(self, key: str) -> int | None:
        """Refuse."""
        raise Sealed

    def put(self, key: str, value: bytes) -> None:
        """Refuse."""
        raise Sealed

    def delete(self, key: str) -> None:
        """Refuse."""
        raise Sealed

    def children(self, prefix: str, after: str = "", limit: int | None = None) -> list[str]:
        """Refuse."""
        raise Sealed

    def scan(self, prefix: str, after: str = "") -> Iterator[str]:
        """Refuse."""
        raise Sealed

    def view(self, prefix: str) -> Storage:
        """Refuse."""
        raise Sealed


class NoFingerprints:
    """The fingerprints of a sealed vault: there are none."""

    def record(self, path: str, version: int, values: Mapping[str, Any]) -> None:
        """Refuse."""
        raise Sealed

    def forget(self, path: str, values: Mapping[str, Any]) -> None:
        """Refuse."""
        raise Sealed

    def judge(self, values: Mapping[str, Any]) -> None:
        """Refuse."""
        raise Sealed

    def of_mount(self, uuid: str, *, is_known: bool = False) -> NoFingerprints:
        """Refuse."""
        raise Sealed
