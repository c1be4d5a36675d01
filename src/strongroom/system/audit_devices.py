"""The audit devices that were enabled through the API: stored behind the barrier, and enabled again at every unseal."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping

import msgspec

from strongroom.audit.broker import Broker
from strongroom.audit.devices import DeviceFailed, DeviceType
from strongroom.audit.enabled import Declaration, Enabled, make_enabled
from strongroom.audit.options import Limits
from strongroom.barrier.transaction import Transaction
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.storage import Storage
from strongroom.mounts.table import EPOCH_KEY

AREA = "core/audit-device/"


class StoredDevice(msgspec.Struct, frozen=True, kw_only=True):
    """An audit device as it is stored."""

    name: str
    type: str
    description: str = ""
    options: dict[str, str] = {}
    local: bool = False


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(StoredDevice).decode


def opened(stored: StoredDevice, types: Mapping[str, DeviceType], limits: Limits) -> Enabled:
    """The device, checked against what the configuration allows today (SECURITY INV-15). Raises InvalidRequest."""
    declaration = Declaration(
        name=stored.name,
        type=stored.type,
        description=stored.description,
        options=stored.options,
        local=stored.local,
    )
    return make_enabled(declaration, types, limits)


def store(storage: Storage, stored: StoredDevice) -> None:
    """Remember a device for the next unseal."""
    storage.put(AREA + stored.name, _encode(stored))


def read_stored(content: bytes) -> StoredDevice:
    """A device as it is stored. Raises MsgspecError."""
    return _decode(content)


def forget(storage: Storage, name: str) -> None:
    """Forget a device."""
    storage.delete(AREA + name)


def all_stored(storage: Storage) -> Mapping[str, StoredDevice]:
    """Every device that was enabled through the API, by name."""
    found = {}
    for key in storage.scan(AREA):
        content = storage.get(key)
        if content is not None:
            found[key.removeprefix(AREA)] = _decode(content)
    return found


class RefusedDevice:
    """Stands for a device that the configuration does not allow any more: it keeps nothing, so that audit stays fail-closed."""

    def write(self, lines: bytes) -> None:
        """Refuse."""
        del lines
        raise DeviceFailed("the server's configuration does not allow this device any more")

    def reopen(self) -> None:
        """Nothing to open."""

    def close(self) -> None:
        """Nothing to close."""


class DeviceSync:
    """Keeps the broker of one process in step with the devices that the API enabled, in whichever process that was."""

    def __init__(
        self,
        broker: Broker,
        types: Mapping[str, DeviceType],
        limits: Limits,
        begin: Callable[[], Transaction],
    ) -> None:
        self._broker = broker
        self._begin = begin
        self._types = types
        self._limits = limits
        self._epoch: int | None = None
        self._lock = threading.Lock()

    def is_at(self, epoch: int) -> bool:
        """Whether ``epoch`` is the one that was followed last."""
        return epoch == self._epoch

    def follow(self, epoch: int) -> None:
        """Enable what is stored and disable what is not any more, if ``epoch`` is news. Called before a batch is recorded.

        What is stored *now* counts, and not what it was at ``epoch``: a transaction that began before another one's must not bring
        back the devices of its time.
        """
        if epoch == self._epoch:
            return
        with self._lock, self._begin() as storage:
            newest = storage.version(EPOCH_KEY)
            if newest == self._epoch:
                return
            stored = all_stored(storage)
            for enabled in self._broker.enabled:
                if not enabled.from_configuration and enabled.name not in stored:
                    self._broker.disable(enabled.name)
            enable_stored(self._broker, storage, self._types, self._limits)
            self._epoch = newest


def still_to_enable(
    broker: Broker, storage: Storage, types: Mapping[str, DeviceType], limits: Limits
) -> tuple[Enabled, ...]:
    """The devices that :func:`enable_stored` will enable, made but not enabled. Those that are refused today are left out."""
    names = {enabled.name for enabled in broker.enabled}
    made = []
    for stored in all_stored(storage).values():
        with contextlib.suppress(InvalidRequest):
            if stored.name not in names:
                made.append(opened(stored, types, limits))
    return tuple(made)


def enable_stored(broker: Broker, storage: Storage, types: Mapping[str, DeviceType], limits: Limits) -> None:
    """Enable what was enabled before. What is refused today is enabled as a device that fails, and never left out silently."""
    names = {enabled.name for enabled in broker.enabled}
    for stored in all_stored(storage).values():
        if stored.name in names:
            continue
        try:
            enabled = opened(stored, types, limits)
        except InvalidRequest:
            enabled = Enabled(name=stored.name, type=stored.type, device=RefusedDevice(), options=stored.options)
        broker.enable(enabled)
