from __future__ import annotations

import pytest
from tests.scanner.watch.github import GitHub, patch_of
from tests.scanner.watch.place import Asked, Place, Reply, as_json
from tests.scanner.watch.watching import OTHER, SECRET, Watching, feed, places

TOKEN = 'token_env = "GITHUB_TOKEN"'


class TestEvents:
    @pytest.mark.parametrize("who", ['org = "acme"', 'user = "ann"', 'repo = "acme/app"', ""])
    def test_what_a_push_adds_is_found_at_its_commit(self, watching: Watching, github: GitHub, who: str) -> None:
        commit = github.push({"src/app.py": f"\nkey = '{SECRET}'\n"})
        watching.configure(feed("github-events", github.place.address, who))
        (finding,) = watching.round()
        (place,) = finding.occurrences
        assert place.path == f"{github.place.address}/acme/app/commit/{commit}!/src/app.py"
        assert (place.line, place.commit, place.feed) == (2, commit, "one")
        assert place.author == "Ann <ann@acme.example>"
        assert place.author_date == "Mon, 9 Nov 2026 12:47:00 +0000"
        assert place.address == f"{github.place.address}/repos/acme/app/compare/{'a' * 40}...{commit}"

    def test_a_message_of_a_commit_is_scanned_too(self, watching: Watching, github: GitHub) -> None:
        commit = github.push({"a": "b"}, message=f"remove {SECRET}")
        watching.configure(feed("github-events", github.place.address, 'org = "acme"'))
        assert places(watching.round()) == [f"{github.place.address}/acme/app/commit/{commit}"]

    def test_what_did_not_change_costs_one_question(self, watching: Watching, github: GitHub) -> None:
        github.push({"a": SECRET})
        watching.configure(feed("github-events", github.place.address, 'org = "acme"'))
        watching.round()
        before = len(github.place.asked)
        assert watching.round(61) == []
        assert github.place.paths[before:] == ["/orgs/acme/events"]
        assert github.place.asked[-1].headers["if-none-match"].startswith('W/"')

    def test_it_is_not_asked_before_the_time_that_it_names(self, watching: Watching, github: GitHub) -> None:
        github.poll_interval = "600"
        watching.configure(feed("github-events", github.place.address, 'interval = "60s"'))
        watching.round()
        watching.round(599)
        assert len(github.place.asked) == 1
        watching.round(2)
        assert len(github.place.asked) == 2

    def test_all_pages_are_read(self, watching: Watching, github: GitHub) -> None:
        github.push({"a": SECRET})
        for number in range(101):
            github.event("WatchEvent", {"action": f"started {number}"})
        watching.configure(feed("github-events", github.place.address, "items = 1000"))
        assert len(watching.round()) == 1
        assert [one.number("page", 1) for one in github.place.asked if one.path == "/events"] == [1, 2]

    def test_a_new_branch_is_read_commit_by_commit(self, watching: Watching, github: GitHub) -> None:
        head = github.push({"a": f"x = '{SECRET}'"}, before="0" * 40)
        listed = [
            {"sha": name, "commit": {"message": "m", "author": {"name": "Ann", "date": "2026-11-01T00:00:00Z"}}}
            for name in (head, "d" * 40)
        ]
        github.place.answers["/repos/acme/app/commits"] = as_json(listed)
        github.place.answers[f"/repos/acme/app/commits/{'d' * 40}"] = Reply(patch_of("d" * 40, {"b": OTHER}))
        watching.configure(feed("github-events", github.place.address, 'org = "acme"'))
        assert [place.rpartition("/commit/")[2] for place in places(watching.round())] == [
            "d" * 40 + "!/b",
            f"{head}!/a",
        ]

    @pytest.mark.parametrize("status", [404, 406])
    def test_where_nothing_can_be_compared_the_last_commit_is_read(
        self, watching: Watching, github: GitHub, status: int
    ) -> None:
        head = github.push({"a": SECRET}, before="b" * 40)
        github.place.answers[f"/repos/acme/app/compare/{'b' * 40}...{head}"] = as_json({"message": "no"}, status)
        watching.configure(feed("github-events", github.place.address, 'org = "acme"'))
        assert len(watching.round()) == 1
        assert bool(watching.problems) == (status == 406), (
            "a push that is too large is told, one that was forced is not"
        )

    def test_what_people_write_in_issues_is_in_the_event(self, watching: Watching, github: GitHub) -> None:
        comment = {"html_url": "https://github.com/acme/app/issues/1#c", "body": f"my log says {SECRET}"}
        github.event("IssueCommentEvent", {"action": "created", "comment": comment})
        watching.configure(feed("github-events", github.place.address, 'org = "acme"'))
        assert places(watching.round()) == ["https://github.com/acme/app/issues/1#c"]

    def test_when_all_is_new_it_is_said_that_some_may_be_missing(self, watching: Watching, github: GitHub) -> None:
        watching.configure(feed("github-events", github.place.address))
        github.event("WatchEvent", {"action": "started"})
        watching.round()
        assert watching.problems == []
        github.events = []
        for number in range(3):
            github.event("WatchEvent", {"action": f"again {number}"})
            github.events[0]["id"] = f"9{number}"
        watching.round(61)
        assert [(one.path, one.is_note) for one in watching.problems] == [("one", True)]


