from __future__ import annotations

import json
import socket
import ssl
from dataclasses import replace

import pytest
from tests.scanner.verifiers.provider import Provider, answer

from strongroom.scanner.verifiers.ask import Asker
from strongroom.scanner.verifiers.builtin import BY_NAME, HOSTS, VERIFIERS
from strongroom.scanner.verifiers.verifier import State, Verifier

SECRET = b"canary-of-this-test-4711"
each_verifier = pytest.mark.parametrize("verifier", VERIFIERS, ids=lambda verifier: verifier.name)


def asker(provider: Provider) -> Asker:
    return Asker(provider.dial, provider.context, timeout=2, deadline=3)


def reply(status: int, body: bytes = b"{}", more: bytes = b"") -> bytes:
    return b"HTTP/1.1 %d X\r\n%sContent-Length: %d\r\n\r\n%s" % (status, more, len(body), body)


def state_of(provider: Provider, verifier: Verifier, data: bytes) -> State:
    provider.answers = answer(data)
    return asker(provider).ask(verifier, SECRET).state


@each_verifier
def test_a_secret_is_shown_in_a_header_to_its_own_host_alone(provider: Provider, verifier: Verifier) -> None:
    asker(provider).ask(verifier, SECRET)
    assert provider.dialled == [verifier.host]
    head = provider.requests[0].partition(b"\r\n\r\n")[0]
    first, *headers = head.split(b"\r\n")
    assert first.decode() == f"{verifier.method} {verifier.path} HTTP/1.1"
    assert SECRET not in first
    assert f"Host: {verifier.host}".encode() in headers
    # The secret itself, or a name and the secret in base64.
    assert SECRET in head or b"Authorization: Basic " in head


@each_verifier
def test_a_verifier_asks_and_never_changes(verifier: Verifier) -> None:
    assert verifier.method == "GET" or verifier.name in {"dropbox", "linear"}  # both read with POST
    assert verifier.path.startswith("/")
    assert "{" not in verifier.host + verifier.path


@each_verifier
def test_nonsense_tells_nothing(provider: Provider, verifier: Verifier) -> None:
    assert state_of(provider, verifier, reply(503)) is State.UNKNOWN
    assert state_of(provider, verifier, b"\x00\xff nonsense\r\n\r\n") is State.UNKNOWN


def test_a_living_and_a_dead_secret_are_told_apart(provider: Provider) -> None:
    github = BY_NAME["github"]
    assert state_of(provider, github, reply(200)) is State.LIVE
    assert state_of(provider, github, reply(401)) is State.DEAD


def test_what_a_host_does_not_know_is_not_dead_where_there_are_other_hosts(provider: Provider) -> None:
    assert state_of(provider, BY_NAME["gitlab"], reply(401)) is State.UNKNOWN
    assert state_of(provider, BY_NAME["gitlab"], reply(200)) is State.LIVE


@pytest.mark.parametrize(
    ("body", "state"),
    [
        ({"ok": True}, State.LIVE),
        ({"ok": False, "error": "token_revoked"}, State.DEAD),
        ({"ok": False, "error": "ratelimited"}, State.UNKNOWN),
        ({"ok": False, "error": ["x"]}, State.UNKNOWN),
        ([], State.UNKNOWN),
    ],
)
def test_slack_says_it_in_the_body(provider: Provider, body: object, state: State) -> None:
    assert state_of(provider, BY_NAME["slack"], reply(200, json.dumps(body).encode())) is state


def test_no_redirect_is_followed(provider: Provider) -> None:
    data = reply(302, more=b"Location: https://evil.example/steal\r\n")
    assert state_of(provider, BY_NAME["github"], data) is State.UNKNOWN
    assert provider.dialled == ["api.github.com"]
    assert len(provider.requests) == 1


def test_who_asks_to_slow_down_tells_nothing(provider: Provider) -> None:
    provider.answers = answer(reply(429))
    outcome = asker(provider).ask(BY_NAME["openai"], SECRET)
    assert outcome.state is State.UNKNOWN
    assert outcome.reason == "api.openai.com asked to slow down"


def test_silence_a_closed_connection_and_an_endless_answer_tell_nothing(provider: Provider) -> None:
    quick = replace(asker(provider), timeout=0.2, deadline=0.5)

    def silent(connected: ssl.SSLSocket) -> None:
        connected.recv(1)

    def drip(connected: ssl.SSLSocket) -> None:
        connected.sendall(b"HTTP/1.1 200 OK\r\n")
        for _ in range(100_000):
            connected.sendall(b"x")

    for answers in (silent, drip, answer(b"")):
        provider.answers = answers
        assert quick.ask(BY_NAME["github"], SECRET).state is State.UNKNOWN


def test_of_a_huge_answer_only_the_beginning_is_read(provider: Provider) -> None:
    provider.answers = answer(b"HTTP/1.1 200 OK\r\nContent-Length: 900000000\r\n\r\n" + b"x" * 200_000)
    assert asker(provider).ask(BY_NAME["github"], SECRET).state is State.LIVE


def test_a_host_that_cannot_prove_who_it_is_gets_no_secret(provider: Provider) -> None:
    stranger = replace(asker(provider), context=ssl.create_default_context())
    outcome = stranger.ask(BY_NAME["github"], SECRET)
    assert outcome.reason == "api.github.com could not prove who it is"
    assert provider.requests == []


def test_a_host_that_is_not_in_the_list_is_never_connected_to(provider: Provider) -> None:
    planted = Verifier("planted", "evil.example", "/")
    outcome = asker(provider).ask(planted, SECRET)
    assert outcome.state is State.UNKNOWN
    assert provider.dialled == []


@pytest.mark.parametrize("secret", [b"", b"a\r\nX-Injected: 1", b"a b", b"\xff\xfe", b"a\0b", b"a\nb"])
def test_a_secret_that_no_header_can_carry_is_not_sent(provider: Provider, secret: bytes) -> None:
    assert asker(provider).ask(BY_NAME["github"], secret).state is State.UNKNOWN
    assert provider.dialled == []


def test_a_host_that_cannot_be_reached_tells_nothing(provider: Provider) -> None:
    def refuses(host: str, timeout: float) -> socket.socket:
        raise ConnectionRefusedError(f"{host} after {timeout}")

    outcome = Asker(refuses, provider.context).ask(BY_NAME["github"], SECRET)
    assert outcome.reason == "api.github.com could not be asked"


@each_verifier
def test_no_outcome_shows_the_secret_or_what_the_other_side_wrote(provider: Provider, verifier: Verifier) -> None:
    provider.answers = answer(reply(403, b"echo of " + SECRET))
    assert SECRET.decode() not in repr(asker(provider).ask(verifier, SECRET))


def test_the_hosts_are_named_in_the_table_alone() -> None:
    assert {verifier.host for verifier in VERIFIERS} == HOSTS
    assert len(VERIFIERS) >= 25
    assert len(BY_NAME) == len(VERIFIERS)
