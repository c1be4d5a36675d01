"""What every audit device promises, whichever it is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.kit import PATIENT_SECONDS

from strongroom.audit.broker import Broker
from strongroom.audit.devices import Device, DeviceFailed
from strongroom.audit.devices.file import open_file_device
from strongroom.audit.enabled import Enabled
from strongroom.audit.facts import Facts
from strongroom.audit.options import Limits
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import AuditUnavailable
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request

LINES = b'{"a":1}\n{"a":2}\n'


@dataclass
class Place:
    """A device with the means to look at what it kept, to break it, and to mend it."""

    device: Device
    kept: Callable[[], bytes]
    break_it: Callable[[], object]
    mend_it: Callable[[], object]


def file_place(folder: Path, **options: str) -> Place:
    path = folder / "logs" / "audit.log"
    path.parent.mkdir()
    device = open_file_device(
        {"file_path": str(path), **options}, Limits(from_api=True, allowed_folders=(str(folder),))
    )

    def break_it() -> None:
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)

    return Place(device, path.read_bytes, break_it, path.unlink)


PLACES: dict[str, Callable[[Path], Place]] = {
    "file": file_place,
    "file, synced": lambda folder: file_place(folder, durability="synced"),
}


@pytest.fixture(params=PLACES)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    place = PLACES[request.param](tmp_path)
    yield place
    place.device.close()


def test_what_was_written_is_there_when_write_returns(place: Place) -> None:
    place.device.write(LINES)
    assert place.kept() == LINES
    place.device.write(LINES)
    assert place.kept() == LINES * 2


def test_reopening_and_closing_lose_nothing(place: Place) -> None:
    place.device.write(LINES)
    place.device.reopen()
    place.device.write(LINES)
    place.device.close()
    place.device.close()
    place.device.write(LINES)
    assert place.kept() == LINES * 3


def test_a_broken_device_says_so_each_time_and_works_once_mended(place: Place) -> None:
    place.device.write(LINES)
    place.break_it()
    for _ in range(2):
        with pytest.raises(DeviceFailed):
            place.device.write(LINES)
    place.mend_it()
    place.device.write(LINES)
    assert place.kept() == LINES


def test_a_broken_device_stops_everything_until_it_is_mended(place: Place) -> None:
    broker = Broker(SystemClock(), SystemEntropy(), deadline_seconds=PATIENT_SECONDS)
    broker.enable(Enabled(name="only", type="any", device=place.device))
    broker.unseal(bytes(32))
    line = broker.request_line(Facts(request=Request(id="1", operation=Operation.READ, path="secret/a")))
    broker.write([line])
    place.break_it()
    with pytest.raises(AuditUnavailable):
        broker.write([line])
    place.mend_it()
    broker.write([line])
    assert b'"reason":"resume"' in place.kept()
    assert place.kept().count(b'"type":"request"') == 1
