"""Every check of the doctor, on a server that is set up well and on ones that are not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.server.doctor.cases import CASES
from tests.server.doctor.stage import GOOD_PROCESS, Edit, Stage

from strongroom.physical.sqlite import SqliteStore
from strongroom.server.doctor.check import Check, Finding, Level, Verdict
from strongroom.server.doctor.examine import CHECKS, report
from strongroom.server.doctor.running import Running, read_process, running_on


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stage:
    stage = Stage(tmp_path)
    stage.patch = monkeypatch
    return stage


@pytest.mark.parametrize(
    ("check_id", "level", "edit"), CASES, ids=[f"{number} {one[0]} {one[1]}" for number, one in enumerate(CASES)]
)
def test_a_check_says_what_is_so(stage: Stage, check_id: str, level: str, edit: Edit) -> None:
    edit(stage)
    verdict = (stage.found or stage.finding(check_id)).verdict
    assert verdict.level.value == level, verdict.text
    assert verdict.text


def test_every_check_is_seen_to_be_content_and_to_complain() -> None:
    levels = {check.id: {level for check_id, level, _ in CASES if check_id == check.id} for check in CHECKS}
    complaints = {"warn", "fail"}
    assert [name for name, found in levels.items() if not found & complaints] == []
    # Whether two file systems are there is the machine's business, so this one cannot be content everywhere.
    assert [name for name, found in levels.items() if "ok" not in found] == ["audit-space"]
    assert {check_id for check_id, _, _ in CASES} == set(levels)


def test_every_check_says_what_why_and_what_to_do() -> None:
    assert len({check.id for check in CHECKS}) == len(CHECKS) >= 20
    for check in CHECKS:
        assert all((check.what, check.why, check.fix)), check.id
        assert not check.what.endswith(".")
        assert check.why.endswith(".")
        assert check.fix.endswith(".")


@pytest.mark.parametrize(
    ("levels", "exit_code"),
    [
        ((Level.OK, Level.SKIPPED), 0),
        ((Level.OK, Level.WARN), 0),
        ((Level.WARN, Level.UNKNOWN), 2),
        ((Level.UNKNOWN, Level.FAIL), 1),
        ((), 0),
    ],
)
def test_the_exit_code_says_the_worst(levels: tuple[Level, ...], exit_code: int) -> None:
    def never(_: object) -> Verdict:
        raise AssertionError

    findings = [Finding(Check("a", "b", "c", "d", never), Verdict(level, "text")) for level in levels]
    assert report(findings)["exit_code"] == exit_code


def test_a_running_process_is_seen_as_it_is() -> None:
    waits = "import sys; print('ready', flush=True); sys.stdin.read()"
    limits = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); "
    words = [sys.executable, "-I", "-c", limits + waits]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        process = read_process(child.pid)
        child.communicate(b"")
    assert (process.uid, process.core_bytes, process.is_isolated) == (os.getuid(), 0, True)
    assert process.is_traceable is (None if os.getuid() == 0 else True)
    assert process.resident_bytes > 1_000_000
    assert process.locked_bytes == process.swapped_bytes == 0


def test_the_process_that_holds_the_data_folder_is_found(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data")
    try:
        found = running_on(tmp_path / "data", "lock", "").processes
        assert found[0].pid == os.getpid()
        # The file may be gone: the folder itself is held as well.
        (tmp_path / "data" / "lock").unlink()
        assert running_on(tmp_path / "data", "lock", "").processes[0].pid == os.getpid()
    finally:
        store.close()
    assert running_on(tmp_path / "data", "lock", "") == Running()


def test_a_process_is_found_by_its_file_where_the_lock_does_not_tell(tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    assert running_on(tmp_path, "lock", str(tmp_path / "pid")).processes[0].pid == os.getpid()
    (tmp_path / "pid").write_text("no number\n")
    assert running_on(tmp_path, "lock", str(tmp_path / "pid")) == Running()
    assert GOOD_PROCESS.is_isolated


def test_a_file_that_a_dead_server_left_behind_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "pid").write_text(f"{os.getpid()}\n")
    assert running_on(tmp_path, "lock", str(tmp_path / "pid")) == Running()


def test_a_server_whose_processes_cannot_be_seen_is_not_taken_for_none(tmp_path: Path) -> None:
    proc = tmp_path / "proc"
    proc.mkdir()
    store = SqliteStore(tmp_path / "data")
    try:
        (proc / "locks").write_text("")  # as in another container
        found = running_on(tmp_path / "data", "lock", "", proc)
        assert found.processes == ()
        assert "its processes cannot be seen from here" in found.doubt
    finally:
        store.close()


def test_a_lock_on_a_layered_file_system_is_found_by_who_has_the_file_open(tmp_path: Path) -> None:
    proc, folder = tmp_path / "proc", tmp_path / "data"
    store = SqliteStore(folder)
    try:
        number = (folder / "lock").stat().st_ino
        other, mine = 12, os.getpid()
        for pid in (other, mine):
            (proc / str(pid)).mkdir(parents=True)
        (proc / str(other) / "fd").mkdir()
        (proc / str(mine)).rmdir()
        (proc / str(mine)).symlink_to(f"/proc/{mine}")
        line = "{0}: FLOCK  ADVISORY  WRITE {1} ff:ff:{2} 0 EOF\n"
        (proc / "locks").write_text(line.format(1, other, number) + line.format(2, mine, number))
        assert [one.pid for one in running_on(folder, "lock", "", proc).processes][:1] == [mine]
    finally:
        store.close()
