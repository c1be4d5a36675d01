"""Which mount of one environment is the same as which of another. Pure: over names alone.

Where no environment has more than one mount of secrets, these mounts correspond, whatever they are called. Otherwise each mount is known by its *part*: its path
without the name of its environment. So ``production/kv/`` and ``kv-staging/`` are both the part ``kv``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise


def parts_of(mounts: Mapping[str, Sequence[str]]) -> dict[str, dict[str, str]]:
    """For each environment its mounts by their part. ``mounts`` has the mount paths of each; the part is ``""`` where there is one each."""
    if all(len(paths) <= 1 for paths in mounts.values()):
        return {name: {"": paths[0]} if paths else {} for name, paths in mounts.items()}
    return {name: _named(name, paths) for name, paths in mounts.items()}


def _named(environment: str, paths: Sequence[str]) -> dict[str, str]:
    """The mounts by what is left of their paths; by all of it where that would name two alike, or one within the other."""
    short = {_without(environment, path): path for path in paths}
    folders = sorted(f"{part}/" for part in short)
    is_clear = len(short) == len(paths) and "" not in short
    if is_clear and not any(later.startswith(earlier) for earlier, later in pairwise(folders)):
        return short
    return {path.strip("/"): path for path in paths}


def _without(environment: str, path: str) -> str:
    """``path`` without the name of the environment, where that stands in it between separators."""
    plain = path.strip("/")
    bare = re.sub(rf"(?:^|(?<=[/._-])){re.escape(environment)}(?:$|(?=[/._-]))", "", plain)
    tidy = re.sub(r"[/._-]*/[/._-]*", "/", bare).strip("/._-")
    return re.sub(r"([._-])[._-]+", r"\1", tidy)
