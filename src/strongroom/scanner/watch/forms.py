"""How an item is opened: from what a feed listed to what is scanned, and to further items that it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlsplit

from strongroom.scanner.watch.ask import Answer
from strongroom.scanner.watch.failures import NotThere
from strongroom.scanner.watch.feeds.pages import following
from strongroom.scanner.watch.item import Item
from strongroom.scanner.watch.json_answer import objects, parse, text
from strongroom.scanner.watch.patches import additions_of
from strongroom.scanner.watch.visits import Visits

_JSON = "application/json"
_PATCH = "application/vnd.github.patch"
_RAW = "application/vnd.github.raw+json"
_MOST_COMMITS = 250
"""Commits of one push that are read."""
_MOST_PAGES = 10
_MOST_ITEMS = 5_000
"""Further items that one item may lead to."""
_TOO_LARGE = frozenset({406, 413, 422})


@dataclass(frozen=True, slots=True)
class Part:
    """Some bytes that are scanned, and where they stand, for people: an address, and what was written there by whom and when."""

    data: bytes = field(repr=False)
    place: str
    line: int = 1
    author: str = ""
    time: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Opened:
    """What an item holds, the items that it leads to, and what of it could not be had."""

    parts: tuple[Part, ...] = ()
    items: tuple[Item, ...] = ()
    problems: tuple[str, ...] = ()


Open = Callable[[Item, Visits], Opened]


def open_item(item: Item, visits: Visits) -> Opened:
    """What `item` holds. Raises FeedFailed; NotThere if there is nothing to be had of it, now or later."""
    form = FORMS.get(item.form)
    if form is None:
        raise NotThere("it was listed by another version of this program")
    opened = form(item, visits)
    if len(opened.items) <= _MOST_ITEMS:
        return opened
    problem = f"it leads to more than {_MOST_ITEMS} others, of which only so many are read"
    return replace(opened, items=opened.items[:_MOST_ITEMS], problems=(*opened.problems, problem))


def _text(item: Item, _visits: Visits) -> Opened:
    return Opened((_part(item, item.text.encode("utf-8", "surrogatepass")),))


def _page(item: Item, visits: Visits) -> Opened:
    return _whole(item, visits, "*/*")


def _github_file(item: Item, visits: Visits) -> Opened:
    try:
        return _whole(item, visits, _RAW)
    except NotThere:
        if not item.text:
            raise
        # The file is gone or too large, but the search still shows what matched.
        return _text(item, visits)


def _whole(item: Item, visits: Visits, accept: str) -> Opened:
    answer = visits.ask(item.address, accept)
    shown = item.text.encode("utf-8", "surrogatepass") if item.form == "page" else b""
    parts = (_part(item, answer.body), *((_part(item, shown),) if shown else ()))
    return Opened(parts, problems=_cut(answer, visits))


def _github_patch(item: Item, visits: Visits) -> Opened:
    problems: tuple[str, ...] = ()
    try:
        answer = visits.ask(item.address, _PATCH)
    except NotThere as failure:
        if not item.instead:
            raise
        # The commit before was taken away by force, or the push is larger than GitHub compares.
        answer = visits.ask(item.instead, _PATCH)
        if failure.status in _TOO_LARGE:
            problems = ("the push is too large to be compared: of its commits only the last was read",)
    base = item.place.rpartition("/")[0]
    parts = []
    for addition in additions_of(answer.body):
        place = f"{base}/{addition.commit}" if addition.commit else item.place
        parts.append(
            Part(
                addition.data,
                f"{place}!/{addition.path}" if addition.path else place,
                addition.line,
                addition.author or item.author,
                addition.time or item.time,
                addition.commit or item.commit,
            )
        )
    return Opened(tuple(parts), problems=problems + _cut(answer, visits))


def _github_commits(item: Item, visits: Visits) -> Opened:
    answer = visits.ask(item.address, "application/vnd.github+json")
    api = item.address.partition("?")[0]
    base = item.place.rpartition("/")[0]
    found = []
    for commit in objects(parse(answer.body), "commits")[:_MOST_COMMITS]:
        name = text(commit, "sha")
        found.append(
            Item(
                f"commit {api} {name}",
                "github-patch",
                f"{base}/{quote(name, safe='')}",
                f"{api}/{quote(name, safe='')}",
                title=item.title,
                author=text(commit, "commit", "author", "name") or item.author,
                time=text(commit, "commit", "author", "date") or item.time,
                commit=name,
            )
        )
    return Opened(items=tuple(reversed(found)))


def _gitlab_commits(item: Item, visits: Visits) -> Opened:
    try:
        answer = visits.ask(item.address, _JSON)
    except NotThere:
        if not item.instead:
            raise
        answer = visits.ask(item.instead, _JSON)
    listed = parse(answer.body)
    commits = objects(listed.get("commits") if isinstance(listed, dict) else listed, "commits")
    repository = item.address.partition("/repository/")[0] + "/repository"
    found = tuple(_gitlab_commit(item, repository, commit) for commit in commits[:_MOST_COMMITS])
    too_many = len(commits) > _MOST_COMMITS
    return Opened(items=found, problems=(f"only {_MOST_COMMITS} of its commits are read",) if too_many else ())


def _gitlab_commit(item: Item, repository: str, commit: dict[str, Any]) -> Item:
    name = text(commit, "id")
    return Item(
        f"commit {repository} {name}",
        "gitlab-diff",
        text(commit, "web_url") or item.place,
        f"{repository}/commits/{quote(name, safe='')}/diff?per_page=100",
        text=text(commit, "message"),
        title=item.title,
        author=text(commit, "author_name") or item.author,
        time=text(commit, "created_at") or item.time,
        commit=name,
    )


def _gitlab_diff(item: Item, visits: Visits) -> Opened:
    parts = [_part(item, item.text.encode("utf-8", "surrogatepass"))]
    items: list[Item] = []
    for diff in _gitlab_diffs(item.address, visits):
        path = text(diff, "new_path")
        if diff.get("deleted_file") is True:
            continue
        if diff.get("too_large") is True or diff.get("collapsed") is True:
            items.append(_gitlab_file(item, path))
            continue
        patch = f"diff --git a/x b/x\n{text(diff, 'diff')}".encode("utf-8", "surrogatepass")
        parts += [
            Part(one.data, f"{item.place}!/{path}", one.line, item.author, item.time, item.commit)
            for one in additions_of(patch)
        ]
    return Opened(tuple(parts), tuple(items))


def _gitlab_diffs(address: str, visits: Visits) -> Iterator[dict[str, Any]]:
    following_page: str | None = address
    for _ in range(_MOST_PAGES):
        if following_page is None:
            return
        answer = visits.ask(following_page, _JSON)
        if answer.is_cut:
            raise NotThere("its changes are longer than what is read of one item")
        yield from objects(parse(answer.body), "changes")
        following_page = following(following_page, answer.headers.get("link", ""))


def _gitlab_file(item: Item, path: str) -> Item:
    """The whole file, where GitLab does not show what changed in it."""
    repository = item.address.partition("/commits/")[0]
    address = f"{repository}/files/{quote(path, safe='')}/raw?ref={quote(item.commit, safe='')}"
    return replace(item, id=f"{item.id} {path}", form="page", address=address, place=f"{item.place}!/{path}", text="")


def _part(item: Item, data: bytes) -> Part:
    return Part(data, item.place, 1, item.author, item.time, item.commit)


def _cut(answer: Answer, visits: Visits) -> tuple[str, ...]:
    return (f"not scanned to its end: it is longer than {visits.most} bytes",) if answer.is_cut else ()


def is_address(place: str) -> bool:
    """Whether a report can show `place` as where something stands: an address of the web, and nothing that a browser would run."""
    try:
        parts = urlsplit(place)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.netloc)


FORMS: Mapping[str, Open] = MappingProxyType(
    {
        "text": _text,
        "page": _page,
        "github-file": _github_file,
        "github-patch": _github_patch,
        "github-commits": _github_commits,
        "gitlab-commits": _gitlab_commits,
        "gitlab-diff": _gitlab_diff,
    }
)
"""What an item's `form` means. The names are kept in states: never give one another meaning."""
