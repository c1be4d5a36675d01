from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.scanner.hiding.repositories import Builder, hide_everywhere, number_of
from tests.scanner.hiding.searching import Search, search

from strongroom.scanner.findings import Place
from strongroom.scanner.problem import Problem
from strongroom.scanner.sources.git import GitRepository

# In no commit and not staged: an object has no path.
PATHLESS = {"dangling blob", "alternates"}
IN_HISTORY = [
    "HEAD",
    "removed later",
    "commit message",
    "commit trailer",
    "tag message",
    "note",
    "deleted branch",
    "amended",
    "evil merge",
    "stash, index",
    "stash, tracked",
    "stash, untracked",
    "reflog",
    "dangling blob",
    "dangling commit",
]
BESIDE = [".git/config", "hook", "FETCH_HEAD", "staged", "ignored", "untracked", "changed"]
IN_OTHERS = [
    "alternates",
    "submodule history",
    "submodule, untracked",
    "linked working tree",
    "repository within",
]


@dataclass
class Scanned:
    builder: Builder
    found: Search
    places: dict[str, list[Place]]

    def reported(self, hiding: str) -> set[tuple[str, int]]:
        """Path and line of each occurrence, as a report would have them."""
        hits = [hit for hit in self.found.hits if hit.value == number_of(hiding)]
        unplaced = {(hit.path, hit.line) for hit in hits if hit.object_id not in self.places}
        return unplaced | {(place.path, hit.line) for hit in hits for place in self.places.get(hit.object_id, [])}

    def placed(self, hiding: str) -> list[Place]:
        return [
            place
            for hit in self.found.hits
            if hit.value == number_of(hiding)
            for place in self.places.get(hit.object_id, [])
        ]


def scan(folder: Path, *options: str) -> Scanned:
    builder = hide_everywhere(folder, *options)
    problems: list[Problem] = []
    source = GitRepository(str(builder.root), problems.append)
    found = search(source, problems)
    return Scanned(builder, found, source.attribute({hit.object_id for hit in found.hits} - {""}))


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    return scan(tmp_path_factory.mktemp("git"))


@pytest.fixture(scope="module")
def scanned_sha256(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    return scan(tmp_path_factory.mktemp("sha256"), "--object-format=sha256")


@pytest.mark.parametrize("hiding", IN_HISTORY + BESIDE + IN_OTHERS)
def test_a_token_in_a_repository_is_found_where_it_is(hiding: str, scanned: Scanned) -> None:
    path, line = scanned.builder.placed[hiding]
    if hiding in PATHLESS:
        assert [at for shown, at in scanned.reported(hiding) if shown.startswith("<blob ")] == [line]
    else:
        assert (path, line) in scanned.reported(hiding)


@pytest.mark.parametrize("hiding", [name for name in IN_HISTORY + BESIDE if name != "dangling blob"])
def test_a_repository_with_sha256_is_read_as_well(hiding: str, scanned_sha256: Scanned) -> None:
    assert scanned_sha256.builder.placed[hiding] in scanned_sha256.reported(hiding)


def test_every_hiding_place_is_tested(scanned: Scanned) -> None:
    assert set(scanned.builder.placed) == {*IN_HISTORY, *BESIDE, *IN_OTHERS} - {
        "submodule history",
        "repository within",
    } | {
        "submodule history",
        "repository within",
    }


def test_a_place_has_its_first_commit_with_author_and_date(scanned: Scanned) -> None:
    [place] = scanned.placed("removed later")
    log = scanned.builder.git("log", "--all", "--diff-filter=A", "--format=%H %aI", "--", "removed.py")
    assert f"{place.commit} {place.author_date}" == log
    assert place.author == "A U Thor <author@example.com>"


def test_a_place_says_whether_the_current_commit_has_it(scanned: Scanned) -> None:
    assert [place.in_head for place in scanned.placed("HEAD")] == [True]
    assert [place.in_head for place in scanned.placed("removed later")] == [False]
    assert [place.in_head for place in scanned.placed("commit message")] == [True]
    assert [place.in_head for place in scanned.placed("evil merge")] == [False]


def test_nothing_was_left_unread(scanned: Scanned) -> None:
    assert [problem for problem in scanned.found.problems if not problem.is_note] == []
