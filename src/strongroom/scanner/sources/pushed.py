"""What a push brings: every version of every file in the commits that the other side does not have, and their messages.

A version that a later commit of the same push takes back is published all the same, so all commits count. For the hooks
`pre-push`, on the side that pushes, and `pre-receive`, on the one that is pushed to: there the objects are in quarantine, and
git says where in its environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from strongroom.scanner.containers import Limits
from strongroom.scanner.findings import Place
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Report
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources.brought import Brought
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_layout import Repository, find_repository
from strongroom.scanner.sources.git_places import SUBMODULE_MODE, commit_authors, kinds_of
from strongroom.scanner.sources.git_reader import object_reader
from strongroom.scanner.sources.globs import Choice

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REMOTE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,100}")
BLOB_PATH = "<blob>"
_QUARANTINE = ("GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_QUARANTINE_PATH")


@dataclass(frozen=True, slots=True)
class Update:
    """A reference that a push moves: the id that it had, and the id that it gets. Either is empty: created, deleted."""

    old: str
    new: str


def received(lines: Iterable[str]) -> list[Update]:
    """The updates that git tells a pre-receive hook: `<old> <new> <reference>` a line. Raises ScanFailed for anything else."""
    return [_update(line, old=0, new=1, count=3) for line in lines if line.strip()]


def pushing(lines: Iterable[str]) -> list[Update]:
    """The updates that git tells a pre-push hook: `<local reference> <new> <remote reference> <old>` a line."""
    return [_update(line, old=3, new=1, count=4) for line in lines if line.strip()]


def _update(line: str, *, old: int, new: int, count: int) -> Update:
    words = line.strip().split(" ")
    if len(words) != count or not all(_ID.fullmatch(words[at]) for at in (old, new)):
        raise ScanFailed("the references that are pushed are not given as git gives them to a hook")
    return Update(*(words[at] if words[at].strip("0") else "" for at in (old, new)))


class Pushed:
    """The lines that the commits of `updates` add, and their messages; `remote` names where a pre-push hook pushes to."""

    def __init__(
        self,
        root: str | Repository,
        report: Report,
        updates: Iterable[Update],
        *,
        remote: str | None = None,
        environment: Mapping[str, str] | None = None,
        choice: Choice | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Lists what is new. Raises GitFailed where there is no repository, or a pushed commit is not there."""
        self._report = report
        self._limits = limits or Limits()
        given = environment or {}
        extra = {name: given[name] for name in _QUARANTINE if given.get(name)}
        for name in ("GIT_OBJECT_DIRECTORY", "GIT_QUARANTINE_PATH"):
            if name in extra:
                extra[name] = os.path.abspath(extra[name])
        repository = root if isinstance(root, Repository) else find_repository(root)
        self._git = Git(repository.folder, extra)
        news = {update.new for update in updates if update.new}
        olds = {update.old for update in updates if update.old}
        wants = (choice or Choice.of((), ())).wants
        tips = self._tips(news)
        self._brought = Brought.by(self._git, self._commits(tips["commit"], olds, remote), wants, report)
        self._brought.messages = [*tips["tag"], *self._brought.messages]
        for path, blob in self._named_alone(tips):
            if wants(path):
                self._brought.add(path, blob)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Files first, then messages, as far as they fall to `share`."""
        return self._brought.fragments(self._git, share, self._limits, self._report)

    def attribute(self, object_ids: Iterable[str]) -> dict[str, list[Place]]:
        """The places of these objects within what is pushed. None of it is in HEAD yet."""
        wanted = {name: self._brought.first.get(name, []) for name in object_ids}
        commits = {commit for places in wanted.values() for _, commit in places if commit}
        authors = commit_authors(self._git, commits | (set(wanted) & set(self._brought.messages)))
        found = {
            name: [Place(path, commit, *authors.get(commit, ("", "")), False) for path, commit in places]
            for name, places in wanted.items()
            if places
        }
        for name in set(wanted) & authors.keys():
            found.setdefault(name, [Place("<commit message>", name, *authors[name], False)])
        return found

    def _tips(self, news: Iterable[str]) -> dict[str, list[str]]:
        """By type, what the new references name and what their tags are about. Raises GitFailed for what is not there."""
        tips: dict[str, list[str]] = {"commit": [], "tag": [], "tree": [], "blob": []}
        left = sorted(news)
        while left:
            kinds = kinds_of(self._git, left)
            if len(kinds) < len(set(left)):
                raise GitFailed("an object that is pushed is not in the repository")
            for name, kind in kinds.items():
                tips[kind].append(name)
            tags = [name for name, kind in kinds.items() if kind == "tag"]
            left = sorted(self._targets(tags) - {name for names in tips.values() for name in names})
        return tips

    def _targets(self, tags: Sequence[str]) -> set[str]:
        if not tags:
            return set()
        with object_reader(self._git, self._limits, self._report) as reader:
            return {reader.target(tag) for tag in tags}

    def _named_alone(self, tips: Mapping[str, Sequence[str]]) -> Iterator[tuple[str, str]]:
        """Path and blob of what references name without any commit, as nobody should: folders and files. All of it counts as new."""
        for tree in tips["tree"]:
            for entry in self._git.lines("ls-tree", "-r", "-z", "--full-tree", tree, separator=b"\0"):
                head, _, path = entry.partition(b"\t")
                mode, _, blob = head.decode("ascii").split(" ")
                if mode != SUBMODULE_MODE:
                    yield path.decode("utf-8", "backslashreplace"), blob
        yield from ((BLOB_PATH, blob) for blob in tips["blob"])

    def _commits(self, tips: Sequence[str], olds: Iterable[str], remote: str | None) -> list[bytes]:
        """The commits that only the new references have, parents first."""
        if not tips:
            return []
        given = [tip.encode("ascii") for tip in tips]
        known = ["--all"] if remote is None else []
        if remote is not None:
            known += [f"--remotes={remote}"] if _REMOTE.fullmatch(remote) else []
            kinds = kinds_of(self._git, sorted(olds))
            given += [b"^" + old.encode("ascii") for old, kind in kinds.items() if kind in {"commit", "tag"}]
        excluded = ["--not", *known] if known else []
        return list(self._git.lines("rev-list", "--topo-order", "--reverse", "--stdin", *excluded, given=given))
