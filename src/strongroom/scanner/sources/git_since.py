"""Which commits came after a revision, between two of them, or after a date."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator

from strongroom.scanner.sources.git_command import Git, GitFailed

_ID = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_AGO = re.compile(r"[0-9]{1,5} (?:second|minute|hour|day|week|month|year)s? ago|yesterday")
_SHORT_AGO = re.compile(r"[0-9]{1,5} (?:second|minute|hour|day|week|month|year)s?")
_RANGE = re.compile(r"(.*?[^.]|)\.\.\.?([^.].*|)")
_UPSTREAM = re.compile(r"@\{(?:u|upstream|push)\}")
_NEITHER = (
    "-since is neither a commit here, nor a range of two, nor a date. Write main, main..HEAD, 2026-01-31 or 2 weeks ago; "
    "in a clone without its history fetch that first"
)
_NO_UPSTREAM = "-since names the upstream of a branch that has none here: git branch --set-upstream-to=… sets it"
_LAST_MOMENT = 1 << 62
_REFS = ("--all", "--reflog")


def commits_since(git: Git, since: str) -> list[bytes]:
    """The commits that `since` leaves, parents first.

    A revision leaves what any reference or the reflog has and it has not. A range `A..B`, or `A...B` with three dots, leaves what B has
    and A has not, the same as what came after their merge base; either end may be left out, and is HEAD then. A date leaves commits
    by when they were committed, wherever they stand in the history: clocks that went wrong hide nothing behind them.
    Raises GitFailed where it is none of these.
    """
    if start := _commit(git, since):
        return list(git.lines("rev-list", "--topo-order", "--reverse", *_REFS, "--not", start, "--"))
    if (ends := _RANGE.fullmatch(since)) and any(ends.groups()):
        first, last = (_commit(git, end or "HEAD") for end in ends.groups())
        if first and last:
            return list(git.lines("rev-list", "--topo-order", "--reverse", last, "--not", first, "--"))
    return list(_committed_after(git, _moment(git, since)))


def _commit(git: Git, revision: str) -> str:
    """The id of a commit, or nothing."""
    if not revision or revision.startswith("-") or "\n" in revision or "\0" in revision:
        return ""
    try:
        name = git.output("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except GitFailed:
        return ""
    found = name.decode("ascii").strip()
    return found if _ID.fullmatch(found) else ""  # `^main` is a revision too, for what is not in it


def _moment(git: Git, text: str) -> int:
    """Seconds since the epoch of a date, in this machine's time zone unless it names one."""
    if _SHORT_AGO.fullmatch(text):
        text = f"{text} ago"
    if _AGO.fullmatch(text):
        # git knows what "3 months ago" means. It makes a moment of any text, which is why it is asked for these alone.
        age = int(git.output("rev-parse", f"--since={text}").decode("ascii").strip().removeprefix("--max-age="))
        return age if age < _LAST_MOMENT else 0  # what was before 1970 comes out as a very late moment
    try:
        return int(dt.datetime.fromisoformat(text).astimezone().timestamp())
    except (ValueError, OverflowError, OSError):
        raise GitFailed(_NO_UPSTREAM if _UPSTREAM.search(text) else _NEITHER) from None


def _committed_after(git: Git, moment: int) -> Iterator[bytes]:
    for line in git.lines("rev-list", "--topo-order", "--reverse", "--timestamp", *_REFS, "--"):
        seconds, _, name = line.partition(b" ")
        if int(seconds) >= moment:
            yield name
