"""GitHub's gists: all public ones as they come, or those of one person."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from strongroom.scanner.watch.feeds.github_events import JSON
from strongroom.scanner.watch.feeds.pages import Pages
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.json_answer import objects, parse, text
from strongroom.scanner.watch.visits import Visits

_OVERLAP = dt.timedelta(minutes=10)
"""How far back the next question reaches beyond the newest that was seen: lists of others are not always in order at once."""


@dataclass(frozen=True, slots=True)
class GitHubGists:
    """Public gists, or those of `user`. One that is changed counts anew; each of its files is an item."""

    address: str
    pages: int
    user: str = ""

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        """Gists that were changed since the last time, up to so many pages of 100."""
        path = f"/users/{quote(self.user, safe='')}/gists" if self.user else "/gists/public"
        since = cursor.get("since", "")
        question = f"{self.address}{path}?per_page=100" + (f"&since={quote(since)}" if since else "")
        pages = Pages(visits, question, self.pages, JSON, cursor)
        gists = [gist for page in pages for gist in objects(parse(page.body), "gists")]
        newest = max((time for gist in gists if (time := _time(text(gist, "updated_at")))), default=None)
        if newest is not None:
            pages.cursor = {**pages.cursor, "since": _iso(newest - _OVERLAP)}
        listing = pages.listing(item for gist in gists for item in _files(gist))
        return replace(listing, overlaps=False, has_gap=bool(since) and pages.has_more)


def _files(gist: dict[str, Any]) -> Iterator[Item]:
    files = gist.get("files")
    version = f"gist {text(gist, 'id')} {text(gist, 'updated_at')}"
    for name, file in files.items() if isinstance(files, dict) else ():
        yield Item(
            f"{version} {name}",
            "page",
            f"{text(gist, 'html_url')}!/{name}",
            text(file, "raw_url"),
            text=text(gist, "description"),
            title=name,
            author=text(gist, "owner", "login"),
            time=text(gist, "updated_at"),
        )


def _time(written: str) -> dt.datetime | None:
    try:
        time = dt.datetime.fromisoformat(written)
        return time.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None


def _iso(time: dt.datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
