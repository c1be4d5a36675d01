from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from strongroom.delivery.offline_cipher import CannotSeal
from strongroom.delivery.offline_queue import OfflineQueue


@pytest.fixture
def queue(tmp_path: Path) -> OfflineQueue:
    return OfflineQueue(str(tmp_path / "offline"))


def paths_of(queue: OfflineQueue, *refused: str) -> list[str]:
    seen: list[str] = []

    def deliver(entry: dict[str, str]) -> bool:
        seen.append(entry["path"])
        return entry["path"] not in refused

    queue.report(deliver)
    return seen


def test_entries_wait_until_they_are_taken(queue: OfflineQueue, tmp_path: Path) -> None:
    assert (queue.count(), paths_of(queue)) == (0, [])
    for path in "abc":
        queue.add({"path": path})
    assert (tmp_path / "offline" / "unreported-reads").stat().st_mode & 0o777 == 0o600
    assert queue.count() == 3
    assert paths_of(queue, "b") == ["a", "b", "c"]
    assert paths_of(queue) == ["b"]
    assert queue.count() == 0


def test_an_error_on_the_way_keeps_what_was_not_taken(queue: OfflineQueue) -> None:
    for path in "abc":
        queue.add({"path": path})

    def breaks(entry: dict[str, str]) -> bool:
        if entry["path"] == "b":
            raise ConnectionError
        return True

    with pytest.raises(ConnectionError):
        queue.report(breaks)
    assert paths_of(queue) == ["b", "c"]


def test_half_a_line_of_somebody_who_was_killed_keeps_nobody(queue: OfflineQueue, tmp_path: Path) -> None:
    queue.add({"path": "a"})
    with (tmp_path / "offline" / "unreported-reads").open("a") as file:
        file.write('{"path": "b\n')
    assert paths_of(queue) == ["a"]
    assert queue.count() == 0


@pytest.mark.parametrize("content", [b"null\n", b"1\n", b"[]\n", b"[" * 100_000 + b"\n", b"\0" * 50 + b"\n", b"\xff\n"])
def test_what_is_no_entry_keeps_nobody(queue: OfflineQueue, tmp_path: Path, content: bytes) -> None:
    queue.add({"path": "a"})
    file = tmp_path / "offline" / "unreported-reads"
    file.write_bytes(content + file.read_bytes())
    assert paths_of(queue) == ["a"]
    assert queue.count() == 0


def test_an_entry_that_is_refused_holds_up_no_other(queue: OfflineQueue) -> None:
    for path in ("refused", "a", "b"):
        queue.add({"path": path})
    seen: list[str] = []

    def deliver(entry: dict[str, str]) -> bool:
        seen.append(entry["path"])
        return entry["path"] != "refused"

    assert queue.report(deliver, 2) == 1
    assert queue.report(deliver, 2) == 1
    assert seen == ["refused", "a", "b", "refused"]
    assert queue.count() == 1


def test_entries_for_another_server_stay_where_they_are(queue: OfflineQueue) -> None:
    for path in "abc":
        queue.add({"path": path})
    assert queue.report(lambda entry: True if entry["path"] == "c" else None, 1) == 1
    assert paths_of(queue) == ["a", "b"]


def test_a_process_that_reports_keeps_no_other_waiting(queue: OfflineQueue) -> None:
    queue.add({"path": "a"})
    within: list[int] = []

    def deliver(_: dict[str, str]) -> bool:
        within.append(queue.report(lambda _: True))
        return True

    assert queue.report(deliver) == 1
    assert within == [0]


def test_a_read_that_cannot_be_written_down_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(CannotSeal, match="cannot be written down"):
        OfflineQueue(str(tmp_path / "file" / "below")).add({"path": "a"})


def test_a_queue_that_is_full_refuses(queue: OfflineQueue, tmp_path: Path) -> None:
    queue.add({"path": "a"})
    (tmp_path / "offline" / "unreported-reads").write_bytes(b"x" * (5 << 20))
    with pytest.raises(CannotSeal, match="too many"):
        queue.add({"path": "b"})


def test_several_processes_lose_nothing(queue: OfflineQueue, tmp_path: Path) -> None:
    code = (
        "import sys\nfrom strongroom.delivery.offline_queue import OfflineQueue\n"
        "for number in range(30): OfflineQueue(sys.argv[1]).add({'path': f'{sys.argv[2]}{number}'})"
    )
    words = [sys.executable, "-c", code, str(tmp_path / "offline")]
    writers = [subprocess.Popen([*words, name]) for name in "xy"]
    seen: list[str] = []
    while any(writer.poll() is None for writer in writers):
        seen += paths_of(queue)
    seen += paths_of(queue)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert sorted(seen) == sorted(f"{name}{number}" for name in "xy" for number in range(30))
