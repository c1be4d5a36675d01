"""SECURITY A8: rekeying and root tokens, comparisons, files, what the API may name, and the cipher."""

from __future__ import annotations

import ast
import contextlib
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.agent.proxy.test_gate import AS_ROOT, NOBODY, as_other, running
from tests.anomalies.scene import expect, stored, vault_with_kv
from tests.kit import SeededEntropy, Vault
from tests.processes import Result, ServerProcess
from tests.tidy.rules import RULES
from tests.tidy.source import SOURCE, load

from strongroom.agent.folders import OutputFolders
from strongroom.agent.output_file import OutputFile
from strongroom.client.errors import BadSettings
from strongroom.client.token_helper import TokenHelper
from strongroom.delivery.private_file import CannotWrite
from strongroom.logical.secret import Secret
from strongroom.physical.memory import MemoryStore, _State
from strongroom.physical.store import Record


def members(result: Result) -> dict[str, Any]:
    body = expect(result).body
    assert body is not None
    return body.get("data") or body


def test_row_091_cve_2025_4656_a_stranger_neither_starts_nor_stops_a_rekey_or_a_new_root_token() -> None:
    vault = Vault(shares=3, threshold=2)
    rekey = members(vault.call("PUT", "sys/rekey/init", {"secret_shares": 2, "secret_threshold": 2}))["nonce"]
    root = members(vault.call("PUT", "sys/generate-root/attempt", {}))
    vault.device.written.clear()
    attempts = [
        (method, path, token)
        for token in (None, vault.token_for("default"))
        for path in ("sys/rekey/init", "sys/rekey/verify", "sys/rotate/root/init", "sys/generate-root/attempt")
        for method in ("DELETE", "PUT")
    ]
    for _ in range(3):
        for method, path, token in attempts:
            assert vault.call(method, path, {} if method == "PUT" else None, token=token).status == 403
    assert len([one for one in vault.device.records if one["type"] == "request"]) == 1 + 3 * len(attempts)
    for share in vault.shares[:2]:
        made = members(vault.call("PUT", "sys/rekey/update", {"key": share, "nonce": rekey}))
    assert made["complete"] is True
    for share in made["keys"][:2]:
        done = members(vault.call("PUT", "sys/generate-root/update", {"key": share, "nonce": root["nonce"]}))
    assert done["complete"] is True


def test_row_092_cve_2026_63132_no_secret_is_compared_with_an_equals_sign() -> None:
    constant_time = [rule for rule in RULES if "constant time" in rule.sentence]
    assert len(constant_time) >= 2
    found = [str(finding) for rule in constant_time for module in load(SOURCE) for finding in rule.findings(module)]
    assert found == []


@pytest.mark.parametrize("token", ["tök", "s.", "root", "a" * 9000, "a b", "\u202e", "*", "srs.", "srb.", "srb.AAAA"])
def test_row_092_a_token_of_any_letters_is_denied_and_never_a_failure(token: str) -> None:
    vault = vault_with_kv()
    for headers in ({"x-vault-token": token}, {"authorization": f"Bearer {token}"}):
        assert vault.get("kv/x", token=None, headers=headers).status == 403
    assert vault.post("auth/token/lookup", {"token": token}).status in {400, 403}
    assert vault.post("sys/wrapping/unwrap", {"token": token}).status == 400
    assert vault.failures == []


