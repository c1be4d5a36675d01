"""Reads the configuration of a watch. What it does not know is an error that names the line: a misspelt limit must not be none."""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from strongroom.scanner.levels import Level
from strongroom.scanner.regex import BadPattern, compile_regex
from strongroom.scanner.watch.amounts import bytes_of, seconds_of
from strongroom.scanner.watch.config_lines import Lines
from strongroom.scanner.watch.failures import NotThere, WatchFailed
from strongroom.scanner.watch.hosts import Origin, parse_address
from strongroom.scanner.watch.kinds import KINDS, Kind
from strongroom.scanner.watch.settings import MOST_PAGES, FeedSettings, TokenPlace, WatchSettings

_LARGEST = 1 << 20
_SHARED = ("interval", "keywords", "level", "pages", "items", "item_size")
"""Settings that may stand in front of all feeds, for all of them."""
_OF_FEED = ("name", "kind", "address", "token_env", "token_file", "own_hosts", *_SHARED)
_TOP = ("state", "scan_config", "feed", *_SHARED)
_CREDENTIALS = re.compile(r"(?i)(?:.*[_-])?(?:token|key|secret|passwd|password|pass|auth|credentials?|bearer)")
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]{0,100}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_REPO = re.compile(r"[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}")
_LEAST_INTERVAL = 10
_LONGEST_INTERVAL = 7 * 24 * 3600
_MOST_BYTES = 256 << 20
_LEAST_KEYWORD = 3


@dataclass(frozen=True, slots=True)
class _Place:
    """A table of the file, for errors: the top of it, or one of its feeds."""

    name: str
    lines: Lines
    feed: int | None = None

    def fail(self, key: str, what: str) -> WatchFailed:
        return WatchFailed(f"{self.name}, line {self.lines.of(key, self.feed)}: {what}")


def read_watch_config(path: Path) -> WatchSettings:
    """The settings in the file at `path`. Raises WatchFailed."""
    try:
        if not path.is_file():
            raise WatchFailed(f"there is no configuration {path}")
        if path.stat().st_size > _LARGEST:
            raise WatchFailed(f"{path.name} is larger than {_LARGEST} bytes")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise WatchFailed(f"{path.name} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise WatchFailed(f"{path.name} is not UTF-8") from None
    return parse_watch_config(text, path.name, path.parent)


def parse_watch_config(text: str, name: str, folder: Path) -> WatchSettings:
    """The settings in `text`; relative paths in it are below `folder`. Raises WatchFailed."""
    try:
        values = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        where = re.search(r"line [0-9]+", str(error))
        raise WatchFailed(f"{name}{f', {where[0]}' if where else ''}: this is not TOML") from None
    lines = Lines(text)
    top = _Place(name, lines)
    _known(values, _TOP, top)
    tables = values.get("feed", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables) or not tables:
        raise top.fail("feed", "feeds are written as [[feed]], and there is at least one")
    shared = {key: values[key] for key in _SHARED if key in values}
    _settle(FeedSettings("", "", "", {}, frozenset(), 0.0), shared, top)
    feeds = tuple(_feed(shared, table, _Place(name, lines, number), folder) for number, table in enumerate(tables))
    names = [feed.name for feed in feeds]
    for number, feed in enumerate(feeds):
        if names.index(feed.name) != number:
            raise _Place(name, lines, number).fail("name", f"there are two feeds with the name {feed.name}")
    return WatchSettings(feeds, _file("state", values, top, folder), _file("scan_config", values, top, folder))


def _file(key: str, values: dict[str, Any], place: _Place, folder: Path) -> Path | None:
    name = values.get(key)
    if name is None:
        return None
    if not isinstance(name, str) or not name:
        raise place.fail(key, f"{key} is the name of a file")
    return folder / os.path.expanduser(name)  # noqa: PTH111 -- a name, not yet a path


def _known(values: dict[str, Any], names: Iterable[str], place: _Place) -> None:
    known = tuple(names)
    for key in values:
        if key in known:
            continue
        if _CREDENTIALS.fullmatch(key):
            raise place.fail(
                key,
                f"{key} would be a credential in this file. Put it into an environment variable or a file of its own, "
                "and name that: token_env or token_file",
            )
        near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
        raise place.fail(key, f"there is no setting {key}; {hint}")


def _feed(shared: dict[str, Any], table: dict[str, Any], place: _Place, folder: Path) -> FeedSettings:
    name, kind = _kind(table, place)
    of_kind = KINDS[kind]
    _known(table, (*_OF_FEED, *of_kind.keys), place)
    address, own = _address(of_kind, table, place)
    settings = FeedSettings(
        name, kind, address, _what(kind, of_kind, table, place), own, of_kind.interval, _token(table, place, folder)
    )
    if of_kind.needs_token and settings.token is None:
        raise place.fail("kind", f"{kind} is not answered without a token: give token_env or token_file")
    own_values = {key: table[key] for key in _SHARED if key in table}
    return _settle(_settle(settings, shared, place), own_values, place)


def _kind(table: dict[str, Any], place: _Place) -> tuple[str, str]:
    name, kind = table.get("name"), table.get("kind")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise place.fail("name", "each feed has a name of letters, digits, dots and dashes")
    if not isinstance(kind, str) or kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(KINDS))}"
        raise place.fail("kind", f"there is no such kind of feed; {hint}")
    return name, kind


