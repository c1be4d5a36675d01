"""A folder, or one file: every regular file below it, ignored and hidden ones too, for that is where secrets lie."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence

from strongroom.scanner.containers import Limits
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.names import may_hold_secret
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.files import FileReader, describe, reason, shown_path
from strongroom.scanner.sources.globs import Choice


class Directory:
    """The files below `root`, which is listed at once. What is left out goes to `report`.

    Symbolic links are not followed: what they lead to within the root is read under its own name, and what is outside was not
    asked for. `.gitignore` is not heeded. Nothing is skipped for its name, `node_modules` and lock files included, except the
    object stores of git, which are compressed history: `scan git` reads them.
    """

    def __init__(
        self,
        root: str,
        report: Report,
        *,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        limits: Limits | None = None,
        shown_below: str = "",
        enters: Callable[[bytes], bool] | None = None,
    ) -> None:
        """`shown_below` precedes each name in reports; `enters` decides over folders, by the name relative to the root."""
        self._report = report
        self._limits = limits or Limits()
        self._shown_below = shown_below
        self._enters = enters or self._is_worth_entering
        self._root = os.fsencode(os.path.realpath(root))
        self._reader = FileReader(self._root, self._limits, report)
        self._choice = Choice.of(include, exclude)
        self._single = os.fsencode(os.path.basename(self._root)) if not os.path.isdir(self._root) else b""
        self._names = [b""] if self._single else list(self._listed())

    @property
    def names(self) -> list[bytes]:
        """The files, relative to the root."""
        return self._names

    @property
    def item_count(self) -> int:
        """How many files there are."""
        return len(self._names)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """The files that fall to `share`."""
        for name in share.claim(self._names):
            yield from self.read(name)

    def read(self, name: bytes) -> Iterator[Fragment]:
        """One file's fragments; its name is one where it looks like more than a name."""
        shown = self._shown(self._single or name)
        last = shown.rpartition("/")[2]
        if may_hold_secret(last):
            yield Fragment(shown, last.encode("utf-8", "backslashreplace"))
        yield from self._reader.read(name, shown)

    def _shown(self, name: bytes) -> str:
        return self._shown_below + shown_path(name)

    def _listed(self) -> Iterator[bytes]:
        """The names of all regular files, relative to the root, in one order for all runs. Deep trees need no deep stack."""
        folders = [b""]
        while folders:
            folder = folders.pop()
            below: list[bytes] = []
            for name, mode in self._entries(folder):
                if stat.S_ISDIR(mode):
                    if not self._choice.excludes(shown_path(name)) and self._enters(name):
                        below.append(name)
                elif self._choice.wants(shown_path(name)):
                    if stat.S_ISREG(mode):
                        yield name
                    else:
                        self._leave_out(name, mode)
            folders.extend(reversed(below))

    def _entries(self, folder: bytes) -> list[tuple[bytes, int]]:
        found: list[tuple[bytes, int]] = []
        try:
            with os.scandir(os.path.join(self._root, folder)) as entries:
                for entry in entries:
                    name = folder + b"/" + entry.name if folder else entry.name
                    found.append((name, self._mode(entry)))
        except OSError as error:
            self._report(Problem(self._shown(folder) or ".", reason(error)))
        return sorted(found)

    @staticmethod
    def _mode(entry: os.DirEntry[bytes]) -> int:
        """The type of an entry, mostly without asking the disk."""
        try:
            if entry.is_symlink():
                return stat.S_IFLNK
            if entry.is_dir(follow_symlinks=False):
                return stat.S_IFDIR
            if entry.is_file(follow_symlinks=False):
                return stat.S_IFREG
            return entry.stat(follow_symlinks=False).st_mode
        except OSError:
            return stat.S_IFREG  # opening it will tell what is wrong

    def _leave_out(self, name: bytes, mode: int) -> None:
        if not stat.S_ISLNK(mode):
            self._report(Problem(self._shown(name), f"not read: it is {describe(mode)}", is_note=True))
            return
        target = os.path.realpath(os.path.join(self._root, name))
        if target != self._root and not target.startswith(self._root.rstrip(b"/") + b"/"):
            self._report(Problem(self._shown(name), "not followed: a symbolic link out of the folder", is_note=True))

    def _is_worth_entering(self, name: bytes) -> bool:
        if not is_object_store(self._root, name):
            return True
        what = "not read: it is git's history, for `strongroom scan git`"
        self._report(Problem(self._shown(name), what, is_note=True))
        return False


def is_object_store(root: bytes, name: bytes) -> bool:
    """Whether the folder `name` below `root` holds git's objects. In a folder that only looks like one, files are read."""
    above, _, last = name.rpartition(b"/")
    if last != b"objects":
        return False
    repository = os.path.join(root, above)
    return os.path.isfile(os.path.join(repository, b"HEAD")) and os.path.isdir(os.path.join(repository, b"refs"))
