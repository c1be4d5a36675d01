"""What commits brought: the lines that they add to what their parents had, and their messages.

A version that a later commit takes back counts too: whoever gets the commits gets it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from strongroom.scanner.containers import Limits
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.git_command import Git
from strongroom.scanner.sources.git_places import changes
from strongroom.scanner.sources.git_reader import object_reader

_UNREAD = "not scanned: which files it brought cannot be told, for folders of it are not here or are damaged"


@dataclass(slots=True)
class Brought:
    """Each version of a file, by blob and path, with the blobs that it follows; objects with messages; where a blob stood first."""

    files: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    messages: list[str] = field(default_factory=list)
    first: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """For each blob, the paths at which it came in, each with its commit; without one, where a reference names a folder or a file itself."""

    @classmethod
    def by(cls, git: Git, commits: Sequence[bytes], wants: Callable[[str], bool], report: Report) -> Brought:
        """What these commits brought, of the files whose path is wanted. Parents come first. Commits whose files cannot be told are reported."""

        def unread(broken: Sequence[bytes]) -> None:
            for name in broken:
                report(Problem(f"<commit {name[:12].decode('ascii')}>", _UNREAD))

        found = cls(messages=[commit.decode("ascii") for commit in commits])
        for change in changes(git, list(commits), unread):
            path = change.path.decode("utf-8", "backslashreplace")
            if (change.blob, path) not in found.files and wants(path):
                found.files[change.blob, path] = change.before
                found.first.setdefault(change.blob, []).append((path, change.commit))
        return found

    def add(self, path: str, blob: str) -> None:
        """A file that a reference names without any commit."""
        if (blob, path) not in self.files:
            self.files[blob, path] = ()
            self.first.setdefault(blob, []).append((path, ""))

    def fragments(self, git: Git, share: Share, limits: Limits, report: Report) -> Iterator[Fragment]:
        """Files first, then messages, as far as they fall to `share`."""
        with object_reader(git, limits, report) as reader:
            for (blob, path), before in share.claim(list(self.files.items())):
                yield from reader.added(path, blob, before)
            for name in share.claim(self.messages):
                yield from reader.message(name)
