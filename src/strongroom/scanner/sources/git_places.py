"""Where an object stands in a history: paths, and the first commit that had it at each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from strongroom.scanner.findings import Place
from strongroom.scanner.sources.git_command import Git, GitFailed
from strongroom.scanner.sources.git_objects import COMMIT_PATH, TAG_PATH

_COMMIT = "commit"
SUBMODULE_MODE = "160000"
"""The mode of an entry that names a commit of another repository."""
_MOST_FAILURES = 200
"""How often git may give up at a commit before the rest is given up, too: each time it is started anew."""
_HEADER = "%H%x00%an <%ae>%x00%aI%x00"


def places(git: Git, wanted: Iterable[str], linked: Iterable[Git] = ()) -> dict[str, list[Place]]:
    """The places of the objects among `wanted` that this repository has. What is in no commit and not staged has none.

    `linked` are its linked working trees, where something may be staged as well. One pass over all commits, unreachable ones too, oldest first: its time depends on the history, not on how many are wanted.
    """
    kinds = kinds_of(git, sorted(set(wanted)))
    blobs = {name for name, kind in kinds.items() if kind == "blob"}
    found: dict[str, list[Place]] = {name: [] for name in kinds}
    for name, kind in kinds.items():
        if kind == _COMMIT:
            found[name].append(Place(COMMIT_PATH, name, "", "", None))
        elif kind == "tag":
            found[name].append(_tag_place(git, name))
    if blobs:
        for name, path, commit in _first_commits(git, blobs):
            found[name].append(Place(path, commit, "", "", None))
        for tree in (git, *linked):
            _add_staged(tree, blobs, found)
    return _described(git, found)


def kinds_of(git: Git, names: Iterable[str]) -> dict[str, str]:
    """The types of the objects that are there, by id."""
    given = "".join(f"{name}\n" for name in names).encode()
    lines = git.output("cat-file", "--batch-check=%(objectname) %(objecttype)", given=given) if given else b""
    parted = (line.split() for line in lines.decode().splitlines())
    return {line[0]: line[1] for line in parted if line[1] != "missing"}


def _tag_place(git: Git, name: str) -> Place:
    header = git.output("cat-file", "tag", name).partition(b"\n\n")[0].decode("utf-8", "replace")
    fields = dict(line.partition(" ")[::2] for line in header.splitlines())
    commit = fields.get("object", "") if fields.get("type") == _COMMIT else ""
    return Place(TAG_PATH, commit, "", "", None)


def _first_commits(git: Git, blobs: set[str]) -> Iterator[tuple[str, str, str]]:
    """Blob, path and commit, for the first commit of each pair of blob and path."""
    seen: set[tuple[str, bytes]] = set()
    for change in changes(git, _oldest_first(git), _without_place):
        if change.blob in blobs and (change.blob, change.path) not in seen:
            seen.add((change.blob, change.path))
            yield change.blob, change.path.decode("utf-8", "backslashreplace"), change.commit


def _without_place(_commits: list[bytes]) -> None:
    """What stands in a commit that cannot be read was found in its objects, and is reported as what stands in no commit."""


def _oldest_first(git: Git) -> list[bytes]:
    """All commits of the store, parents before children."""
    entries = git.lines("cat-file", "--batch-all-objects", "--batch-check=%(objecttype) %(objectname)")
    commits = [line[7:] for line in entries if line.startswith(b"commit ")]
    for walk in (("--topo-order", "--reverse"), ("--no-walk=sorted",)):
        try:
            ordered = list(git.lines("rev-list", *walk, "--stdin", given=commits))
        except GitFailed:
            continue  # a parent is not there: then by their dates, without looking at parents
        return ordered if walk[-1] == "--reverse" else ordered[::-1]
    return commits


class Change(NamedTuple):
    """A blob that a commit has at a path, where its parents had others (`before`) or none."""

    commit: str
    blob: str
    path: bytes
    before: tuple[str, ...] = ()


def changes(git: Git, commits: list[bytes], unread: Callable[[list[bytes]], None]) -> Iterator[Change]:
    """All changes that these commits make, some perhaps twice. A merge makes those that no parent has: what was changed in merging.

    `unread` hears of the commits whose files cannot be told, because trees are not there or are damaged.
    """
    left, failures = commits, 0
    while left:
        current = b""
        try:
            for token, path in _raw_changes(git, left):
                if not path:
                    current = token
                elif change := _change(current, token, path):
                    yield change
        except GitFailed:
            failures += 1
        else:
            return
        if failures > _MOST_FAILURES:
            unread(left)
            return
        # It broke at the commit that it named last, or at the one behind; what stands before was read.
        if at := left.index(current) if current in left else 0:
            left = left[at:]
            continue
        broken = 1 if current and _is_readable(git, current) else 0
        unread(left[broken : broken + 1])
        left = left[broken + 1 :]


def _raw_changes(git: Git, commits: list[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """What diff-tree says: each commit with an empty path, then each of its changes with its path. Raises GitFailed."""
    tokens = git.lines(
        "diff-tree", "--stdin", "--always", "--root", "-r", "-c", "--raw", "-z", "--no-abbrev", "--no-renames",
        "--no-ext-diff", "--no-textconv", "--diff-filter=d", given=commits, separator=b"\0",
    )  # fmt: skip
    for token in tokens:
        if not token.startswith(b":"):
            yield token.strip(), b""
        elif path := next(tokens, None):
            yield token, path


def _is_readable(git: Git, commit: bytes) -> bool:
    try:
        for _ in _raw_changes(git, [commit]):
            pass
    except GitFailed:
        return False
    return True


def _change(commit: bytes, token: bytes, path: bytes) -> Change | None:
    """A change, or nothing where the path is a submodule now: what it names is in another store."""
    parents = len(token) - len(token.lstrip(b":"))
    fields = token.lstrip(b":").decode("ascii").split(" ")
    modes, names = fields[: parents + 1], fields[parents + 1 : 2 * parents + 2]
    if modes[-1] == SUBMODULE_MODE:
        return None
    pairs = zip(modes[:-1], names[:-1], strict=True)
    before = tuple(name for mode, name in pairs if name.strip("0") and mode != SUBMODULE_MODE)
    return Change(commit.decode("ascii"), names[-1], path, before)


def _add_staged(git: Git, blobs: set[str], found: dict[str, list[Place]]) -> None:
    """Adds the places of what is in the index alone."""
    for path, name in index(git).items():
        shown = path.decode("utf-8", "backslashreplace")
        if name in blobs and all(place.path != shown for place in found[name]):
            found[name].append(Place(shown, "", "", "", None))


def index(git: Git) -> dict[bytes, str]:
    """Path and blob of all that is staged."""
    try:
        entries = list(git.lines("ls-files", "--stage", "-z", separator=b"\0"))
    except GitFailed:
        return {}
    parted = (entry.partition(b"\t")[::2] for entry in entries)
    return {path: head.split(b" ")[1].decode("ascii") for head, path in parted if path}


def _described(git: Git, found: dict[str, list[Place]]) -> dict[str, list[Place]]:
    """The same with authors and dates, and whether they are in HEAD."""
    commits = {place.commit for places_of in found.values() for place in places_of if place.commit}
    authors = commit_authors(git, commits)
    tree, ancestors = _in_head(git, set(found)), _ancestors(git, commits)

    def described(name: str, place: Place) -> Place:
        author, date = authors.get(place.commit, ("", ""))
        is_message = place.path in {COMMIT_PATH, TAG_PATH}
        in_head = place.commit in ancestors if is_message else (name, place.path) in tree
        return place._replace(author=author, author_date=date, in_head=in_head)

    return {name: [described(name, place) for place in places_of] for name, places_of in found.items()}


def commit_authors(git: Git, commits: set[str]) -> dict[str, tuple[str, str]]:
    """Author and author date of each commit; other objects are passed over."""
    if not commits:
        return {}
    given = "".join(f"{commit}\n" for commit in sorted(commits)).encode()
    text = git.output("log", "--no-walk", "--stdin", "-z", f"--format={_HEADER}", given=given)
    fields = text.decode("utf-8", "replace").split("\0")
    known = {}
    position = 0
    while position + 2 < len(fields):
        if not fields[position]:  # what stands between two commits
            position += 1
            continue
        known[fields[position]] = (fields[position + 1], fields[position + 2])
        position += 3
    return known


def _in_head(git: Git, blobs: set[str]) -> set[tuple[str, str]]:
    try:
        entries = list(git.lines("ls-tree", "-r", "-z", "--full-tree", "HEAD", separator=b"\0"))
    except GitFailed:  # there is no commit yet
        return set()
    parted = (entry.partition(b"\t")[::2] for entry in entries)
    named = ((head.rpartition(b" ")[2].decode("ascii"), path) for head, path in parted)
    return {(name, path.decode("utf-8", "backslashreplace")) for name, path in named if name in blobs}


def _ancestors(git: Git, commits: set[str]) -> set[str]:
    """Those of `commits` that HEAD descends from."""
    try:
        return {line.decode("ascii") for line in git.lines("rev-list", "HEAD", "--")} & commits
    except GitFailed:
        return set()
