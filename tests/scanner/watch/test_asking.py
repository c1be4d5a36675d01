"""How a feed asks, against places that mean it ill."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import pytest
from tests.processes import free_port
from tests.scanner.watch.place import Place, Reply

from strongroom.scanner.watch.ask import Answer, Caller
from strongroom.scanner.watch.failures import FeedFailed, NotThere, Resting
from strongroom.scanner.watch.hosts import Guard, Origin, Target, parse_address
from strongroom.scanner.watch.visits import Token, Visits

NOW = 1_800_000_000.0


class Rests:
    """Pauses in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[str, float] = {}

    def rest_until(self, name: str) -> float:
        return self.kept.get(name, 0.0)

    def rest(self, name: str, until: float) -> None:
        self.kept[name] = until


def visits(*own: Place, most: int = 10_000, timeout: float = 2, deadline: float = 5) -> Visits:
    def resolve(host: str, _port: int) -> list[str]:
        return [host] if host == "127.0.0.1" else ["140.82.121.6"]

    guard = Guard(frozenset(parse_address(place.address).origin for place in own), resolve)
    token = Token("Authorization", "Bearer ", lambda: "the-token")
    return Visits(guard, Rests(), lambda: NOW, most, token, caller=Caller(timeout, deadline))


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


class Everywhere(Guard):
    """Takes every host for a public one."""

    def addresses(self, origin: Origin) -> list[str]:
        return [origin.host]


class TestTokens:
    def test_the_feeds_own_host_sees_the_token(self, place: Place) -> None:
        place.answers["/"] = Reply(b"x")
        assert visits(place).ask(place.address).body == b"x"
        assert place.asked[0].headers["authorization"] == "Bearer the-token"

    def test_a_redirect_on_the_same_host_is_followed_with_it(self, place: Place) -> None:
        place.answers["/old"] = Reply(status=301, headers={"Location": "/new"})
        place.answers["/new"] = Reply(b"x")
        assert visits(place).ask(f"{place.address}/old").body == b"x"
        assert place.asked[1].headers["authorization"] == "Bearer the-token"

    def test_no_other_host_sees_it_not_even_after_a_redirect_back(self, place: Place, elsewhere: Place) -> None:
        place.answers["/"] = Reply(b"x")
        elsewhere.answers["/"] = Reply(status=302, headers={"Location": f"{place.address}/"})
        asking = replace(visits(place), guard=Everywhere(visits(place).guard.own))
        assert asking.ask(elsewhere.address).body == b"x"
        assert [one.headers.get("authorization") for one in (*elsewhere.asked, *place.asked)] == [None, None]

    def test_a_redirect_to_another_port_is_another_host(self, place: Place, elsewhere: Place) -> None:
        place.answers["/"] = Reply(status=302, headers={"Location": f"{elsewhere.address}/"})
        with pytest.raises(NotThere, match="neither the feed's own"):
            visits(place).ask(place.address)
        assert elsewhere.asked == []

    def test_it_is_in_no_error_and_no_repr(self, place: Place) -> None:
        place.answers["/"] = Reply(status=401)
        asking = visits(place)
        with pytest.raises(NotThere, match="does its token still live") as failure:
            asking.ask(place.address)
        assert "the-token" not in repr(asking) + str(failure.value)


class TestRedirects:
    @pytest.mark.parametrize(
        "location",
        [
            "http://169.254.169.254/latest/meta-data/",
            "file:///etc/passwd",
            "//[::1]:22/",
            "https://10.0.0.1/",
            "https://user:pass@example.org/",
            "http://[",
            "gopher://127.0.0.1/",
        ],
    )
    def test_none_leads_where_no_address_may(self, place: Place, location: str) -> None:
        place.answers["/"] = Reply(status=302, headers={"Location": location})
        dialled: list[str] = []

        class Listening(Caller):
            def call(self, target: Target, addresses: Sequence[str], headers: Mapping[str, str], most: int) -> Answer:
                dialled.append(str(target.origin))
                return super().call(target, addresses, headers, most)

        asking = replace(visits(place), guard=Guard(visits(place).guard.own), caller=Listening(2, 5))
        with pytest.raises(NotThere):
            asking.ask(place.address)
        assert dialled == [place.address]

    def test_a_circle_of_them_ends(self, place: Place) -> None:
        place.answers["/"] = Reply(status=302, headers={"Location": "/"})
        with pytest.raises(NotThere, match="again and again"):
            visits(place).ask(place.address)
        assert len(place.asked) == 4