class TestSearch:
    def test_a_file_that_is_found_is_read_whole(self, watching: Watching, github: GitHub) -> None:
        found = github.found("conf/prod.env", f"host = acme.example\nkey = {SECRET}\n", "host = acme.example")
        github.place.answers["/search/code"] = as_json(
            {"total_count": 1, "incomplete_results": False, "items": [found]}
        )
        watching.configure(feed("github-search", github.place.address, "query = '\"acme.example\" in:file'", TOKEN))
        (place,) = places(watching.round())
        assert place == found["html_url"]
        asked = github.place.asked[0]
        assert asked.query["q"] == ['"acme.example" in:file']
        assert asked.headers["authorization"] == "Bearer token-of-the-feed"
        assert asked.headers["accept"] == "application/vnd.github.text-match+json"

    def test_of_a_file_that_is_gone_what_the_search_shows_is_scanned(self, watching: Watching, github: GitHub) -> None:
        found = github.found("a", "", f"acme.example {SECRET}")
        found["url"] = f"{github.place.address}/repositories/1/contents/gone"
        github.place.answers["/search/code"] = as_json({"items": [found]})
        watching.configure(feed("github-search", github.place.address, 'query = "acme.example"', TOKEN))
        assert len(watching.round()) == 1

    def test_a_file_counts_anew_only_when_its_content_changes(self, watching: Watching, github: GitHub) -> None:
        rows = [github.found("a", f"one {SECRET}")]
        github.place.answers["/search/code"] = lambda _: as_json({"items": rows})
        watching.configure(feed("github-search", github.place.address, 'query = "acme.example"', TOKEN))
        assert len(watching.round()) == 1
        assert watching.round(1000) == []
        rows[0] = github.found("a", f"two {OTHER}")
        assert len(watching.round(1000)) == 1


class TestGists:
    def test_files_are_read_from_where_they_are_without_the_token(self, watching: Watching, github: GitHub) -> None:
        name = github.gist({"a.txt": "nothing", "b.txt": f"key {SECRET}"})
        own = f'own_hosts = ["{github.raw.address}"]'
        watching.configure(feed("github-gists", github.place.address, own))
        assert places(watching.round()) == [f"https://gist.github.com/ann/{name}!/b.txt"]

    def test_the_next_question_begins_where_the_last_listing_ended(self, watching: Watching, github: GitHub) -> None:
        github.gist({"a": "x"}, "2026-11-20T10:00:00Z")
        watching.configure(feed("github-gists", github.place.address, f'own_hosts = ["{github.raw.address}"]'))
        watching.round()
        github.gist({"b": SECRET}, "2026-11-20T10:05:00Z")
        assert len(watching.round(61)) == 1
        assert github.place.asked[-1].query["since"] == ["2026-11-20T09:50:00Z"]
        assert watching.round(61) == []
        assert github.place.asked[-1].query["since"] == ["2026-11-20T09:55:00Z"]

    def test_a_gist_that_is_changed_is_read_again_and_the_same_secret_is_not_told_again(
        self, watching: Watching, github: GitHub
    ) -> None:
        name = github.gist({"a": SECRET})
        watching.configure(feed("github-gists", github.place.address, f'own_hosts = ["{github.raw.address}"]'))
        assert len(watching.round()) == 1
        github.gist({"a": f"first\n{SECRET}\n{OTHER}"}, "2026-11-20T11:00:00Z", name)
        (finding,) = watching.round(61)
        assert finding.value == OTHER[4:].encode()

    def test_a_page_that_fails_fails_the_listing_and_nothing_is_lost(self, watching: Watching, github: GitHub) -> None:
        for number in range(100):
            github.gist({"a": f"n {number}"}, f"2026-11-20T10:{number // 60:02}:{number % 60:02}Z")
        github.gist({"a": SECRET}, "2026-11-20T09:00:00Z")
        github.gists.append(github.gists.pop(0))
        answers = github.place.answers["/gists/public"]
        assert not isinstance(answers, Reply)
        broken = [True]

        def answer(asked: Asked) -> Reply:
            return Reply(b"", 502) if asked.number("page", 1) == 2 and broken[0] else answers(asked)

        github.place.answers["/gists/public"] = answer
        own = f'own_hosts = ["{github.raw.address}"]'
        watching.configure(feed("github-gists", github.place.address, own, "items = 1000"))
        assert watching.round() == []
        assert watching.problems
        broken[0] = False
        assert len(watching.round(3600)) == 1


def test_the_place_of_a_github_of_ones_own_is_its_own(watching: Watching, place: Place) -> None:
    github = GitHub(place, place)
    github.event("IssuesEvent", {"issue": {"body": SECRET}})
    place.answers["/api/v3/orgs/acme/events"] = place.answers["/orgs/acme/events"]
    watching.configure(feed("github-events", f"{place.address}/api/v3", 'org = "acme"'))
    assert places(watching.round()) == [f"{place.address}/acme/app"]
