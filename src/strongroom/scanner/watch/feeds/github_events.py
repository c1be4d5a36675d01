"""GitHub's events: what an organization, a person or a repository does in public, or everybody.

A push names the commit before it and the one after it, and no commits between (GitHub took those out in October 2025): they are
read from the comparison of the two. Of all other events, what people wrote is in the event itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.json_answer import objects, parse, text, texts_in
from strongroom.scanner.watch.visits import Visits

JSON = "application/vnd.github+json"
_NEW_COMMITS = 30
"""Commits that are read of a branch that nobody pushed to before: it may have all the history of another one."""


@dataclass(frozen=True, slots=True)
class GitHubEvents:
    """Events below the API at `address`: of `org`, `user` or `repo` (`owner/name`), or all public ones if none is given."""

    address: str
    pages: int
    org: str = ""
    user: str = ""
    repo: str = ""

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """All events that the API lists, up to so many pages of 100."""
        pages = Pages(visits, f"{self.address}{self._path()}/events?per_page=100", self.pages, JSON, cursor)
        found = [
            item for page in pages for event in objects(parse(page.body), "events") for item in self._items_of(event)
        ]
        return pages.listing(found)

    def _path(self) -> str:
        if self.org:
            return f"/orgs/{quote(self.org, safe='')}"
        if self.user:
            return f"/users/{quote(self.user, safe='')}"
        return f"/repos/{quote(self.repo)}" if self.repo else ""

    def _items_of(self, event: dict[str, Any]) -> list[Item]:
        name, repo, kind = text(event, "id"), text(event, "repo", "name"), text(event, "type")
        if not name:
            return []
        event_id = f"event {name}"
        payload = event.get("payload")
        author, time = text(event, "actor", "login"), text(event, "created_at")
        if kind == "PushEvent":
            return [self._push(event_id, repo, payload, author, time)]
        written = "\n".join(texts_in(payload))
        place = text(payload, "comment", "html_url") or text(payload, "issue", "html_url") or self._web(repo)
        return [Item(event_id, "text", place, text=written, title=f"{kind} {repo}", author=author, time=time)]

    def _push(self, event_id: str, repo: str, payload: Any, author: str, time: str) -> Item:
        before, head, title = text(payload, "before"), text(payload, "head"), f"push to {repo} {text(payload, 'ref')}"
        api = f"{self.address}/repos/{quote(repo)}"
        commit = f"{api}/commits/{quote(head, safe='')}"
        place = f"{self._web(repo)}/commit/{quote(head, safe='')}"
        if not before.strip("0"):
            newest = f"{api}/commits?sha={quote(head, safe='')}&per_page={_NEW_COMMITS}"
            return Item(event_id, "github-commits", place, newest, title=title, author=author, time=time)
        compare = f"{api}/compare/{quote(before, safe='')}...{quote(head, safe='')}"
        return Item(
            event_id, "github-patch", place, compare, instead=commit, title=title, author=author, time=time, commit=head
        )

    def _web(self, repo: str) -> str:
        return f"{web_address(self.address)}/{quote(repo)}"


def web_address(api: str) -> str:
    """Where people look at what the API at `api` lists: that of GitHub, or of a server of one's own."""
    return "https://github.com" if api == "https://api.github.com" else api.removesuffix("/api/v3")
