"""The broker: knows which devices are enabled, and makes a batch of records durable before anything depends on it.

A batch is kept if the rule holds: at least one device made all of it durable, or those that the configuration names did. No device is
waited for beyond its deadline of two seconds. With no device enabled everything is accepted, as in Vault; ``is_enabled`` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from strongroom.audit.channel import Channel
from strongroom.audit.channels import Channels
from strongroom.audit.enabled import Enabled
from strongroom.audit.entry import Formatter, sealed_record
from strongroom.audit.facts import Facts, SealedFacts
from strongroom.audit.hasher import Hasher
from strongroom.audit.line import Line
from strongroom.audit.options import Format
from strongroom.audit.rule import Rule
from strongroom.audit.text import Stamp
from strongroom.audit.trail import Evidence, Kept, Source
from strongroom.audit.writer import RETRY_SECONDS, Writer
from strongroom.evidence.checkpoint import Reason
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import AuditUnavailable, InvalidRequest, LogicalError, Sealed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response

__all__ = ["DEADLINE_SECONDS", "OWED_MAX", "RETRY_SECONDS", "Broker", "Health", "Line"]

DEADLINE_SECONDS = 2.0
"""A device that takes longer for anything counts as failed."""
OWED_MAX = 4096
"""So many lines of emergencies are remembered at most until a device keeps them."""


@dataclass(frozen=True, slots=True)
class Health:
    """How a device does: whether its last write was kept, how many were not since it was enabled, and why (empty: none failed).

    ``is_tampered`` is True where the device did not hold, at unseal, the last line that the vault remembers of it.
    """

    name: str
    is_healthy: bool
    failures: int
    reason: str = ""
    is_tampered: bool = False


class _Unsealed:
    """What exists only while the vault is unsealed: the key for hashing, and the formatters that use it."""

    __slots__ = ("formatters", "hasher")

    def __init__(self, hasher: Hasher) -> None:
        self.hasher = hasher
        self.formatters: dict[Format, Formatter] = {}


class Broker:
    """Formats records and gives them to every enabled device. Safe to use from several threads.

    While the vault is sealed only sealed records can be made, because the key for hashing is inside; the others raise Sealed.
    """

    def __init__(
        self,
        clock: Clock,
        entropy: Entropy,
        rule: Rule | None = None,
        *,
        deadline_seconds: float = DEADLINE_SECONDS,
    ) -> None:
        self._stamp = Stamp(clock)
        self._source = Source(clock, entropy, deadline_seconds)
        self._channels = Channels(self._source, rule or Rule())
        self._unsealed: _Unsealed | None = None
        self._owed: list[Line] = []
        self._owed_lock = threading.Lock()

    # What is enabled

    @property
    def is_enabled(self) -> bool:
        """Whether any device is enabled."""
        return bool(self._channels.all)

    @property
    def enabled(self) -> tuple[Enabled, ...]:
        """Every enabled device, by name."""
        return tuple(channel.enabled for channel in self._channels.all)

    @property
    def health(self) -> tuple[Health, ...]:
        """How every enabled device does."""
        return tuple(
            Health(channel.name, channel.is_healthy, channel.failures, channel.reason, channel.trail.is_tampered)
            for channel in self._channels.all
        )

    def enable(self, enabled: Enabled) -> None:
        """Give all records from now on to this device too. Writes nothing yet; see :meth:`probe`.

        Raises InvalidRequest where the name is taken.
        """
        self._channels.add(enabled)

    def disable(self, name: str) -> bool:
        """Stop giving records to the device, sign its end and close it. Returns whether there was one."""
        return self._channels.remove(name, _checkpoint(Reason.STOP))

    def probe(self, enabled: Enabled) -> None:
        """Write a test record to a device that is to be enabled, as Vault does. Raises InvalidRequest with the reason."""
        request = Request(id="audit-device-test", operation=Operation.UPDATE, path="sys/audit/test")
        self._channels.try_out(enabled, [self.sealed_line(SealedFacts(request=request))])

    def reopen(self) -> tuple[str, ...]:
        """Have every device open its files again (SIGHUP). Answers the names of those that could not: they count as failed from now on."""
        reopened = self._channels.ask_all(Writer.reopen)
        return tuple(channel.name for channel in self._channels.all if channel.name not in reopened)

    def close(self) -> None:
        """Close every device, and give none a record any more."""
        self.settle()
        for enabled in self.enabled:
            self._channels.remove(enabled.name)

    def tails(self, others: Sequence[Enabled] = ()) -> dict[str, bytes]:
        """The last lines that each device keeps, of those that can show them in time; those of ``others``, not enabled yet, too."""
        tails: dict[str, bytes] = {}
        self._channels.ask_all(lambda writer: writer.show_tail(tails), others)
        return dict(tails)

    # Sealed and unsealed

    def unseal(self, key: bytes | bytearray | memoryview, evidence: Evidence | None = None) -> None:
        """Take the key with which values are hashed from now on, and what checkpoints are signed with."""
        self._unsealed = _Unsealed(Hasher(key))
        self._source.evidence = evidence
        if evidence is not None:
            self._channels.ask_all(Writer.catch_up)

    def seal(self) -> None:
        """Forget the keys, and every device that does not come from the configuration file."""
        for enabled in self.enabled:
            if not enabled.from_configuration:
                self.disable(enabled.name)
        self._unsealed = None
        self._source.evidence = None

    def hash(self, name: str, text: str) -> str:
        """``text`` as the records of the device ``name`` show it. Raises InvalidRequest where there is no such device."""
        if self._unsealed is None:
            raise Sealed
        if all(channel.name != name for channel in self._channels.all):
            raise InvalidRequest("unknown audit backend: enable a device under this name first")
        return self._unsealed.hasher.text(text)

    # Checkpoints

    @property
    def evidence(self) -> Evidence | None:
        """What checkpoints are signed with; None while the vault is sealed."""
        return self._source.evidence

    @property
    def checkpoints(self) -> dict[str, Kept]:
        """The last signed checkpoint that each device kept, by the device's name."""
        return {channel.name: kept for channel in self._channels.all if (kept := channel.trail.last_kept) is not None}

    def checkpoint(self, reason: Reason) -> dict[str, Kept]:
        """Have every device keep a checkpoint, and answer the last one of each."""
        self._channels.ask_all(_checkpoint(reason))
        return self.checkpoints

    def settle(self) -> None:
        """Write what is due: checkpoints for lines that wait for a signature, and lines that are owed. Never raises."""
        if any(channel.trail.is_due for channel in self._channels.all):
            self._channels.ask_all(Writer.catch_up)
        if self._owed:
            self._pay()

    # Records

    def request_line(self, facts: Facts, error: LogicalError | None = None) -> Line:
        """The record of a request. ``error`` is the refusal that was decided, if there is one.

        Raises UnknownType where the request holds what cannot be hashed, and Sealed.
        """
        return self._line(partial(self._request, facts, self._stamp.now(), error))

    def response_line(self, facts: Facts, response: Response | None, error: BaseException | None = None) -> Line:
        """The record of what came of it; raises as :meth:`request_line` does. Errors that are not our own are not quoted."""
        return self._line(partial(self._response, facts, self._stamp.now(), response, error))

    def sealed_line(self, facts: SealedFacts, error: BaseException | None = None, *, is_response: bool = False) -> Line:
        """The record of an attempt to initialize, unseal or seal, for the devices of the configuration file alone."""
        text = sealed_record(facts, self._stamp.now(), "response" if is_response else "request", error)
        return Line({}, lambda _: text, only_configured=True)

    def write(self, lines: Sequence[Line]) -> None:
        """Make ``lines`` durable, in this order. Raises AuditUnavailable where the rule does not hold: then nothing may happen."""
        if self._owed:
            self._pay()
        if lines and not self._keep(lines):
            raise AuditUnavailable

    def write_or_owe(self, lines: Sequence[Line]) -> None:
        """The same for what must always work (to seal, to revoke): lines that no device keeps are remembered until one does.

        Raises AuditUnavailable where too many are remembered already.
        """
        try:
            self.write(lines)
        except AuditUnavailable:
            with self._owed_lock:
                if len(self._owed) + len(lines) > OWED_MAX:
                    raise
                self._owed = [*self._owed, *lines]

    @property
    def owed(self) -> int:
        """How many lines are remembered that no device has kept yet. They are lost if the process ends."""
        return len(self._owed)

    def _pay(self) -> None:
        with self._owed_lock:
            if self._owed and self._keep(self._owed):
                self._owed = []

    def _keep(self, lines: Sequence[Line]) -> bool:
        channels = self._channels.all
        everywhere = [line for line in lines if not line.only_configured]
        if len(everywhere) == len(lines):
            return not channels or self._channels.keep(channels, lines)
        configured: tuple[Channel, ...] = tuple(one for one in channels if one.enabled.from_configuration)
        rest = [line for line in lines if line.only_configured]
        is_kept = not configured or self._channels.keep(configured, rest)
        return is_kept and (not everywhere or self._keep(everywhere))

    def _line(self, render: Callable[[Format], bytes]) -> Line:
        formatted = {}
        for form in self._channels.forms:
            formatted[form] = render(form)
        return Line(formatted, render)

    def _request(self, facts: Facts, time: str, error: LogicalError | None, form: Format) -> bytes:
        return self._formatter(form).request(facts, time, error)

    def _response(
        self, facts: Facts, time: str, response: Response | None, error: BaseException | None, form: Format
    ) -> bytes:
        return self._formatter(form).response(facts, time, response, error)

    def _formatter(self, form: Format) -> Formatter:
        unsealed = self._unsealed
        if unsealed is None:
            raise Sealed
        formatter = unsealed.formatters.get(form)
        if formatter is None:
            formatter = unsealed.formatters[form] = Formatter(unsealed.hasher, form)
        return formatter


def _checkpoint(reason: Reason) -> Callable[[Writer], bool]:
    return lambda writer: writer.append([], reason)
