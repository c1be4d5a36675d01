"""The user's own settings of git, read and written with git itself. `git config` runs nothing that a repository names."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from strongroom.scanner.hooks import HookRefused

_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM")
_SECONDS = 30
"""A repository may include a pipe into its settings, which git would read for ever."""
HOOKS_PATH = "core.hooksPath"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting's value, and how far it reaches: `system`, `global`, `local` or `worktree`."""

    value: str
    scope: str

    @property
    def is_of_repository(self) -> bool:
        """Whether the repository says so, and not its user or the machine."""
        return self.scope in {"local", "worktree"}


def setting(name: str, environ: Mapping[str, str], folder: str = "", *, is_path: bool = False) -> Setting | None:
    """What git takes the setting `name` for in the repository whose own folder is `folder`, or outside of any; None without one."""
    words = ["config", "--null", "--show-scope", *(["--type=path"] if is_path else []), "--get", name]
    done = _git([*([f"--git-dir={folder}"] if folder else []), *words], environ)
    scope, _, rest = done.stdout.decode("utf-8", "surrogateescape").partition("\0")
    return Setting(rest.removesuffix("\0"), scope) if done.returncode == 0 else None


def set_globally(name: str, value: str, environ: Mapping[str, str]) -> None:
    """Writes a setting for all repositories of this user. Raises HookRefused."""
    if _git(["config", "--global", name, value], environ).returncode:
        raise HookRefused(f"git could not write the setting {name}: is its file writable?")


def unset_globally(name: str, environ: Mapping[str, str]) -> None:
    """Takes out such a setting."""
    if _git(["config", "--global", "--unset-all", name], environ).returncode not in {0, 5}:
        raise HookRefused(f"git could not take out the setting {name}: is its file writable?")


def _git(words: Sequence[str], environ: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    kept = {name: environ[name] for name in _KEPT if name in environ} | {"LC_ALL": "C"}
    try:
        return subprocess.run(
            ["git", "--no-pager", *words],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=kept,
            timeout=_SECONDS,
            check=False,
        )
    except OSError:
        raise HookRefused("git could not be started: is it installed?") from None
    except subprocess.TimeoutExpired:
        raise HookRefused("git did not come to the end of its settings: do they include a pipe?") from None
