"""Backup and restore as an operator does them: real servers, the real command line, requests all the while."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from tests.processes import ServerProcess, free_port, running_server, start_server, wait_until

from strongroom.backup.reading import look


def command(server: ServerProcess, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not re.match(r"(VAULT|BAO|STRONGROOM)_", name)}
    environment |= {
        "STRONGROOM_ADDR": server.address,
        "STRONGROOM_CACERT": str(server.ca_file),
        "STRONGROOM_TOKEN": server.token,
        "HOME": str(server.folder),
    }
    argv = [sys.executable, "-m", "strongroom", *words]
    return subprocess.run(argv, input=stdin, capture_output=True, text=True, env=environment, timeout=60, check=False)


@pytest.mark.parametrize("workers", [1, 2])
def test_a_vault_is_saved_under_load_lost_and_restored(tmp_path: Path, workers: int) -> None:
    extra = f'workers = {workers}\nbackup {{\n path = "{tmp_path}/scheduled"\n interval = "1h"\n}}\n'
    file = tmp_path / "one.backup"
    with running_server(tmp_path / "one", extra=extra) as server:
        assert server.call("POST", "sys/mounts/kv", {"type": "kv"}).status == 204
        stopping, acknowledged = threading.Event(), [0, 0, 0, 0]

        def write(writer: int) -> None:
            while not stopping.is_set():
                number = acknowledged[writer] + 1
                if server.call("POST", f"kv/w{writer}", {"number": number}).status == 204:
                    acknowledged[writer] = number

        writers = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
        for thread in writers:
            thread.start()
        wait_until(lambda: min(acknowledged) > 2)
        before = list(acknowledged)
        saved = command(server, "operator", "backup", str(file))
        stopping.set()
        for thread in writers:
            thread.join()
        after = [number + 1 for number in acknowledged]
        assert saved.returncode == 0, saved.stderr
        assert file.stat().st_mode & 0o777 == 0o600
        assert command(server, "operator", "backup", str(file)).returncode == 1
        wait_until(lambda: list((tmp_path / "scheduled").glob("*.backup")))
        assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".partial")] == []
        assert server.call("GET", "kv/w0").status == 200
    key = (tmp_path / "one" / "unseal-key").read_text()
    (scheduled,) = (tmp_path / "scheduled").glob("*.backup")
    with scheduled.open("rb") as content:
        assert look(content).manifest.records > 10
    second = tmp_path / "two"
    start_server(second, port=free_port()).stop()
    configuration = f"-config={second}/server.hcl"
    checked = command(server, "operator", "verify-backup", configuration, "-key=-", str(file), stdin=key)
    assert "genuine" in checked.stdout, checked.stderr
    restored = command(server, "operator", "restore", configuration, "-key=-", "-keep-tokens", str(file), stdin=key)
    assert restored.returncode == 0, restored.stderr
    again = start_server(second)
    try:
        again.token = server.token
        assert again.call("PUT", "sys/unseal", {"key": key}).status == 200
        for writer in range(4):
            number = again.call("GET", f"kv/w{writer}").data["number"]
            assert before[writer] <= number <= after[writer]
        lines = [json.loads(line) for line in again.audit_file.read_text().splitlines()]
        assert [line["type"] for line in lines if line.get("request", {}).get("path") == "sys/storage/restore"] == [
            "request",
            "response",
        ]
    finally:
        again.kill()


def test_a_backup_that_cannot_be_had_leaves_no_file(tmp_path: Path) -> None:
    with running_server(tmp_path / "one") as server:
        server.token = "srs.nobody"
        refused = command(server, "operator", "backup", str(tmp_path / "x.backup"))
        assert refused.returncode == 2
        assert "permission denied" in refused.stderr
        nowhere = command(server, "operator", "backup", str(tmp_path / "no" / "folder"))
        assert nowhere.returncode == 1
        assert "no such file or directory" in nowhere.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


def test_a_file_that_is_no_backup_is_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("hello")
    argv = [sys.executable, "-m", "strongroom", "operator", "verify-backup", "-format=json", str(tmp_path / "x")]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["verdict"], told["damage"]) == ("refused", "not-a-backup")
