"""The form of a record: field names as Vault and OpenBao have them, values covered, one JSON object per line.

The format is described in ``docs/formats/audit.md``. A :class:`Formatter` turns facts into bytes. The bytes lack the closing brace,
because the broker adds the record's place in the chain when it is written.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from strongroom.audit.facts import Facts, SealedFacts
from strongroom.audit.hasher import Cover, Hasher, Uncovered, cover_members
from strongroom.audit.options import Format
from strongroom.audit.recurring import RecurringCover
from strongroom.audit.text import line_of, refused_path
from strongroom.encoding.json import decode
from strongroom.logical.backend import Caller, Mount
from strongroom.logical.errors import LogicalError, NotFound
from strongroom.logical.instant import rfc3339
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Request, Response, SentHeaders, TokenType, WrapInfo

HEADER_CHARACTERS_MAX = 4096
"""So much of a header is written where it is written in clear."""
_CALLERS_MAX = 1024
_INTERNAL_ERROR = "internal error"


@dataclass(frozen=True, slots=True)
class _Known:
    """The member ``auth`` of a caller who asks again and again. ``token`` is the covered token, which is always the caller's own."""

    caller: Caller | None
    allowed: bool
    granting_policies: tuple[str, ...]
    token: str
    accessor: str
    auth: bytes

    def is_about(self, facts: Facts) -> bool:
        """Whether the same decision was made about the same caller, with the same policies."""
        return (
            (self.caller is facts.caller or self.caller == facts.caller)
            and self.allowed is facts.policies_allowed
            and self.granting_policies == facts.granting_policies
        )


