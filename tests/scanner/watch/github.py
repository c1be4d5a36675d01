"""GitHub's API on the loopback, as its documentation describes it: events without commits, comparisons as patches, search, gists, raw files."""

from __future__ import annotations

import hashlib
from typing import Any

from tests.scanner.watch.place import Asked, Place, Reply, as_json, listing

RAW = "application/vnd.github.raw+json"
PATCH = "application/vnd.github.patch"
ANN = "ann"


class GitHub:
    """A server of GitHub's API at `place.address`, with raw contents at `raw.address`."""

    def __init__(self, place: Place, raw: Place) -> None:
        self.place, self.raw = place, raw
        self.events: list[dict[str, Any]] = []
        self.gists: list[dict[str, Any]] = []
        self.poll_interval = "60"
        for path in ("/events", "/orgs/acme/events", f"/users/{ANN}/events", "/repos/acme/app/events"):
            place.answers[path] = self._events(path)
        place.answers["/gists/public"] = self._gists

    def push(
        self, files: dict[str, str], *, before: str = "a" * 40, message: str = "change", repo: str = "acme/app"
    ) -> str:
        """Somebody pushes a commit that adds `files`, and what it does is listed first. Returns its name."""
        number = len(self.events) + 1
        head = hashlib.sha1(f"{number} {repo}".encode()).hexdigest()
        self.event(
            "PushEvent",
            {"repository_id": 7, "push_id": number, "ref": "refs/heads/main", "head": head, "before": before},
            repo,
        )
        patch = Reply(patch_of(head, files, message), 200, {"Content-Type": PATCH})
        self.place.answers[f"/repos/{repo}/compare/{before}...{head}"] = patch
        self.place.answers[f"/repos/{repo}/commits/{head}"] = patch
        return head

    def event(self, kind: str, payload: dict[str, Any], repo: str = "acme/app") -> None:
        number = len(self.events) + 1
        self.events.insert(
            0,
            {
                "id": str(22249084000 + number),
                "type": kind,
                "actor": {"id": 583231, "login": "ann", "display_login": "ann"},
                "repo": {"id": 1296269, "name": repo, "url": f"{self.place.address}/repos/{repo}"},
                "payload": payload,
                "public": True,
                "created_at": "2026-11-09T12:47:28Z",
                "org": {"id": 9919, "login": "acme"},
            },
        )

    def gist(self, files: dict[str, str], updated: str = "2026-11-20T10:00:00Z", name: str | None = None) -> str:
        """Somebody makes a gist, or changes the one with this `name`."""
        found = name or hashlib.sha1(str(len(self.gists)).encode()).hexdigest()
        self.gists = [one for one in self.gists if one["id"] != found]
        listed = {}
        for file, content in files.items():
            path = f"/ann/{found}/raw/{hashlib.sha1(content.encode()).hexdigest()}/{file}"
            self.raw.answers[path] = Reply(content.encode())
            listed[file] = {
                "filename": file,
                "type": "text/plain",
                "raw_url": f"{self.raw.address}{path}",
                "size": len(content),
            }
        self.gists.insert(
            0,
            {
                "id": found,
                "html_url": f"https://gist.github.com/ann/{found}",
                "files": listed,
                "public": True,
                "created_at": updated,
                "updated_at": updated,
                "description": "notes",
                "owner": {"login": "ann"},
                "truncated": False,
            },
        )
        return found

    def found(self, path: str, content: str, fragment: str = "") -> dict[str, Any]:
        """What the search for code says of a file, which can be read from then on."""
        sha = hashlib.sha1(content.encode()).hexdigest()
        api = f"/repositories/1296269/contents/{path}"
        self.place.answers[f"{api}?ref={'c' * 40}"] = lambda asked: (
            Reply(content.encode()) if asked.headers.get("accept") == RAW else as_json({"encoding": "base64"})
        )
        return {
            "name": path.rpartition("/")[2],
            "path": path,
            "sha": sha,
            "url": f"{self.place.address}{api}?ref={'c' * 40}",
            "html_url": f"https://github.com/else/where/blob/{'c' * 40}/{path}",
            "repository": {"id": 1296269, "full_name": "else/where", "owner": {"login": "else"}},
            "score": 1.0,
            "text_matches": [
                {"object_type": "FileContent", "property": "content", "fragment": fragment, "matches": []}
            ],
        }

    def _events(self, path: str) -> Any:
        def answer(asked: Asked) -> Reply:
            return listing(self.place, path, self.events, asked, **{"X-Poll-Interval": self.poll_interval})

        return answer

    def _gists(self, asked: Asked) -> Reply:
        since = asked.query.get("since", [""])[0]
        return listing(self.place, "/gists/public", [one for one in self.gists if one["updated_at"] >= since], asked)


def patch_of(commit: str, files: dict[str, str], message: str = "change") -> bytes:
    """A commit that adds `files`, as `git format-patch` writes it."""
    parts = [
        f"From {commit} Mon Sep 17 00:00:00 2001\nFrom: Ann <ann@acme.example>\nDate: Mon, 9 Nov 2026 12:47:00 +0000\n",
        f"Subject: [PATCH] {message}\n\n---\n",
    ]
    for name, content in files.items():
        lines = content.rstrip("\n").split("\n")
        added = "".join(f"+{line}\n" for line in lines)
        parts.append(
            f"diff --git a/{name} b/{name}\nnew file mode 100644\nindex 0000000..1111111\n--- /dev/null\n+++ b/{name}\n"
            f"@@ -0,0 +1,{len(lines)} @@\n{added}"
        )
    return "".join([*parts, "-- \n2.50.0\n\n"]).encode()
