"""A device that hangs counts as failed in time and freezes nobody (SECURITY R-9)."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable

import pytest
from tests.audit.scene import KEY, FakeClock, FixedEntropy, MemoryDevice, enabled, make_facts
from tests.processes import wait_until

from strongroom.audit.broker import Broker
from strongroom.audit.devices import DeviceFailed
from strongroom.audit.rule import Rule
from strongroom.evidence.checkpoint import Reason
from strongroom.logical.errors import AuditUnavailable, InvalidRequest

SOON = 1.0
"""What a hanging device costs a test; far more than a good one ever takes, however busy the machine is."""


class HangingDevice(MemoryDevice):
    """Hangs in every write while it is told to, like a disk that stopped."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()
        self.goes_on.set()
        self.hangs = threading.Event()

    def write(self, lines: bytes) -> None:
        if not self.goes_on.is_set():
            self.hangs.set()
            self.goes_on.wait()
        super().write(lines)


def make_broker(*devices: tuple[str, MemoryDevice], required: tuple[str, ...] = ()) -> Broker:
    broker = Broker(FakeClock(), FixedEntropy(), Rule(frozenset(required)), deadline_seconds=SOON)
    for name, device in devices:
        broker.enable(enabled(name, device))
    broker.unseal(KEY)
    return broker


def record(broker: Broker) -> None:
    broker.write([broker.request_line(make_facts())])


def test_the_only_device_hangs_and_nothing_may_happen_until_it_is_back() -> None:
    device = HangingDevice()
    broker = make_broker(("only", device))
    record(broker)
    device.goes_on.clear()
    for _ in range(3):
        with pytest.raises(AuditUnavailable):
            record(broker)
    assert [(health.is_healthy, health.reason) for health in broker.health] == [(False, "it did not answer in time")]
    device.goes_on.set()
    while broker.health[0].is_healthy is False:
        broker.write_or_owe([broker.request_line(make_facts())])
    record(broker)
    assert broker.health[0].is_healthy


def test_a_hanging_device_does_not_keep_records_from_a_good_one() -> None:
    bad, good = HangingDevice(), MemoryDevice()
    bad.goes_on.clear()
    broker = make_broker(("bad", bad), ("good", good))
    for _ in range(20):
        record(broker)
    assert len(good.records()) == 20
    bad.goes_on.set()


def test_for_a_device_that_hangs_and_is_not_needed_nothing_is_queued_without_end() -> None:
    clock, bad, good = FakeClock(), HangingDevice(), MemoryDevice()
    broker = Broker(clock, FixedEntropy(), deadline_seconds=SOON)
    broker.enable(enabled("bad", bad))
    broker.enable(enabled("good", good))
    broker.unseal(KEY)
    bad.goes_on.clear()
    record(broker)
    bad.hangs.wait()
    for _ in range(2):
        clock.seconds += SOON + 0.1
        record(broker)
    waiting = broker._channels.all[0]._inbox.qsize()
    for _ in range(20):
        record(broker)
    assert broker._channels.all[0]._inbox.qsize() == waiting
    assert len(good.records()) == 23
    bad.goes_on.set()


def test_a_device_that_is_required_decides_alone() -> None:
    main, other = MemoryDevice(), MemoryDevice()
    broker = make_broker(("main", main), ("other", other), required=("main",))
    other.fails = DeviceFailed("the disk is full")
    record(broker)
    other.fails, main.fails = None, DeviceFailed("the disk is full")
    with pytest.raises(AuditUnavailable):
        record(broker)


def test_a_required_device_that_hangs_counts_as_failed() -> None:
    main, other = HangingDevice(), MemoryDevice()
    broker = make_broker(("main", main), ("other", other), required=("main",))
    main.goes_on.clear()
    with pytest.raises(AuditUnavailable):
        record(broker)
    main.goes_on.set()


def test_a_required_device_that_does_not_exist_is_missing() -> None:
    broker = make_broker(("other", MemoryDevice()), required=("main",))
    with pytest.raises(AuditUnavailable):
        record(broker)


def test_batches_that_wait_for_a_slow_device_are_written_together() -> None:
    device = HangingDevice()
    broker = Broker(FakeClock(), FixedEntropy(), deadline_seconds=30)
    broker.enable(enabled("slow", device))
    broker.unseal(KEY)
    device.goes_on.clear()
    threads = [threading.Thread(target=record, args=(broker,)) for _ in range(6)]
    threads[0].start()
    device.hangs.wait()
    for thread in threads[1:]:
        thread.start()
    while broker._channels.all[0]._inbox.qsize() < 5:
        pass
    device.goes_on.set()
    for thread in threads:
        thread.join()
    assert len(device.records()) == 6
    assert device.writes == 2


