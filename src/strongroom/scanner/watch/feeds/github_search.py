"""GitHub's search for code: files that mention a text, such as the name of a company. It needs a token, and allows ten questions a minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus

from strongroom.scanner.watch.feeds.github_events import web_address
from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.json_answer import objects, parse, text
from strongroom.scanner.watch.visits import Visits

_MATCHES = "application/vnd.github.text-match+json"


@dataclass(frozen=True, slots=True)
class GitHubSearch:
    """Files that `query` finds. They come in no order of time, so all pages are read each time; a file counts anew once its content changes."""

    address: str
    pages: int
    query: str

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """The best matches, up to so many pages of 100."""
        question = f"{self.address}/search/code?q={quote_plus(self.query)}&per_page=100"
        pages = Pages(visits, question, self.pages, _MATCHES, cursor)
        found = [
            self._item(one)
            for page in pages
            for answer in objects([parse(page.body)], "results")
            for one in objects(answer.get("items"), "results")
        ]
        return pages.listing(found)

    def _item(self, found: dict[str, Any]) -> Item:
        repo, path = text(found, "repository", "full_name"), text(found, "path")
        matches = found.get("text_matches")
        shown = [text(one, "fragment") for one in objects(matches, "matches")] if isinstance(matches, list) else []
        return Item(
            f"file {repo} {path} {text(found, 'sha')}",
            "github-file",
            text(found, "html_url") or f"{web_address(self.address)}/{repo}",
            text(found, "url"),
            text="\n".join(shown),
            title=f"{repo} {path}",
            author=text(found, "repository", "owner", "login"),
        )
