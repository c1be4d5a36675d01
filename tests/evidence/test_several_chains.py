"""The log of a server of several processes that were killed: each left a chain whose last lines nobody had signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.audit.scene import KEY, FakeClock, enabled, make_facts
from tests.kit import PATIENT_SECONDS

from strongroom.audit.broker import Broker
from strongroom.audit.devices.file import open_file_device
from strongroom.audit.options import Limits
from strongroom.audit.trail import SECONDS_MAX, Evidence
from strongroom.evidence.checkpoint import Reason
from strongroom.evidence.findings import Kind, Report
from strongroom.evidence.signature import PublicKey, SigningKey
from strongroom.evidence.verify import verify
from strongroom.logical.ambient import SystemEntropy

SIGNING_KEY = SigningKey(bytes(range(32)))
PROCESSES = 3


class Crew:
    """Processes that record into one file, each with a chain of its own."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = FakeClock()
        self.processes = self.start()

    def start(self) -> list[Broker]:
        return [self._process() for _ in range(PROCESSES)]

    def _process(self) -> Broker:
        broker = Broker(self.clock, SystemEntropy(), deadline_seconds=PATIENT_SECONDS)
        device = open_file_device({"file_path": str(self.file)}, Limits(from_api=False))
        broker.enable(enabled("main", device))
        broker.unseal(KEY, Evidence("vault-1", SIGNING_KEY, {}))
        return broker

    def work(self, rounds: int = 3) -> None:
        for number in range(rounds * PROCESSES):
            broker = self.processes[number % PROCESSES]
            broker.write([broker.request_line(make_facts())])

    def kill_and_start(self) -> None:
        self.processes = self.start()

    def stop(self) -> None:
        self.clock.seconds += SECONDS_MAX
        for broker in self.processes:
            broker.checkpoint(Reason.STOP)
            broker.close()

    def lines(self) -> list[bytes]:
        return self.file.read_bytes().splitlines(keepends=True)

    def verify(self) -> Report:
        return verify([self.file], key=PublicKey.read(SIGNING_KEY.public_pem))


@pytest.fixture
def crew(tmp_path: Path) -> Crew:
    return Crew(tmp_path / "audit.log")


def test_after_a_kill_and_a_stop_in_good_order_a_signature_vouches_for_every_line(crew: Crew) -> None:
    for _ in range(3):
        crew.work()
        crew.kill_and_start()
    crew.work()
    crew.stop()
    report = crew.verify()
    assert (report.verdict, report.findings, report.doubts, report.unsigned) == ("intact", [], [], 0)


@pytest.mark.parametrize("process", range(PROCESSES))
def test_the_last_lines_of_each_killed_process_cannot_be_taken_out(crew: Crew, process: int) -> None:
    crew.work()
    before = len(crew.lines())
    crew.kill_and_start()
    crew.work()
    crew.stop()
    lines = crew.lines()
    last = before - PROCESSES + process
    crew.file.write_bytes(b"".join(lines[:last] + lines[last + 1 :]))
    report = crew.verify()
    assert report.verdict == "broken"
    assert {finding.kind for finding in report.findings} <= {Kind.DELETED, Kind.TAIL_TRUNCATED}


def test_no_line_can_be_added_to_the_end_of_a_killed_process(crew: Crew) -> None:
    crew.work()
    before = crew.lines()
    crew.kill_and_start()
    crew.work()
    crew.stop()
    forged = before[-1].replace(b'"time":"2', b'"time":"1')
    lines = crew.lines()
    crew.file.write_bytes(b"".join([*lines[: len(before)], forged, *lines[len(before) :]]))
    assert crew.verify().verdict == "broken"


def test_the_whole_chain_of_a_killed_process_cannot_be_taken_out(crew: Crew) -> None:
    crew.work()
    crew.kill_and_start()
    crew.work()
    crew.stop()
    gone = crew.lines()[1].rsplit(b'"chain":{"id":"', 1)[1][:32]
    crew.file.write_bytes(b"".join(line for line in crew.lines() if b'"chain":{"id":"%b' % gone not in line))
    report = crew.verify()
    assert Kind.DELETED in {finding.kind for finding in report.findings}


def test_a_process_whose_device_failed_says_nothing_about_the_lines_of_others(crew: Crew) -> None:
    crew.work()
    failing, other = crew.processes[0], crew.processes[1]
    moved = crew.file.with_suffix(".moved")
    crew.file.rename(moved)
    crew.file.mkdir()
    failing.reopen()
    crew.file.rmdir()
    moved.rename(crew.file)
    for _ in range(3):
        other.write([other.request_line(make_facts())])
    failing.write([failing.request_line(make_facts())])
    crew.stop()
    report = crew.verify()
    assert (report.verdict, report.findings, report.notes) == ("intact", [], [])
