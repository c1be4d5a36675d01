"""Each class of tampering is told from every other one, on logs that a whole vault wrote (SECURITY R-21)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.evidence.logs import Log, LoggedVault

from strongroom.evidence.chain import BEFORE_ALL, hash_of, place_of
from strongroom.evidence.findings import Kind
from strongroom.evidence.verify import verify


@pytest.fixture
def vault(tmp_path: Path) -> LoggedVault:
    return LoggedVault(tmp_path)


@pytest.fixture
def log(vault: LoggedVault) -> Log:
    vault.work(6)
    return vault.log()


def test_a_log_that_nobody_touched_is_intact(log: Log) -> None:
    report = log.verify()
    assert (report.verdict, report.findings, report.doubts, report.unsigned) == ("intact", [], [], 0)
    assert report.lines == len(log.lines())
    assert report.signatures > 0


def test_without_the_public_key_links_hold_but_nothing_is_proven(log: Log) -> None:
    report = log.verify(key=False)
    assert (report.verdict, report.findings) == ("cannot tell", [])
    assert "-public-key" in report.doubts[0]


def test_rotation_and_crashes_leave_an_intact_log(vault: LoggedVault) -> None:
    vault.work()
    first = vault.rotate()
    vault.work()
    vault.crash_and_restart()
    vault.work()
    second = vault.rotate()
    vault.vault.node.seal()
    vault.vault.unseal()
    vault.work()
    report = vault.log(first, second).verify()
    assert (report.verdict, report.findings, report.doubts) == ("intact", [], [])


def test_lines_after_the_last_checkpoint_leave_a_doubt(vault: LoggedVault, log: Log) -> None:
    vault.vault.get("auth/token/lookup-self")
    report = log.verify()
    assert (report.verdict, report.findings, report.unsigned) == ("cannot tell", [], 2)


def test_a_changed_line_is_edited(log: Log) -> None:
    lines = log.lines()
    lines[5] = lines[5].replace(b'"time":"2', b'"time":"1')
    log.write(lines)
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line) == (Kind.EDITED, 6)


def test_a_changed_hash_is_edited(log: Log) -> None:
    lines = log.lines()
    lines[5] = lines[5][:-5] + (b"0" if lines[5][-5:-4] != b"0" else b"1") + lines[5][-4:]
    log.write(lines)
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line) == (Kind.EDITED, 6)


def test_a_changed_line_with_its_hash_made_anew_is_edited(log: Log) -> None:
    lines = log.lines()
    before = place_of(lines[4].rstrip())
    assert before is not None
    text = lines[5].rstrip().replace(b'"time":"2', b'"time":"1')
    place = place_of(text)
    assert place is not None
    digest = hash_of(before.hash, text, place)
    lines[5] = text.replace(place.hash.hex().encode(), digest.hex().encode()) + b"\n"
    log.write(lines)
    (finding,) = log.verify().findings
    assert finding.kind is Kind.EDITED
    assert finding.line in {6, 7}


def test_a_log_that_was_hashed_anew_from_a_changed_line_on_has_bad_signatures(log: Log) -> None:
    lines, digest = log.lines(), BEFORE_ALL
    for number, line in enumerate(lines):
        text = line.rstrip()
        if number == 5:
            text = text.replace(b'"time":"2', b'"time":"1')
        place = place_of(text)
        assert place is not None
        digest = hash_of(digest, text, place)
        lines[number] = text.replace(place.hash.hex().encode(), digest.hex().encode()) + b"\n"
    log.write(lines)
    assert Kind.BAD_SIGNATURE in log.kinds()


def test_a_deleted_line_is_deleted(log: Log) -> None:
    lines = log.lines()
    del lines[5]
    log.write(lines)
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line, finding.sequence) == (Kind.DELETED, 6, 6)


def test_an_added_line_is_inserted(log: Log) -> None:
    for forged in (b'{"time":"2030","type":"request"}\n', b"something else\n"):
        lines = log.lines()
        log.write([*lines[:5], forged, *lines[5:]])
        (finding,) = log.verify().findings
        assert (finding.kind, finding.line) == (Kind.INSERTED, 6)
        log.write(lines)


def test_an_added_line_with_a_place_is_inserted(log: Log) -> None:
    lines = log.lines()
    forged = lines[5].replace(b'"time":"2', b'"time":"1')
    log.write([*lines[:5], forged, *lines[5:]])
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line) == (Kind.INSERTED, 6)


def test_a_repeated_line_is_duplicated(log: Log) -> None:
    lines = log.lines()
    log.write([*lines[:8], lines[3], *lines[8:]])
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line, finding.sequence) == (Kind.DUPLICATED, 9, 4)


@pytest.mark.parametrize(("source", "target"), [(3, 8), (8, 3), (4, 5)])
def test_a_moved_line_is_reordered(log: Log, source: int, target: int) -> None:
    lines = log.lines()
    lines.insert(target, lines.pop(source))
    log.write(lines)
    assert log.kinds() == {Kind.REORDERED}


def test_a_missing_beginning_is_head_truncated(log: Log) -> None:
    log.write(log.lines()[4:])
    (finding,) = log.verify().findings
    assert (finding.kind, finding.line) == (Kind.HEAD_TRUNCATED, 1)


def test_a_missing_end_shows_by_the_anchor(log: Log) -> None:
    log.write(log.lines()[:-4])
    assert log.kinds() == {Kind.TAIL_TRUNCATED}
    assert log.verify(anchor=False).verdict != "broken"


def test_a_missing_end_shows_to_the_vault_at_its_next_unseal_and_to_the_verification_after_it(
    vault: LoggedVault,
) -> None:
    vault.work()
    vault.vault.node.seal()
    lines = vault.file.read_bytes().splitlines(keepends=True)
    vault.file.write_bytes(b"".join(lines[:-3]))
    vault.crash_and_restart()
    assert [health.is_tampered for health in vault.vault.node.broker.health] == [True]
    assert vault.log().kinds() >= {Kind.TAIL_TRUNCATED}


def test_an_end_that_is_there_leaves_the_vault_calm(vault: LoggedVault) -> None:
    vault.work()
    vault.vault.node.seal()
    vault.crash_and_restart()
    assert [health.is_tampered for health in vault.vault.node.broker.health] == [False]


def three_files(vault: LoggedVault) -> Log:
    vault.work()
    first = vault.rotate()
    vault.work()
    second = vault.rotate()
    vault.work()
    return vault.log(first, second)


def test_exchanged_files_are_swapped(vault: LoggedVault) -> None:
    log = three_files(vault)
    one, two = log.files[0].read_bytes(), log.files[1].read_bytes()
    log.files[0].write_bytes(two)
    log.files[1].write_bytes(one)
    assert log.kinds() == {Kind.SWAPPED_FILES}


def test_a_missing_rotated_file_is_missing(vault: LoggedVault) -> None:
    log = three_files(vault)
    del log.files[1]
    (finding,) = log.verify().findings
    assert (finding.kind, finding.file) == (Kind.MISSING_FILE, str(log.files[1]))


def test_older_files_that_are_not_given_are_no_tampering(vault: LoggedVault) -> None:
    log = three_files(vault)
    del log.files[0]
    report = log.verify()
    assert (report.verdict, len(report.notes)) == ("intact", 1)


def test_a_rotated_file_whose_end_is_cut_is_tail_truncated(vault: LoggedVault) -> None:
    log = three_files(vault)
    log.write(log.lines(0)[:-2], 0)
    (finding,) = log.verify().findings
    assert (finding.kind, finding.file) == (Kind.TAIL_TRUNCATED, str(log.files[0]))


def test_a_rotated_file_whose_beginning_is_cut_is_head_truncated(vault: LoggedVault) -> None:
    log = three_files(vault)
    log.write(log.lines(1)[2:], 1)
    (finding,) = log.verify().findings
    assert (finding.kind, finding.file) == (Kind.HEAD_TRUNCATED, str(log.files[1]))


def test_a_chain_of_another_vault_is_foreign(log: Log, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    other = LoggedVault(folder, seed="another")
    other.work()
    foreign = other.log().lines()
    lines = log.lines()
    log.write([*lines[:5], *foreign, *lines[5:]])
    assert log.kinds() == {Kind.FOREIGN_CHAIN}
    log.write([*lines[:5], *foreign[3:5], *lines[5:]])
    assert log.kinds() == {Kind.FOREIGN_CHAIN}
    assert {finding.kind for finding in verify([other.file], key=log.key).findings} == {Kind.FOREIGN_CHAIN}


def test_a_wrong_signature_is_told(log: Log) -> None:
    lines = log.lines()
    number = next(number for number, line in enumerate(lines) if b'"signature":"' in line)
    digest = BEFORE_ALL
    for at, line in enumerate(lines):
        text = line.rstrip()
        if at == number:
            text = text.replace(b'"signature":"', b'"signature":"AAAA', 1)
        place = place_of(text)
        assert place is not None
        digest = hash_of(digest, text, place)
        lines[at] = text.replace(place.hash.hex().encode(), digest.hex().encode()) + b"\n"
    log.write(lines)
    assert Kind.BAD_SIGNATURE in log.kinds()


def test_a_torn_last_line_is_no_tampering(vault: LoggedVault, log: Log) -> None:
    whole = vault.file.read_bytes()
    vault.vault.get("auth/token/lookup-self")
    vault.file.write_bytes(vault.file.read_bytes()[: len(whole) + 300])
    report = log.verify()
    assert report.findings == []
    assert "torn" in report.notes[0]


def test_a_torn_line_before_a_restart_is_no_tampering(vault: LoggedVault) -> None:
    vault.work()
    vault.file.write_bytes(vault.file.read_bytes() + b'{"time":"2030-01-01T00:00:00.000000000Z","type":"requ')
    vault.crash_and_restart()
    vault.work()
    report = vault.log().verify()
    assert (report.verdict, report.findings) == ("intact", [])
    assert "torn" in report.notes[0]


def test_an_anchor_that_somebody_changed_is_worth_nothing(log: Log) -> None:
    head = log.anchor.heads["main"]
    log.anchor = type(log.anchor)(
        time=log.anchor.time,
        vault=log.anchor.vault,
        key_id=log.anchor.key_id,
        heads={"main": head._replace(sequence=head.sequence - 1)},
        signature=log.anchor.signature,
    )
    assert log.kinds() == {Kind.BAD_SIGNATURE}


def test_something_that_is_no_log_proves_nothing(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_bytes(b"")
    assert verify([empty]).verdict == "cannot tell"


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Log:
    vault = LoggedVault(tmp_path_factory.mktemp("whole"))
    vault.work(4)
    vault.crash_and_restart()
    vault.work(6)
    return vault.log()


EXPECTED = {
    "edit": {
        Kind.EDITED,
        Kind.INSERTED,
        Kind.BAD_SIGNATURE,
        Kind.FOREIGN_CHAIN,
        Kind.HEAD_TRUNCATED,
        Kind.TAIL_TRUNCATED,
    },
    "delete": {Kind.DELETED, Kind.HEAD_TRUNCATED, Kind.TAIL_TRUNCATED},
    "duplicate": {Kind.DUPLICATED},
    "move": {Kind.REORDERED, Kind.HEAD_TRUNCATED, Kind.FOREIGN_CHAIN},
    "insert": {Kind.INSERTED},
}


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_single_change_of_a_log_goes_unseen_or_is_taken_for_another(whole: Log, data: st.DataObject) -> None:
    lines = whole.lines()
    last = max(number for number, line in enumerate(lines) if b'"reason":"anchor"' in line)
    kind = data.draw(st.sampled_from(sorted(EXPECTED)))
    at = data.draw(st.integers(0, last))
    changed = list(lines)
    if kind == "edit":
        place = data.draw(st.integers(0, len(lines[at]) - 2))
        new = data.draw(st.integers(32, 126).filter(lambda byte: byte != lines[at][place]))
        changed[at] = lines[at][:place] + bytes([new]) + lines[at][place + 1 :]
    elif kind == "delete":
        del changed[at]
    elif kind == "duplicate":
        changed.insert(data.draw(st.integers(at + 1, len(lines))), lines[at])
    elif kind == "move":
        target = data.draw(st.integers(0, last).filter(lambda target: target != at))
        changed.insert(target, changed.pop(at))
    else:
        changed.insert(at, b'{"time":"2030-03-17T17:46:40.000000000Z","type":"request"}\n')
    path = whole.folder / "changed.log"
    path.write_bytes(b"".join(changed))
    report = verify([path], key=whole.key, anchor=whole.anchor)
    assert report.verdict == "broken"
    assert report.findings[0].kind in EXPECTED[kind], report.findings


def test_the_last_line_before_a_crash_is_not_torn_where_the_next_chain_knows_it(whole: Log) -> None:
    lines = whole.lines()
    at = [number for number, line in enumerate(lines) if b'"sequence":1,"hash"' in line][1] - 1
    for cut in range(1, 4):
        changed = [*lines[:at], lines[at][: -1 - cut] + b" " * cut + b"\n", *lines[at + 1 :]]
        path = whole.folder / "edited.log"
        path.write_bytes(b"".join(changed))
        report = verify([path], key=whole.key, anchor=whole.anchor)
        assert report.verdict == "broken"
        assert report.findings[0].kind in EXPECTED["edit"], report.findings