class Formatter:
    """Writes the records of one :class:`Format`. Safe to use from several threads.

    What cannot be covered raises UnknownType; then there is no record, and so nothing may happen.
    """

    def __init__(self, hasher: Hasher, form: Format) -> None:
        self.form = form
        self._cover: Cover = Uncovered() if form.log_raw else hasher
        self._recurring = None if form.log_raw else RecurringCover(hasher)
        self._cover_accessor = self._cover.text if form.hmac_accessor else Uncovered().text
        self._callers: dict[str, _Known] = {}

    def request(self, facts: Facts, time: str, error: BaseException | None) -> bytes:
        """The record of a request, before anything happens. ``error`` is the refusal that was decided, if there is one."""
        auth, request = self._shared(facts)
        return b'{"time":"%b","type":"request","auth":%b,"request":%b%b' % (
            time.encode(),
            auth,
            request,
            _error_member(error),
        )

    def response(self, facts: Facts, time: str, response: Response | None, error: BaseException | None) -> bytes:
        """The record of what came of a request, before a byte of the answer leaves."""
        auth, request = self._shared(facts)
        made = self._new_auth(response.auth) if response is not None and response.auth is not None else None
        if facts.caller is None and made is not None:
            auth = line_of(made | _policy_results(facts))
        return b'{"time":"%b","type":"response","auth":%b,"request":%b,"response":%b%b' % (
            time.encode(),
            auth,
            request,
            line_of(self._response(facts, response, error, made)),
            _error_member(error),
        )

    def _shared(self, facts: Facts) -> tuple[bytes, bytes]:
        """The members ``auth`` and ``request``, which both records of a request have in common."""
        shared = facts.formatted.get(self.form)
        if shared is None:
            known = self._known(facts)
            shared = facts.formatted[self.form] = (
                known.auth,
                line_of(self._request(facts, known.token, known.accessor)),
            )
        return shared

    def _known(self, facts: Facts) -> _Known:
        """What is said about the caller and the decision, formatted once for as long as both stay the same.

        Whoever is not known as a caller may have shown any token, so nothing is remembered of those.
        """
        caller = facts.caller
        key = caller.token_id if caller is not None else ""
        known = self._callers.get(key) if key else None
        if known is not None and known.is_about(facts):
            return known
        secret = facts.request.token
        token = self._cover.text(secret.reveal()) if secret else ""
        members = self._describe(caller) if caller is not None else {}
        known = _Known(
            caller,
            facts.policies_allowed,
            facts.granting_policies,
            token,
            members.get("accessor", ""),
            line_of(({"client_token": token} if token else {}) | members | _policy_results(facts)),
        )
        if not key:
            return known
        if len(self._callers) >= _CALLERS_MAX:
            self._callers.clear()
        self._callers[key] = known
        return known

    def _describe(self, caller: Caller) -> dict[str, Any]:
        return _without_empty(
            {
                "accessor": self._cover_accessor(caller.accessor) if caller.accessor else "",
                "display_name": caller.display_name,
                "policies": caller.policies,
                "token_policies": caller.token_policies,
                "metadata": self._cover.walk(caller.metadata),
                "entity_id": caller.entity_id,
                "environments": caller.environments,
                "token_type": "batch" if caller.is_batch else "service",
            }
        )

    def _request(self, facts: Facts, token: str, accessor: str) -> dict[str, Any]:
        request = facts.request
        members: dict[str, Any] = {
            "id": request.id,
            "operation": facts.operation or request.operation.value,
            **_mount_members(facts.mount),
        }
        if token:
            members["client_token"] = token
        if accessor:
            members["client_token_accessor"] = accessor
        members |= _where(request, path_is_canonical=facts.path_is_canonical)
        if request.body:
            members["data"] = cover_members(
                self._cover, request.body, public=facts.public_fields, shown=facts.non_hmac_request_keys
            )
        if facts.audited_headers:
            members |= self._headers(request.sent_headers, facts.audited_headers)
        if request.wrap_ttl is not None:
            members["wrap_ttl"] = request.wrap_ttl
        if facts.environment:
            members["environment"] = facts.environment
        if request.reason:
            members["reason"] = request.reason
        return members

    def _headers(self, sent: SentHeaders | None, audited: Mapping[str, bool]) -> dict[str, Any]:
        """The headers that an operator asked for, each with whether its value is covered."""
        found: dict[str, list[str]] = {}
        for name, hashed in audited.items():
            value = sent.get(name) if sent is not None else None
            if value is not None:
                found[name] = [self._cover.text(value) if hashed else value[:HEADER_CHARACTERS_MAX]]
        return {"headers": found} if found else {}

    def _response(
        self, facts: Facts, response: Response | None, error: BaseException | None, made: dict[str, Any] | None
    ) -> dict[str, Any]:
        """The member ``response``, of which ``made`` is what a login made."""
        members = _mount_members(facts.mount)
        data = error.data if response is None and isinstance(error, NotFound) else None
        if response is not None:
            data = None if response.is_documentation else response.data
            if made is not None:
                members["auth"] = made
            if response.wrap_info is not None:
                members["wrap_info"] = self._wrap_info(response.wrap_info)
            if response.warnings:
                members["warnings"] = response.warnings
            if response.raw is not None and not response.is_documentation:
                data = {"http_content_type": response.raw.content_type, "http_raw_body": response.raw.content}
            elif response.wrapped_envelope is not None:
                data = self._unwrapped(members, response.wrapped_envelope)
        self._add_data(members, facts, data)
        if response is not None and response.returned_keys is not None:
            members["returned_keys"] = response.returned_keys
        elif data:
            members["returned_keys"] = list(data)
        return members

    def _add_data(self, members: dict[str, Any], facts: Facts, data: Mapping[str, Any] | None) -> None:
        if not data:
            return
        counts: dict[str, int] = {}
        if self.form.elide_list_responses and facts.request.operation is Operation.LIST:
            counts = {name: len(data[name]) for name in ("keys", "key_info") if isinstance(data.get(name), Collection)}
            data = {name: value for name, value in data.items() if name not in counts}
        shown = facts.non_hmac_response_keys
        if self._recurring is not None and facts.request.operation is Operation.READ and not shown:
            members["data"] = self._recurring.members(data)
        else:
            members["data"] = cover_members(self._cover, data, shown=shown) | counts

    def _unwrapped(self, members: dict[str, Any], envelope: bytes) -> Mapping[str, Any] | None:
        """The data of an answer that was kept wrapped and leaves now; its auth is covered whole, names aside."""
        answer = decode(envelope)
        if answer.get("auth"):
            members["auth"] = self._cover.walk(answer["auth"])
        data: Mapping[str, Any] | None = answer.get("data")
        return data

    def _new_auth(self, auth: Auth) -> dict[str, Any]:
        """What a login made: the token covered, the names in clear."""
        return _without_empty(
            {
                "client_token": self._cover.text(auth.client_token.reveal()) if auth.client_token else "",
                "accessor": self._cover_accessor(auth.accessor) if auth.accessor else "",
                "display_name": auth.display_name,
                "policies": auth.policies,
                "token_policies": auth.policies,
                "metadata": self._cover.walk(auth.metadata),
                "entity_id": auth.entity_id,
                "environments": auth.environments,
                "num_uses": auth.num_uses,
                "token_type": (auth.token_type or TokenType.SERVICE).value,
                "token_ttl": auth.lease_duration,
            }
        )

    def _wrap_info(self, info: WrapInfo) -> dict[str, Any]:
        return _without_empty(
            {
                "ttl": info.ttl,
                "token": self._cover.text(info.token.reveal()),
                "accessor": self._cover_accessor(info.accessor) if info.accessor else "",
                "creation_time": rfc3339(info.creation_time_ns),
                "creation_path": info.creation_path,
                "wrapped_accessor": self._cover_accessor(info.wrapped_accessor) if info.wrapped_accessor else "",
            }
        )


