"""The broker: knows which devices are enabled, and makes a batch of records durable before anything depends on it.

A batch succeeds if at least one enabled device made all of it durable; a device that failed is left alone for a while and tried
again, at once if no other device is left. With no device enabled everything is accepted, as in Vault; ``is_enabled`` says so.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from strongroom.audit.devices import DeviceFailed
from strongroom.audit.enabled import Enabled
from strongroom.audit.entry import Formatter, sealed_record
from strongroom.audit.facts import Facts, SealedFacts
from strongroom.audit.hasher import Hasher
from strongroom.audit.line import Batch, Line
from strongroom.audit.options import Format
from strongroom.audit.text import Stamp
from strongroom.logical.ambient import Clock, Entropy
from strongroom.logical.errors import AuditUnavailable, InvalidRequest, LogicalError, Sealed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request, Response

__all__ = ["RETRY_SECONDS", "Broker", "Health", "Line"]

RETRY_SECONDS = 1.0
_CHAIN_ID_BYTES = 16


@dataclass(frozen=True, slots=True)
class Health:
    """How a device does: whether its last write was kept, and how many were not since it was enabled."""

    name: str
    is_healthy: bool
    failures: int


class _Slot:
    """An enabled device with what the broker remembers about it."""

    __slots__ = ("enabled", "failures", "is_healthy", "retry_at")

    def __init__(self, enabled: Enabled) -> None:
        self.enabled = enabled
        self.is_healthy = True
        self.failures = 0
        self.retry_at = 0.0


@dataclass(frozen=True, slots=True)
class _Devices:
    """An immutable picture of what is enabled; replaced as a whole, so that readers need no lock."""

    slots: tuple[_Slot, ...] = ()
    forms: tuple[Format, ...] = ()


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

    def __init__(self, clock: Clock, entropy: Entropy) -> None:
        self._clock = clock
        self._stamp = Stamp(clock)
        self._lock = threading.Lock()
        self._devices = _Devices()
        self._unsealed: _Unsealed | None = None
        self._chain = entropy.bytes(_CHAIN_ID_BYTES).hex().encode()
        self._sequence = 0

    # What is enabled

    @property
    def is_enabled(self) -> bool:
        """Whether any device is enabled."""
        return bool(self._devices.slots)

    @property
    def enabled(self) -> tuple[Enabled, ...]:
        """Every enabled device, by name."""
        return tuple(slot.enabled for slot in self._devices.slots)

    @property
    def health(self) -> tuple[Health, ...]:
        """How every enabled device does."""
        return tuple(Health(slot.enabled.name, slot.is_healthy, slot.failures) for slot in self._devices.slots)

    def enable(self, enabled: Enabled) -> None:
        """Give all records from now on to this device too. Writes nothing yet; see :meth:`probe`.

        Raises InvalidRequest where the name is taken.
        """
        with self._lock:
            if any(slot.enabled.name == enabled.name for slot in self._devices.slots):
                raise InvalidRequest(
                    "an audit device is enabled under this name already; disable it first or choose another"
                )
            self._replace([*self._devices.slots, _Slot(enabled)])

    def disable(self, name: str) -> bool:
        """Stop giving records to the device and close it. Returns whether there was one."""
        with self._lock:
            gone = [slot for slot in self._devices.slots if slot.enabled.name == name]
            self._replace([slot for slot in self._devices.slots if slot.enabled.name != name])
            for slot in gone:
                slot.enabled.device.close()
        return bool(gone)

    def probe(self, enabled: Enabled) -> None:
        """Write a test record to a device that is to be enabled, as Vault does. Raises InvalidRequest with the reason."""
        request = Request(id="audit-device-test", operation=Operation.UPDATE, path="sys/audit/test")
        line = self.sealed_line(SealedFacts(request=request))
        with self._lock:
            self._sequence += 1
            batch = Batch([line], self._chain, self._sequence)
            try:
                enabled.device.write(batch.text(enabled))
            except DeviceFailed as failed:
                enabled.device.close()
                raise InvalidRequest(f"the audit device does not work: {failed}") from None

    def reopen(self) -> None:
        """Have every device open its files again (SIGHUP). One that cannot counts as failed from now on."""
        with self._lock:
            for slot in self._devices.slots:
                try:
                    slot.enabled.device.reopen()
                except DeviceFailed:
                    self._failed(slot)

    def close(self) -> None:
        """Disable and close every device."""
        for enabled in self.enabled:
            self.disable(enabled.name)

    # Sealed and unsealed

    def unseal(self, key: bytes | bytearray | memoryview) -> None:
        """Take the key with which values are hashed from now on."""
        self._unsealed = _Unsealed(Hasher(key))

    def seal(self) -> None:
        """Forget the key, and every device that does not come from the configuration file."""
        self._unsealed = None
        for enabled in self.enabled:
            if not enabled.from_configuration:
                self.disable(enabled.name)

    def hash(self, name: str, text: str) -> str:
        """``text`` as the records of the device ``name`` show it. Raises InvalidRequest where there is no such device."""
        if self._unsealed is None:
            raise Sealed
        if all(slot.enabled.name != name for slot in self._devices.slots):
            raise InvalidRequest("unknown audit backend: enable a device under this name first")
        return self._unsealed.hasher.text(text)

    # Records

    def request_line(self, facts: Facts, error: LogicalError | None = None) -> Line:
        """The record of a request. ``error`` is the refusal that was decided, if there is one.

        Raises UnknownType where the request holds what cannot be hashed, and Sealed.
        """
        time = self._stamp.now()
        formatted = {}
        for form in self._devices.forms:
            formatted[form] = self._formatter(form).request(facts, time, error)
        return Line(formatted, lambda form: self._formatter(form).request(facts, time, error))

    def response_line(self, facts: Facts, response: Response | None, error: BaseException | None = None) -> Line:
        """The record of what came of it; raises as :meth:`request_line` does. Errors that are not our own are not quoted."""
        time = self._stamp.now()
        formatted = {}
        for form in self._devices.forms:
            formatted[form] = self._formatter(form).response(facts, time, response, error)
        return Line(formatted, lambda form: self._formatter(form).response(facts, time, response, error))

    def sealed_line(self, facts: SealedFacts, error: BaseException | None = None, *, is_response: bool = False) -> Line:
        """The record of an attempt to initialize, unseal or seal, for the devices of the configuration file alone."""
        text = sealed_record(facts, self._stamp.now(), "response" if is_response else "request", error)
        return Line({}, lambda _: text, only_configured=True)

    def write(self, lines: Sequence[Line]) -> None:
        """Make ``lines`` durable, in this order. Raises AuditUnavailable where no device kept them: then nothing may happen."""
        with self._lock:
            slots = self._devices.slots
            everywhere = [line for line in lines if not line.only_configured]
            self._write(everywhere, slots)
            if len(everywhere) != len(lines):
                configured = tuple(slot for slot in slots if slot.enabled.from_configuration)
                self._write([line for line in lines if line.only_configured], configured)

    def _write(self, lines: Sequence[Line], slots: Sequence[_Slot]) -> None:
        if not lines or not slots:
            return
        batch = Batch(lines, self._chain, self._sequence + 1)
        self._sequence += len(lines)
        now = self._clock.monotonic()
        due = [slot for slot in slots if slot.is_healthy or slot.retry_at <= now]
        kept = [self._give(slot, batch) for slot in due]
        if not any(kept):
            kept = [self._give(slot, batch) for slot in slots if slot not in due]
        if not any(kept):
            raise AuditUnavailable

    def _give(self, slot: _Slot, batch: Batch) -> bool:
        """Whether the device kept the batch. Every failure is the device's, so that one cannot take the others with it."""
        try:
            slot.enabled.device.write(batch.text(slot.enabled))
        except Exception:  # noqa: BLE001 -- a broken device must count as failed, whatever it raises; nothing is let through
            self._failed(slot)
            return False
        slot.is_healthy = True
        return True

    def _failed(self, slot: _Slot) -> None:
        slot.is_healthy = False
        slot.failures += 1
        slot.retry_at = self._clock.monotonic() + RETRY_SECONDS

    def _replace(self, slots: Sequence[_Slot]) -> None:
        self._devices = _Devices(tuple(slots), tuple({slot.enabled.form: None for slot in slots}))

    def _formatter(self, form: Format) -> Formatter:
        unsealed = self._unsealed
        if unsealed is None:
            raise Sealed
        formatter = unsealed.formatters.get(form)
        if formatter is None:
            formatter = unsealed.formatters[form] = Formatter(unsealed.hasher, form)
        return formatter
