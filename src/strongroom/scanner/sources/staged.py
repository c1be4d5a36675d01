"""What is staged and not committed: what a commit made now would add. For the hook before a commit."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from strongroom.scanner.containers import Limits
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Report
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_layout import find_repository
from strongroom.scanner.sources.git_reader import object_reader
from strongroom.scanner.sources.globs import Choice

_HOOK_VARIABLES = ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES")


class Staged:
    """The lines that the index adds to HEAD. `environment` is a hook's: git commits from another index for `git commit FILE`."""

    def __init__(
        self,
        root: str,
        report: Report,
        *,
        environment: Mapping[str, str] | None = None,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Lists the changes. Raises GitFailed where there is no repository."""
        self._report = report
        self._limits = limits or Limits()
        repository = find_repository(root)
        given = environment or {}
        extra = {name: os.path.abspath(given[name]) for name in _HOOK_VARIABLES if given.get(name)}
        self._git = Git(repository.folder, extra)
        choice = Choice.of(include, exclude)
        self._changes = [change for change in staged_changes(self._git) if choice.wants(change[0])]

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The added lines of the files that fall to `share`."""
        with object_reader(self._git, self._limits, self._report) as reader:
            for path, blob, before in share.claim(self._changes):
                yield from reader.added(path, blob, before)


def staged_changes(git: Git) -> list[tuple[str, str, list[str]]]:
    """Path, blob, and the blob that HEAD has there, if any, for all that the index changes or adds."""
    try:
        base = git.output("rev-parse", "--verify", "--quiet", "HEAD^{tree}").decode("ascii").strip()
    except GitFailed:  # before the first commit
        base = git.output("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()
    tokens = git.lines(
        "diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv",
        "--diff-filter=d", base, "--", separator=b"\0",
    )  # fmt: skip
    found = []
    for token in tokens:
        path = next(tokens, b"").decode("utf-8", "backslashreplace")
        _, mode, old, new, _ = token.decode("ascii").split(" ")
        if mode != "160000" and new.strip("0"):
            found.append((path, new, [old] if old.strip("0") else []))
    return found
