"""Where what is scanned comes from: folders, histories, streams, images. A source yields bytes, and knows nothing of secrets."""

from __future__ import annotations

from types import MappingProxyType

SOURCES = MappingProxyType(
    {
        "dir": "strongroom.scanner.sources.directory:Directory",
        "git": "strongroom.scanner.sources.git:GitRepository",
        "staged": "strongroom.scanner.sources.staged:Staged",
        "pushed": "strongroom.scanner.sources.pushed:Pushed",
        "stdin": "strongroom.scanner.sources.stream:Stdin",
        "archive": "strongroom.scanner.sources.archive:Archive",
        "image": "strongroom.scanner.sources.image:Image",
        "url": "strongroom.scanner.sources.url:Url",
    }
)
"""The plugs, by the word of the command line, as module and class: each is loaded when it is asked for, for a quick start."""
