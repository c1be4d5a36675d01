"""What a log can lie in: several files, compressed ones, those of several devices, and such as a failed disk leaves."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path

import pytest
from tests.evidence.logs import Log, LoggedVault

from strongroom.evidence.findings import Kind
from strongroom.evidence.verify import verify


@pytest.fixture
def vault(tmp_path: Path) -> LoggedVault:
    return LoggedVault(tmp_path)


@pytest.fixture
def log(vault: LoggedVault) -> Log:
    vault.work(6)
    return vault.log()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_the_logs_of_two_devices_are_two_logs(vault: LoggedVault, order: tuple[int, ...]) -> None:
    options = {"type": "file", "options": {"file_path": str(vault.folder / "second.log")}}
    vault.work()
    assert vault.vault.post("sys/audit/second", options).status == 204
    first = vault.rotate()
    vault.work()
    log = vault.log()
    files = [first, vault.file, vault.folder / "second.log"]
    report = verify([files[number] for number in order], key=log.key, anchor=log.anchor)
    assert (report.verdict, report.findings, report.doubts) == ("intact", [], [])
    (edited,) = files[2:]
    edited.write_bytes(edited.read_bytes().replace(b'"time":"2', b'"time":"1', 1))
    assert {one.file for one in verify(files, key=log.key).findings} == {str(edited)}


def test_a_log_that_was_compressed_after_its_rotation_is_read_like_any_other(vault: LoggedVault) -> None:
    vault.work()
    first = vault.rotate()
    vault.work()
    log = vault.log(first)
    compressed = first.with_name("audit.log.1.gz")
    compressed.write_bytes(gzip.compress(first.read_bytes()))
    report = verify([compressed, log.files[-1]], key=log.key, anchor=log.anchor)
    assert (report.verdict, report.findings, report.doubts) == ("intact", [], [])
    assert report.lines == log.verify().lines


@pytest.mark.parametrize("cut", [60, -9, -1])
def test_a_compressed_file_that_was_cut_off_is_told_as_that(vault: LoggedVault, cut: int) -> None:
    vault.work()
    first = vault.rotate()
    compressed = first.with_name("audit.log.1.gz")
    compressed.write_bytes(gzip.compress(first.read_bytes())[:cut])
    log = vault.log()
    report = verify([compressed, log.files[-1]], key=log.key)
    assert report.findings[0].kind is Kind.TAIL_TRUNCATED
    assert "compressed" in report.findings[0].text


def test_zeros_that_a_loss_of_power_left_are_no_tampering(vault: LoggedVault) -> None:
    vault.work()
    file = vault.file
    with file.open("ab") as opened:
        opened.write(bytes(70_000))
    vault.crash_and_restart()
    vault.work()
    log = vault.log()
    report = log.verify()
    assert (report.verdict, report.findings) == ("intact", [])
    assert any("zeros" in note for note in report.notes)


@pytest.mark.parametrize("content", [b"\0", b"x", b'{"time":"'])
def test_a_line_without_an_end_takes_no_memory(log: Log, content: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("strongroom.evidence.lines.LINE_BYTES_MAX", 2 << 20)
    with log.files[-1].open("ab") as opened:
        opened.write(content)
        opened.truncate(64 << 20)
    tracemalloc.start()
    report = log.verify()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert report.lines == len(log.lines()) - 1