class PausingClock(FakeClock):
    """A clock that jumps when the process is said to have stood still, and tells ``on_look`` of the first look at it after that."""

    def __init__(self) -> None:
        super().__init__()
        self.paused = 0.0
        self.on_look: Callable[[], None] | None = None

    def pause_after(self, event: threading.Event) -> None:
        """Stand still for ten seconds once something has happened."""
        event.wait()
        self.paused = 10.0

    def monotonic(self) -> float:
        if self.paused and self.on_look is not None:
            told, self.on_look = self.on_look, None
            told()
        return super().monotonic() + self.paused


def paused_broker(clock: FakeClock, device: MemoryDevice) -> Broker:
    broker = Broker(clock, FixedEntropy(), deadline_seconds=SOON)
    broker.enable(enabled("only", device))
    broker.unseal(KEY)
    return broker


def test_what_was_under_way_when_the_process_was_stopped_is_waited_for_once_more() -> None:
    clock, device = PausingClock(), HangingDevice()
    broker = paused_broker(clock, device)
    device.goes_on.clear()
    clock.on_look = device.goes_on.set
    waiter = threading.Thread(target=clock.pause_after, args=(device.hangs,))
    waiter.start()
    record(broker)
    waiter.join()
    assert len(device.records()) == 1
    assert broker.health[0].is_healthy


def test_a_device_that_still_hangs_after_the_process_was_stopped_counts_as_failed() -> None:
    clock, device = PausingClock(), HangingDevice()
    broker = paused_broker(clock, device)
    device.goes_on.clear()
    waiter = threading.Thread(target=clock.pause_after, args=(device.hangs,))
    waiter.start()
    with pytest.raises(AuditUnavailable):
        record(broker)
    waiter.join()
    assert not broker.health[0].is_healthy
    device.goes_on.set()


def test_what_comes_after_the_process_was_stopped_queues_behind_what_was_under_way() -> None:
    clock, device = PausingClock(), HangingDevice()
    broker = paused_broker(clock, device)
    device.goes_on.clear()
    threads = [threading.Thread(target=record, args=(broker,)) for _ in range(2)]
    threads[0].start()
    device.hangs.wait()
    clock.paused = 10.0
    threads[1].start()
    wait_until(lambda: broker._channels.all[0]._inbox.qsize() == 1)
    device.goes_on.set()
    for thread in threads:
        thread.join()
    assert len(device.records()) == 2


def test_sealing_and_closing_do_not_wait_for_a_device_that_hangs() -> None:
    device = HangingDevice()
    broker = make_broker(("only", device))
    device.goes_on.clear()
    broker.checkpoint(Reason.SEAL)
    broker.seal()
    broker.reopen()
    broker.close()
    assert not broker.is_enabled
    device.goes_on.set()


def test_a_device_that_hangs_is_not_enabled() -> None:
    device = HangingDevice()
    device.goes_on.clear()
    with pytest.raises(InvalidRequest, match="it did not answer in time"):
        make_broker().probe(enabled("new", device))
    device.goes_on.set()


def test_what_a_device_missed_stands_in_its_next_checkpoint() -> None:
    bad, good = MemoryDevice(), MemoryDevice()
    broker = make_broker(("bad", bad), ("good", good))
    record(broker)
    bad.fails = DeviceFailed("the disk is full")
    record(broker)
    bad.fails = None
    broker.checkpoint(Reason.INTERVAL)
    resumed = next(
        line["checkpoint"]
        for line in bad.lines()
        if line["type"] == "checkpoint" and line["chain"]["sequence"] == 1 and line["checkpoint"]["reason"] == "resume"
    )
    assert resumed["missed"] == 1
    assert resumed["previous"]["sequence"] == 2


def test_emergencies_are_remembered_until_a_device_is_back_and_come_first_then() -> None:
    device = MemoryDevice()
    broker = make_broker(("only", device))
    device.fails = DeviceFailed("the disk is full")
    broker.write_or_owe([broker.request_line(make_facts(policies_allowed=False))])
    assert broker.owed == 1
    device.fails = None
    record(broker)
    assert [line["auth"]["policy_results"]["allowed"] for line in device.records()] == [False, True]
    assert broker.owed == 0


def test_a_broker_that_is_forgotten_ends_its_threads() -> None:
    broker = make_broker(("only", MemoryDevice()))
    record(broker)
    channel = weakref.ref(broker._channels.all[0])
    del broker
    wait_until(lambda: channel() is None)  # its thread may hold the last job for a moment yet
