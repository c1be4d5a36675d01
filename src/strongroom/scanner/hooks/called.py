"""What git, or a framework that git calls, tells a hook: by arguments, standard input and the environment."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from strongroom.scanner.hooks import HookRefused
from strongroom.scanner.hooks.settings import setting
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_layout import Repository, find_repository
from strongroom.scanner.sources.pushed import Update, pushing, received

_MOST_OPTIONS = 1000
PUSH_OPTION = "strongroom.pushOption"
"""The setting of a server's git that names the push option which lets secrets through."""
_FRAMEWORK = "PRE_COMMIT"
"""Set by pre-commit and prek, which read standard input themselves and pass on what it said in variables."""


@dataclass(frozen=True, slots=True)
class Call:
    """A hook as it was called. `said` gives what stands on standard input."""

    arguments: Sequence[str]
    environ: Mapping[str, str]
    said: Callable[[], bytes]

    @property
    def is_of_framework(self) -> bool:
        """Whether pre-commit or prek called, and not git."""
        return self.environ.get(_FRAMEWORK) == "1"

    def repository(self) -> Repository:
        """The repository that git works on. Git runs hooks in the root of its working tree, or in the repository if it is bare."""
        given = self.environ.get("GIT_DIR")
        if not given:
            return find_repository(".")
        found = find_repository(given)
        if found.worktree or given == ".":
            return found
        return replace(found, worktree=os.path.realpath(self.environ.get("GIT_WORK_TREE") or "."))

    def received(self) -> list[Update]:
        """What a pre-receive hook is told."""
        return received(self._lines())

    def pushed(self, repository: Repository) -> list[Update]:
        """What a pre-push hook is told."""
        if not self.is_of_framework:
            return pushing(self._lines())
        tip = self.environ.get("PRE_COMMIT_TO_REF") or self.environ.get("PRE_COMMIT_LOCAL_BRANCH") or "HEAD"
        old = self.environ.get("PRE_COMMIT_FROM_REF") or ""
        return [Update(_id_of(repository, old) if old else "", _id_of(repository, tip))]

    @property
    def remote(self) -> str:
        """The name of the remote that is pushed to; an address, where it has no name."""
        if self.is_of_framework:
            return self.environ.get("PRE_COMMIT_REMOTE_NAME", "")
        return self.arguments[0] if self.arguments else ""

    def is_let_through(self, repository: Repository) -> bool:
        """Whether the push has the option that this server lets secrets through with, if there is one."""
        wanted = setting(PUSH_OPTION, self.environ, repository.folder)
        count = self.environ.get("GIT_PUSH_OPTION_COUNT", "0")
        if wanted is None or not wanted.value or not (count.isascii() and count.isdigit()):
            return False
        given = (self.environ.get(f"GIT_PUSH_OPTION_{at}") for at in range(min(int(count), _MOST_OPTIONS)))
        return wanted.value in given

    def _lines(self) -> list[str]:
        # Only a line feed ends a line: names of references may hold what Python takes for line ends too.
        return self.said().decode("utf-8", "surrogateescape").split("\n")


def _id_of(repository: Repository, revision: str) -> str:
    try:
        name = Git(repository.folder).output(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        )
    except GitFailed:
        raise HookRefused("what is pushed is not in this repository") from None
    return name.decode("ascii").strip()
