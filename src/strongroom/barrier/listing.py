"""Ordered listing of stored keys with uncommitted changes on top. Pure but for the one function that fetches stored keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

# (prefix, after, limit, start) -> keys: like Snapshot.keys, relative to the tenant.
Fetch = Callable[[str, str, int, str], list[str]]

_SCAN_PAGE = 512
_PAGE_LEAST = 16
_PAGE_MOST = 1024


def scan_keys(fetch: Fetch, overlay: Mapping[str, bytes | None], prefix: str, after: str) -> Iterator[str]:
    """Every key with ``prefix`` greater than ``after``, in order. The overlay is read at the call, not during the iteration."""
    return _scan(fetch, _Overlay(overlay, prefix), prefix, after)


def list_children(
    fetch: Fetch, overlay: Mapping[str, bytes | None], prefix: str, after: str, limit: int | None
) -> list[str]:
    """The names directly below ``prefix`` that are greater than ``after``, ``limit`` of them at most.

    Reads a few keys of each folder and then continues behind it, so a folder with a million keys costs no more than one with ten.
    """
    if prefix and prefix[-1] != "/":
        raise ValueError("a folder's prefix ends in '/'")
    names: list[str] = []
    changed = _Overlay(overlay, prefix)
    position, start, size = (prefix + after if after else ""), "", _PAGE_LEAST
    while limit is None or len(names) < limit:
        page, position, is_last = _page(fetch, changed, prefix, position, start, size)
        start, folder_at_end = _add_names(page, prefix, after, names)
        if is_last:
            break
        size = _PAGE_LEAST if folder_at_end else min(2 * size, _PAGE_MOST)
    return names if limit is None else names[: max(limit, 0)]


def _add_names(page: list[str], prefix: str, after: str, names: list[str]) -> tuple[str, bool]:
    """Append the new names of ``page``. Answers where to go on (a key that is wanted, or ``""``) after a folder at its end."""
    cut = len(prefix)
    folder = ""
    for key in page:
        if folder and key.startswith(folder):
            continue
        slash = key.find("/", cut)
        folder = "" if slash < 0 else key[: slash + 1]
        name = folder[cut:] or key[cut:]
        # A page may begin in the folder that the page before ended in: its name is there already.
        if name > after and (not names or names[-1] != name):
            names.append(name)
    return (folder[:-1] + chr(ord("/") + 1), True) if folder else ("", False)


def _scan(fetch: Fetch, changed: _Overlay, prefix: str, after: str) -> Iterator[str]:
    position, is_last = after, False
    while not is_last:
        page, position, is_last = _page(fetch, changed, prefix, position, "", _SCAN_PAGE)
        yield from page


def _page(
    fetch: Fetch, changed: _Overlay, prefix: str, after: str, start: str, size: int
) -> tuple[list[str], str, bool]:
    """Some next keys as they are with the changes, the position behind them, and whether they are the last ones."""
    stored = fetch(prefix, after, size, start)
    is_last = len(stored) < size
    end = None if is_last else stored[-1]
    return changed.merge(stored, after, start, end), end or after, is_last


class _Overlay:
    """The changes below one prefix, frozen: the keys that are put, in order, and those that are deleted."""

    __slots__ = ("_deleted", "_put")

    def __init__(self, overlay: Mapping[str, bytes | None], prefix: str) -> None:
        below = {key: value for key, value in overlay.items() if key.startswith(prefix)}
        self._put = sorted(key for key, value in below.items() if value is not None)
        self._deleted = {key for key, value in below.items() if value is None}

    def merge(self, stored: list[str], after: str, start: str, end: str | None) -> list[str]:
        """``stored`` without what is deleted and with what is put beyond ``after``, from ``start``, and up to ``end``."""
        if self._deleted:
            stored = [key for key in stored if key not in self._deleted]
        added = [
            key for key in self._put if (not after or key > after) and key >= start and (end is None or key <= end)
        ]
        return sorted({*stored, *added}) if added else stored
