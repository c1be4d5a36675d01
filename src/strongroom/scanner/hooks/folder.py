"""Which folder git takes a repository's hooks from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from strongroom.scanner.hooks import HookRefused
from strongroom.scanner.hooks.settings import HOOKS_PATH, Setting, setting
from strongroom.scanner.sources.git_layout import Repository


@dataclass(frozen=True, slots=True)
class HooksFolder:
    """A folder of hooks. `scope` is that of the setting which names it, or empty; `leads_out` is set where a repository points out of itself."""

    path: Path
    scope: str = ""
    is_in_worktree: bool = False
    leads_out: bool = False
    is_shared: bool = False
    """Whether it is that of all repositories, by a setting of the user's or the machine's."""

    def own(self) -> HooksFolder:
        """The same. Raises HookRefused where it is not the repository's own."""
        if self.is_shared:
            raise HookRefused(
                f"Your git takes the hooks of all repositories from {self.path} ({HOOKS_PATH}, {self.scope}). Use -global, "
                f"or give this repository hooks of its own: git config {HOOKS_PATH} .git/hooks"
            )
        return self


def hooks_folder(repository: Repository, environ: Mapping[str, str]) -> HooksFolder:
    """The folder from which git runs the hooks of `repository`."""
    found = setting(HOOKS_PATH, environ, repository.folder, is_path=True)
    if found is not None and not found.is_of_repository:
        return HooksFolder(Path(repository.folder) / found.value, found.scope, is_shared=True)
    real = (Path(repository.common) / "hooks" if found is None else _named(repository, found)).resolve()
    in_own = any(real.is_relative_to(Path(root).resolve()) for root in (repository.common, repository.folder))
    in_worktree = bool(repository.worktree) and real.is_relative_to(Path(repository.worktree).resolve()) and not in_own
    return HooksFolder(real, found.scope if found else "", in_worktree, not in_own and not in_worktree)


def _named(repository: Repository, found: Setting) -> Path:
    # Git runs hooks in the root of the working tree, or of a bare repository, and a relative path is one from there.
    return Path(repository.worktree or repository.folder) / found.value
