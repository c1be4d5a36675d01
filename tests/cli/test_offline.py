from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.conftest import InThisProcess
from tests.processes import ServerProcess, running_server, start_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    with running_server(tmp_path_factory.mktemp("offline") / "server") as running:
        assert running.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}).status == 204
        assert running.call("PUT", "secret/data/app", {"data": {"A": "CANARY"}}).status == 200
        yield running


@pytest.fixture
def program(server: ServerProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InThisProcess:
    monkeypatch.chdir(tmp_path)
    environ = {
        "HOME": str(tmp_path),
        "STRONGROOM_ADDR": server.address,
        "STRONGROOM_CACERT": str(server.ca_file),
        "STRONGROOM_TOKEN": server.token,
        "STRONGROOM_MAX_RETRIES": "0",
    }
    return InThisProcess(("strongroom",), environ)


RUN = ("run", "-path=secret/app", "-dry-run", "-format=json")


def folder(program: InThisProcess) -> Path:
    return Path(program.environ["HOME"]) / ".local" / "state" / "strongroom" / "offline"


def copies(program: InThisProcess) -> int:
    return len(list(folder(program).glob("*.copy")))


def test_a_server_that_is_gone_is_replaced_and_told_when_it_is_back(
    server: ServerProcess, program: InThisProcess
) -> None:
    program.value(*RUN, "-fallback")
    assert copies(program) == 1
    server.kill()
    try:
        gone = program(*RUN, "-fallback")
        assert gone.exit_code == 0
        assert json.loads(gone.out) == [{"name": "A", "source": "secret/data/app", "instead_of": []}]
        assert gone.err == "the server does not answer: secret/data/app is a copy of 0 minutes ago\n"
        assert program(*RUN).exit_code == 125
        assert program(*RUN, "-fallback", "-no-fallback").exit_code == 125
        other = program(*RUN, "-fallback", STRONGROOM_TOKEN="another")
        assert other.exit_code == 125
        assert "there is no copy of it" in other.err
        assert "1 reads without the server wait to be reported" in program("status").err
    finally:
        again = start_server(server.folder)
        server.process = again.process
    assert program(*RUN, "-fallback").exit_code == 125  # it is sealed, and that is believed
    assert server.call("PUT", "sys/unseal", {"key": (server.folder / "unseal-key").read_text()}).status == 200
    assert "reported to the server what was read without it: 1" in program(*RUN).err
    lines = [json.loads(line) for line in server.audit_file.read_text().splitlines() if "sys/offline-reads" in line]
    reported = next(line["request"]["data"] for line in lines if line.get("type") == "request")
    assert (reported["path"], reported["version"], reported["keys"]) == ("secret/data/app", 1, ["A"])
    assert "wait to be reported" not in program("status").err


EXPORT = ("export", "-path=secret/app", "-format=json")


def test_an_export_uses_the_copies_that_run_keeps_and_reports_it_later(program: InThisProcess) -> None:
    program.value(*RUN, "-fallback")
    offline = program(*EXPORT, "-offline")
    assert (offline.exit_code, json.loads(offline.out)) == (0, {"A": "CANARY"})
    assert "secret/data/app is a copy" in offline.err
    assert "CANARY" not in offline.err
    assert "reported to the server what was read without it: 1" in program(*EXPORT).err
    for code, refused in ((1, "-no-fallback"), (2, "-path=secret/other"), (1, "-fallback=60d")):
        done = program(*EXPORT, "-offline", refused)
        assert (done.exit_code, done.out) == (code, ""), refused


def test_an_export_keeps_copies_where_that_is_asked_for_and_of_no_protected_environment(
    server: ServerProcess, program: InThisProcess
) -> None:
    assert server.call("PUT", "secret/data/prod/app", {"data": {"A": "CANARY"}}).status == 200
    Path(".strongroom.toml").write_text('[environments.production]\npath = "secret/prod"\n')
    program.value(*EXPORT)
    program.value("export", "-fallback", "-env=production", "-path=app")
    assert copies(program) == 0
    program.value(*EXPORT, STRONGROOM_FALLBACK="1h")
    assert copies(program) == 1


def test_the_copies_alone_are_used_when_that_is_wanted(program: InThisProcess) -> None:
    program.value(*RUN, STRONGROOM_FALLBACK="1h")
    offline = program(*RUN, "-offline")
    assert offline.exit_code == 0
    assert "is a copy" in offline.err
    assert program(*RUN, "-offline", "-path=secret/other").exit_code == 125
    assert "choose one" in program(*RUN, "-offline", "-no-fallback").err
    assert "-fallback takes the greatest age" in program(*RUN, "-fallback=60d").err


def test_a_server_that_says_no_is_believed_and_its_copy_goes(server: ServerProcess, program: InThisProcess) -> None:
    made = server.call("POST", "auth/token/create", {"policies": ["app"], "ttl": "1h"})
    token = made.auth["client_token"]
    rule = 'path "secret/data/app" { capabilities = ["read"] }'
    assert server.call("PUT", "sys/policies/acl/app", {"policy": rule}).status in {200, 204}
    program.value(*RUN, "-fallback", STRONGROOM_TOKEN=token)
    assert copies(program) == 1
    assert server.call("DELETE", "sys/policies/acl/app").status == 204
    assert program(*RUN, "-fallback", STRONGROOM_TOKEN=token).exit_code == 125
    assert copies(program) == 0


def test_no_copy_is_kept_of_a_protected_environment(server: ServerProcess, program: InThisProcess) -> None:
    Path(".strongroom.toml").write_text(
        '[environments.production]\npath = "secret/prod"\n[environments.dev]\npath = "secret/dev"\n'
        '[environments.demo]\npath = "secret/demo"\nprotected = true\n'
    )
    for name in ("prod", "dev", "demo"):
        assert server.call("PUT", f"secret/data/{name}/app", {"data": {"A": "CANARY"}}).status == 200
    words = ("run", "-fallback", "-dry-run")
    for where in (["-env=production", "-path=app"], ["-path=sr://demo/app"], ["-path=secret/prod/app"]):
        program.value(*words, *where)
        assert copies(program) == 0
    program.value(*words, "-env=dev", "-path=app")
    assert copies(program) == 1


def test_one_report_that_the_server_refuses_holds_up_no_other(server: ServerProcess, program: InThisProcess) -> None:
    read = {"server": server.address, "path": "secret/data/app", "version": 1, "time": "2026-01-01T00:00:00Z"}
    entries = [
        {**read, "time": "2999-01-01T00:00:00Z", "keys": ["made while the clock was ahead"]},
        {**read, "keys": [f"key {number}" for number in range(1500)]},
        {**read, "keys": ["", "a\nb", "x" * 2000]},
    ]
    folder(program).mkdir(parents=True)
    waiting = folder(program) / "unreported-reads"
    waiting.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    done = program(*RUN)
    assert done.exit_code == 0
    assert "reported to the server what was read without it: 2" in done.err
    assert "takes no report of 1 reads without it, which are kept" in done.err
    assert json.loads(waiting.read_text()) == entries[0]
    assert "(no name)" in server.audit_file.read_text()
