"""What is staged and not committed: what a commit made now would add. For the hook before a commit."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence

from strongroom.scanner.containers import Limits
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Report
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_layout import Repository, find_repository
from strongroom.scanner.sources.git_places import SUBMODULE_MODE
from strongroom.scanner.sources.git_reader import object_reader
from strongroom.scanner.sources.globs import Choice

_HOOK_VARIABLES = ("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY")
_MOST_PARENTS = 64

StagedFile = tuple[str, str, tuple[str, ...]]
"""Path, blob, and the blobs that the commits before it have there."""


class Staged:
    """The lines that the index adds to HEAD, and while a merge is going on to what is merged; or, as a `whole`, all its lines.

    `environment` is a hook's: git commits from another index for `git commit FILE`.
    """

    def __init__(
        self,
        root: str | Repository,
        report: Report,
        *,
        environment: Mapping[str, str] | None = None,
        whole: bool = False,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Lists the changes. Raises GitFailed where there is no repository."""
        self._report = report
        self._limits = limits or Limits()
        repository = root if isinstance(root, Repository) else find_repository(root)
        self._git = Git(repository.folder, hook_environment(environment or {}))
        self._changes = staged_changes(self._git, repository, Choice.of(include, exclude).wants, whole=whole)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to scan."""
        return not self._changes

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The added lines of the files that fall to `share`."""
        with object_reader(self._git, self._limits, self._report) as reader:
            for path, blob, before in share.claim(self._changes):
                yield from reader.added(path, blob, before)


def hook_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What git tells a hook of an index and of stores other than the usual ones, with paths that hold in any folder."""
    extra = {name: os.path.abspath(given[name]) for name in _HOOK_VARIABLES if given.get(name)}
    if stores := given.get("GIT_ALTERNATE_OBJECT_DIRECTORIES"):
        extra["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = stores
    return extra


def staged_changes(
    git: Git, repository: Repository, wants: Callable[[str], bool], *, whole: bool = False
) -> list[StagedFile]:
    """All that the index has and that none of the commits before it has at the same path."""
    bases = [_empty_tree(git)] if whole else [_head(git), *_merged(git, repository)]
    found, *others = (_changes(git, base) for base in bases)
    for other in others:
        # What is as one of the merged commits has it was committed there.
        found = {path: (blob, before + other[path][1]) for path, (blob, before) in found.items() if path in other}
    return [(path, blob, before) for path, (blob, before) in found.items() if wants(path)]


def _changes(git: Git, base: str) -> dict[str, tuple[str, tuple[str, ...]]]:
    """Blob and the one before by path, for all that the index changes or adds to the tree `base`."""
    # A file that `git add -N` announced has no content there yet, and a commit leaves it out.
    tokens = git.lines(
        "diff-index", "--cached", "--ita-invisible-in-index", "--raw", "-z", "--no-abbrev", "--no-renames",
        "--no-ext-diff", "--no-textconv", "--diff-filter=d", base, "--", separator=b"\0",
    )  # fmt: skip
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for token in tokens:
        path = next(tokens, b"").decode("utf-8", "backslashreplace")
        old_mode, mode, old, new, _ = token.decode("ascii").lstrip(":").split(" ")
        if mode != SUBMODULE_MODE and new.strip("0"):
            found[path] = (new, (old,) if old.strip("0") and old_mode != SUBMODULE_MODE else ())
    return found


def _head(git: Git) -> str:
    try:
        return git.output("rev-parse", "--verify", "--quiet", "HEAD^{tree}").decode("ascii").strip()
    except GitFailed:  # before the first commit
        return _empty_tree(git)


def _empty_tree(git: Git) -> str:
    return git.output("hash-object", "-t", "tree", "--stdin").decode("ascii").strip()


def _merged(git: Git, repository: Repository) -> list[str]:
    """The commits that are being merged, if a merge is going on."""
    try:
        with open(os.path.join(repository.folder, "MERGE_HEAD"), encoding="ascii") as file:
            names = file.read(_MOST_PARENTS * 65).split()
    except (OSError, ValueError):
        return []
    found = []
    for name in names:
        try:
            found.append(git.output("rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{tree}}"))
        except GitFailed:
            continue
    return [name.decode("ascii").strip() for name in found]
