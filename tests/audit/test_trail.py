"""Checkpoints: when they are written, what they say, who signed them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.audit.scene import KEY, FakeClock, FixedEntropy, MemoryDevice, enabled, make_facts
from tests.kit import PATIENT_SECONDS

from strongroom.audit.broker import Broker
from strongroom.audit.trail import LINES_MAX, SECONDS_MAX, Evidence, Kept
from strongroom.evidence.chain import Head
from strongroom.evidence.checkpoint import Reason, read_checkpoint, statement_of
from strongroom.evidence.signature import PublicKey, SigningKey
from strongroom.logical.ambient import Entropy, SystemEntropy

SIGNING_KEY = SigningKey(bytes(range(32)))


class RereadDevice(MemoryDevice):
    """Shows what it keeps, as a file does."""

    def tail(self) -> bytes:
        return self.kept


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def device() -> RereadDevice:
    return RereadDevice()


def make_broker(
    clock: FakeClock, device: MemoryDevice, entropy: Entropy | None = None, **stored: tuple[Kept, ...]
) -> Broker:
    broker = Broker(clock, entropy or FixedEntropy(), deadline_seconds=PATIENT_SECONDS)
    broker.enable(enabled("main", device))
    broker.unseal(KEY, Evidence("vault-1", SIGNING_KEY, stored, lambda: {"counter": 7}))
    return broker


def record(broker: Broker, lines: int = 1) -> None:
    broker.write([broker.request_line(make_facts())] * lines)


def checkpoints(device: MemoryDevice) -> list[dict[str, Any]]:
    return [line["checkpoint"] for line in device.lines() if line["type"] == "checkpoint"]


def reasons(device: MemoryDevice) -> list[str]:
    return [checkpoint["reason"] for checkpoint in checkpoints(device)]


def test_a_chain_begins_with_a_checkpoint_that_anybody_can_verify(clock: FakeClock, device: RereadDevice) -> None:
    make_broker(clock, device)
    line = device.kept.rstrip(b"\n")
    checkpoint = read_checkpoint(line)
    assert checkpoint is not None
    assert (checkpoint.reason, checkpoint.device, checkpoint.vault) == (Reason.START, "main", "vault-1")
    assert (checkpoint.root, checkpoint.generation, checkpoint.previous) == ({"counter": 7}, 1, None)
    assert PublicKey.read(SIGNING_KEY.public_pem).is_signed(statement_of(line), checkpoint.signature)


def test_lines_are_signed_after_a_while(clock: FakeClock, device: RereadDevice) -> None:
    broker = make_broker(clock, device)
    record(broker)
    broker.settle()
    assert reasons(device) == ["start"]
    clock.seconds += SECONDS_MAX
    broker.settle()
    broker.settle()
    assert reasons(device) == ["start", "interval"]
    assert broker.checkpoints["main"].head.sequence == 3


def test_many_lines_are_signed_at_once(clock: FakeClock, device: RereadDevice) -> None:
    record(make_broker(clock, device), LINES_MAX)
    assert reasons(device) == ["start", "interval"]


def test_nothing_is_signed_while_the_vault_is_sealed(clock: FakeClock, device: RereadDevice) -> None:
    broker = make_broker(clock, device)
    broker.seal()
    clock.seconds += 60
    broker.settle()
    broker.checkpoint(Reason.STOP)
    assert "signature" not in device.lines()[-1]
    broker.unseal(KEY, Evidence("vault-1", SIGNING_KEY, {}))
    assert reasons(device)[-1] == "unseal"
    assert "signature" in device.lines()[-1]


def test_reopening_leaves_a_checkpoint_on_both_sides(clock: FakeClock, device: RereadDevice) -> None:
    broker = make_broker(clock, device)
    broker.reopen()
    assert reasons(device) == ["start", "rotate", "reopened"]
    assert [checkpoint["generation"] for checkpoint in checkpoints(device)] == [1, 1, 2]


def test_a_new_process_goes_on_where_the_file_ends(clock: FakeClock, device: RereadDevice) -> None:
    broker = make_broker(clock, device)
    broker.reopen()
    record(broker)
    last = device.lines()[-1]["chain"]
    make_broker(clock, device)
    assert checkpoints(device)[-1]["previous"] == last
    assert checkpoints(device)[-1]["generation"] == 2


def test_a_new_process_names_every_chain_that_nobody_had_signed_to_its_end(
    clock: FakeClock, device: RereadDevice
) -> None:
    brokers = [make_broker(clock, device, entropy=SystemEntropy()) for _ in range(3)]
    for broker in (*brokers, brokers[0]):
        record(broker)
    ends = {line["chain"]["id"]: line["chain"] for line in device.lines()}
    last = device.lines()[-1]["chain"]
    make_broker(clock, device, entropy=SystemEntropy())
    first = checkpoints(device)[-1]
    assert first["previous"] == last
    assert first["beside"] == [end for end in ends.values() if end != last]
    make_broker(clock, device, entropy=SystemEntropy())
    assert "beside" not in checkpoints(device)[-1]


def test_what_the_vault_remembers_is_looked_for_and_said(clock: FakeClock, device: RereadDevice) -> None:
    kept = make_broker(clock, device).checkpoint(Reason.SEAL)["main"]
    lost = Kept(Head("cd" * 16, 9, "00" * 32), 4, "seal")
    broker = make_broker(clock, device, main=(kept, lost))
    assert [stored["found"] for stored in checkpoints(device)[-1]["stored"]] == [True, False]
    assert broker.health[0].is_tampered
    broker.checkpoint(Reason.INTERVAL)
    assert checkpoints(device)[-1]["stored"] == []


def test_a_device_that_cannot_be_read_is_believed(clock: FakeClock) -> None:
    device = MemoryDevice()
    broker = make_broker(clock, device, main=(Kept(Head("cd" * 16, 9, "00" * 32), 4, "seal"),))
    assert not broker.health[0].is_tampered
