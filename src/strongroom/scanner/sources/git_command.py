"""Runs git over a repository that may be hostile. Nothing that the repository says is ever executed.

A repository's own configuration can name programs: a file system monitor, hooks, an ssh command, a pager, external diffs,
filters, text converters, credential helpers, signature checkers, remote helpers. Three things keep all of them from
running. Only commands are used that read objects and the index, and never touch a working tree. Every setting that names a
program is overridden on the command line, which is the last word, and no protocol is allowed. The environment is ours:
no `GIT_*` of the caller's, no system or personal configuration, no terminal, no fetch of what a partial clone lacks.

For that reason the check of who owns the repository (`safe.directory`) is answered with yes: it protects from exactly these.
Names from the repository are passed on standard input or behind `--end-of-options`, and read back with NUL between them.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO

from strongroom.scanner.scan import ScanFailed

_SETTINGS = (
    "core.fsmonitor=false",
    "core.hooksPath=/dev/null",
    "core.sshCommand=false",
    "core.gitProxy=false",
    "core.askPass=false",
    "core.pager=cat",
    "core.editor=false",
    "core.attributesFile=/dev/null",
    "core.bigFileThreshold=16m",
    "core.deltaBaseCacheLimit=32m",
    "core.packedGitLimit=64m",
    "core.packedGitWindowSize=16m",
    "core.excludesFile=/dev/null",
    "core.alternateRefsCommand=true",
    "core.untrackedCache=false",
    "core.quotePath=false",
    "credential.helper=",
    "diff.external=",
    "diff.renames=false",
    "diff.noprefix=false",
    "diff.ignoreSubmodules=none",
    "fetch.recurseSubmodules=false",
    "gc.auto=0",
    "gpg.program=false",
    "gpg.ssh.program=false",
    "gpg.x509.program=false",
    "interactive.diffFilter=cat",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.mailmap=false",
    "log.follow=false",
    "log.diffMerges=combined",
    "maintenance.auto=false",
    "pager.log=false",
    "protocol.allow=never",
    "protocol.ext.allow=never",
    "protocol.file.allow=never",
    "safe.directory=*",
    "submodule.recurse=false",
    "uploadpack.packObjectsHook=",
)
_ARGUMENTS = tuple(part for setting in _SETTINGS for part in ("-c", setting))
_PIPE_BYTES = 1 << 20


class GitFailed(ScanFailed):
    """git is missing, or could not do what it was asked. The text names the command, and nothing of the repository."""


@dataclass(frozen=True, slots=True)
class Git:
    """git, for the repository whose own folder is `folder`. `extra` is added to the environment: quarantines, an index."""

    folder: str
    extra: Mapping[str, str] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        """The whole command line."""
        options = ("--no-pager", "--no-optional-locks", "--no-replace-objects", "--literal-pathspecs")
        return ["git", *options, f"--git-dir={self.folder}", *_ARGUMENTS, *arguments]

    def environment(self) -> dict[str, str]:
        """What git sees: where programs are, and our settings."""
        kept = {name: os.environ[name] for name in ("PATH", "TMPDIR", "LD_LIBRARY_PATH", "HOME") if name in os.environ}
        return kept | {
            "LC_ALL": "C",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_ATTR_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_NO_REPLACE_OBJECTS": "1",
            "GIT_GRAFT_FILE": "/dev/null",
            "GIT_ALLOW_PROTOCOL": "",
            "GIT_PROTOCOL_FROM_USER": "0",
            "GIT_ASKPASS": "false",
            "SSH_ASKPASS": "false",
            "GIT_SSH_COMMAND": "false",
            "GIT_EDITOR": "false",
            "GIT_PAGER": "cat",
            "GIT_ADVICE": "0",
            **self.extra,
        }

    def output(self, *arguments: str, given: bytes = b"") -> bytes:
        """All that a command prints. Raises GitFailed unless it succeeds."""
        try:
            done = subprocess.run(
                self.command(*arguments), input=given, capture_output=True, env=self.environment(), check=False
            )
        except OSError:
            raise GitFailed("git could not be started: is it installed?") from None
        if done.returncode:
            raise GitFailed(f"git {arguments[0]} failed")
        return done.stdout

    @contextmanager
    def talking(self, *arguments: str) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        """A command's standard input and output. It is ended when the block is left."""
        try:
            process = subprocess.Popen(
                self.command(*arguments),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                env=self.environment(),
            )
        except OSError:
            raise GitFailed("git could not be started: is it installed?") from None
        if process.stdin is None or process.stdout is None:
            raise GitFailed("git could not be started")
        _widen(process.stdout)
        try:
            yield process.stdin, process.stdout
        finally:
            process.kill()
            for pipe in (process.stdin, process.stdout):
                try:
                    pipe.close()
                except OSError:  # what was still to be written has no reader any more
                    continue
            process.wait()

    def lines(self, *arguments: str, given: Sequence[bytes] = (), separator: bytes = b"\n") -> Iterator[bytes]:
        """What a command prints, in parts that `separator` ends. Raises GitFailed if it did not come to its end."""
        import tempfile

        with tempfile.TemporaryFile() as names:
            # Object ids and revisions only: git reads them while it writes, and a pipe in both directions can clog.
            names.writelines(name + b"\n" for name in given)
            names.seek(0)
            try:
                process = subprocess.Popen(
                    self.command(*arguments),
                    stdin=names,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                    env=self.environment(),
                )
            except OSError:
                raise GitFailed("git could not be started: is it installed?") from None
            with process:
                if process.stdout is None:
                    raise GitFailed("git could not be started")
                try:
                    _widen(process.stdout)
                    yield from separated(process.stdout, separator)
                except GeneratorExit:
                    process.kill()
                    raise
            if process.returncode:
                raise GitFailed(f"git {arguments[0]} did not come to its end")


def separated(stream: IO[bytes], separator: bytes) -> Iterator[bytes]:
    """The parts of a stream, without what separates them."""
    rest = b""
    while block := stream.read(1 << 18):
        *parts, rest = (rest + block).split(separator)
        yield from parts
    if rest:
        yield rest


def _widen(pipe: IO[bytes]) -> None:
    """Lets git write ahead: with a pipe of 64 KiB it and we would wait for each other at every object."""
    import fcntl

    if hasattr(fcntl, "F_SETPIPE_SZ"):
        try:
            fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        except OSError:  # the user's pipes are at their limit: slower, but right
            return