def sealed_record(facts: SealedFacts, time: str, kind: str, error: BaseException | None) -> bytes:
    """The record of an attempt to initialize, unseal or seal; ``kind`` is ``request`` or ``response``. Holds no value at all."""
    request = facts.request
    members: dict[str, Any] = {"time": time, "type": kind, "auth": {}}
    members["request"] = {
        "id": request.id,
        "operation": request.operation.value,
        **_where(request, path_is_canonical=facts.path_is_canonical),
    }
    if facts.outcome:
        members["response"] = {"outcome": facts.outcome}
    return line_of(members)[:-1] + _error_member(error)


def _error_member(error: BaseException | None) -> bytes:
    """The member ``error`` with its comma, or nothing. Only texts of our own error tree are known to hold no value."""
    if error is None:
        return b""
    text = "\n".join(error.messages) if isinstance(error, LogicalError) else _INTERNAL_ERROR
    return b',"error":' + line_of(text)


def _policy_results(facts: Facts) -> dict[str, Any]:
    results: dict[str, Any] = {"allowed": facts.policies_allowed}
    if facts.granting_policies and facts.policies_allowed:
        results["granting_policies"] = [
            {"name": name, "namespace_id": "root", "type": "acl"} for name in facts.granting_policies
        ]
    return {"policy_results": results}


def _mount_members(mount: Mount | None) -> dict[str, Any]:
    if mount is None:
        return {}
    return {
        "mount_point": mount.path,
        "mount_type": mount.type,
        "mount_accessor": mount.accessor,
        "mount_class": "auth" if mount.is_auth else "secret",
    }


def _where(request: Request, *, path_is_canonical: bool) -> dict[str, Any]:
    """What was named and from where. Paths stand in clear: a log in which one cannot see the path answers no question."""
    namespace = {"id": "root", "path": request.namespace} if request.namespace else {"id": "root"}
    members: dict[str, Any] = {"namespace": namespace, "path": request.path}
    if not path_is_canonical:
        members |= {"path": refused_path(request.path), "path_refused": True}
    connection = request.connection
    if connection.remote_address:
        members["remote_address"] = connection.remote_address
        members["remote_port"] = connection.remote_port
    return members


def _without_empty(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value}
