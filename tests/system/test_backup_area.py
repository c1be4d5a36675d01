from __future__ import annotations

import hashlib
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.backup.origins import filled_vault
from tests.kit import CONFIGURATION, JumpingClock, Vault
from tests.processes import wait_until

from strongroom.backup.reading import look
from strongroom.backup.writing import Task
from strongroom.logical.errors import NotFound, UpstreamFailed
from strongroom.physical.sqlite import SqliteStore
from strongroom.system import backups as backups_module
from strongroom.system.backups import (
    AT_ONCE_MAX,
    IDLE_SECONDS,
    PART_BYTES,
    Abandoned,
    Backups,
    Fetched,
    Pace,
    Stage,
    task_of,
)


@pytest.fixture
def vault() -> Vault:
    return filled_vault(secrets=30)


def test_a_backup_is_made_and_fetched_in_parts(vault: Vault) -> None:
    made = vault.post("sys/storage/backup").data
    assert made["stage"] == "complete"
    assert made["parts"] > 1
    parts = [vault.get(f"sys/storage/backup/{made['number']}/{part}") for part in range(made["parts"])]
    assert {part.status for part in parts} == {200}
    assert {part.headers["Content-Type"] for part in parts} == {"application/octet-stream"}
    content = b"".join(part.raw for part in parts)
    assert len(content) == made["bytes"]
    looked = look(io.BytesIO(content))
    assert looked.checksum == made["checksum"] == hashlib.sha256(content).hexdigest()
    assert (looked.header.id, looked.manifest.records) == (made["id"], made["records"])
    assert vault.get(f"sys/storage/backup/{made['number']}/{made['parts']}").status == 404
    assert vault.get(f"sys/storage/backup/{made['number']}").data["stage"] == "complete"
    assert vault.delete(f"sys/storage/backup/{made['number']}").status == 204
    assert vault.get(f"sys/storage/backup/{made['number']}/0").status == 404
    assert vault.failures == []


def test_the_manifest_names_where_the_audit_logs_were(vault: Vault) -> None:
    vault.get("sys/audit-anchor")
    made = vault.post("sys/storage/backup").data
    content = b"".join(vault.get(f"sys/storage/backup/{made['number']}/{part}").raw for part in range(made["parts"]))
    head = look(io.BytesIO(content)).manifest.audit["memory"]
    assert f'"id":"{head.chain}","sequence":{head.sequence},"hash":"{head.hash}"' in vault.device.text


def test_only_sudo_makes_or_fetches_a_backup(vault: Vault) -> None:
    vault.write_policy("almost", 'path "sys/storage/*" { capabilities = ["create", "read", "update", "delete"] }')
    vault.write_policy("whole", 'path "sys/storage/*" { capabilities = ["read", "update", "delete", "sudo"] }')
    number = vault.post("sys/storage/backup").data["number"]
    almost, whole = vault.token_for("almost"), vault.token_for("whole")
    for method, path in (
        ("POST", ""),
        ("GET", ""),
        ("GET", f"/{number}"),
        ("GET", f"/{number}/0"),
        ("DELETE", f"/{number}"),
    ):
        assert vault.call(method, f"sys/storage/backup{path}", token=almost).status == 403
        assert vault.call(method, f"sys/storage/backup{path}", token=whole).status in {200, 204}


def test_only_so_many_backups_are_held(vault: Vault) -> None:
    numbers = [vault.post("sys/storage/backup").data["number"] for _ in range(AT_ONCE_MAX)]
    refused = vault.post("sys/storage/backup")
    assert refused.status == 400
    assert "wait until they are through" in refused.errors[0]
    vault.delete(f"sys/storage/backup/{numbers[0]}")
    assert vault.post("sys/storage/backup").status == 200


def test_a_backup_that_nobody_asks_for_is_dropped(vault: Vault) -> None:
    number = vault.post("sys/storage/backup").data["number"]
    vault.clock.jump(IDLE_SECONDS - 1)
    assert vault.get(f"sys/storage/backup/{number}").status == 200
    vault.clock.jump(IDLE_SECONDS + 1)
    assert vault.get(f"sys/storage/backup/{number}").status == 404


def test_a_seal_drops_what_is_being_fetched(vault: Vault) -> None:
    number = vault.post("sys/storage/backup").data["number"]
    vault.node.seal()
    vault.unseal()
    assert vault.get(f"sys/storage/backup/{number}").status == 404


def test_a_backup_whose_answer_is_not_recorded_is_dropped(vault: Vault) -> None:
    vault.device.is_broken = True
    assert vault.post("sys/storage/backup").status == 500
    vault.device.is_broken = False
    assert vault.get("sys/storage/backup/1").status == 404


