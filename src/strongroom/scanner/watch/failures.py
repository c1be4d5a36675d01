"""How asking for something ends, if not well."""

from __future__ import annotations


class WatchFailed(Exception):
    """The watch cannot go on at all. The text says why, and what to do."""


class FeedFailed(Exception):
    """It was not to be had now, and may be later. The text says why, in words of ours."""


class Resting(FeedFailed):
    """The other side asked for a pause, or it is not over. `until` is in seconds since the epoch."""

    def __init__(self, text: str, until: float) -> None:
        super().__init__(text)
        self.until = until


class NotThere(FeedFailed):
    """There is nothing for us, now or later: gone, forbidden, too large, or an address that is not to be asked."""

    def __init__(self, text: str, status: int = 0) -> None:
        super().__init__(text)
        self.status = status
