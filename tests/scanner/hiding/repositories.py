"""Repositories that hide tokens, made with real git."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

from tests.scanner.hiding.secret_token import made_up_token

LINES = "first line\nsecond line\n"


@dataclass
class Builder:
    """A repository in the making. `placed` has, for each hiding place, the path and the line where a report is to find it."""

    root: Path
    placed: dict[str, tuple[str, int]] = field(default_factory=dict)
    days: int = 0

    def git(self, *arguments: str, given: bytes | None = None, cwd: Path | None = None, fails: bool = False) -> str:
        self.days += 1
        moment = f"2024-01-01T00:00:00Z +{self.days}"
        stamp = f"{1704067200 + self.days * 3600} +0000"
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.root),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "A U Thor",
            "GIT_AUTHOR_EMAIL": "author@example.com",
            "GIT_COMMITTER_NAME": "C O Mitter",
            "GIT_COMMITTER_EMAIL": "committer@example.com",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
            "GIT_ALLOW_PROTOCOL": "file",
        }
        command = ["git", "-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(
            command, cwd=cwd or self.root, env=environment, input=given, capture_output=True, check=False
        )
        assert fails or done.returncode == 0, (arguments, moment, done.stderr.decode())
        return done.stdout.decode().strip()

    def token(self, place: str, path: str, line: int) -> str:
        """The token of a hiding place, which a report is to find at `path` and `line`."""
        self.placed[place] = (path, line)
        return number_of(place).decode()

    def write(self, name: str, text: str) -> None:
        file = self.root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def hide(self, place: str, name: str) -> None:
        """Writes a file with the place's token on its third line."""
        self.write(name, f'{LINES}key = "{self.token(place, name, 3)}"\n')

    def commit(self, message: str, *options: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", message, *options)
        return self.git("rev-parse", "HEAD")


def number_of(place: str) -> bytes:
    """The token of a hiding place, by its name."""
    return made_up_token(sum(ord(letter) * 131**at for at, letter in enumerate(place)) % 1_000_003)


def start(root: Path, *options: str) -> Builder:
    root.mkdir(parents=True, exist_ok=True)
    builder = Builder(root)
    builder.git("init", "--quiet", *options)
    builder.write("README", "a repository\n")
    builder.commit("first")
    return builder


def hide_in_history(builder: Builder) -> None:
    """What commits, branches, tags and notes can hold."""
    git = builder.git
    builder.hide("HEAD", "in_head.py")
    builder.commit("with a key")
    builder.hide("removed later", "removed.py")
    builder.commit("another key")
    (builder.root / "removed.py").unlink()
    builder.commit("removed", "-m", f"body\n\nold key {builder.token('commit message', '<commit message>', 5)}")
    builder.commit("trailer", "-m", f"Key: {builder.token('commit trailer', '<commit message>', 3)}")
    git("tag", "-a", "v1", "-m", f"release\n\nkey {builder.token('tag message', '<tag message>', 3)}")
    git("notes", "add", "-m", f"note {builder.token('note', git('rev-parse', 'HEAD'), 1)}", "HEAD")
    git("checkout", "--quiet", "-b", "side")
    builder.hide("deleted branch", "branch.py")
    builder.commit("on a branch")
    git("checkout", "--quiet", "main")
    git("branch", "--quiet", "-D", "side")
    builder.hide("amended", "amended.py")
    builder.commit("to be amended")
    builder.write("amended.py", "nothing\n")
    builder.commit("amended", "--amend")


def hide_in_merges(builder: Builder) -> None:
    """A merge whose result is in neither parent, and a stash with all three parts."""
    git = builder.git
    builder.write("both.py", "base\n")
    builder.commit("base")
    git("checkout", "--quiet", "-b", "left")
    builder.write("both.py", "left\n")
    builder.commit("left")
    git("checkout", "--quiet", "main")
    builder.write("both.py", "right\n")
    builder.commit("right")
    git("merge", "--quiet", "left", fails=True)
    builder.hide("evil merge", "both.py")
    builder.commit("merged")
    builder.write("both.py", "clean\n")
    builder.commit("clean")
    builder.hide("stash, index", "stashed_index.py")
    git("add", "stashed_index.py")
    builder.hide("stash, tracked", "README")
    builder.hide("stash, untracked", "stashed_untracked.py")
    git("stash", "push", "--quiet", "--include-untracked")


def hide_dangling(builder: Builder) -> None:
    """What nothing refers to, except perhaps the reflog."""
    git = builder.git
    builder.hide("reflog", "reflog.py")
    builder.commit("to be reset")
    git("reset", "--quiet", "--hard", "HEAD~1")
    git("hash-object", "-w", "--stdin", given=f"{LINES}{builder.token('dangling blob', '<blob>', 3)}".encode())
    builder.hide("dangling commit", "dangling.py")
    git("add", "dangling.py")
    tree = git("write-tree")
    git("commit-tree", tree, "-m", "dangling")
    git("rm", "--quiet", "--cached", "dangling.py")
    (builder.root / "dangling.py").unlink()


def hide_beside(builder: Builder) -> None:
    """The repository's own files, the index and the working tree."""
    git = builder.git
    token = builder.token(".git/config", ".git/config", 6)
    config = builder.root / ".git" / "config"
    config.write_text(
        config.read_text().rstrip("\n") + f'\n[remote "origin"]\n\turl = https://me:{token}@example.com/r\n'
    )
    builder.placed[".git/config"] = (".git/config", config.read_text().count("\n"))
    hook = builder.root / ".git" / "hooks" / "post-update.sample"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\nkey={builder.token('hook', '.git/hooks/post-update.sample', 2)}\n")
    builder.write(
        ".git/FETCH_HEAD", f"x branch 'a' of https://{builder.token('FETCH_HEAD', '.git/FETCH_HEAD', 1)}@h/r\n"
    )
    builder.hide("staged", "staged.py")
    git("add", "staged.py")
    builder.write("staged.py", "nothing\n")
    builder.write(".gitignore", "ignored.py\n")
    builder.hide("ignored", "ignored.py")
    builder.hide("untracked", "untracked.py")
    builder.hide("changed", "in_head_changed.py")


def hide_in_others(builder: Builder, elsewhere: Path) -> None:
    """Alternates, submodules, linked working trees, a repository within."""
    git = builder.git
    other = start(elsewhere / "alternate")
    lent = other.git("hash-object", "-w", "--stdin", given=f"x\n{builder.token('alternates', '<blob>', 2)}".encode())
    assert lent
    (builder.root / ".git/objects/info/alternates").write_text(f"{other.root}/.git/objects\n")
    module = start(elsewhere / "module")
    module.hide("submodule history", "was.py")
    module.commit("key")
    (module.root / "was.py").unlink()
    module.commit("gone")
    git("submodule", "--quiet", "add", str(module.root), "lib/mod")
    builder.placed["submodule history"] = ("lib/mod/was.py", 3)
    builder.commit("module")
    builder.hide("submodule, untracked", "lib/mod/untracked.py")
    git("worktree", "add", "--quiet", str(elsewhere / "linked"), "-b", "linked")
    (elsewhere / "linked" / "linked.py").write_text(f"\n{builder.token('linked working tree', 'linked.py', 2)}\n")
    git("add", "linked.py", cwd=elsewhere / "linked")
    inner = start(builder.root / "vendor" / "inner")
    inner.hide("repository within", "inner.py")
    inner.commit("key")
    builder.placed["repository within"] = ("vendor/inner/inner.py", 3)


def hide_everywhere(folder: Path, *options: str) -> Builder:
    """A repository with all hiding places."""
    builder = start(folder / "repository", *options)
    hide_in_history(builder)
    hide_in_merges(builder)
    hide_dangling(builder)
    if not options:
        hide_in_others(builder, folder)
    builder.git("gc", "--quiet", "--no-prune")
    hide_beside(builder)
    return builder