class TestBodies:
    def test_no_more_is_read_than_wanted(self, place: Place, held: threading.Event) -> None:
        place.answers["/"] = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\n" + b"x" * 200_000, hold=held)
        answer = visits(place, most=1000).ask(place.address)
        assert (len(answer.body), answer.is_cut) == (1000, True)

    def test_an_answer_that_drips_is_cut_at_its_deadline(self, place: Place, held: threading.Event) -> None:
        place.answers["/"] = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\nhalf", hold=held)
        with pytest.raises(FeedFailed, match="in time"):
            visits(place, timeout=30, deadline=0.2).ask(place.address)

    def test_an_answer_that_does_not_come_is_waited_for_no_longer_than_a_while(
        self, place: Place, held: threading.Event
    ) -> None:
        place.answers["/"] = Reply(raw=b"", hold=held)
        with pytest.raises(FeedFailed, match="in time"):
            visits(place, timeout=0.2).ask(place.address)

    @pytest.mark.parametrize(
        "raw",
        [
            b"",
            b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            b"HTTP/1.1 200 OK\r\nX: " + b"a" * 70_000,
            b"HTTP/1.1 200 OK\r\n" + b"X: a\r\n" * 200 + b"\r\n",
            b"HTTP/1.1 two hundred\r\n\r\n",
            b"SSH-2.0-OpenSSH_9.2\r\n",
            b"\0" * 5000,
        ],
        ids=range(9),
    )
    def test_half_an_answer_is_none(self, place: Place, raw: bytes) -> None:
        place.answers["/"] = Reply(raw=raw)
        with pytest.raises(FeedFailed) as failure:
            visits(place).ask(place.address)
        assert not isinstance(failure.value, NotThere)

    def test_one_that_speaks_no_tls_is_not_asked(self, place: Place) -> None:
        origin = Origin("https", "127.0.0.1", place.port)
        asking = Visits(Guard(frozenset({origin})), Rests(), lambda: NOW, 100, caller=Caller(2, 5))
        with pytest.raises(FeedFailed):
            asking.ask(str(origin))
        assert place.asked == []

    def test_nobody_there_is_a_failure_of_now(self) -> None:
        origin = Origin("http", "127.0.0.1", free_port())
        asking = Visits(Guard(frozenset({origin})), Rests(), lambda: NOW, 100, caller=Caller(2, 5))
        with pytest.raises(FeedFailed, match="could not be asked"):
            asking.ask(str(origin))


class TestPauses:
    def test_a_pause_is_kept_without_asking(self, place: Place) -> None:
        place.answers["/"] = Reply(status=429, headers={"Retry-After": "120"})
        asking = visits(place)
        for _ in range(2):
            with pytest.raises(Resting) as rest:
                asking.ask(place.address)
            assert rest.value.until == NOW + 120
        assert len(place.asked) == 1

    def test_the_last_answer_before_a_pause_counts(self, place: Place) -> None:
        headers = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(NOW) + 60)}
        place.answers["/"] = Reply(b"x", headers=headers)
        asking = visits(place)
        assert asking.ask(place.address).body == b"x"
        with pytest.raises(Resting):
            asking.ask(place.address)

    @pytest.mark.parametrize(
        ("status", "is_for_ever"),
        [(404, True), (410, True), (451, True), (403, True), (500, False), (418, False), (204, False)],
    )
    def test_what_is_gone_is_told_from_what_fails_now(self, place: Place, status: int, *, is_for_ever: bool) -> None:
        place.answers["/"] = Reply(status=status)
        with pytest.raises(FeedFailed) as failure:
            visits(place).ask(place.address)
        assert isinstance(failure.value, NotThere) == is_for_ever

    def test_no_proxy_of_the_environment_is_used(self, place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "https_proxy"):
            monkeypatch.setenv(name, "http://127.0.0.1:1")
        place.answers["/"] = Reply(b"x")
        assert visits(place).ask(place.address).body == b"x"
        assert place.asked[0].headers["accept-encoding"] == "identity"
