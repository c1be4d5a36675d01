"""Batches: many requests over one snapshot, one audit write, one commit (DESIGN 8). And single requests, for the pool.

The order is the whole point: every request line is durable before any change is committed, every change is committed before its
response line is written, and every response line is durable before its answer leaves.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

from strongroom import failpoints
from strongroom.audit.line import Line
from strongroom.barrier.transaction import Transaction
from strongroom.core import steps
from strongroom.core.pipeline import STORE_FAILURES, Answer, handle
from strongroom.core.unit import Deferred, Unit
from strongroom.logical.errors import (
    AuditUnavailable,
    InternalFailure,
    LogicalError,
    OutcomeUnknown,
    Sealed,
    UpstreamFailed,
)
from strongroom.logical.request import Request
from strongroom.physical.store import Conflict, Full, Unavailable, Unknown
from strongroom.system.unsealed import Unsealed

RUNS_MAX = 3
"""How often a batch is run, or those of it that others overtook, until each goes by itself."""
ATTEMPTS_MAX = 64
"""How often a request is run again because another one was faster. Each time somebody made progress."""


@dataclass(frozen=True, slots=True)
class Alarms:
    """Whom to tell. ``on_failure`` hears of mistakes of ours; ``on_unknown`` of a commit whose outcome nobody knows, after which
    the node must stop rather than guess (SECURITY R-3). ``on_refused`` hears, in our words, why the store took no write.
    """

    on_failure: Callable[[Exception], None]
    on_unknown: Callable[[], None]
    on_refused: Callable[[str], None] = lambda _: None


class _Unrecorded(Exception):
    """A batch that the audit devices did not record, by the numbers of those requests that go on all the same.

    ``again`` have not happened yet; ``done`` are committed, and their records are owed. All others are answered with ``error``.
    """

    def __init__(
        self, error: AuditUnavailable, *, again: frozenset[int] = frozenset(), done: frozenset[int] = frozenset()
    ) -> None:
        super().__init__()
        self.error = error
        self.again = again
        self.done = done


def answer_batch(unsealed: Unsealed, requests: Sequence[Request], alarms: Alarms) -> list[Answer | None]:
    """Answer every request; None stands for one that must run on the pool, by :func:`answer_alone`."""
    answers: list[Answer | None] = [None] * len(requests)
    try:
        _answer_all(unsealed, requests, answers, alarms)
    except (Conflict, Unavailable):
        # Each time somebody was faster, or the store takes no writes. Each goes again by itself, so that nobody pays for
        # somebody else's write.
        return [
            answer and answer_alone(unsealed, request, alarms)
            for request, answer in zip(requests, answers, strict=True)
        ]
    except _Unrecorded as unrecorded:
        return [
            answer
            if answer is None or index in unrecorded.done
            else answer_alone(unsealed, request, alarms)
            if index in unrecorded.again
            else Answer(error=unrecorded.error)
            for index, (request, answer) in enumerate(zip(requests, answers, strict=True))
        ]
    except (LogicalError, *STORE_FAILURES) as error:
        refusal = refusal_for(error, alarms)
        return [answer and Answer(error=refusal) for answer in answers]
    return answers


def answer_alone(unsealed: Unsealed, request: Request, alarms: Alarms) -> Answer:
    """Answer one request in a transaction of its own, its request line written before its handler runs."""
    try:
        for _ in range(ATTEMPTS_MAX - 1):
            try:
                return _attempt(unsealed, request, alarms)
            except Conflict:
                continue
        return _attempt(unsealed, request, alarms, is_last=True)
    except (LogicalError, *STORE_FAILURES) as error:
        return Answer(error=refusal_for(error, alarms))


def _answer_all(unsealed: Unsealed, requests: Sequence[Request], answers: list[Answer | None], alarms: Alarms) -> None:
    """Fill in ``answers``. Raises Conflict where the pool or a sibling process was faster each time: then nothing has happened."""
    units: dict[int, Unit] = {}
    for _ in range(RUNS_MAX - 1):
        try:
            lines = _run_and_commit(unsealed, requests, units, answers, alarms)
            break
        except Conflict:
            continue
    else:
        lines = _run_and_commit(unsealed, requests, units, answers, alarms)
    try:
        _finish(unsealed, units.values(), lines, alarms)
    except AuditUnavailable as error:
        raise _Unrecorded(error, done=_emergencies(units)) from None


def _run_and_commit(
    unsealed: Unsealed,
    requests: Sequence[Request],
    units: dict[int, Unit],
    answers: list[Answer | None],
    alarms: Alarms,
) -> list[Line]:
    """Run all requests, or where ``units`` has those of an earlier run, the overtaken ones; and commit what all of them change.

    Fills in ``answers`` and ``units``, the latter in the order in which they follow each other. Returns the lines of the responses, as far
    as they are not written. Raises Conflict with the units as they are.
    """
    with unsealed.barrier.transaction() as base:
        unsealed.catch_up(steps.current_epoch(base))
        pending = _drop_overtaken(base, units) if units else range(len(requests))
        request_lines: list[Line] = []
        for index in pending:
            unit = Unit(base.begin_nested())
            try:
                answers[index] = _run(unsealed, requests[index], unit, alarms)
            except Deferred:
                answers[index] = None  # the run before this one may have had an answer, of which nothing came
                continue
            unit.merge()
            units[index] = unit
            request_lines += unit.request_lines
        failpoints.reach("before_audit_request")
        try:
            if not base.has_changes:
                # Nothing to wait for between the two: one write for both.
                unsealed.broker.write(request_lines + _response_lines(units))
                return []
            unsealed.broker.write(request_lines)
        except AuditUnavailable as error:
            raise _Unrecorded(error, again=_emergencies(units)) from None
        failpoints.reach("after_audit_request")
        try:
            unsealed.barrier.commit(base)
        except (Conflict, Unavailable):
            raise  # who goes again has records of its own
        except Exception as failure:  # noqa: BLE001 -- whatever it is, its requests are on record and so is their end
            refusal = refusal_for(failure, alarms)
            _record_refusal(unsealed, units.values(), refusal)
            raise refusal from None
    return _response_lines(units)


def _drop_overtaken(base: Transaction, units: dict[int, Unit]) -> list[int]:
    """Take those out of ``units`` that rest on what has changed, or that looked at what such a one would write; ``base`` adopts the others.

    Where it cannot be told why somebody was faster, all are taken out. Returns their numbers.
    """
    overtaken: list[int] = []
    for index, unit in units.items():
        footprint = unit.footprint
        if (overtaken and unit.has_leaned) or not (footprint is None or base.holds(footprint)):
            overtaken.append(index)
    overtaken = overtaken or list(units)
    for index in overtaken:
        del units[index]
    for unit in units.values():
        if unit.footprint is not None:
            base.adopt(unit.footprint)
    return overtaken


def _response_lines(units: Mapping[int, Unit]) -> list[Line]:
    return [line for unit in units.values() for line in unit.response_lines]


def _emergencies(units: Mapping[int, Unit]) -> frozenset[int]:
    return frozenset(index for index, unit in units.items() if unit.is_emergency)


def _attempt(unsealed: Unsealed, request: Request, alarms: Alarms, *, is_last: bool = False) -> Answer:
    with unsealed.barrier.transaction() as base:
        unsealed.catch_up(steps.current_epoch(base))
        unit = Unit(base.begin_nested(), immediate=unsealed.broker)
        try:
            answer = _run(unsealed, request, unit, alarms)
            unit.transaction.merge()
            if base.has_changes:
                unsealed.barrier.commit(base, is_urgent=unit.is_emergency)
            _finish(unsealed, [unit], unit.response_lines, alarms)
        except AuditUnavailable:
            _undo(unit, alarms)
            raise
        except Exception as failure:
            _undo(unit, alarms)
            if isinstance(failure, Conflict) and not is_last:
                raise  # it runs again, with records of its own
            refusal = refusal_for(failure, alarms)
            _record_refusal(unsealed, [unit], refusal)
            raise refusal from None
    if answer.error is not None:
        _undo(unit, alarms)
    return answer


def _undo(unit: Unit, alarms: Alarms) -> None:
    """Take back what the handler did outside of its transaction, because nobody will be told of it."""
    for action in unit.take_back:
        try:
            action()
        except Exception as failure:  # noqa: BLE001 -- the operator must hear of it, and the client get the first error
            alarms.on_failure(failure)


def _run(unsealed: Unsealed, request: Request, unit: Unit, alarms: Alarms) -> Answer:
    try:
        answer = handle(unsealed, request, unit)
    except (Deferred, LogicalError, *STORE_FAILURES):
        raise
    except Exception as failure:  # noqa: BLE001 -- one request must not take the others of its batch with it
        unit.transaction.close()
        unit.failure = failure
        answer = Answer(error=InternalFailure())
    if unit.failure is not None:
        alarms.on_failure(unit.failure)
    return answer


def _finish(unsealed: Unsealed, units: Collection[Unit], lines: Sequence[Line], alarms: Alarms) -> None:
    """Record the responses, and then do what waited for that. What must work in any case is done in any case."""
    failpoints.reach("before_audit_response")
    try:
        unsealed.broker.write(lines)
    except AuditUnavailable:
        for unit in units:
            if unit.is_emergency:
                unsealed.broker.write_or_owe(unit.response_lines)
                unit.run_after_commit()
        _take_back(unsealed, [token_id for unit in units for token_id in unit.issued], alarms)
        if all(unit.is_emergency for unit in units):
            return
        raise AuditUnavailable(is_late=True) from None
    failpoints.reach("after_audit_response")
    for unit in units:
        unit.run_after_commit()


def _record_refusal(unsealed: Unsealed, units: Collection[Unit], refusal: LogicalError) -> None:
    """Record that requests which are on record came to nothing. Raises AuditUnavailable, and then that is the answer."""
    with contextlib.suppress(Sealed):  # the key of the records is gone
        facts = [unit.facts for unit in units if unit.facts is not None]
        unsealed.broker.write([unsealed.broker.response_line(one, None, refusal) for one in facts])


def _take_back(unsealed: Unsealed, token_ids: Sequence[str], alarms: Alarms) -> None:
    """Revoke the tokens whose answer could not be recorded: nobody will ever be told them.

    What the store says against it is dealt with here, because out there it would mean that nothing of the request happened.
    """
    for _ in range(ATTEMPTS_MAX if token_ids else 0):
        try:
            with unsealed.barrier.transaction() as transaction:
                for token_id in token_ids:
                    unsealed.tokens.revoke_tree(transaction, token_id)
                unsealed.barrier.commit(transaction, is_urgent=True)
        except Conflict:
            continue
        except (Sealed, Unavailable) as failure:
            alarms.on_failure(failure)
        except Unknown:
            alarms.on_unknown()
        return


def refusal_for(error: Exception, alarms: Alarms) -> LogicalError:
    """What the client is told of a refusal or of what the store said.

    Tells the alarms where the outcome is unknown, of a store that takes no writes, and of a mistake of ours.
    """
    if isinstance(error, LogicalError):
        return error
    if not isinstance(error, STORE_FAILURES):
        alarms.on_failure(error)
        return InternalFailure()
    if isinstance(error, Unknown):
        alarms.on_unknown()
        return OutcomeUnknown()
    if isinstance(error, Conflict):
        return UpstreamFailed("too many concurrent changes of the same data; try again")
    alarms.on_refused(str(error))
    if isinstance(error, Full):
        return UpstreamFailed("no space is left for the storage: nothing was changed, reads and revocations go on")
    return UpstreamFailed(
        "the storage does not do what it should at the moment: nothing was changed; the server's log says why"
    )
