from __future__ import annotations

import json
import threading
from typing import Any

import pytest
from tests.audit.scene import KEY, FakeClock, FixedEntropy, MemoryDevice, enabled, make_broker, make_facts, make_request
from tests.kit import PATIENT_SECONDS

from strongroom.audit.broker import RETRY_SECONDS, Broker
from strongroom.audit.devices import DeviceFailed
from strongroom.audit.facts import SealedFacts
from strongroom.audit.hasher import UnknownType
from strongroom.audit.options import Format
from strongroom.logical.errors import AuditUnavailable, InvalidRequest, PermissionDenied, Sealed
from strongroom.logical.request import Response

BROKEN = DeviceFailed("the disk is full")
CANARY = "CANARY-77c0de"


def record_something(broker: Broker) -> None:
    facts = make_facts(make_request(body={"value": CANARY}))
    broker.write([broker.request_line(facts)])
    broker.write([broker.response_line(facts, Response(data={"value": CANARY}))])


def test_a_device_gets_each_record_as_one_line_in_order() -> None:
    device = MemoryDevice()
    record_something(make_broker(enabled("file", device)))
    assert device.kept.endswith(b"}\n")
    assert [record["type"] for record in device.records()] == ["request", "response"]


def test_a_batch_is_one_write() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))
    broker.write([broker.request_line(make_facts()) for _ in range(5)])
    assert device.writes == 1
    assert len(device.records()) == 5


def test_lines_are_numbered_without_gaps_under_the_id_of_their_chain() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))
    record_something(broker)
    record_something(broker)
    assert [(line["chain"]["id"], line["chain"]["sequence"]) for line in device.lines()] == [
        ("ab" * 16, sequence) for sequence in (1, 2, 3, 4, 5)
    ]


def test_numbers_follow_the_order_of_writing_and_not_of_making() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))
    first, second = broker.request_line(make_facts()), broker.request_line(make_facts(policies_allowed=False))
    broker.write([second])
    broker.write([first])
    allowed = [record["auth"]["policy_results"]["allowed"] for record in device.records()]
    assert allowed == [False, True]
    assert [record["chain"]["sequence"] for record in device.records()] == [2, 3]


def test_an_empty_batch_is_nothing() -> None:
    device = MemoryDevice()
    make_broker(enabled("file", device)).write([])
    assert device.writes == 0


def test_without_a_device_everything_is_accepted_and_said_so() -> None:
    broker = make_broker()
    record_something(broker)
    assert not broker.is_enabled
    assert make_broker(enabled("file", MemoryDevice())).is_enabled


def test_every_device_gets_every_record() -> None:
    one, two = MemoryDevice(), MemoryDevice()
    record_something(make_broker(enabled("one", one), enabled("two", two)))
    assert [record["type"] for record in one.records()] == ["request", "response"]
    assert [record["request"] for record in one.records()] == [record["request"] for record in two.records()]


def test_a_raw_device_changes_nothing_for_its_neighbours() -> None:
    hashed, raw, late = MemoryDevice(), MemoryDevice(), MemoryDevice()
    broker = make_broker(enabled("hashed", hashed))
    facts = make_facts(make_request(body={"value": CANARY}))
    lines = [broker.request_line(facts)]
    # Enabled in the middle of a request, which is the enabling request's own case.
    broker.enable(enabled("raw", raw, Format(log_raw=True)))
    lines.append(broker.response_line(facts, Response(data={"value": CANARY})))
    broker.enable(enabled("late", late, Format(hmac_accessor=False)))
    broker.write(lines)
    record_something(broker)
    assert raw.kept.count(CANARY.encode()) == 6
    assert CANARY.encode() not in hashed.kept
    assert CANARY.encode() not in late.kept
    assert len(raw.records()) == len(hashed.records()) == len(late.records()) == 4


def test_a_prefix_stands_before_each_line_of_its_device_alone() -> None:
    plain, prefixed = MemoryDevice(), MemoryDevice()
    record_something(make_broker(enabled("plain", plain), enabled("prefixed", prefixed, prefix="@cee: ")))
    assert len(prefixed.records()) == len(plain.records()) == 2
    assert b"@cee: " not in plain.kept
    assert all(line.startswith(b"@cee: {") for line in prefixed.kept.splitlines())


def test_one_durable_record_is_enough() -> None:
    good, bad = MemoryDevice(), MemoryDevice()
    bad.fails = BROKEN
    broker = make_broker(enabled("bad", bad), enabled("good", good))
    record_something(broker)
    assert len(good.records()) == 2
    assert [(health.name, health.is_healthy) for health in broker.health] == [("bad", False), ("good", True)]


@pytest.mark.parametrize(
    "failure", [BROKEN, OSError("disk"), ValueError("bug")], ids=lambda error: type(error).__name__
)
def test_without_a_durable_record_nothing_may_happen(failure: Exception) -> None:
    one, two = MemoryDevice(), MemoryDevice()
    one.fails = two.fails = failure
    broker = make_broker(enabled("one", one), enabled("two", two))
    with pytest.raises(AuditUnavailable):
        broker.write([broker.request_line(make_facts())])


def test_a_failed_device_is_left_alone_for_a_while_and_tried_again() -> None:
    clock, good, bad = FakeClock(), MemoryDevice(), MemoryDevice()
    broker = Broker(clock, FixedEntropy(), deadline_seconds=PATIENT_SECONDS)
    broker.enable(enabled("good", good))
    broker.enable(enabled("bad", bad))
    broker.unseal(KEY)
    bad.fails = BROKEN
    record_something(broker)
    assert bad.writes == 1
    bad.fails = None
    clock.seconds = RETRY_SECONDS
    record_something(broker)
    assert bad.writes == 3
    assert all(health.is_healthy for health in broker.health)
    assert [health.failures for health in broker.health] == [0, 1]


