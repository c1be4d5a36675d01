from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from strongroom.cli import run_consumers
from strongroom.cli.run_consumers import SECRETS_MAX, Report, name_of
from strongroom.client.client import Client
from strongroom.client.errors import ApiError, ClientError, ConnectionFailed


class Server:
    """A client that keeps what it was told, or fails."""

    def __init__(self) -> None:
        self.told: list[tuple[str, Any]] = []
        self.failures: list[ClientError] = []

    def write(self, path: str, body: Any = None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.told.append((path, body))


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def report(server: Server) -> Report:
    return Report(cast("Client", server), "/usr/bin/my server")


def test_what_runs_is_told_once_and_again_when_it_changes(server: Server, report: Report) -> None:
    for version in (3, 3, 4, 4):
        report.tell({"secret/data/b": 0, "secret/data/a": version})
    assert [body["secrets"] for _, body in server.told] == [
        ["secret/data/a@3", "secret/data/b@0"],
        ["secret/data/a@4", "secret/data/b@0"],
    ]
    assert {body["kind"] for _, body in server.told} == {"run"}
    (path,) = {path for path, _ in server.told}
    assert ".my-server." in path


def test_it_is_told_again_before_its_time_is_over(
    server: Server, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    report.tell({"secret/data/a": 1})
    monkeypatch.setattr(run_consumers, "_RENEWED_SECONDS", 0)
    report.tell({"secret/data/a": 1})
    assert len(server.told) == 2


def test_what_fails_is_tried_again_and_a_server_that_takes_none_is_left_in_peace(
    server: Server, report: Report
) -> None:
    server.failures = [ConnectionFailed("gone"), ApiError(403, "PUT", "", b"", None)]
    for _ in range(3):
        report.tell({"secret/data/a": 1})
    assert len(server.told) == 1
    server.failures = [ApiError(404, "PUT", "", b"", None)]
    report.tell({"secret/data/a": 2})
    report.tell({"secret/data/a": 3})
    assert len(server.told) == 1


def test_a_program_whose_folder_was_deleted_is_told_of_too(
    server: Server, report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    report.tell({"secret/data/a": 1})
    assert len(server.told) == 1


def test_nothing_is_told_of_nothing_and_never_too_much(server: Server, report: Report) -> None:
    report.tell({})
    assert not server.told
    report.tell({f"secret/data/{number}": 1 for number in range(SECRETS_MAX + 9)})
    assert len(server.told[0][1]["secrets"]) == SECRETS_MAX


@pytest.mark.parametrize(
    ("host", "program", "name"),
    [("web-1", "./bin/serve", "web-1.serve"), ("höst", "ß", "h-st"), ("", "", "run"), ("h" * 200, "x", "h" * 119)],
)
def test_a_consumer_is_called_by_its_machine_and_its_program(host: str, program: str, name: str) -> None:
    called, _, digest = name_of(host, program, ("/srv/a", "secret/data/a")).rpartition(".")
    assert (called, len(digest)) == (name, 8)


def test_programs_of_one_interpreter_are_told_apart_and_keep_their_names() -> None:
    works = [("/srv/a", "secret/data/a"), ("/srv/b", "secret/data/a"), ("/srv/a", "secret/data/b")]
    names = [name_of("web-1", "node", work) for work in works]
    assert len(set(names)) == len(works)
    assert names == [name_of("web-1", "node", work) for work in works]
