"""`-known` as its users call it: what may be read in a vault, a file, a sealed filter, a server; and what happens when nobody can be asked."""

from __future__ import annotations

import base64
import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import CommandLine, Done
from tests.scanner.known.conftest import held
from tests.scanner.known.test_server import canaries, table

from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.scanner.known.answering import Answerer
from strongroom.scanner.known.messages import BadMessage

OLD, NEW = "x7Kp2mQ9vB3nR5tY8w", "q4Zt8sWb1yHj6uLc0e"


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where automata are kept, for all tests: compiling takes longer than they do."""
    return str(tmp_path_factory.mktemp("cache"))


@pytest.fixture
def leak(tmp_path: Path) -> Path:
    """A folder in which an old and a new value leaked."""
    folder = tmp_path / "leak"
    folder.mkdir()
    (folder / "app.py").write_text(f"first = 1\npassword = '{OLD}'\n")
    (folder / "job.yaml").write_text(f"data:\n  key: {base64.b64encode(NEW.encode()).decode()}\n")
    return folder


def findings(done: Done) -> dict[str, list[str]]:
    """The reasons of each finding, by file."""
    return {Path(one["file"]).name: one["reasons"] for one in json.loads(done.out)}


def scan(line: CommandLine, cache: str, folder: Path, *words: str, jobs: int = 1, **environ: str) -> Done:
    flags = ("-known-only", "-format=json", f"-jobs={jobs}")
    return line("scan", "dir", str(folder), *flags, *words, XDG_CACHE_HOME=cache, **environ)


def test_all_that_the_token_may_read_is_looked_for_old_versions_too(quick: CommandLine, cache: str, leak: Path) -> None:
    for value in (OLD, NEW):
        quick.value("kv", "put", "secret/known/team/app", "DB_PASSWORD=-", stdin=value)

    done = scan(quick, cache, leak, "-known=kv:secret/known/")

    assert done.exit_code == 1, done.err
    assert findings(done) == {
        "app.py": ["it is version 1 (an old one) of secret/known/team/app, key DB_PASSWORD"],
        "job.yaml": ["it is version 2 (the current one) of secret/known/team/app, key DB_PASSWORD"],
    }
    assert "Looking for 2 values of 1 secrets" in done.err
    assert OLD not in done.out + done.err


def test_a_store_without_versions_is_read_too(quick: CommandLine, cache: str, leak: Path) -> None:
    quick("secrets", "enable", "-path=flat", "-version=1", "kv")
    quick.value("kv", "put", "flat/app", "k=-", stdin=OLD)

    assert findings(scan(quick, cache, leak, "-known=kv:flat/")) == {"app.py": ["it is the value of k in flat/app"]}


def test_what_the_token_may_not_read_is_named(quick: CommandLine, cache: str, leak: Path) -> None:
    quick.value("kv", "put", "secret/some/open", "k=-", stdin=OLD)
    quick.value("kv", "put", "secret/some/shut", "k=-", stdin=NEW)
    policy = 'path "secret/metadata/some/*" { capabilities = ["list"] }\npath "secret/data/some/open" { capabilities = ["read"] }\n'
    quick.value("policy", "write", "some", "-", stdin=policy)
    token = quick.value("token", "create", "-policy=some", "-field=token")

    done = scan(quick, cache, leak, "-known=kv:secret/some/", VAULT_TOKEN=token)

    assert findings(done) == {"app.py": ["it is version 1 of secret/some/open, key k"]}
    assert "may not read" in done.err
    assert "secret/data/some/shut" in done.err


def test_a_file_of_assignments_is_looked_for(quick: CommandLine, cache: str, leak: Path, tmp_path: Path) -> None:
    (tmp_path / "app.env").write_text(f"export PW='{OLD}'  # x\nTOKEN=\"{NEW}\"\nSHORT=abc\nREGION=us-east-1\n")

    done = scan(quick, cache, leak, f"-known=env:{tmp_path / 'app.env'}", jobs=1)

    assert set(findings(done)) == {"app.py", "job.yaml"}
    assert "SHORT (shorter than 8 characters)" in done.err
    assert "REGION" in done.err


def test_a_filter_finds_without_a_server_and_ends(
    quick: CommandLine, cache: str, leak: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "app.env").write_text(f"PW={OLD}\nWEAK=Summer2026!\n")
    key, file = tmp_path / "known.key", tmp_path / "known.filter"
    made = quick(
        "scan", "known-filter", f"-known=env:{tmp_path / 'app.env'}", f"-known-key-file={key}", str(file), "-ttl=1h"
    )
    assert made.exit_code == 0, made.err
    assert "WEAK" in made.err

    found = scan(quick, cache, leak, f"-known=filter:{file}", STRONGROOM_KNOWN_KEY=key.read_text())
    assert list(findings(found)) == ["app.py"]
    assert "secret of ours" in found.out
    assert (key.stat().st_mode & 0o777, file.stat().st_mode & 0o777) == (0o600, 0o600)
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".known")] == []

    now = SystemClock().now_ns()
    monkeypatch.setattr(SystemClock, "now_ns", lambda _: now + 3601 * 10**9)
    late = scan(quick, cache, leak, f"-known=filter:{file}", f"-known-key-file={key}")
    assert (late.exit_code, late.out) == (2, "")
    assert "expired" in late.err


@contextlib.contextmanager
def answering(answerer: Answerer, passed: list[bytes], fail: set[str]) -> Iterator[str]:
    """A server on the loopback that answers questions about known values, for callers with a token, and fails at those in `fail`."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            name = self.path.rpartition("/")[2]
            if name in fail or self.path != f"/v1/sys/leaks/known/{name}":
                self._answer(500, {"errors": ["internal error"]})
            elif self.headers.get("x-vault-token") != "root":
                self._answer(403, {"errors": ["permission denied"]})
            else:
                try:
                    answer = answerer.answer(name, json.loads(body), "root", lambda _: True)
                except BadMessage as error:
                    self._answer(400, {"errors": [str(error)]})
                else:
                    self._answer(200, {"data": answer})
            passed.append(body)

        def _answer(self, status: int, value: Any) -> None:
            content = json.dumps(value).encode()
            passed.append(content)
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def passed() -> list[bytes]:
    return []


