"""The token is held in one place, and whoever waits for another gets it."""

from __future__ import annotations

import threading

from strongroom.agent.token_source import TokenSource


def test_there_is_no_token_before_the_first_login() -> None:
    assert TokenSource().current() is None


def test_the_present_token_is_the_one_that_was_put_there_last() -> None:
    tokens = TokenSource()
    tokens.replace("hvs.one")
    tokens.replace("hvs.two")
    assert tokens.current() == "hvs.two"


def test_whoever_waits_is_woken_by_another_token() -> None:
    tokens = TokenSource()
    got: list[str | None] = []
    waiting = threading.Thread(target=lambda: got.append(tokens.wait_changed(None)))
    waiting.start()
    tokens.replace("hvs.one")
    waiting.join(30)
    assert got == ["hvs.one"]


def test_waiting_ends_with_the_present_token_when_nothing_changes() -> None:
    tokens = TokenSource()
    tokens.replace("hvs.one")
    assert tokens.wait_changed("hvs.one", timeout_seconds=0.001) == "hvs.one"


def test_listeners_hear_of_another_token_and_not_of_the_same_again() -> None:
    tokens = TokenSource()
    heard: list[str | None] = []
    tokens.on_change(lambda: heard.append(tokens.current()))
    for token in ("hvs.one", "hvs.one", "hvs.two", None):
        tokens.replace(token)
    assert heard == ["hvs.one", "hvs.two", None]


def test_a_doubt_about_the_present_token_is_passed_on_and_one_about_a_former_token_is_not() -> None:
    tokens = TokenSource()
    doubts: list[str] = []
    tokens.on_doubt(doubts.append)
    tokens.replace("hvs.one")
    tokens.replace("hvs.two")
    tokens.doubt("hvs.one")
    tokens.doubt("hvs.two")
    assert doubts == ["hvs.two"]


def test_the_token_is_in_no_representation() -> None:
    tokens = TokenSource()
    tokens.replace("hvs.CANARY")
    assert "CANARY" not in repr(tokens)
