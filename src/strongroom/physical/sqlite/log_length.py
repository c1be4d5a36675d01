"""How long SQLite's log gets until a commit brings it into the database.

Each time costs a sync of the database, and a write of every page in the log, however often the page changed: seldom is cheaper. But what
the log holds may be new pages, for which the database needs space. On a disk that has become full nothing could make the log shorter, and
soon nobody could be revoked. So it gets long only while there is plenty of space, and as much is kept back as bringing it in may take.
Source: https://sqlite.org/wal.html#ckpt.
"""

from __future__ import annotations

import contextlib

import apsw

from strongroom.physical.sqlite.reserve import RESERVE_FILE_BYTES, Reserve

SHORT_PAGES = 1000
"""What SQLite does by itself."""
LONG_PAGES = 4000
"""Up to 4,062 SQLite finds a page by a single index."""
PLENTY_BYTES = 128 * 1024 * 1024
_PAGE_BYTES = 4096
_READERS_PAGES = 1000
"""By so much the log may get longer than it should while others read."""
LONG_RESERVE_BYTES = RESERVE_FILE_BYTES + (LONG_PAGES + _READERS_PAGES) * _PAGE_BYTES


class LogLength:
    """Sees to the length of the log that one writer makes. Used by whoever commits, one at a time."""

    def __init__(self, reserve: Reserve) -> None:
        self._reserve = reserve
        self._has_plenty = False

    def watch(self, writer: apsw.Connection) -> None:
        """Look at the log whenever ``writer`` has committed, in the place of SQLite's own way."""
        writer.set_wal_hook(self._after_commit)

    def note_space(self, free: int) -> None:
        """So many bytes will be left on the file system after the commit that is under way."""
        self._has_plenty = free >= PLENTY_BYTES

    def _after_commit(self, writer: apsw.Connection, _: str, pages: int) -> int:
        if pages >= SHORT_PAGES and not (pages < LONG_PAGES and self._may_be_long()):
            # What fails, or is still needed by a reader, is done after the next commit: nothing is lost, the log holds it.
            with contextlib.suppress(apsw.Error):
                writer.wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_PASSIVE)
        return apsw.SQLITE_OK

    def _may_be_long(self) -> bool:
        return self._has_plenty and self._reserve.hold(LONG_RESERVE_BYTES)