def test_the_last_device_is_tried_again_at_once() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("only", device))
    device.fails = BROKEN
    with pytest.raises(AuditUnavailable):
        record_something(broker)
    device.fails = None
    record_something(broker)
    assert len(device.records()) == 2
    assert [line["checkpoint"]["reason"] for line in device.lines() if line["type"] == "checkpoint"] == ["start"]


def test_what_cannot_be_hashed_makes_no_record_and_so_nothing_may_happen() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))
    with pytest.raises(UnknownType):
        broker.response_line(make_facts(), Response(data={"a": object()}))


def test_what_cannot_be_hashed_for_a_device_that_came_later_is_unavailable() -> None:
    broker = make_broker()
    line = broker.response_line(make_facts(), Response(data={"a": object()}))
    broker.enable(enabled("file", MemoryDevice()))
    with pytest.raises(AuditUnavailable):
        broker.write([line])


def test_a_name_is_given_once() -> None:
    broker = make_broker(enabled("file", MemoryDevice()))
    with pytest.raises(InvalidRequest, match="already"):
        broker.enable(enabled("file", MemoryDevice()))


def test_a_disabled_device_is_closed_and_gets_nothing_more() -> None:
    gone, left = MemoryDevice(), MemoryDevice()
    broker = make_broker(enabled("gone", gone), enabled("left", left))
    assert broker.disable("gone")
    assert not broker.disable("gone")
    record_something(broker)
    assert gone.closed == 1
    assert gone.records() == []
    assert [device.name for device in broker.enabled] == ["left"]


def test_a_probe_writes_a_test_record_or_says_why_not() -> None:
    good, bad = MemoryDevice(), MemoryDevice()
    broker = make_broker()
    broker.probe(enabled("good", good))
    assert good.records()[0]["request"]["path"] == "sys/audit/test"
    bad.fails = BROKEN
    with pytest.raises(InvalidRequest, match="the disk is full"):
        broker.probe(enabled("bad", bad))
    assert bad.closed == 1
    assert not broker.is_enabled


def test_reopening_reaches_every_device_and_a_failure_is_noted() -> None:
    good, bad = MemoryDevice(), MemoryDevice()
    broker = make_broker(enabled("bad", bad), enabled("good", good))
    bad.fails = BROKEN
    assert broker.reopen() == ("bad",)
    assert (bad.reopened, good.reopened) == (1, 1)
    assert [health.is_healthy for health in broker.health] == [False, True]


def test_hashing_says_what_the_records_say() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))
    record_something(broker)
    assert device.records()[0]["request"]["data"]["value"] == broker.hash("file", CANARY)


def test_hashing_needs_a_device_of_that_name() -> None:
    broker = make_broker(enabled("file", MemoryDevice()))
    with pytest.raises(InvalidRequest, match="unknown audit backend"):
        broker.hash("other", "x")


def test_a_sealed_broker_makes_only_sealed_records() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device), unsealed=False)
    with pytest.raises(Sealed):
        broker.request_line(make_facts())
    with pytest.raises(Sealed):
        broker.hash("file", "x")
    broker.write([broker.sealed_line(SealedFacts(request=make_request(path="sys/unseal", body={"key": CANARY})))])
    assert device.records()[0]["request"]["path"] == "sys/unseal"
    assert CANARY.encode() not in device.kept


def test_sealing_forgets_the_key_and_the_devices_of_the_api() -> None:
    configured, from_api = MemoryDevice(), MemoryDevice()
    broker = make_broker(enabled("configured", configured), enabled("api", from_api, configured=False))
    broker.seal()
    assert [device.name for device in broker.enabled] == ["configured"]
    assert from_api.closed == 1
    with pytest.raises(Sealed):
        broker.request_line(make_facts())
    broker.unseal(KEY)
    record_something(broker)
    assert len(configured.records()) == 2


def test_a_record_made_before_the_seal_cannot_be_formatted_for_a_new_device_after_it() -> None:
    broker = make_broker()
    line = broker.request_line(make_facts())
    broker.seal()
    broker.enable(enabled("file", MemoryDevice()))
    with pytest.raises(AuditUnavailable):
        broker.write([line])


def test_sealed_records_go_to_the_devices_of_the_configuration_alone() -> None:
    configured, from_api = MemoryDevice(), MemoryDevice()
    broker = make_broker(enabled("api", from_api, configured=False), enabled("configured", configured))
    facts = SealedFacts(request=make_request(path="sys/seal"), outcome="sealed")
    broker.write([broker.sealed_line(facts, PermissionDenied(), is_response=True)])
    assert from_api.records() == []
    (record,) = configured.records()
    assert (record["type"], record["response"], record["error"]) == (
        "response",
        {"outcome": "sealed"},
        "permission denied",
    )
    configured.fails = BROKEN
    with pytest.raises(AuditUnavailable):
        broker.write([broker.sealed_line(facts)])


def test_many_threads_leave_whole_lines_with_distinct_numbers() -> None:
    device = MemoryDevice()
    broker = make_broker(enabled("file", device))

    def record_much() -> None:
        for _ in range(50):
            record_something(broker)

    threads = [threading.Thread(target=record_much) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    sequences: list[Any] = [json.loads(line)["chain"]["sequence"] for line in device.kept.splitlines()]
    assert sequences == list(range(1, 402))


def test_closing_closes_every_device() -> None:
    devices = [MemoryDevice(), MemoryDevice()]
    broker = make_broker(*(enabled(str(number), device) for number, device in enumerate(devices)))
    broker.close()
    assert [device.closed for device in devices] == [1, 1]
    assert not broker.is_enabled
