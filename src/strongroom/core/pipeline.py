"""The request's way: one function, read from top to bottom. docs/request.md tells the same in prose.

``handle`` is the only caller of handlers. It decides nothing by itself: the mounts say where, the token store who, the ACL whether,
the declaration how. Every endpoint goes through it, ``sys/`` and unauthenticated ones included.
"""

from __future__ import annotations

import msgspec

from strongroom.core import steps, wrapping
from strongroom.core.unit import Deferred, Unit
from strongroom.logical.backend import Shape
from strongroom.logical.errors import InternalFailure, LogicalError, LoginFailed
from strongroom.logical.request import Request, Response
from strongroom.physical.store import Conflict, Unavailable, Unknown
from strongroom.system.unsealed import Unsealed

STORE_FAILURES = (Conflict, Unavailable, Unknown)
"""What the store raises: for the unit's owner, who runs it again or gives up."""


class Answer(msgspec.Struct):
    """What a request came to: a response (None for "done, nothing to say") or an error, and the shape of the body.

    ``route`` says where it went, for whoever counts; None where it went nowhere.
    """

    response: Response | None = None
    error: LogicalError | None = None
    shape: Shape = Shape.ENVELOPE
    route: steps.Route | None = None


def handle(unsealed: Unsealed, request: Request, unit: Unit) -> Answer:
    """Answer one request inside ``unit``. Nothing takes effect before the unit's owner commits it.

    Raises Deferred where a batched unit meets an endpoint that must run on the pool, or takes too long; nothing has happened then.
    """
    storage = unit.transaction
    epoch = steps.current_epoch(storage)

    # 1  Where does it go? A miss stays a value until the caller is authorised: a stranger must not learn what exists.
    route = steps.find_route(unsealed, storage, epoch, request)
    request = steps.canonical(request, route)
    if route.is_slow and unit.is_batched:
        raise Deferred

    # 2  Who asks? A use-limited token spends a use even where the answer will be no.
    token = steps.identify(unsealed, storage, request, route)
    is_last_use = token is not None and unsealed.tokens.spend_use(storage, token)

    # 3  Read what was sent. May they? By declaration, address, environment and policies; a no stays a value until it is written down.
    environment = steps.environment_of(unsealed, storage, epoch, route)
    context = steps.new_context(unsealed, unit, epoch, request, route, token)
    decoded = steps.decode(request, route)
    verdict = steps.authorize(unsealed, storage, epoch, context, route, decoded, token)

    # 4  Write down who wants what, before anything happens.
    facts = unit.facts = steps.facts_for_audit(
        context, route, verdict, decoded, environment, unsealed.audited_headers.at(storage, epoch)
    )
    unit.is_emergency = steps.is_emergency(route, verdict)
    unit.record_request(unsealed.broker.request_line(facts, verdict.denial))

    response: Response | None = None
    error: LogicalError | None = None
    before = storage.mark()
    try:
        # 5  Now the refusals may speak.
        declared = steps.admitted(route, verdict)

        # 6  So may what cannot be read; what no field takes becomes a warning.
        typed = steps.readable(decoded, context)
        wrapping.check_ttl(unsealed, request)
        steps.check_reason(request, route, environment)

        # 7  Do it, on a view of this mount alone.
        response = steps.limited(declared.endpoint.handler(context, typed), verdict)

        # 8  A login becomes a token.
        if response is not None and response.auth is not None and response.auth.client_token is None:
            steps.issue_token(unsealed, storage, context, route, response.auth, environment)
        response = steps.with_warnings(response, context.warnings)

        # 9  Wrap it, if that was asked.
        if response is not None and wrapping.is_due(request, response, token):
            unit.issued.extend(steps.issued_tokens(unsealed, response))  # the token inside, which nobody can name later
            response = wrapping.wrap(unsealed, storage, request, response, steps.origin_of(environment, token))
        unit.after_commit.extend(context.after_commit)
    except LoginFailed as failed:
        error = failed  # what it changed stays: the count of failures must survive
    except LogicalError as refusal:
        storage.go_back(before)
        error = refusal
    except (Deferred, *STORE_FAILURES):
        raise
    except Exception as failure:  # noqa: BLE001 -- a broken handler must not take the others of its batch with it
        storage.go_back(before)
        unit.failure = failure
        error = InternalFailure()

    # 10 Write down the answer: values as keyed hashes, the keys that leave by name. Durable before a byte is sent.
    if token is not None and is_last_use:
        unsealed.tokens.revoke_tree(storage, token.id)
    answered = response if error is None else None
    steps.note_answer(unsealed, unit, answered)
    unit.record_response(unsealed.broker.response_line(facts, answered, error))
    return Answer(answered, error, route.shape, route)