def _address(of_kind: Kind, table: dict[str, Any], place: _Place) -> tuple[str, frozenset[Origin]]:
    address = table.get("address", of_kind.address)
    if not isinstance(address, str) or not address:
        raise place.fail("address", "this kind of feed needs an address")
    own = {_origin(address, "address", place)}
    _check_query(address, "address", place)
    hosts = table.get("own_hosts", [])
    if not isinstance(hosts, list) or not all(isinstance(host, str) for host in hosts):
        raise place.fail("own_hosts", "own_hosts is a list of addresses like https://raw.example.com")
    own |= {_origin(host if "://" in host else f"https://{host}", "own_hosts", place) for host in hosts}
    # What is told to plugs with a page of their own is the page itself; to the others, what stands before every path.
    return (address.rstrip("/") if of_kind.address else address), frozenset(own)


def _check_query(address: str, key: str, place: _Place) -> None:
    if any(_CREDENTIALS.fullmatch(name) and value for name, value in parse_qsl(urlsplit(address).query)):
        raise place.fail(key, "the address has a credential in it: name it with token_env or token_file instead")


def _origin(address: str, key: str, place: _Place) -> Origin:
    try:
        return parse_address(address).origin
    except NotThere as failure:
        raise place.fail(key, f"{failure} (write https://HOST; http only to this machine)") from None


def _what(kind: str, of_kind: Kind, table: dict[str, Any], place: _Place) -> dict[str, str | bool]:
    given: dict[str, str | bool] = {}
    for key in of_kind.keys:
        if key in table:
            given[key] = _told(key, table[key], place, is_switch=key in of_kind.switches)
    missing = [key for key in of_kind.needs if key not in given]
    if missing:
        raise place.fail("kind", f"{kind} needs {missing[0]}")
    if len([key for key in of_kind.choices if key in given]) > 1:
        raise place.fail("kind", f"{kind} takes only one of {', '.join(of_kind.choices)}")
    if "repo" in given and not _REPO.fullmatch(str(given["repo"])):
        raise place.fail("repo", "repo is written as owner/name")
    if "pattern" in given:
        _check_pattern(str(given["pattern"]), str(given["raw"]), place)
    return given


def _told(key: str, value: Any, place: _Place, *, is_switch: bool) -> str | bool:
    if is_switch:
        if not isinstance(value, bool):
            raise place.fail(key, f"{key} is true or false")
        return value
    if key == "project" and isinstance(value, int):
        return str(value)
    if not isinstance(value, str) or not value.strip():
        raise place.fail(key, f"{key} is a text")
    return value


def _check_pattern(pattern: str, raw: str, place: _Place) -> None:
    try:
        has_group = b"id" in compile_regex(pattern).groupindex
    except BadPattern:
        raise place.fail("pattern", "pattern is none of RE2's syntax") from None
    if not has_group:
        raise place.fail("pattern", "pattern has a group (?P<id>…), which is what tells one paste from another")
    try:
        _check_query(raw, "raw", place)
    except ValueError:
        raise place.fail("raw", "raw is no address") from None
    if "{id}" not in raw:
        raise place.fail("raw", "raw has {id} in the place of the paste's id")


def _token(table: dict[str, Any], place: _Place, folder: Path) -> TokenPlace | None:
    variable, file = table.get("token_env"), table.get("token_file")
    if variable is not None and file is not None:
        raise place.fail("token_env", "give token_env or token_file, not both")
    if variable is not None:
        # The value is not repeated: it may be the token itself.
        if not isinstance(variable, str) or not _VARIABLE.fullmatch(variable):
            raise place.fail("token_env", "token_env is the name of an environment variable, in capitals; not a token")
        return TokenPlace(variable)
    path = _file("token_file", table, place, folder)
    return None if path is None else TokenPlace(file=path)


def _settle(settings: FeedSettings, values: dict[str, Any], place: _Place) -> FeedSettings:
    """`settings` with what may be said of one feed or of all."""
    for key, value in values.items():
        try:
            settings = replace(settings, **_SETTLED[key](value))
        except (ValueError, TypeError) as error:
            raise place.fail(key, str(error)) from None
    return settings


def _interval(value: Any) -> dict[str, Any]:
    seconds = seconds_of(value) if isinstance(value, str) else None
    if seconds is None or not _LEAST_INTERVAL <= seconds <= _LONGEST_INTERVAL:
        raise ValueError("interval is a duration from 10s to 168h, like 5m")
    return {"interval": float(seconds)}


def _keywords(value: Any) -> dict[str, Any]:
    if not isinstance(value, list) or not all(
        isinstance(word, str) and len(word.strip()) >= _LEAST_KEYWORD for word in value
    ):
        raise ValueError(f"keywords is a list of texts of {_LEAST_KEYWORD} characters or more")
    return {"keywords": tuple(word.strip().lower() for word in value)}


def _level(value: Any) -> dict[str, Any]:
    if value not in {one.value for one in Level}:
        raise ValueError(f"level is one of {', '.join(one.value for one in Level)}")
    return {"level": Level(value)}


def _count(key: str, most: int) -> Callable[[Any], dict[str, Any]]:
    def settle(value: Any) -> dict[str, Any]:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise ValueError(f"{key} is a number from 1 to {most}")
        return {key: value}

    return settle


def _item_size(value: Any) -> dict[str, Any]:
    size = bytes_of(value) if isinstance(value, str) else 0
    if not 1 <= size <= _MOST_BYTES:
        raise ValueError("item_size is a size up to 256MiB, like 10MB")
    return {"item_bytes": size}


_SETTLED: dict[str, Callable[[Any], dict[str, Any]]] = {
    "interval": _interval,
    "keywords": _keywords,
    "level": _level,
    "pages": _count("pages", MOST_PAGES),
    "items": _count("items", 10_000),
    "item_size": _item_size,
}
