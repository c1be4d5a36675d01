"""`strongroom watch` as its user runs it: the real process, the real rules, a GitHub on the loopback."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.processes import wait_until
from tests.scanner.hiding.secret_token import made_up_token
from tests.scanner.watch.github import GitHub
from tests.scanner.watch.place import Place, Reply

ONE, TWO, THREE = (made_up_token(number).decode() for number in (1, 2, 3))


@pytest.fixture
def github() -> Iterator[GitHub]:
    place = Place()
    made = GitHub(place, place)
    made.poll_interval = "0"
    yield made
    place.close()


@pytest.fixture
def folder(tmp_path: Path, github: GitHub) -> Path:
    (tmp_path / "watch.toml").write_text(
        f'[[feed]]\nname = "ours"\nkind = "github-events"\naddress = "{github.place.address}"\norg = "acme"\n'
        'interval = "10s"\ntoken_env = "GITHUB_TOKEN"\n'
    )
    return tmp_path


def words(*more: str) -> list[str]:
    return [sys.executable, "-m", "strongroom", "watch", "-config=watch.toml", *more]


def environment(folder: Path) -> dict[str, str]:
    """That of the tests. The rules are compiled once for all of them."""
    return {**os.environ, "XDG_CACHE_HOME": str(folder.parent / "cache"), "GITHUB_TOKEN": "a-token-of-the-feed"}


def run(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        words(*more), cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=120, check=False
    )


@contextmanager
def running(folder: Path, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / "watch.log").open("ab") as log:
        process = subprocess.Popen(words(*more), cwd=folder, env=environment(folder), stdout=log, stderr=log)
        try:
            yield process
        finally:
            process.kill()
            process.wait(30)


def rows(folder: Path) -> list[dict[str, Any]]:
    path = folder / "found.jsonl"
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def test_what_is_published_is_found_and_after_a_kill_only_what_is_new(folder: Path, github: GitHub) -> None:
    github.push({"app.py": "x = 1"})
    with running(folder, "-output=found.jsonl") as process:
        wait_until(lambda: len(github.place.asked) >= 2, seconds=240, process=process)
        commit = github.push({"conf/prod.env": f"\nTOKEN={ONE}\n"})
        wait_until(lambda: rows(folder), seconds=240, process=process)
        process.kill()
        process.wait(30)
    (first,) = rows(folder)
    assert first["file"] == f"{github.place.address}/acme/app/commit/{commit}!/conf/prod.env"
    assert (first["line"], first["commit"], first["feed"]) == (2, commit, "ours")
    assert first["author"] == "Ann <ann@acme.example>"
    assert ONE not in (folder / "found.jsonl").read_text()
    assert (folder / "found.jsonl").stat().st_mode & 0o777 == 0o600

    github.push({"app.py": f"key = '{TWO}'"})
    with running(folder, "-output=found.jsonl") as process:
        wait_until(lambda: len(rows(folder)) > 1, seconds=240, process=process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    assert len(rows(folder)) == 2
    assert len({row["fingerprint"] for row in rows(folder)}) == 2
    state = folder / "watch.state"
    assert state.stat().st_mode & 0o777 == 0o600
    kept = state.read_bytes() + (folder / "watch.log").read_bytes()
    assert not [secret for secret in (ONE, TWO, "a-token-of-the-feed") if secret.encode() in kept]


def test_one_round_has_the_exit_codes_of_a_scan(folder: Path, github: GitHub) -> None:
    github.push({"app.py": "x = 1"})
    assert run(folder, "-once").returncode == 0
    github.push({"app.py": f"key = '{ONE}'"})
    done = run(folder, "-once", "-format=sarif")
    assert done.returncode == 1
    (result,) = json.loads(done.stdout)["runs"][0]["results"]
    place = result["locations"][0]["physicalLocation"]["artifactLocation"]
    assert place == {"uri": f"{github.place.address}/acme/app/commit/{github.events[0]['payload']['head']}!/app.py"}
    assert ONE not in done.stdout + done.stderr
    assert run(folder, "-once").returncode == 0, "it was reported"
    github.place.answers["/orgs/acme/events"] = Reply(status=401)
    done = run(folder, "-once")
    assert done.returncode == 2
    assert "does its token still live" in done.stderr


def test_findings_are_appended_round_after_round(folder: Path, github: GitHub) -> None:
    for number, secret in enumerate((ONE, TWO)):
        github.push({"app.py": f"key = '{secret}'"})
        done = run(folder, "-once", "-output=found.jsonl", "-exit-code=9")
        assert (done.returncode, done.stdout) == (9, "")
        assert len(rows(folder)) == number + 1


def test_revealed_is_what_was_asked_for(folder: Path, github: GitHub) -> None:
    github.push({"app.py": f"key = '{ONE}'"})
    (row,) = json.loads(run(folder, "-once", "-reveal", "-format=json").stdout)
    assert row["value"] == ONE
    assert ONE.encode() not in (folder / "watch.state").read_bytes()


def test_a_value_of_ours_is_raised_though_nothing_mentions_us(folder: Path, github: GitHub) -> None:
    with (folder / "watch.toml").open("a") as file:
        file.write('keywords = ["acme.example"]\n')
    (folder / "ours.env").write_text("DB_PASSWORD=korax-Rotunda-8841-vellum\n")
    github.push({"notes.txt": f"nothing of acme: {ONE}"}, message="x", repo="else/where")
    github.place.answers[f"/repos/else/where/commits/{'0' * 40}"] = Reply(status=404)
    github.event("IssuesEvent", {"issue": {"body": "it is korax-Rotunda-8841-vellum, really"}}, "else/where")
    done = run(folder, "-once", "-format=json", "-known=env:ours.env", "-known-only")
    (found,) = json.loads(done.stdout)
    assert (done.returncode, found["rule"], found["feed"]) == (1, "known-value", "ours")
    assert "korax" not in done.stdout.replace("kora***", "") + done.stderr


def test_where_nobody_can_say_what_is_ours_no_round_counts(folder: Path, github: GitHub) -> None:
    github.push({"app.py": f"key = '{ONE}'"})
    done = run(folder, "-once", "-known=env:missing.env")
    assert done.returncode == 2
    assert github.place.asked == []


def test_what_is_left_for_the_next_round_is_said(folder: Path, github: GitHub) -> None:
    with (folder / "watch.toml").open("a") as file:
        file.write("items = 1\n")
    for number in range(3):
        github.push({"app.py": f"x = {number}"})
    assert "ours: 2 items are left for the next round" in run(folder, "-once").stderr


def test_a_round_whose_report_cannot_be_written_is_done_again(folder: Path, github: GitHub) -> None:
    github.push({"app.py": f"key = '{ONE}'"})
    assert run(folder, "-once", "-output=no/such/folder.jsonl").returncode == 2
    done = run(folder, "-once")
    assert done.returncode == 1
    assert "ghp_***" in done.stdout
    assert "Ann <ann@acme.example>" in done.stdout


def test_what_stands_in_the_output_is_not_reported_again_though_the_state_is_lost(folder: Path, github: GitHub) -> None:
    github.push({"app.py": f"key = '{ONE}'"})
    assert run(folder, "-once", "-output=found.jsonl").returncode == 1
    (folder / "watch.state").unlink()
    assert run(folder, "-once", "-output=found.jsonl").returncode == 0
    assert len(rows(folder)) == 1


def test_mistakes_are_said_before_anybody_is_asked(folder: Path, github: GitHub) -> None:
    for flags, said in (
        (("-format=sarif",), "it needs -once"),
        (("-format=xml", "-once"), "-format is one of"),
        (("-output=x", "-format=text"), "leave -format out"),
        (("-reveal", "-redact"), "contradict"),
        (("-config=other.toml",), "there is no configuration other.toml"),
        (("-once", "-baseline=none.json"), "none.json"),
    ):
        done = run(folder, *flags)
        assert (done.returncode, done.stdout) == (2, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    (folder / "watch.state").write_bytes(b"not a state" * 1000)
    (folder / "watch.state").chmod(0o600)
    done = run(folder, "-once")
    assert done.returncode == 2
    assert "Move it away" in done.stderr
    assert github.place.asked == []


def test_a_token_that_is_not_there_is_said_without_its_value(folder: Path, github: GitHub) -> None:
    done = subprocess.run(
        words("-once"), cwd=folder, env={"HOME": str(folder)}, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 2
    assert "feed ours: there is no token in env:GITHUB_TOKEN" in done.stderr
    assert github.place.asked == []


def test_two_watches_with_one_state_are_one_too_many(folder: Path, github: GitHub) -> None:
    with running(folder) as process:
        wait_until(lambda: github.place.asked, seconds=240, process=process)
        done = run(folder, "-once")
        assert done.returncode == 2
        assert "another watch runs with it" in done.stderr


def test_a_check_shows_what_would_be_watched_and_asks_nobody(folder: Path, github: GitHub) -> None:
    done = run(folder, "-check")
    assert done.returncode == 0
    assert (
        done.stdout == f"ours: github-events {github.place.address} org=acme, every 10s, token from env:GITHUB_TOKEN\n"
    )
    assert github.place.asked == []
    assert not (folder / "watch.state").exists()


def test_an_interrupt_ends_it_cleanly_while_it_waits(folder: Path, github: GitHub) -> None:
    github.push({"app.py": f"key = '{THREE}'"})
    with running(folder, "-format=jsonl") as process:
        wait_until(lambda: b'"file"' in (folder / "watch.log").read_bytes(), seconds=240, process=process)
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert run(folder, "-once").returncode == 0
