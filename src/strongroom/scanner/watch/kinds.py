"""The kinds of feeds, as the configuration names them: what each needs to be told, and how it shows a token."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from strongroom.scanner.watch.item import Feed

_GITHUB = "https://api.github.com"
_GITLAB = "https://gitlab.com"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind. `plug` is loaded when it is used. Of `choices` at most one is given, all of `needs` are; `switches` are true or false."""

    plug: str
    address: str = ""
    choices: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    switches: tuple[str, ...] = ()
    interval: int = 300
    """Seconds between two questions, if nobody says otherwise."""
    header: str = "Authorization"
    prefix: str = "Bearer "
    needs_token: bool = False
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def keys(self) -> tuple[str, ...]:
        """What may be told to it."""
        return (*self.choices, *self.needs, *self.switches)

    def feed(self, address: str, pages: int, what: Mapping[str, Any]) -> Feed:
        """The plug for one feed."""
        module, _, name = self.plug.partition(":")
        made: Feed = getattr(importlib.import_module(module), name)(address, pages, **what)
        return made


_GITHUB_HEADERS = (("X-GitHub-Api-Version", "2022-11-28"),)
KINDS: Mapping[str, Kind] = MappingProxyType(
    {
        "github-events": Kind(
            "strongroom.scanner.watch.feeds.github_events:GitHubEvents",
            _GITHUB,
            choices=("org", "user", "repo"),
            interval=60,
            headers=_GITHUB_HEADERS,
        ),
        "github-search": Kind(
            "strongroom.scanner.watch.feeds.github_search:GitHubSearch",
            _GITHUB,
            needs=("query",),
            interval=900,
            needs_token=True,
            headers=_GITHUB_HEADERS,
        ),
        "github-gists": Kind(
            "strongroom.scanner.watch.feeds.github_gists:GitHubGists",
            _GITHUB,
            choices=("user",),
            interval=60,
            headers=_GITHUB_HEADERS,
        ),
        "gitlab-events": Kind(
            "strongroom.scanner.watch.feeds.gitlab_events:GitLabEvents",
            _GITLAB,
            choices=("project", "user"),
            interval=60,
            header="PRIVATE-TOKEN",
            prefix="",
        ),
        "gitlab-snippets": Kind(
            "strongroom.scanner.watch.feeds.gitlab_snippets:GitLabSnippets",
            _GITLAB,
            header="PRIVATE-TOKEN",
            prefix="",
            needs_token=True,
        ),
        "paste-site": Kind("strongroom.scanner.watch.feeds.paste_site:PasteSite", needs=("pattern", "raw")),
        "rss": Kind("strongroom.scanner.watch.feeds.rss:Rss", switches=("follow",), interval=600),
    }
)