@pytest.fixture
def fail() -> set[str]:
    return set()


@pytest.fixture
def known_server(passed: list[bytes], fail: set[str]) -> Iterator[str]:
    known = table(held(OLD.encode(), NEW.encode()))
    with answering(Answerer(lambda: known, SystemClock(), SystemEntropy()), passed, fail) as address:
        yield address


def test_a_server_is_asked_by_every_process_of_a_scan_and_told_nothing(
    ours: CommandLine, cache: str, leak: Path, known_server: str, passed: list[bytes]
) -> None:
    for number in range(40):
        (leak / f"more{number}.py").write_text(f"x = 'other-value-{number}'\n" + f"p = '{OLD}'\n" * (number % 2))

    done = scan(ours, cache, leak, "-known", jobs=2, STRONGROOM_ADDR=known_server)

    assert done.exit_code == 1, done.err
    assert len(findings(done)) == 22
    assert findings(done)["app.py"] == ["it is version 1 (the current one) of secret/app1, key PASSWORD"]
    for value in (OLD, NEW, "other-value-7"):
        assert not [name for name, canary in canaries(value.encode()).items() if canary in b"\n".join(passed)]


@pytest.mark.parametrize("at", ["open", "look", "prove"])
@pytest.mark.parametrize("jobs", [1, 2])
def test_a_server_that_cannot_be_asked_makes_the_scan_a_failed_one(
    ours: CommandLine, cache: str, leak: Path, known_server: str, fail: set[str], at: str, jobs: int
) -> None:
    fail.add(at)

    done = scan(ours, cache, leak, "-known", jobs=jobs, STRONGROOM_ADDR=known_server)

    assert done.exit_code == 2
    assert "internal error" in done.err
    assert "known values" in done.err


def test_who_may_not_ask_hears_what_is_missing(quick: CommandLine, cache: str, leak: Path, known_server: str) -> None:
    done = scan(quick, cache, leak, "-known", STRONGROOM_ADDR=known_server, VAULT_TOKEN="other")

    assert done.exit_code == 2
    assert "update on sys/leaks/known" in done.err


def test_a_server_without_these_questions_says_what_else_can_be_done(
    quick: CommandLine, cache: str, leak: Path
) -> None:
    done = scan(quick, cache, leak, "-known")

    assert done.exit_code == 2
    assert "-known=kv:PATH" in done.err


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["-known=kv:"], "-known takes"),
        (["-known=vault:x"], "-known takes"),
        (["-known=env:nowhere.env"], "nowhere.env"),
        (["-known=filter:nowhere", "-known-key-file=nowhere.key"], "nowhere.key"),
        (["-known=filter:nowhere"], "STRONGROOM_KNOWN_KEY"),
        (["-known=kv:secret/nothing-is-here"], "secret/nothing-is-here"),
        ([], "need -known"),
    ],
)
def test_nobody_to_ask_is_a_failed_scan(
    quick: CommandLine, cache: str, leak: Path, words: list[str], says: str
) -> None:
    done = scan(quick, cache, leak, *words)

    assert (done.exit_code, done.out) == (2, "")
    assert says in done.err


def test_a_file_of_weak_values_alone_is_refused(quick: CommandLine, cache: str, leak: Path, tmp_path: Path) -> None:
    (tmp_path / "weak.env").write_text("PW=short\nHOST=localhost:5432\n")

    done = scan(quick, cache, leak, f"-known=env:{tmp_path / 'weak.env'}")

    assert done.exit_code == 2
    assert "worth looking for" in done.err


def test_a_known_value_wins_over_other_rules(ours: CommandLine, cache: str, leak: Path, tmp_path: Path) -> None:
    (tmp_path / "app.env").write_text(f"URL=postgres://app:{OLD}@db.internal/app\nPW={NEW}\n")
    (leak / "url.py").write_text(
        f"url = 'postgres://app:{OLD}@db.internal/app'\nother = 'postgres://app:zK3other7Value91@db.internal/app'\n"
    )
    words = (
        str(leak),
        f"-known=env:{tmp_path / 'app.env'}",
        "-format=json",
        "-jobs=1",
        "-rules=postgresql-url-password",
    )

    done = ours("scan", "dir", *words, XDG_CACHE_HOME=cache)

    rules = {(Path(one["file"]).name, one["line"], one["rule"]) for one in json.loads(done.out)}
    assert ("url.py", 1, "known-value") in rules
    assert len([one for one in rules if one[:2] == ("url.py", 1)]) == 1
    assert [one for one in rules if one[:2] == ("url.py", 2)]


def test_known_values_are_found_without_decoders(quick: CommandLine, cache: str, leak: Path, tmp_path: Path) -> None:
    (tmp_path / "app.env").write_text(f"PW={OLD}\n")

    done = scan(quick, cache, leak, f"-known=env:{tmp_path / 'app.env'}", "-no-decode")

    assert list(findings(done)) == ["app.py"], done.err
