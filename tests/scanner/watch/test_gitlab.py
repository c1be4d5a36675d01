from __future__ import annotations

from typing import Any

import pytest
from tests.scanner.watch.place import Place, Reply, as_json, listing
from tests.scanner.watch.watching import OTHER, SECRET, Watching, feed, places

API = "/api/v4"
REPOSITORY = f"{API}/projects/15/repository"
OLD, NEW = "5" * 40, "c" * 40
TOKEN = 'token_env = "GITLAB_TOKEN"'


def pushed(**more: Any) -> dict[str, Any]:
    """A push in a project's events, as GitLab documents it."""
    data = {"commit_count": 1, "action": "pushed", "ref_type": "branch", "commit_from": OLD, "commit_to": NEW}
    return {
        "id": 3,
        "title": None,
        "project_id": 15,
        "action_name": "pushed to",
        "target_id": None,
        "target_type": None,
        "author_id": 1,
        "target_title": None,
        "created_at": "2026-11-09T10:50:25.276Z",
        "author": {"name": "John", "username": "john", "id": 1, "web_url": "https://gitlab.example.com/john"},
        "author_username": "john",
        "push_data": {**data, "ref": "main", "commit_title": "Add search", **more},
    }


def commit(name: str, message: str = "Add search") -> dict[str, str]:
    return {
        "id": name,
        "message": message,
        "author_name": "John",
        "created_at": "2026-11-09T10:50:00.000Z",
        "web_url": f"https://gitlab.example.com/acme/app/-/commit/{name}",
    }


def diff(path: str, added: str, **more: Any) -> dict[str, Any]:
    lines = added.split("\n")
    shown = f"@@ -3,0 +4,{len(lines)} @@ def x\n" + "".join(f"+{line}\n" for line in lines)
    return {"old_path": path, "new_path": path, "new_file": False, "deleted_file": False, "diff": shown, **more}


@pytest.fixture
def gitlab(place: Place) -> Place:
    rows = [pushed()]
    place.answers[f"{API}/projects/15/events"] = lambda asked: listing(place, asked.path, rows, asked)
    place.answers[f"{REPOSITORY}/compare"] = as_json({"commits": [commit(NEW)], "diffs": []})
    place.answers[f"{REPOSITORY}/commits/{NEW}/diff"] = as_json([diff("src/app.py", f"a\nkey = {SECRET}")])
    return place


class TestEvents:
    def test_what_a_push_adds_is_found_at_its_commit(self, watching: Watching, gitlab: Place) -> None:
        watching.configure(feed("gitlab-events", gitlab.address, "project = 15", TOKEN))
        (finding,) = watching.round()
        (found,) = finding.occurrences
        assert found.path == f"https://gitlab.example.com/acme/app/-/commit/{NEW}!/src/app.py"
        assert (found.line, found.author, found.author_date) == (5, "John", "2026-11-09T10:50:00.000Z")
        assert {one.headers["private-token"] for one in gitlab.asked} == {"token-of-the-feed"}
        compare = next(one for one in gitlab.asked if one.path.endswith("/compare"))
        assert (compare.query["from"], compare.query["to"]) == ([OLD], [NEW])

    def test_a_project_is_named_by_its_path_too(self, watching: Watching, gitlab: Place) -> None:
        gitlab.answers[f"{API}/projects/acme%2Fapp/events?per_page=100"] = as_json([])
        watching.configure(feed("gitlab-events", gitlab.address, 'project = "acme/app"'))
        watching.round()
        assert watching.problems == []

    def test_a_new_branch_is_read_commit_by_commit(self, watching: Watching, gitlab: Place) -> None:
        gitlab.answers[f"{API}/events"] = as_json([pushed(commit_from=None, action="created")])
        gitlab.answers[f"{REPOSITORY}/commits"] = as_json([commit(NEW, f"message with {OTHER}")])
        watching.configure(feed("gitlab-events", gitlab.address, TOKEN))
        assert len(watching.round()) == 2

    def test_what_is_not_shown_of_a_change_is_read_as_a_file(self, watching: Watching, gitlab: Place) -> None:
        gitlab.answers[f"{REPOSITORY}/commits/{NEW}/diff"] = as_json([diff("a b/big.sql", "", too_large=True)])
        gitlab.answers[f"{REPOSITORY}/files/a%20b%2Fbig.sql/raw?ref={NEW}"] = Reply(f"x\n{SECRET}".encode())
        watching.configure(feed("gitlab-events", gitlab.address, "project = 15"))
        assert places(watching.round()) == [f"https://gitlab.example.com/acme/app/-/commit/{NEW}!/a b/big.sql"]

    def test_comments_are_in_the_event(self, watching: Watching, gitlab: Place) -> None:
        gitlab.answers[f"{API}/users/john/events"] = as_json(
            [{"id": 9, "project_id": 15, "action_name": "commented on", "note": {"body": f"see {SECRET}"}}]
        )
        watching.configure(feed("gitlab-events", gitlab.address, 'user = "john"'))
        assert places(watching.round()) == [f"{gitlab.address}/projects/15"]

    def test_a_branch_that_is_removed_is_nothing_to_read(self, watching: Watching, gitlab: Place) -> None:
        gitlab.answers[f"{API}/projects/15/events"] = as_json([pushed(commit_to=None, action="removed")])
        watching.configure(feed("gitlab-events", gitlab.address, "project = 15"))
        assert watching.round() == []
        assert len(gitlab.asked) == 1


class TestSnippets:
    def test_every_file_of_a_snippet_is_read(self, watching: Watching, place: Place) -> None:
        raw = f"{place.address}/-/snippets/42/raw/main"
        place.answers[f"{API}/snippets/public"] = as_json(
            [
                {
                    "id": 42,
                    "title": "notes",
                    "file_name": "a.rb",
                    "description": None,
                    "visibility": "public",
                    "author": {"username": "user0"},
                    "updated_at": "2026-09-18T01:12:26.383Z",
                    "web_url": f"{place.address}/-/snippets/42",
                    "raw_url": f"{place.address}/-/snippets/42/raw",
                    "files": [{"path": "a.rb", "raw_url": f"{raw}/a.rb"}, {"path": "b.rb", "raw_url": f"{raw}/b.rb"}],
                },
                {"id": 41, "title": OTHER, "file_name": "c", "raw_url": f"{place.address}/-/snippets/41/raw"},
            ]
        )
        place.answers["/-/snippets/42/raw/main/a.rb"] = Reply(b"nothing")
        place.answers["/-/snippets/42/raw/main/b.rb"] = Reply(SECRET.encode())
        place.answers["/-/snippets/41/raw"] = Reply(b"old servers name one file")
        watching.configure(feed("gitlab-snippets", place.address, TOKEN))
        found = watching.round()
        assert [one.value.decode() for one in found] == [OTHER[4:], SECRET[4:]]
        assert places(found)[1] == f"{place.address}/-/snippets/42!/b.rb"
        assert found[1].occurrences[0].author == "user0"
