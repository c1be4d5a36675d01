"""GitLab's public snippets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.json_answer import objects, parse, text
from strongroom.scanner.watch.visits import Visits


@dataclass(frozen=True, slots=True)
class GitLabSnippets:
    """Public snippets at the server `address`. One that is changed counts anew; each of its files is an item."""

    address: str
    pages: int

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """The newest snippets, up to so many pages of 100."""
        question = f"{self.address}/api/v4/snippets/public?per_page=100"
        pages = Pages(visits, question, self.pages, "application/json", cursor)
        return pages.listing(
            item for page in pages for snippet in objects(parse(page.body), "snippets") for item in self._files(snippet)
        )

    def _files(self, snippet: dict[str, Any]) -> list[Item]:
        number, changed, place = text(snippet, "id"), text(snippet, "updated_at"), text(snippet, "web_url")
        files = snippet.get("files")
        found = {text(file, "path"): text(file, "raw_url") for file in objects(files, "files")} if files else {}
        # Servers before 13.3 know one file, and its address without a name.
        found = {name: address for name, address in found.items() if address} or {
            text(snippet, "file_name"): text(snippet, "raw_url")
        }
        return [
            Item(
                f"snippet {number} {changed} {name}",
                "page",
                f"{place}!/{name}" if name else place,
                address,
                text="\n".join((text(snippet, "title"), text(snippet, "description"))),
                title=text(snippet, "title"),
                author=text(snippet, "author", "username"),
                time=changed,
            )
            for name, address in found.items()
        ]
