"""The rounds themselves: what is scanned, what is raised, and that nothing is lost, whenever the process ends."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.scanner.hiding.files import zipped
from tests.scanner.watch.place import Place, Reply, as_json
from tests.scanner.watch.watching import OTHER, SECRET, START, Watching, feed, places

from strongroom.scanner.finding import Finding
from strongroom.scanner.ignore_file import IgnoreFile
from strongroom.scanner.known.held import Held
from strongroom.scanner.known.local import LocalValues
from strongroom.scanner.known.values import CannotAsk, Holder, Recognition
from strongroom.scanner.sources.globs import Choice
from strongroom.scanner.watch import watcher as module
from strongroom.scanner.watch.failures import WatchFailed
from strongroom.scanner.watch.forms import Opened, open_item
from strongroom.scanner.watch.item import Cursor, Item, Listing
from strongroom.scanner.watch.visits import Visits
from strongroom.scanner.watch.watcher import MOST_ATTEMPTS, Watched

PATTERN = """pattern = '<(?P<id>[a-z0-9.]+)>'"""


def pastes(place: Place, contents: dict[str, bytes], *lines: str) -> str:
    """A paste site with these pastes, and its configuration."""
    place.answers["/list"] = lambda _: Reply("".join(f"<{name}>" for name in contents).encode())
    for name, content in contents.items():
        place.answers[f"/raw/{name}"] = Reply(content)
    return feed("paste-site", f"{place.address}/list", PATTERN, f'raw = "{place.address}/raw/{{id}}"', *lines)


class TestWhatIsRaised:
    @pytest.mark.parametrize(
        ("content", "count"),
        [
            (f"from ACME.example\nkey {SECRET}".encode(), 1),
            (f"from others.example\nkey {SECRET}".encode(), 0),
            (f"key {SECRET} of acme.example".encode("utf-16"), 1),
            (zipped({"a.txt": b"acme.example", "b.txt": f"key {SECRET}".encode()}), 1),
            (zipped({"a.txt": b"others", "b.txt": f"key {SECRET}".encode()}), 0),
            (b"x" * 5_000_000 + f" acme.example {SECRET}".encode(), 1),
        ],
        ids=["in the text", "not at all", "in UTF-16", "in an archive", "not in an archive", "at the end of much"],
    )
    def test_with_keywords_only_what_mentions_one(
        self, watching: Watching, place: Place, content: bytes, count: int
    ) -> None:
        watching.configure(pastes(place, {"a": content}, 'keywords = ["acme.example"]'))
        assert len(watching.round()) == count

    def test_a_title_that_mentions_us_is_enough(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"acme.zip": SECRET.encode()}, 'keywords = ["acme"]'))
        assert len(watching.round()) == 1

    def test_archives_are_opened(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": zipped({"conf/x.ini": SECRET.encode()})}))
        assert places(watching.round()) == [f"{place.address}/raw/a!/conf/x.ini"]

    def test_the_same_secret_at_another_place_is_raised_and_at_the_same_one_not(
        self, watching: Watching, place: Place
    ) -> None:
        contents = {"a": SECRET.encode()}
        watching.configure(pastes(place, contents))
        assert len(watching.round()) == 1
        contents["b"] = b""
        place.answers["/raw/b"] = Reply(SECRET.encode())
        assert places(watching.round(301)) == [f"{place.address}/raw/b"]
        assert watching.round(301) == []

    def test_what_is_too_long_is_scanned_up_to_there_and_said(self, watching: Watching, place: Place) -> None:
        content = f"{SECRET}\n{'x' * 5000}\n{OTHER}".encode()
        watching.configure(pastes(place, {"a": content}, 'item_size = "1kB"'))
        assert [one.value.decode() for one in watching.round()] == [SECRET[4:]]
        assert [one.what for one in watching.problems] == ["not scanned to its end: it is longer than 1000 bytes"]


class TestKnownValues:
    def test_one_of_ours_is_raised_whether_it_mentions_us_or_not(self, watching: Watching, place: Place) -> None:
        watching.know(LocalValues([Held(Holder("kv/app", "password"), b"korax-Rotunda-8841-vellum")]))
        contents = {"a": b"pass korax-Rotunda-8841-vellum", "b": SECRET.encode()}
        watching.configure(pastes(place, contents, 'keywords = ["acme.example"]'))
        (finding,) = watching.round()
        assert finding.rule.id == "known-value"
        assert "kv/app" in finding.reasons[0]

    def test_once_nobody_can_be_asked_the_watch_ends_and_the_item_is_read_again(
        self, watching: Watching, place: Place
    ) -> None:
        class Gone(LocalValues):
            def ask(self, digests: Sequence[bytes]) -> Mapping[bytes, Recognition]:
                raise CannotAsk("the server is gone")

        watching.know(Gone([Held(Holder("kv/app", "password"), b"korax-Rotunda-8841-vellum")]))
        watching.configure(pastes(place, {"a": b"pass korax-Rotunda-8841-vellum"}))
        with pytest.raises(WatchFailed, match="the server is gone"):
            watching.round()
        assert watching.state.waiting("one") == 1


class TestFailures:
    def test_an_item_is_tried_again_and_given_up_aloud(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": b""}))
        place.answers["/raw/a"] = Reply(status=500)
        for _ in range(MOST_ATTEMPTS + 3):
            watching.round(4000)
        assert place.paths.count("/raw/a") == MOST_ATTEMPTS
        assert f"after {MOST_ATTEMPTS} attempts" in watching.problems[-1].what
        assert len(watching.problems) == MOST_ATTEMPTS

    def test_an_item_that_comes_back_is_read(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": b""}))
        place.answers["/raw/a"] = Reply(status=503)
        assert watching.round() == []
        place.answers["/raw/a"] = Reply(SECRET.encode())
        assert watching.round(5) == [], "not before its time"
        assert len(watching.round(60)) == 1

    def test_what_is_gone_is_no_failure(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": b"", "b": SECRET.encode()}))
        del place.answers["/raw/a"]
        assert len(watching.round()) == 1
        assert [one.is_note for one in watching.problems] == [True]
        watching.round(4000)
        assert place.paths.count("/raw/a") == 1

    def test_a_pause_holds_items_without_counting_as_an_attempt(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": SECRET.encode(), "b": b"", "c": b""}))
        place.answers["/raw/b"] = Reply(status=429, headers={"Retry-After": "900"})
        assert watching.round() == [], "the oldest are read first"
        count = len(place.asked)
        watching.round(899)
        assert len(place.asked) == count
        place.answers["/raw/b"] = Reply(b"x")
        assert len(watching.round(2)) == 1
        assert [one for one in watching.problems if not one.is_note] == []

    def test_a_pause_outlives_a_restart(self, watching: Watching, place: Place) -> None:
        text = feed("rss", f"{place.address}/feed")
        place.answers["/feed"] = Reply(status=429, headers={"Retry-After": "900"})
        watching.configure(text)
        watching.round()
        watching.restart(text)
        watching.round(600)
        assert len(place.asked) == 1

    def test_a_feed_that_fails_is_asked_less_and_less_and_stops_no_other(
        self, watching: Watching, place: Place
    ) -> None:
        place.answers["/good"] = Reply(f"<rss><item><title>{SECRET}</title></item></rss>".encode())
        place.answers["/bad"] = Reply(status=500)
        watching.configure(
            feed("rss", f"{place.address}/bad", 'interval = "10s"', name="bad") + feed("rss", f"{place.address}/good")
        )
        assert len(watching.round()) == 1
        for _ in range(100):
            watching.round(10)
        assert place.paths.count("/bad") == 6, "after 30, 60, 120, 240, 480 seconds"

    def test_a_clock_that_was_set_back_does_not_stop_the_watch(self, watching: Watching, place: Place) -> None:
        place.answers["/feed"] = Reply(b"<rss/>")
        watching.configure(feed("rss", f"{place.address}/feed"))
        watching.round()
        watching.round(-400 * 24 * 3600)
        assert len(place.asked) == 2

    @pytest.mark.parametrize(
        "body", [b"[" * 100_000, b'{"a": ', b"\xff\xfe", b"NaN", b'[{"id": {}}, 3, null, [[]]]', b"9" * 10_000]
    )
    def test_hostile_json_is_a_failure_or_nothing(self, watching: Watching, place: Place, body: bytes) -> None:
        place.answers["/events"] = Reply(body)
        watching.configure(feed("github-events", place.address))
        assert watching.round() == []
        assert watching.state.waiting("one") == 0

    def test_a_listing_without_end_is_a_failure(
        self, watching: Watching, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "LISTING_BYTES", 1000)
        place.answers["/events"] = Reply(b"[" + b" " * 5000 + b"]")
        watching.configure(feed("github-events", place.address))
        watching.round()
        assert "its listing is longer than" in watching.problems[0].what

    def test_a_next_page_on_another_host_is_not_asked(self, watching: Watching, place: Place, elsewhere: Place) -> None:
        place.answers["/events"] = as_json([], Link=f'<{elsewhere.address}/events?page=2>; rel="next"')
        watching.configure(feed("github-events", place.address, f'own_hosts = ["{elsewhere.address}"]'))
        watching.round()
        assert elsewhere.asked == []

    def test_pages_without_end_are_read_up_to_a_number(self, watching: Watching, place: Place) -> None:
        place.answers["/events"] = as_json([], Link='</events>; rel="next"')
        watching.configure(feed("github-events", place.address, "pages = 4"))
        watching.round()
        assert len(place.asked) == 4

    @pytest.mark.parametrize(
        "address",
        ["http://169.254.169.254/latest", "https://127.0.0.1/", "https://[::ffff:10.0.0.1]/", "file:///etc/passwd"],
    )
    def test_what_a_feed_lists_leads_nowhere_into_our_network(
        self, watching: Watching, place: Place, address: str
    ) -> None:
        place.answers["/feed"] = Reply(f"<rss><item><link>{address}</link></item></rss>".encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        watching.round()
        assert [one.is_note for one in watching.problems] == [True]
        assert "not scanned" in watching.problems[0].what
        assert place.paths == ["/feed"]

    def test_another_port_of_the_feeds_host_is_not_the_feed(
        self, watching: Watching, place: Place, elsewhere: Place
    ) -> None:
        place.answers["/feed"] = Reply(f"<rss><item><link>{elsewhere.address}/</link></item></rss>".encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        watching.round()
        assert elsewhere.asked == []

    def test_a_place_that_is_no_address_is_not_shown(self, watching: Watching, place: Place) -> None:
        comment = {"html_url": "javascript:alert(1)", "body": SECRET}
        place.answers["/events"] = as_json(
            [{"id": "1", "type": "IssueCommentEvent", "repo": {"name": "a/b"}, "payload": {"comment": comment}}]
        )
        watching.configure(feed("github-events", place.address))
        assert places(watching.round()) == [place.address]

    def test_half_a_character_in_a_name_does_not_end_the_watch(self, watching: Watching, place: Place) -> None:
        comment = {"html_url": "https://example.com/\ud800", "body": SECRET}
        event = {"id": "1\udfff", "type": "IssueCommentEvent", "repo": {"name": "a/b"}, "payload": {"comment": comment}}
        place.answers["/events"] = as_json([event])
        watching.configure(feed("github-events", place.address))
        watching.watcher.inspector = replace(
            watching.watcher.inspector, ignores=IgnoreFile(frozenset(), Choice.of((), ["x"]).excludes).ignores
        )
        assert places(watching.round()) == ["https://example.com/?"]

    def test_a_secret_in_an_address_is_not_told(self, watching: Watching, place: Place) -> None:
        comment = {"html_url": f"https://example.com/?key={SECRET}", "body": SECRET}
        place.answers["/events"] = as_json(
            [{"id": "1", "type": "IssueCommentEvent", "repo": {"name": "a/b"}, "payload": {"comment": comment}}]
        )
        watching.configure(feed("github-events", place.address))
        assert set(places(watching.round())) == {"https://example.com/?key=ttt_***"}
        watching.watcher.inspector = replace(watching.watcher.inspector, reveals=True)
        place.answers["/events"] = as_json(
            [{"id": "2", "type": "IssueCommentEvent", "repo": {"name": "a/b"}, "payload": {"comment": comment}}]
        )
        assert set(places(watching.round(3600))) == {f"https://example.com/?key={SECRET}"}

    def test_what_breaks_us_is_a_failure_of_its_own(
        self, watching: Watching, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        watching.configure(pastes(place, {"a": SECRET.encode(), "b": b"x"}))
        opened = open_item

        def breaking(item: Item, visits: Visits) -> Opened:
            if item.title == "b":
                raise KeyError(item.title)
            return opened(item, visits)

        monkeypatch.setattr(module, "open_item", breaking)
        assert len(watching.round()) == 1
        assert "the watch failed on it (KeyError)" in watching.problems[0].what

    def test_of_a_listing_without_measure_only_so_many_are_taken(
        self, watching: Watching, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_LISTED", 3)
        place.answers["/events"] = as_json([{"id": str(number), "type": "WatchEvent"} for number in range(50)])
        watching.configure(feed("github-events", place.address, "items = 1"))
        watching.round()
        assert watching.state.waiting("one") == 2
        assert "some may have gone unseen" in watching.problems[0].what

    def test_an_address_without_measure_is_not_kept(self, watching: Watching, place: Place) -> None:
        place.answers["/feed"] = Reply(f"<rss><item><link>{place.address}/{'x' * 10_000}</link></item></rss>".encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        watching.round()
        assert place.paths == ["/feed"]
        assert watching.problems[0].is_note


class TestRounds:
    def test_what_is_more_than_a_round_takes_is_read_in_the_next(self, watching: Watching, place: Place) -> None:
        contents = {name: f"{SECRET[:-1]}{name}".encode() for name in "abcde"}
        watching.configure(pastes(place, contents, "items = 2"))
        assert [len(watching.round()) for _ in range(4)] == [2, 2, 1, 0]
        assert place.paths.count("/list") == 1

    def test_with_much_to_read_a_feed_is_not_asked_for_more(
        self, watching: Watching, place: Place, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(module, "MOST_WAITING", 3)
        watching.configure(pastes(place, dict.fromkeys("abcdef", b"x"), "items = 1"))
        for _ in range(5):
            watching.round(301)
        assert place.paths.count("/list") == 2, "at first, and once there were fewer than three"

    def test_it_stops_after_the_item_in_hand(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, dict.fromkeys("abc", SECRET.encode())))
        tell = watching.watcher.tell

        def stopping(findings: Sequence[Finding]) -> None:
            tell(findings)
            watching.is_stopped = True

        watching.watcher.tell = stopping
        assert len(watching.round()) == 1
        assert watching.state.waiting("one") == 2

    def test_the_next_time_is_that_of_the_feed_or_of_an_item(self, watching: Watching, place: Place) -> None:
        watching.configure(pastes(place, {"a": b""}))
        assert watching.watcher.next_time(watching.watched) == 0
        place.answers["/raw/a"] = Reply(status=500)
        watching.round()
        assert watching.watcher.next_time(watching.watched) == START + 30
        place.answers["/raw/a"] = Reply(b"x")
        watching.round(31)
        assert watching.watcher.next_time(watching.watched) == START + 300


class Killed(BaseException):
    """The process ends here."""


class Growing:
    """A feed of the test's own: it lists the newest of `count` texts, each with a secret of its own."""

    def __init__(self) -> None:
        self.count = 0

    def poll(self, visits: Visits, cursor: Cursor) -> Listing:
        start = int(cursor.get("next", "0"))
        found = tuple(self.item(number) for number in reversed(range(max(0, start - 1), self.count)))
        return Listing(found, {"next": str(self.count)})

    def item(self, number: int) -> Item:
        return Item(f"n{number}", "text", f"https://a.example/{number}", text=f"ttt_{number:024d}")


STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 12), st.booleans()), min_size=1, max_size=6)


@settings(max_examples=25, deadline=None)
@given(STEPS)
def test_whenever_it_is_killed_every_item_is_told_and_none_is_told_twice_by_what_it_remembers(
    steps: list[tuple[int, int, bool]],
) -> None:
    """Between any two effects: before or after a commit, before or after telling. What was told but not remembered may be told once more."""
    with tempfile.TemporaryDirectory() as folder:
        watching = Watching(Path(folder) / "watch.state")
        growing, told = Growing(), []
        kills = 0
        for new, survives, is_after in [*steps, (0, 1 << 30, False)]:
            growing.count += new
            watching.now += 1000
            told += _until_killed(watching, growing, itertools.count(), survives, is_after=is_after)
            kills += survives < 1 << 30
        watching.close()
    values = [value for value, _ in told]
    assert set(values) == {f"{number:024d}" for number in range(growing.count)}
    # Only the item in hand at a kill can be told again.
    assert len(values) - len(set(values)) <= kills


def _until_killed(
    watching: Watching, growing: Growing, clock: Iterator[int], survives: int, *, is_after: bool
) -> list[tuple[str, str]]:
    """Rounds until the effect with the number `survives`, before or after which the process dies. Returns what got out."""
    told: list[tuple[str, str]] = []
    watching.restart(feed("rss", "https://a.example/"))
    watching.watched = [Watched(watching.watched[0].settings, growing, watching.watched[0].visits)]
    commit = watching.state.commit

    def dying(act: object) -> None:
        is_last = next(clock) >= survives
        if is_last and not is_after:
            raise Killed
        act()  # type: ignore[operator]  # one of the two below
        if is_last:
            raise Killed

    watching.state.commit = lambda: dying(commit)  # type: ignore[method-assign]  # the kill
    watching.watcher.tell = lambda findings: dying(
        lambda: told.extend((one.value.decode(), one.occurrences[0].path) for one in findings)
    )
    with contextlib.suppress(Killed):
        watching.round()
    return told
