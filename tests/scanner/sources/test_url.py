"""`scan url` against servers that mean it ill."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest
from tests.scanner.watch.place import Place, Reply

from strongroom.scanner.fragment import Whole
from strongroom.scanner.problem import Problem
from strongroom.scanner.scan import ScanFailed
from strongroom.scanner.sources.url import Url
from strongroom.scanner.watch.ask import Caller, Incoming
from strongroom.scanner.watch.hosts import Origin, Target

TEXT = b"some text\n"
PUBLIC = "140.82.121.6"


@dataclass(frozen=True, slots=True)
class Dialling(Caller):
    """Notes whom it is to connect to, and speaks with `port` of this machine in the clear, whoever that is."""

    port: int = 0
    dialled: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)

    @contextmanager
    def answering(self, target: Target, addresses: Sequence[str], headers: Mapping[str, str]) -> Iterator[Incoming]:
        self.dialled.append((str(target.origin), tuple(addresses)))
        here = Origin("http", "127.0.0.1", self.port)
        with Caller.answering(self, Target(here, target.path), ["127.0.0.1"], headers) as incoming:
            yield incoming


@dataclass
class Names:
    """A resolver that gives another answer each time."""

    answers: Mapping[str, Sequence[str]]
    asked: list[str] = field(default_factory=list)

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        answers = self.answers[host]
        return [answers[min(self.asked.count(host), len(answers)) - 1]]


@pytest.fixture
def place() -> Iterator[Place]:
    serving = Place()
    yield serving
    serving.close()


@pytest.fixture
def problems() -> list[Problem]:
    return []


@pytest.fixture
def held() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def read(source: Url) -> dict[str, bytes]:
    return {fragment.path: fragment.data for fragment in source.fragments(Whole())}


def test_an_answer_is_scanned_and_its_query_not_shown(place: Place, problems: list[Problem]) -> None:
    place.answers["/key"] = Reply(TEXT)
    assert read(Url(f"{place.address}/key?token=x", problems.append)) == {f"{place.address}/key": TEXT}
    assert place.asked[0].query == {"token": ["x"]}


def test_what_is_packed_in_an_answer_is_opened(place: Place, problems: list[Problem]) -> None:
    place.answers["/key.gz"] = Reply(gzip.compress(TEXT))
    assert list(read(Url(f"{place.address}/key.gz", problems.append)).values()) == [TEXT]


def test_a_redirect_on_the_same_host_is_followed(place: Place, problems: list[Problem]) -> None:
    place.answers["/old"] = Reply(status=302, headers={"Location": "/key"})
    place.answers["/key"] = Reply(TEXT)
    assert read(Url(f"{place.address}/old", problems.append)) == {f"{place.address}/old": TEXT}


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.2:9/key",
        "http://169.254.169.254/latest/meta-data/",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.1/",
        "https://[::1]/",
        "//[::1]:22/",
        "https://inside.example/",
        "https://public.example:8443/",
        "http://public.example/",
        "file:///etc/passwd",
        "http://[",
    ],
)
def test_no_redirect_leads_into_a_private_network_or_into_the_clear(
    location: str, place: Place, problems: list[Problem]
) -> None:
    names = Names({"public.example": [PUBLIC], "inside.example": ["10.1.2.3"], **_ITSELF})
    caller = Dialling(2, 5, port=place.port)
    place.answers["/"] = Reply(status=302, headers={"Location": location})
    assert read(Url("https://public.example/", problems.append, caller=caller, resolving=names)) == {}
    assert len(problems) == 1
    assert caller.dialled == [("https://public.example", (PUBLIC,))]


_ITSELF = {host: [host] for host in ("169.254.169.254", "10.0.0.1", "127.0.0.2", "::1")}


def test_a_redirect_to_another_public_host_is_followed(place: Place, problems: list[Problem]) -> None:
    names = Names({"public.example": [PUBLIC], "files.example": [PUBLIC]})
    caller = Dialling(2, 5, port=place.port)
    place.answers["/"] = Reply(status=302, headers={"Location": "https://files.example/key"})
    place.answers["/key"] = Reply(TEXT)
    source = Url("https://public.example/", problems.append, caller=caller, resolving=names)
    assert list(read(source).values()) == [TEXT]


def test_a_name_that_changes_its_meaning_leads_nowhere_else(place: Place, problems: list[Problem]) -> None:
    names = Names({"public.example": [PUBLIC, "10.0.0.1"]})
    caller = Dialling(2, 5, port=place.port)
    place.answers["/"] = Reply(status=302, headers={"Location": "https://public.example/key"})
    place.answers["/key"] = Reply(TEXT)
    read(Url("https://public.example/", problems.append, caller=caller, resolving=names))
    assert names.asked == ["public.example"]
    assert caller.dialled == [("https://public.example", (PUBLIC,))] * 2


def test_a_circle_of_redirects_ends(place: Place, problems: list[Problem]) -> None:
    place.answers["/"] = Reply(status=302, headers={"Location": "/"})
    assert read(Url(f"{place.address}/", problems.append)) == {}
    assert "again and again" in problems[0].what
    assert len(place.asked) == 6


@pytest.mark.parametrize("status", [204, 301, 403, 404, 500])
def test_another_answer_than_the_thing_itself_is_told(status: int, place: Place, problems: list[Problem]) -> None:
    place.answers["/"] = Reply(TEXT, status=status)
    assert read(Url(f"{place.address}/", problems.append)) == {}
    assert str(status) in problems[0].what


def test_more_than_the_limit_is_not_read(place: Place, problems: list[Problem]) -> None:
    place.answers["/large"] = Reply(TEXT * 500_000)
    found = list(Url(f"{place.address}/large", problems.append, largest=1 << 20).fragments(Whole()))
    assert sum(len(fragment.data) for fragment in found) == 1 << 20
    assert "longer than" in problems[0].what


def test_an_answer_that_drips_is_cut_and_the_scan_has_failed(
    place: Place, held: threading.Event, problems: list[Problem]
) -> None:
    place.answers["/"] = Reply(raw=b"HTTP/1.1 200 OK\r\n\r\nhalf", hold=held)
    read(Url(f"{place.address}/", problems.append, caller=Caller(30, 0.2)))
    assert [("in time" in problem.what, problem.is_note) for problem in problems] == [(True, False)]


def test_half_an_answer_is_told(place: Place, problems: list[Problem]) -> None:
    place.answers["/"] = Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf")
    read(Url(f"{place.address}/", problems.append))
    assert "broke off" in problems[0].what


@pytest.mark.parametrize(
    "given", ["http://example.com/", "file:///etc/passwd", "https://a:b@h/", "nonsense", "https://h:x/", "https://"]
)
def test_other_addresses_are_refused(given: str, problems: list[Problem]) -> None:
    with pytest.raises(ScanFailed, match="write https"):
        Url(given, problems.append)
