"""What a scan of a history remembers for the next one: ids of clean objects, and nothing else."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest
from tests.scanner.conftest import GUESS, TOKEN
from tests.scanner.hiding.repositories import Builder, start

from strongroom.scanner.assembly import Wanted
from strongroom.scanner.clean_objects import CleanObjects
from strongroom.scanner.job import Job
from strongroom.scanner.levels import Level
from strongroom.scanner.problem import Problem
from strongroom.scanner.reports.report import Report
from strongroom.scanner.sources.git import GitRepository

SECRET = "aB3dE6gH9j" * 3
IDS = [bytes([number]) * 20 for number in range(5)]


@pytest.fixture
def repository(tmp_path: Path) -> Builder:
    builder = start(tmp_path / "repository")
    builder.write("a.txt", f"key = ttt_{SECRET}\n")
    for number in range(9):
        builder.write(f"{number}.txt", f"nothing here, in file {number}\n")
    builder.commit("first")
    return builder


@pytest.fixture
def wanted(tmp_path: Path) -> Wanted:
    return Wanted((TOKEN,), level=Level.ALL, cache=tmp_path / "cache")


def scan(builder: Builder, wanted: Wanted) -> Report:
    problems: list[Problem] = []
    source = GitRepository(str(builder.root), problems.append)
    job = Job(wanted, lambda: dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
    return job.run(source, problems, print, lambda _fragments, _size: None)


def kept(folder: Path) -> list[Path]:
    return sorted(folder.glob("clean-*"))


def places(report: Report) -> list[list[str]]:
    return [[occurrence.path for occurrence in finding.occurrences] for finding in report.findings]


def test_a_second_scan_reads_what_is_new_and_finds_what_there_is(repository: Builder, wanted: Wanted) -> None:
    first = scan(repository, wanted)
    second = scan(repository, wanted)
    repository.write("b.txt", f"again = ttt_{SECRET}\n")
    repository.commit("second")
    third = scan(repository, wanted)

    assert places(first) == places(second) == [["a.txt"]]
    assert places(third) == [["a.txt", "b.txt"]]
    assert second.fragments == first.fragments - 14  # ten files; messages and headers of two commits
    assert 3 <= third.fragments - second.fragments <= 6  # a file; message and header of a commit; files of git's own
    assert any("found clean by an earlier scan" in problem.what for problem in second.problems)
    assert not second.failures


def test_nothing_of_a_secret_is_kept_and_others_cannot_read_it(repository: Builder, wanted: Wanted) -> None:
    scan(repository, wanted)

    assert wanted.cache is not None
    (file,) = kept(wanted.cache)
    assert file.stat().st_mode & 0o777 == 0o600
    assert SECRET.encode() not in file.read_bytes()
    blob = repository.git("rev-parse", "HEAD:a.txt")
    assert bytes.fromhex(blob) not in file.read_bytes()
    assert bytes.fromhex(repository.git("rev-parse", "HEAD:1.txt")) in file.read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        {"rules": (TOKEN, GUESS)},
        {"rules": (replace(TOKEN, pattern=r"nothing_(?P<secret>here)"),)},
        {"rules": (replace(TOKEN, entropy=1.0),)},
        {"level": Level.PROVIDER},
        {"max_depth": 2},
    ],
)
def test_whoever_looks_for_something_else_reads_everything(
    repository: Builder, wanted: Wanted, change: dict[str, object]
) -> None:
    first = scan(repository, wanted)

    assert scan(repository, replace(wanted, **change)).fragments == first.fragments  # type: ignore[arg-type]  # any field


def test_without_a_cache_nothing_is_kept(repository: Builder, wanted: Wanted) -> None:
    first = scan(repository, replace(wanted, cache=None))
    second = scan(repository, replace(wanted, cache=None))

    assert first.fragments == second.fragments
    assert wanted.cache is not None
    assert not wanted.cache.exists()


@pytest.mark.parametrize("damage", ["cut", "changed", "open to others", "a link", "a folder", "empty"])
def test_what_is_damaged_or_foreign_is_not_believed_and_is_replaced(
    repository: Builder, wanted: Wanted, damage: str, tmp_path: Path
) -> None:
    first = scan(repository, wanted)
    assert wanted.cache is not None
    (file,) = kept(wanted.cache)
    whole = file.read_bytes()
    if damage == "cut":
        file.write_bytes(whole[:-7])
    elif damage == "changed":
        file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    elif damage == "open to others":
        file.chmod(0o644)
    elif damage == "a link":
        file.rename(tmp_path / "elsewhere")
        file.symlink_to(tmp_path / "elsewhere")
    elif damage == "a folder":
        file.unlink()
        file.mkdir()
    else:
        file.write_bytes(b"")

    assert scan(repository, wanted).fragments == first.fragments
    if damage != "a folder":
        assert scan(repository, wanted).fragments < first.fragments


def test_a_file_of_the_same_name_in_the_repository_means_nothing(repository: Builder, wanted: Wanted) -> None:
    scan(repository, wanted)
    assert wanted.cache is not None
    (file,) = kept(wanted.cache)
    content = file.read_bytes()
    file.unlink()
    for place in ("", ".git/", ".cache/strongroom/"):
        (repository.root / place).mkdir(parents=True, exist_ok=True)
        (repository.root / place / file.name).write_bytes(content)
        (repository.root / place / file.name).chmod(0o600)
    report = scan(repository, wanted)

    assert not any("earlier scan" in problem.what for problem in report.problems)


def test_objects_with_hits_or_problems_are_not_kept(tmp_path: Path, wanted: Wanted) -> None:
    problem = Problem(f"<blob {IDS[1].hex()[:12]}>!/inside", "it is damaged")
    CleanObjects(tmp_path, wanted, "here").add(IDS, [IDS[0].hex()], [problem])

    known = CleanObjects(tmp_path, wanted, "here")
    assert [name.hex() in known for name in IDS] == [False, False, True, True, True]
    assert len(CleanObjects(tmp_path, wanted, "elsewhere")) == 0


def test_nothing_is_kept_where_a_problem_names_no_object(tmp_path: Path, wanted: Wanted) -> None:
    CleanObjects(tmp_path, wanted, "here").add(IDS, [], [Problem("<commit message>", "the scanner failed on it")])

    assert len(CleanObjects(tmp_path, wanted, "here")) == 0


def test_what_was_known_stays_known(tmp_path: Path, wanted: Wanted) -> None:
    CleanObjects(tmp_path, wanted, "here").add(IDS[:2], [], [])
    CleanObjects(tmp_path, wanted, "here").add(IDS[3:], [], [])

    known = CleanObjects(tmp_path, wanted, "here")
    assert [name.hex() in known for name in IDS] == [True, True, False, True, True]


def test_files_of_repositories_that_are_not_scanned_any_more_are_dropped(tmp_path: Path, wanted: Wanted) -> None:
    for number in range(70):
        CleanObjects(tmp_path, wanted, str(number)).add(IDS, [], [])

    assert len(kept(tmp_path)) == 64
    assert len(CleanObjects(tmp_path, wanted, "69")) == len(IDS)
