"""GitLab's events: what happens in a project, what a person does, or what the token's owner sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.json_answer import objects, parse, text
from strongroom.scanner.watch.visits import Visits

_NEW_COMMITS = 30
"""Commits that are read of a branch that nobody pushed to before."""


@dataclass(frozen=True, slots=True)
class GitLabEvents:
    """Events at the server `address`: of `project` (its number or path), of `user`, or of all that the token's owner takes part in."""

    address: str
    pages: int
    project: str = ""
    user: str = ""

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """The newest events, up to so many pages of 100."""
        api = f"{self.address}/api/v4"
        if self.project:
            question = f"{api}/projects/{quote(self.project, safe='')}/events?per_page=100"
        elif self.user:
            question = f"{api}/users/{quote(self.user, safe='')}/events?per_page=100"
        else:
            question = f"{api}/events?scope=all&per_page=100"
        pages = Pages(visits, question, self.pages, "application/json", cursor)
        return pages.listing(
            self._item(event) for page in pages for event in objects(parse(page.body), "events") if text(event, "id")
        )

    def _item(self, event: dict[str, Any]) -> Item:
        name, project = f"event {text(event, 'id')}", text(event, "project_id")
        author, time = text(event, "author_username"), text(event, "created_at")
        push = event.get("push_data")
        if isinstance(push, dict) and text(push, "commit_to"):
            return self._push(name, project, push, author, time)
        written = "\n".join((text(event, "target_title"), text(event, "note", "body")))
        title = f"{text(event, 'action_name')} {text(event, 'target_type')}"
        return Item(name, "text", f"{self.address}/projects/{project}", "", "", written, title, author, time)

    def _push(self, name: str, project: str, push: dict[str, Any], author: str, time: str) -> Item:
        before, after = quote(text(push, "commit_from"), safe=""), quote(text(push, "commit_to"), safe="")
        repository = f"{self.address}/api/v4/projects/{quote(project, safe='')}/repository"
        newest = f"{repository}/commits?ref_name={after}&per_page={_NEW_COMMITS}"
        compare = f"{repository}/compare?from={before}&to={after}" if before else newest
        return Item(
            name,
            "gitlab-commits",
            f"{self.address}/projects/{project}",
            compare,
            instead=newest if before else "",
            text=text(push, "commit_title"),
            title=f"push to {text(push, 'ref')}",
            author=author,
            time=time,
            commit=text(push, "commit_to"),
        )
