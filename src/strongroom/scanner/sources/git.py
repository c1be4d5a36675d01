"""A whole git repository: every object once, whether anything still refers to it or not, its own files, and what is not committed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from strongroom.scanner.containers import Limits
from strongroom.scanner.findings import Place
from strongroom.scanner.fragment import Fragment, Share
from strongroom.scanner.problem import Problem, Report
from strongroom.scanner.sources.brought import Brought
from strongroom.scanner.sources.directory import Directory, is_object_store
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_layout import Repository, find_repository, repository_within, submodules
from strongroom.scanner.sources.git_objects import Inventory, read_objects
from strongroom.scanner.sources.git_places import index, places
from strongroom.scanner.sources.git_since import commits_since
from strongroom.scanner.sources.globs import Choice


@dataclass(slots=True)
class _Store:
    """One repository, with what is to be read of it."""

    repository: Repository
    git: Git
    inventory: Inventory
    loose: Directory | None = None
    worktree: Directory | None = None
    staged: dict[bytes, str] = field(default_factory=dict)
    brought: Brought | None = None


class GitRepository:
    """The repository at `root`, with its submodules and repositories within its working tree.

    `seen` holds ids of objects that were scanned before, which are not read again. `since`, a revision, a range or
    a date (see `git_since`), restricts the scan to the lines and messages that those commits brought, and leaves out the files of
    the repository and of the working tree.
    """

    def __init__(
        self,
        root: str,
        report: Report,
        *,
        since: str = "",
        seen: Collection[str] = frozenset(),
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        limits: Limits | None = None,
    ) -> None:
        """Lists all there is. Raises GitFailed where there is no repository, or `since` means nothing."""
        self._report = report
        self._limits = limits or Limits()
        self._seen = seen
        self._chosen = (include, exclude)
        self._stores: list[_Store] = []
        self._known: set[str] = set()
        repository = find_repository(root)
        self._place = repository.common
        self._roots = {os.path.realpath(repository.worktree or repository.common), repository.common}
        if since:
            self._stores.append(self._recent(repository, since))
            return
        self._add(repository)

    @property
    def scope(self) -> str:
        """Where the repository is, and what of it was chosen."""
        return repr((self._place, self._chosen, self._limits))

    def object_ids(self) -> Iterator[bytes]:
        """The ids of all objects that are to be read."""
        for store in self._stores:
            yield from store.inventory.all_ids()

    def leave_out(self, known: Container[str]) -> int:
        """Read none of the objects in `known`, and say how many those are."""
        return sum(store.inventory.leave_out(known) for store in self._stores)

    def fragments(self, share: Share) -> Iterator[Fragment]:
        """Objects first, then the repositories' own files, then files that are not as they were committed or staged."""
        for store in self._stores:
            if store.brought:
                yield from store.brought.fragments(store.git, share, self._limits, self._report)
                continue
            yield from read_objects(store.git, store.inventory, share, self._limits, self._report)
            if store.loose:
                yield from store.loose.fragments(share)
            if store.worktree:
                yield from self._uncommitted(store, store.worktree, share)

    def attribute(self, object_ids: Iterable[str]) -> dict[str, list[Place]]:
        """The places of these objects, for those that have any."""
        wanted = set(object_ids)
        found: dict[str, list[Place]] = {}
        for store in self._stores:
            if not wanted:
                break
            try:
                linked = [Git(folder) for folder in store.repository.linked()]
                in_store = places(store.git, wanted, linked)
            except GitFailed:
                what = "where the findings stand in the history could not be told: git could not read it"
                self._report(Problem(store.repository.shown_below or ".", what))
                continue
            for name, found_places in in_store.items():
                below = store.repository.shown_below
                found[name] = [place._replace(path=below + place.path) for place in found_places]
            wanted -= found.keys()
        return {name: found_places for name, found_places in found.items() if found_places}

    def _add(self, repository: Repository) -> None:
        """One repository, and all those within it."""
        if repository.common in self._known:
            return
        self._known.add(repository.common)
        git = self._git(repository)
        inventory = Inventory.of(git, self._is_seen)
        self._say_what_is_missing(repository, git)
        for name in inventory.damaged:
            self._report(Problem(f"{repository.shown_below}<object {name[:12]}>", "not read: this object is damaged"))
        store = _Store(repository, git, inventory)
        self._stores.append(store)
        below = repository.shown_below
        in_tree = f"{below}.git/" if repository.worktree or below else ""
        store.loose = Directory(
            repository.common,
            self._report,
            limits=self._limits,
            shown_below=in_tree,
            enters=lambda name: not is_object_store(os.fsencode(repository.common), name),
        )
        for module in submodules(repository):
            self._add_within(module)
        if repository.worktree:
            self._add_worktree(store, repository)

    def _add_worktree(self, store: _Store, repository: Repository) -> None:
        within: list[Repository] = []
        root = os.fsencode(repository.worktree)

        def enters(name: bytes) -> bool:
            if name == b".git":
                return False
            if not os.path.lexists(os.path.join(root, name, b".git")):
                return True
            found = repository_within(repository.worktree, os.fsdecode(name))
            below = found and replace(found, shown_below=repository.shown_below + found.shown_below)
            if below is None or self._leads_out(below):
                # Whatever is called .git there, the folder's files are files of this working tree.
                return True
            within.append(below)
            return False

        include, exclude = self._chosen
        store.worktree = Directory(
            repository.worktree,
            self._report,
            include=include,
            exclude=exclude,
            limits=self._limits,
            shown_below=repository.shown_below,
            enters=enters,
        )
        store.staged = self._there(repository.common, index(store.git))
        for below in within:
            if below.common not in self._known:
                self._add_within(below)
            else:  # a submodule: its objects are read already, its working tree is not
                store_of_files = _Store(below, self._git(below), Inventory())
                self._stores.append(store_of_files)
                self._add_worktree(store_of_files, below)

    def _leads_out(self, found: Repository) -> bool:
        """Whether a folder names a repository as its own that is neither here nor one of those that are read: a stranger's file may name any."""
        common = os.path.realpath(found.common)
        if found.common in self._known or any(common.startswith(f"{place}/") for place in self._roots):
            return False
        what = "its repository is out of the folder, and was not read; the files beside it were"
        self._report(Problem(found.shown_below.rstrip("/"), what, is_note=True))
        return True

    def _there(self, common: str, staged: Mapping[bytes, str]) -> dict[bytes, str]:
        """Of what is staged, what is read as an object: its file need not be read again."""
        wanted = {bytes.fromhex(name) for name in staged.values()}
        stores = [store.inventory for store in self._stores if store.repository.common == common]
        found = {name.hex() for inventory in stores for name in wanted.intersection(inventory.all_ids())}
        return {path: name for path, name in staged.items() if name in found or name in self._seen}

    def _add_within(self, repository: Repository) -> None:
        try:
            self._add(repository)
        except GitFailed as failed:
            self._report(Problem(repository.shown_below or ".", f"not read: {failed}"))

    def _recent(self, repository: Repository, since: str) -> _Store:
        git = self._git(repository)
        brought = Brought.by(git, commits_since(git, since), Choice.of(*self._chosen).wants, self._report)
        brought.files = {key: before for key, before in brought.files.items() if key[0] not in self._seen}
        brought.messages = [name for name in brought.messages if name not in self._seen]
        self._say_what_is_missing(repository, git)
        return _Store(repository, git, Inventory(), brought=brought)

    def _git(self, repository: Repository) -> Git:
        # In quotes, as git reads them: a folder may have a colon in its name.
        stores = [f'"{_in_quotes(store)}"' for store in repository.quarantines()]
        alternates = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": os.pathsep.join(stores)} if stores else {}
        return Git(repository.folder, alternates)

    def _is_seen(self, name: str) -> bool:
        return name in self._seen

    def _say_what_is_missing(self, repository: Repository, git: Git) -> None:
        shown = repository.shown_below or "."
        if repository.lacks_alternates:
            self._report(
                Problem(shown, "objects that it shares with another repository are not there, and were not scanned")
            )
        if repository.has_history_cut_off:
            what = "it is a shallow clone: older commits are not here, and were not scanned"
            self._report(Problem(shown, what, is_note=True))
        if repository.is_partial:
            try:
                lines = git.lines("rev-list", "--objects", "--all", "--missing=print", "--no-object-names")
                missing = sum(line.startswith(b"?") for line in lines)
            except GitFailed:
                missing = 0
            number = f"{missing} objects" if missing else "objects"
            what = f"it is a partial clone: {number} stayed with the server, and were not scanned"
            self._report(Problem(shown, what))

    def _uncommitted(self, store: _Store, worktree: Directory, share: Share) -> Iterator[Fragment]:
        """Files that are untracked, ignored or changed. What is as it was staged was read as an object."""
        for name in share.claim(worktree.names):
            staged = store.staged.get(name)
            for fragment in worktree.read(name):
                if staged is None or not _is_blob(fragment.data, staged):
                    yield fragment


def _in_quotes(path: str) -> str:
    return path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _is_blob(data: bytes, name: str) -> bool:
    algorithm = "sha256" if len(name) == 64 else "sha1"
    digest = hashlib.new(algorithm, b"blob %d\0" % len(data), usedforsecurity=False)
    digest.update(data)
    return digest.hexdigest() == name
