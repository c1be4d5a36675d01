from __future__ import annotations

import pytest
from tests.scanner.watch.place import Place, Reply
from tests.scanner.watch.watching import OTHER, SECRET, Watching, feed, places

from strongroom.scanner.watch.feed_markup import MOST_ENTRIES

PATTERN = """pattern = 'href="/(?P<id>[A-Za-z0-9]{8})"'"""
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>Forum</title><link>https://forum.example/</link>
<item><title>Help</title><link>{link}</link><guid isPermaLink="false">t-1</guid>
<dc:creator>ann</dc:creator><pubDate>Mon, 09 Nov 2026 10:00:00 GMT</pubDate>
<description>it says</description><content:encoded><![CDATA[<p>key {secret}</p>]]></content:encoded></item>
</channel></rss>"""
ATOM = """<?xml version="1.0"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>Commits</title><id>tag:x</id>
<entry><id>tag:x,2026:1</id><title>fix</title><link rel="self" href="https://x.example/self"/>
<link rel="alternate" type="text/html" href="{link}"/><author><name>Ann</name><email>a@b</email></author>
<published>2026-11-01T00:00:00Z</published><updated>2026-11-02T00:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">key <b>{secret}</b> there</div></content></entry></feed>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/">
<channel><title>x</title></channel><item rdf:about="x"><title>t</title><link>{link}</link>
<description>key {secret}</description></item></rdf:RDF>"""


class TestPasteSite:
    def test_every_paste_that_the_page_links_to_is_read_once(self, watching: Watching, place: Place) -> None:
        place.answers["/archive"] = Reply(
            b'<a href="/abcd1234">x</a> <a href="/abcd1234"> <a href="/login"> <a href="/EFGH5678">'
        )
        place.answers["/raw/abcd1234"] = Reply(f"password list\n{SECRET}".encode())
        place.answers["/raw/EFGH5678"] = Reply(b"a poem")
        raw = f'raw = "{place.address}/raw/{{id}}"'
        watching.configure(feed("paste-site", f"{place.address}/archive", PATTERN, raw))
        assert places(watching.round()) == [f"{place.address}/raw/abcd1234"]
        assert watching.round(400) == []
        assert sorted(place.paths) == ["/archive", "/archive", "/raw/EFGH5678", "/raw/abcd1234"]

    def test_a_page_that_did_not_change_is_not_sent_again(self, watching: Watching, place: Place) -> None:
        date = "Mon, 09 Nov 2026 10:00:00 GMT"
        place.answers["/archive"] = lambda asked: Reply(
            b"", 304 if asked.headers.get("if-modified-since") == date else 200, {"Last-Modified": date}
        )
        watching.configure(feed("paste-site", f"{place.address}/archive", PATTERN, 'raw = "/raw/{id}"'))
        watching.round()
        watching.round(400)
        assert place.asked[1].headers["if-modified-since"] == date
        assert watching.problems == []

    def test_a_name_cannot_lead_out_of_the_raw_address(self, watching: Watching, place: Place) -> None:
        place.answers["/archive"] = Reply(b'href="../../evil?x#y"')
        pattern = """pattern = 'href="(?P<id>[^"]+)"'"""
        watching.configure(
            feed("paste-site", f"{place.address}/archive", pattern, f'raw = "{place.address}/raw/{{id}}"')
        )
        watching.round()
        assert place.paths[1] == "/raw/..%2F..%2Fevil%3Fx%23y"


class TestRss:
    @pytest.mark.parametrize("written", [RSS, ATOM, RDF], ids=["RSS 2.0", "Atom", "RSS 1.0"])
    def test_what_an_entry_says_and_the_page_it_leads_to_are_scanned(
        self, watching: Watching, place: Place, written: str
    ) -> None:
        link = f"{place.address}/t/1"
        place.answers["/feed"] = Reply(written.format(link=link, secret=SECRET).encode())
        place.answers["/t/1"] = Reply(f"<html>{OTHER}</html>".encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        found = watching.round()
        assert {one.value.decode() for one in found} == {SECRET[4:], OTHER[4:]}
        assert set(places(found)) == {link}
        if written is not RDF:
            assert {one.occurrences[0].author.lower() for one in found} == {"ann"}
            assert "2026" in found[0].occurrences[0].author_date

    def test_without_follow_no_page_is_read(self, watching: Watching, place: Place) -> None:
        place.answers["/feed"] = Reply(RSS.format(link=f"{place.address}/t/1", secret=SECRET).encode())
        watching.configure(feed("rss", f"{place.address}/feed", "follow = false"))
        assert len(watching.round()) == 1
        assert place.paths == ["/feed"]

    def test_an_entry_without_a_link_stands_at_the_feed(self, watching: Watching, place: Place) -> None:
        place.answers["/feed"] = Reply(f"<rss><channel><item><title>{SECRET}</title></item></channel></rss>".encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        assert places(watching.round()) == [f"{place.address}/feed"]

    def test_entries_without_measure_are_not_left_out_in_silence(self, watching: Watching, place: Place) -> None:
        place.answers["/feed"] = Reply(b"<rss>" + b"<item/>" * (MOST_ENTRIES + 5) + b"</rss>")
        watching.configure(feed("rss", f"{place.address}/feed", "items = 1"))
        watching.round()
        assert "some may have gone unseen" in watching.problems[0].what

    @pytest.mark.parametrize(
        "document",
        [
            '<!DOCTYPE rss [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><rss><item><title>&b;</title></item></rss>',
            '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><item><title>&x;</title></item></rss>',
            '<!DOCTYPE rss SYSTEM "http://127.0.0.1:1/x.dtd"><rss/>',
            "<rss>" + "<a>" * 10_000,
            "<rss><item><title>&undefined;</title></item></rss>",
            "<html><body>no feed</body></html>",
            "<rss><item>",
            "",
            "\0\0\0",
        ],
    )
    def test_a_hostile_document_is_a_failure_of_its_feed(self, watching: Watching, place: Place, document: str) -> None:
        place.answers["/feed"] = Reply(document.encode())
        watching.configure(feed("rss", f"{place.address}/feed"))
        assert watching.round() == []
        assert [(one.path, one.is_note) for one in watching.problems] == [("one", False)]
        assert place.paths == ["/feed"]
