"""``audit verify`` by its exit codes and outputs; what it finds is tested in tests/evidence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.evidence.logs import LoggedVault

from strongroom.cli.main import main


@pytest.fixture
def vault(tmp_path: Path) -> LoggedVault:
    vault = LoggedVault(tmp_path)
    vault.work()
    vault.log()
    (tmp_path / "key.pem").write_text(vault.vault.get("sys/audit-key").data["public_key"], encoding="ascii")
    (tmp_path / "anchor.json").write_text(json.dumps(vault.vault.get("sys/audit-anchor").data), encoding="ascii")
    vault.log()
    return vault


def run(*words: str) -> int:
    with pytest.raises(SystemExit) as ended:
        raise SystemExit(main(["audit", "verify", *words]))
    return int(ended.value.code or 0)


def test_an_intact_log_ends_with_0(vault: LoggedVault, capsys: pytest.CaptureFixture[str]) -> None:
    folder = vault.folder
    assert run(f"-public-key={folder}/key.pem", f"-anchor={folder}/anchor.json", str(vault.file)) == 0
    assert capsys.readouterr().out.startswith("intact: ")


def test_a_broken_log_ends_with_1_and_says_where(vault: LoggedVault, capsys: pytest.CaptureFixture[str]) -> None:
    lines = vault.file.read_bytes().splitlines(keepends=True)
    vault.file.write_bytes(b"".join(lines[:3] + lines[4:]))
    assert run(f"-public-key={vault.folder}/key.pem", str(vault.file)) == 1
    assert f"DELETED  {vault.file}:4 (line 4 of its chain)" in capsys.readouterr().out
    assert run("-format=json", f"-public-key={vault.folder}/key.pem", str(vault.file)) == 1
    report = json.loads(capsys.readouterr().out)
    assert (report["verdict"], report["findings"][0]["kind"]) == ("broken", "deleted")


def test_what_cannot_be_told_ends_with_2(
    vault: LoggedVault, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(str(vault.file)) == 2
    assert "-public-key" in capsys.readouterr().out
    assert run(str(tmp_path / "nothing.log")) == 2
    assert "cannot read" in capsys.readouterr().err
    assert run(f"-public-key={vault.file}", str(vault.file)) == 2
    assert "Ed25519" in capsys.readouterr().err
    assert run(f"-anchor={vault.folder}/key.pem", str(vault.file)) == 2
    assert "anchor" in capsys.readouterr().err
