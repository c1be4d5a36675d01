from __future__ import annotations

from pathlib import Path

import pytest

from strongroom.scanner.levels import Level
from strongroom.scanner.watch.config import parse_watch_config, read_watch_config
from strongroom.scanner.watch.failures import WatchFailed
from strongroom.scanner.watch.hosts import Origin
from strongroom.scanner.watch.kinds import KINDS
from strongroom.scanner.watch.settings import WatchSettings

FULL = """
state = "seen/watch.state"
keywords = ["Acme.example"]
level = "provider"

[[feed]]
name = "our-org"
kind = "github-events"
org = "acme"
interval = "2m"
token_env = "GITHUB_TOKEN"
keywords = []
pages = 2
items = 50
item_size = "1MB"
own_hosts = ["raw.example.com"]

[[feed]]
name = "forum"
kind = "rss"
address = "https://forum.example/feed.xml"
token_file = "secret/token"
follow = false
level = "all"
"""
HEAD = '[[feed]]\nname = "a"\nkind = "rss"\naddress = "https://a.example/"\n'


def parse(text: str) -> WatchSettings:
    return parse_watch_config(text, "watch.toml", Path("/etc/watch"))


def error_of(text: str) -> str:
    with pytest.raises(WatchFailed) as failure:
        parse(text)
    return str(failure.value)


def test_what_is_written_is_what_is_watched() -> None:
    settings = parse(FULL)
    assert settings.state == Path("/etc/watch/seen/watch.state")
    ours, forum = settings.feeds
    assert (ours.address, ours.what) == ("https://api.github.com", {"org": "acme"})
    assert (ours.interval, ours.pages, ours.items, ours.item_bytes) == (120, 2, 50, 1_000_000)
    assert ours.own == {Origin("https", "api.github.com", 443), Origin("https", "raw.example.com", 443)}
    assert (ours.keywords, forum.keywords) == ((), ("acme.example",))
    assert (ours.level, forum.level) == (Level.PROVIDER, Level.ALL)
    assert (str(ours.token), str(forum.token)) == ("env:GITHUB_TOKEN", "file:/etc/watch/secret/token")
    assert (forum.interval, forum.what) == (600, {"follow": False})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "line 1: feeds are written as [[feed]]"),
        ("feed = 3", "line 1: feeds are written as [[feed]]"),
        ("x = [", "this is not TOML"),
        ("[" * 5000, "this is not TOML"),
        ("keyword = ['acme']\n" + HEAD, "line 1: there is no setting keyword; did you mean keywords?"),
        (HEAD + "\n# a comment\nintervall = '1m'", "line 7: there is no setting intervall; did you mean interval?"),
        (HEAD + HEAD + "zzz = 1", "line 9: there is no setting zzz; there are address,"),
        (HEAD + "org = 'acme'", "line 5: there is no setting org"),
        (HEAD.replace("rss", "rrs"), "line 3: there is no such kind of feed; did you mean rss?"),
        (HEAD.replace('"a"', '"a b"'), "line 2: each feed has a name"),
        ("[[feed]]\nkind = 'rss'", "line 1: each feed has a name"),
        (HEAD + HEAD, "line 6: there are two feeds with the name a"),
        (HEAD.replace("https", "http"), "line 4: its address is not encrypted"),
        (HEAD.replace("a.example", "u:p@a.example"), "line 4: its address has a password in it"),
        (HEAD.replace(".example/", ".example/?feed_token=abc"), "line 4: the address has a credential in it"),
        ("[[feed]]\nname = 'a'\nkind = 'rss'", "line 1: this kind of feed needs an address"),
        (HEAD + "interval = '5s'", "line 5: interval is a duration from 10s"),
        (HEAD + "interval = 60", "line 5: interval is a duration from 10s"),
        (HEAD + "keywords = ['a']", "line 5: keywords is a list of texts of 3 characters"),
        (HEAD + "level = 'high'", "line 5: level is one of provider, default, all"),
        (HEAD + "pages = 0", "line 5: pages is a number from 1 to 10"),
        (HEAD + "items = true", "line 5: items is a number"),
        (HEAD + "item_size = '1TB'", "line 5: a size is written like"),
        (HEAD + "item_size = '10GB'", "line 5: item_size is a size up to"),
        (HEAD + "follow = 'no'", "line 5: follow is true or false"),
        (HEAD + "own_hosts = 'x'", "line 5: own_hosts is a list"),
        (HEAD + "own_hosts = ['http://x.example']", "line 5: its address is not encrypted"),
        ("pages = 99\n" + HEAD, "line 1: pages is a number from 1 to 10"),
        ("[[feed]]\nname='a'\nkind='github-search'\ntoken_env='T'", "github-search needs query"),
        ("[[feed]]\nname='a'\nkind='github-search'\nquery='x'", "line 3: github-search is not answered without a token"),
        ("[[feed]]\nname='a'\nkind='github-events'\norg='x'\nuser='y'", "takes only one of org, user, repo"),
        ("[[feed]]\nname='a'\nkind='github-events'\nrepo='x'", "line 4: repo is written as owner/name"),
        ("[[feed]]\nname='a'\nkind='github-events'\norg=''", "line 4: org is a text"),
        (HEAD.replace("rss", "paste-site") + "raw='/{id}'\npattern='('", "line 6: pattern is none of RE2's syntax"),
        (HEAD.replace("rss", "paste-site") + "raw='/{id}'\npattern='a(b)'", "line 6: pattern has a group"),
        (HEAD.replace("rss", "paste-site") + "raw='/{id}?api_key=x'\npattern='(?P<id>a)'", "line 5: the address has a credential"),
        (HEAD.replace("rss", "paste-site") + "raw='https://[/{id}'\npattern='(?P<id>a)'", "line 5: raw is no address"),
        (HEAD.replace("rss", "paste-site") + "raw='/x'\npattern='(?P<id>a)'", "line 5: raw has {id}"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_line(text: str, said: str) -> None:
    assert said in error_of(text)


@pytest.mark.parametrize(
    "key", ["token", "github_token", "password", "api_key", "private-token", "Authorization_token", "secret"]
)
def test_a_credential_in_the_file_is_refused_and_not_repeated(key: str) -> None:
    text = error_of(f'{HEAD}"{key}" = "hunter2-hunter2"')
    assert "line 5" in text
    assert "token_env or token_file" in text
    assert "hunter2" not in text


@pytest.mark.parametrize("value", ["ghp_0123456789abcdef", "glpat-abcdef", "to ken-of-mine", ""])
def test_a_token_in_the_place_of_its_name_is_refused_and_not_repeated(value: str) -> None:
    text = error_of(f'{HEAD}token_env = "{value}"')
    assert "the name of an environment variable" in text
    assert not value or value not in text


def test_both_places_of_a_token_are_one_too_many() -> None:
    assert "not both" in error_of(HEAD + "token_env = 'A'\ntoken_file = 'b'")


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_plug_that_can_be_loaded(kind: str) -> None:
    what = {"query": "q", "pattern": "(?P<id>x)", "raw": "{id}"}
    feed = KINDS[kind].feed("https://a.example", 1, {key: what[key] for key in KINDS[kind].needs})
    assert callable(feed.poll)


def test_a_file_that_is_none_is_said(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name in ("missing", "folder", "bytes"):
        with pytest.raises(WatchFailed):
            read_watch_config(tmp_path / name)
