from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.scanner.watch.failures import FeedFailed, NotThere
from strongroom.scanner.watch.hosts import Guard, Origin, is_public, parse_address

OWN = Origin("https", "gitlab.internal", 8443)
PRIVATE = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "0.0.0.0",
    "192.0.2.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "fe80::1%eth0",
    "fc00::1",
    "ff02::1",
    "no address",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_leads_into_a_network_of_ones_own_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["140.82.121.6", "2606:50c0:8000::154", "64:ff9b::8c52:7906"])
def test_what_is_in_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("answer", [[one] for one in PRIVATE[:-1]] + [["140.82.121.6", "10.0.0.1"]], ids=str)
def test_a_host_that_resolves_into_a_private_network_is_not_asked(answer: list[str]) -> None:
    guard = Guard(frozenset({OWN}), lambda *_: answer)
    with pytest.raises(NotThere, match="private network"):
        guard.addresses(Origin("https", "evil.example", 443))
    assert guard.addresses(OWN) == answer, "but for what the configuration names"


def test_every_spelling_of_this_machine_is_seen_through() -> None:
    guard = Guard(frozenset())
    for host in ("127.1", "0x7f000001", "2130706433", "localhost", "0"):
        with pytest.raises(FeedFailed):
            guard.addresses(parse_address(f"https://{host}/").origin)


@pytest.mark.parametrize(
    "address", ["https://evil.example:8443/", "http://127.0.0.1:6379/", "https://evil.example:22/"]
)
def test_a_strange_port_is_asked_only_of_the_feed_itself(address: str) -> None:
    guard = Guard(frozenset({Origin("http", "127.0.0.1", 80)}), lambda *_: ["140.82.121.6"])
    with pytest.raises(NotThere, match="neither the feed's own"):
        guard.addresses(parse_address(address).origin)


def test_a_name_that_stands_for_this_machine_and_for_another_is_not_asked_in_clear() -> None:
    guard = Guard(frozenset({Origin("http", "localhost", 80)}), lambda *_: ["140.82.121.6"])
    with pytest.raises(NotThere, match="not encrypted"):
        guard.addresses(Origin("http", "localhost", 80))


def test_a_host_without_an_address_may_have_one_later() -> None:
    def resolve(_host: str, _port: int) -> list[str]:
        raise OSError

    with pytest.raises(FeedFailed) as failure:
        Guard(frozenset(), resolve).addresses(Origin("https", "gone.example", 443))
    assert not isinstance(failure.value, NotThere)


@pytest.mark.parametrize(
    "address",
    [
        "ftp://a.example/",
        "file:///etc/passwd",
        "http://a.example/",
        "https://user:password@a.example/",
        "https://token@a.example/",
        "https:///path",
        "https://a.example:99999/",
        "https://a.example:0/",
        "https://a example/",
        "https://[::1/",
        "https://a.example\\@b.example/",
        "//a.example/",
        "javascript:alert(1)",
        "gopher://127.0.0.1:6379/_x",
        "",
    ],
)
def test_what_is_no_address_of_the_encrypted_web_is_refused(address: str) -> None:
    with pytest.raises(NotThere):
        parse_address(address)


def test_what_is_sent_is_a_request_and_nothing_but_one() -> None:
    target = parse_address("https://A.example/a b\r\nX: y?q=ü c#part")
    assert str(target.origin) == "https://a.example"
    assert target.path == "/a%20bX:%20y?q=%C3%BC%20c"
    assert target.shown == "https://a.example/a%20bX:%20y"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(text: str) -> None:
    try:
        target = parse_address(f"https://h.example/{text}")
    except NotThere:
        return
    assert target.path.isascii()
    assert target.path.isprintable()
    assert " " not in target.path