@pytest.mark.parametrize("path", ["0", "-1", "x", "1/x", "1/-1", "99", "99/0", "1" * 400, "1/" + "9" * 400])
def test_numbers_that_are_none_are_refused(vault: Vault, path: str) -> None:
    vault.post("sys/storage/backup")
    assert vault.get(f"sys/storage/backup/{path}").status in {400, 404}
    assert vault.failures == []


def test_the_file_on_the_server_has_no_name(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "data")
    settings = CONFIGURATION.replace('storage "inmem" {}', f'storage "sqlite" {{ path = "{tmp_path}/data" }}')
    vault = Vault(store=store, configuration=settings)
    before = {path.name for path in (tmp_path / "data").iterdir()}
    assert vault.post("sys/storage/backup").status == 200
    assert {path.name for path in (tmp_path / "data").iterdir()} - {"strongroom.db-wal"} <= before
    vault.node.close()


def test_without_space_a_backup_fails_and_the_vault_goes_on(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backups_module, "SPARE_BYTES", 1 << 62)
    failed = vault.post("sys/storage/backup")
    assert failed.status == 502
    assert "full" in failed.errors[0]
    assert vault.get("kv/s0").status == 200
    monkeypatch.undo()
    assert vault.post("sys/storage/backup").status == 200
    assert vault.failures == []


def stage_of(fetched: Fetched) -> Stage:
    """Read anew each time: another thread changes it."""
    return fetched.stage


def test_a_backup_is_not_read_before_it_is_whole() -> None:
    vault = filled_vault(secrets=6)
    backups, going_on = Backups(vault.clock, ""), threading.Event()
    node = vault.node

    def wait() -> None:
        going_on.wait(10)

    fetched = backups.begin(lambda _pace: task_of(node.require(), node.lifecycle.surroundings, wait))
    assert stage_of(fetched) is Stage.RUNNING
    with pytest.raises(NotFound):
        backups.part(fetched, 0)
    going_on.set()
    assert fetched.done.wait(10)
    assert stage_of(fetched) is Stage.COMPLETE
    assert len(backups.part(fetched, 0)) == min(PART_BYTES, fetched.written.size if fetched.written else 0)
    with pytest.raises(NotFound):
        backups.part(fetched, -1)
    backups.drop(fetched.number)
    with pytest.raises(UpstreamFailed):
        backups.part(fetched, 0)


def test_a_backup_that_is_given_up_says_so_and_frees_its_place() -> None:
    vault = filled_vault(secrets=6)
    backups, node = Backups(vault.clock, ""), vault.node
    reached, going_on = threading.Event(), threading.Event()

    def make(pace: Callable[[], None]) -> Task:
        def wait_first() -> None:
            reached.set()
            going_on.wait(10)
            pace()

        return task_of(node.require(), node.lifecycle.surroundings, wait_first)

    fetched = backups.begin(make)
    assert reached.wait(10)
    backups.drop_all()
    going_on.set()
    assert fetched.done.wait(10)
    assert fetched.stage is Stage.FAILED
    wait_until(lambda: fetched.file.closed)
    with pytest.raises(NotFound):
        backups.find(fetched.number)


def test_a_pace_rests_as_long_as_it_worked() -> None:
    clock, stopping = JumpingClock(), threading.Event()
    pace = Pace(clock, stopping)
    pace()
    stopping.set()
    clock.jump(1)
    with pytest.raises(Abandoned):
        pace()


def test_a_folder_that_is_gone_is_told(tmp_path: Path) -> None:
    vault = filled_vault(secrets=1)
    backups = Backups(vault.clock, str(tmp_path / "nowhere"))
    with pytest.raises(UpstreamFailed):
        backups.begin(lambda pace: task_of(vault.node.require(), vault.node.lifecycle.surroundings, pace))


def test_the_snapshots_of_raft_are_not_imitated(vault: Vault) -> None:
    for method in ("GET", "POST"):
        assert vault.call(method, "sys/storage/raft/snapshot").status == 404


def test_without_a_schedule_the_status_says_so(vault: Vault) -> None:
    status = vault.get("sys/storage/backup").data
    assert status["enabled"] is False
    assert (status["interval"], status["keep"], status["last_success"], status["next"]) == (None, None, None, None)


def test_no_value_of_the_vault_stands_in_the_records_of_a_backup(vault: Vault) -> None:
    before = len(vault.device.records)
    made = vault.post("sys/storage/backup").data
    vault.get(f"sys/storage/backup/{made['number']}/0")
    records = vault.device.records[before:]
    assert json.dumps(records).count("hmac-sha256") > 0
    assert records[-1]["response"]["data"]["http_raw_body"].startswith("hmac-sha256:")