def test_row_094_cve_2021_38553_every_file_is_closed_to_others_whatever_the_umask(server: ServerProcess) -> None:
    assert server.call("POST", "kv/a", {"k": "v"}).status == 204
    below = list((server.folder / "data").rglob("*"))
    files = [path for path in below if not path.is_dir()]
    assert len(files) >= 2  # the database and its write-ahead log
    assert {stat.S_IMODE(path.stat().st_mode) for path in (*files, server.audit_file)} == {0o600}
    folders = [server.folder / "data", *(path for path in below if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o700}


def test_row_094_a_data_folder_that_is_open_to_others_is_refused(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    data.chmod(0o755)
    configuration = tmp_path / "server.hcl"
    configuration.write_text(
        f'storage "sqlite" {{ path = "{data}" }}\nlistener "tcp" {{ address = "127.0.0.1:1"\n tls_disable = true }}\n'
    )
    command = [sys.executable, "-m", "strongroom", "server", f"-config={configuration}"]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode != 0
    assert f"chmod 700 {data}" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("name", ["file_path", "path"])
def test_row_095_cve_2025_6000_the_api_puts_an_audit_file_nowhere_but_where_it_may(tmp_path: Path, name: str) -> None:
    logs, outside = tmp_path / "logs", tmp_path / "outside"
    for folder in (logs, outside):
        folder.mkdir(mode=0o700)
    (logs / "link").symlink_to(outside)
    (logs / "file-link").symlink_to(outside / "planted")
    listener = 'listener "tcp" { tls_disable = true }'
    vault = Vault(
        configuration=f'storage "inmem" {{}}\n{listener}\nunsafe_allow_api_audit_creation = true\n'
        f'audit_paths_allowed = ["{logs}"]\n'
    )

    def enable(path: str, **options: str) -> int:
        return vault.post("sys/audit/new", {"type": "file", "options": {name: path, **options}}).status

    hostile = [
        f"{outside}/plugin",
        "/etc/cron.d/x",
        f"{logs}/../outside/x",
        f"{logs}/link/x",
        f"{logs}/file-link",
        f"{logs}x/y",
        "relative",
        "",
        f"{logs}/",
        f"{logs}/a\nb",
    ]
    assert [enable(path) for path in hostile] == [400] * len(hostile)
    more: list[dict[str, str]] = [
        {"prefix": "#!/bin/sh\n"},
        {"prefix": "x"},
        {"mode": "0777"},
        {"mode": "0700"},
        {"log_raw": "true"},
        {"format": "jsonx"},
        {"unheard_of": "x"},
    ]
    assert [enable(f"{logs}/a.log", **options) for options in more] == [400] * len(more)
    assert vault.post("sys/audit/new", {"type": "socket", "options": {"address": "127.0.0.1:1"}}).status == 400
    assert list(outside.iterdir()) == []
    assert enable(f"{logs}/a.log") == 204
    vault.get("sys/mounts")
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in logs.glob("*.log")} == {"a.log": 0o600}


def test_row_095_without_leave_the_api_enables_no_audit_device_at_all(tmp_path: Path) -> None:
    vault = Vault(configuration='storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n')
    options = {"file_path": str(tmp_path / "audit.log")}
    assert vault.post("sys/audit/new", {"type": "file", "options": options}).status == 400
    assert list(tmp_path.iterdir()) == []


def test_row_100_cve_2023_2197_every_changed_byte_of_a_record_gives_the_same_error() -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": "1"}))
    (key,) = [key for key in stored(vault) if key.endswith("/v1/x")]
    assert isinstance(vault.store, MemoryStore)
    original = stored(vault)[key]
    answers = set()
    for place in range(len(original.value)):
        changed = bytearray(original.value)
        changed[place] ^= 0x01
        _replace(vault.store, key, Record(original.version, bytes(changed)))
        answer = vault.get("kv/x")
        answers.add((answer.status, answer.raw))
    for value in (b"", original.value[:-1], original.value + b"\0", original.value[:20]):
        _replace(vault.store, key, Record(original.version, value))
        answer = vault.get("kv/x")
        answers.add((answer.status, answer.raw))
    assert len(answers) == 1
    assert answers.pop()[0] == 500
    _replace(vault.store, key, original)
    assert vault.get("kv/x").data == {"a": "1"}


def _replace(store: MemoryStore, key: str, record: Record) -> None:
    store._state = _State({**store._state.records, key: record}, store._state.order)


def test_row_100_no_cipher_but_an_authenticated_one_is_imported() -> None:
    primitives = "cryptography.hazmat.primitives.ciphers"
    found = {
        f"{node.module}.{alias.name}"
        for module in load(SOURCE)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(primitives)
        for alias in node.names
    }
    assert found == {f"{primitives}.aead.AESGCM"}


class FailingEntropy(SeededEntropy):
    """Random bytes that run dry: an exception, or too few of them."""

    mode = "good"

    def bytes(self, count: int) -> bytes:
        if self.mode == "raises":
            raise OSError("no random bytes")
        drawn = super().bytes(count)
        return drawn[:-1] if self.mode == "short" else drawn

    def fill(self, buffer: bytearray) -> None:
        drawn = self.bytes(len(buffer))
        if len(drawn) != len(buffer):
            raise OSError("too few random bytes")
        buffer[:] = drawn


@pytest.mark.parametrize("mode", ["raises", "short"])
def test_row_101_without_good_random_bytes_nothing_is_stored(mode: str) -> None:
    entropy = FailingEntropy()
    vault = vault_with_kv(entropy=entropy)
    expect(vault.post("kv/x", {"a": "1"}))
    before = stored(vault)
    entropy.mode = mode
    for path in ("kv/x", "secret/data/x", "cubbyhole/x"):
        assert vault.post(path, {"data": {"a": "2"}}).status == 500
    made = vault.post("auth/token/create", {"policies": ["default"]})
    assert made.status == 500
    entropy.mode = "good"
    assert stored(vault) == before
    assert vault.get("kv/x").data == {"a": "1"}
    records = [(record["type"], record["request"]["path"]) for record in vault.device.records[-10:-2]]
    assert records[0::2] == [("request", path) for _, path in records[1::2]]
    assert records[1::2] == [("response", path) for _, path in records[0::2]]


def test_row_101_no_two_records_are_encrypted_with_the_same_nonce() -> None:
    vault = vault_with_kv()
    for number in range(200):
        expect(vault.post("kv/same", {"a": "1"}))
        expect(vault.post(f"kv/{number}", {"a": "1"}))
    values = [record.value for key, record in stored(vault).items() if key != "core/epoch"]
    assert len(values) == len(set(values))


def test_row_104_cve_2020_17455_the_kept_token_is_closed_to_others_and_follows_no_link(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    kept = tmp_path / "kept"
    kept.symlink_to(victim)
    old_umask = os.umask(0)
    try:
        TokenHelper({"HOME": str(tmp_path), "VAULT_TOKEN_PATH": str(kept)}).store(Secret("s.token"))
    finally:
        os.umask(old_umask)
    assert victim.read_text() == "untouched"
    assert not kept.is_symlink()
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with pytest.raises(BadSettings):
        TokenHelper({"HOME": str(tmp_path), "VAULT_TOKEN_HELPER": "relative/program"}).get()


@pytest.mark.parametrize("target", ["link", "folder/file", "folder/../file", "file"])
def test_row_104_a_file_of_the_agent_goes_where_it_was_told_and_nowhere_else(tmp_path: Path, target: str) -> None:
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(victim)
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    old_umask = os.umask(0)
    try:
        with contextlib.suppress(CannotWrite):
            OutputFile(f"{tmp_path}/{target}", 0o600, OutputFolders()).write(b"a token")
    finally:
        os.umask(old_umask)
    assert victim.read_text() == "untouched"
    written = [path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes() == b"a token"]
    assert written == ([tmp_path / "file"] if target == "file" else [])
    assert [stat.S_IMODE(path.lstat().st_mode) for path in written] == [0o600] * len(written)


@AS_ROOT
def test_row_104_the_agent_serves_nobody_whom_the_kernel_does_not_vouch_for(open_folder: Path) -> None:
    with running(open_folder) as (bench, end):
        Path(bench.path).chmod(0o666)
        assert as_other(NOBODY, bench.path) in {"closed", "ConnectionResetError", "BrokenPipeError"}
        assert end.received == []
        assert bench.call("GET", "secret/app").status == 200


@pytest.mark.parametrize(
    "text", ["@/etc/passwd", "/etc/passwd", "file:///etc/passwd", "../../etc/passwd", "env://HOME", "{{file}}"]
)
def test_row_124_cve_2025_49829_a_value_that_reads_like_a_file_is_a_value(text: str) -> None:
    vault = vault_with_kv()
    expect(vault.post("kv/x", {"a": text}))
    assert vault.get("kv/x").data == {"a": text}
    expect(vault.post("sys/auth/approle", {"type": "approle"}))
    expect(vault.post("auth/approle/role/app", {"token_policies": ["default"], "role_id": text}))
    assert vault.get("auth/approle/role/app/role-id").data == {"role_id": text}
    assert vault.post("sys/policies/acl/p", {"policy": text}).status in {204, 400}
    assert vault.post("sys/mounts/new", {"type": text}).status == 400
    assert vault.post("sys/auth/new", {"type": text, "plugin_name": text}).status == 400
