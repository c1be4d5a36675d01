from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.cli.conftest import CommandLine, InThisProcess, Server, environment


@pytest.fixture
def line(sealed_server: Server, tmp_path: Path) -> CommandLine:
    """Our command line before a server that was never initialized."""
    return InThisProcess(("strongroom",), environment(sealed_server, tmp_path))


def test_the_life_of_a_server_from_init_to_seal(line: CommandLine) -> None:
    assert line("status").exit_code == 2
    assert line("operator", "init", "-status").exit_code == 2
    founded = json.loads(line.value("operator", "init", "-n=3", "-t=2", "-format=json"))
    assert founded.keys() == {
        *("unseal_keys_b64", "unseal_keys_hex", "unseal_shares", "unseal_threshold", "recovery_keys_b64"),
        *("recovery_keys_hex", "recovery_keys_shares", "recovery_keys_threshold", "root_token"),
    }
    first, second, _ = founded["unseal_keys_b64"]
    assert line("operator", "init").exit_code == 2
    assert json.loads(line.value("operator", "unseal", "-format=json", "-", stdin=first + "\n"))["progress"] == 1
    assert "Unseal Progress    0/2" in line.value("operator", "unseal", "-reset")
    line.value("operator", "unseal", "-", stdin=first)
    assert "Sealed          false" in line.value("operator", "unseal", founded["unseal_keys_hex"][1])
    assert line("status").exit_code == 0
    line.environ["VAULT_TOKEN"] = founded["root_token"]
    share = rekeyed(line, [first, second])
    token = new_root(line, share)
    line.environ["STRONGROOM_TOKEN"] = token
    assert json.loads(line.value("token", "lookup", "-format=json"))["data"]["policies"] == ["root"]
    assert "Key Term            2" in line.value("operator", "rotate")
    audited(line)
    assert line("operator", "seal").exit_code == 0
    assert line("status").exit_code == 2
    assert "Vault is sealed" in line("kv", "get", "secret/a").err


def rekeyed(line: CommandLine, shares: list[str]) -> str:
    assert "Started    false" in line.value("operator", "rekey", "-status")
    begun = json.loads(line.value("operator", "rekey", "-init", "-key-shares=1", "-key-threshold=1", "-format=json"))
    assert "Missing nonce" in line("operator", "rekey", shares[0]).err
    nonce = begun["nonce"]
    assert "Progress                 1/2" in line.value("operator", "rekey", f"-nonce={nonce}", "-", stdin=shares[0])
    done = json.loads(line.value("operator", "rekey", f"-nonce={nonce}", "-format=json", "-", stdin=shares[1]))
    assert done["complete"]
    assert line("operator", "rekey", f"-nonce={nonce}", "-", stdin=shares[1]).exit_code == 1
    share: str = done["keys_base64"][0]
    return share


def new_root(line: CommandLine, share: str) -> str:
    line.value("operator", "generate-root", "-init")
    assert line("operator", "generate-root", "-init").exit_code == 2
    line.value("operator", "generate-root", "-cancel")
    otp = line.value("operator", "generate-root", "-generate-otp")
    begun = json.loads(line.value("operator", "generate-root", "-init", f"-otp={otp}", "-format=json"))
    words = ("operator", "generate-root", f"-nonce={begun['nonce']}", "-format=json", "-")
    done = json.loads(line.value(*words, stdin=share))
    assert done["complete"]
    wrong = line("operator", "generate-root", f"-decode={done['encoded_token']}", "-otp=short")
    assert (wrong.exit_code, wrong.out) == (1, "")
    return line.value("operator", "generate-root", "-decode=-", f"-otp={otp}", stdin=done["encoded_token"])


def audited(line: CommandLine) -> None:
    assert line("audit", "list").exit_code == 2
    line.value(
        "audit", "enable", "-path=other", "-description=why", "file", f"file_path={line.environ['HOME']}/audit.log"
    )
    assert line.value("audit", "list").splitlines()[2].split() == ["other/", "file", "why"]
    assert json.loads(line.value("audit", "list", "-format=json"))["other/"]["type"] == "file"
    line.value("audit", "disable", "other")


def test_a_share_is_never_required_on_the_command_line(line: CommandLine) -> None:
    done = line("operator", "unseal")
    assert done.exit_code == 1
    assert "operator unseal - <share.txt" in done.err
