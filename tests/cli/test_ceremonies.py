"""The ceremonies of the vault's own keys, as operators go through them: over the command line, to a server of its own."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import PROGRAM, SEALED_IS_READY, CommandLine, InThisProcess, Server, environment, running
from tests.pgp import Person
from tests.processes import free_port


@pytest.fixture
def line(sealed_server: Server, tmp_path: Path) -> CommandLine:
    """Our command line before a server that was never initialized."""
    return InThisProcess(("strongroom",), environment(sealed_server, tmp_path))


@pytest.fixture(scope="module")
def people() -> tuple[Person, Person]:
    return Person("ada"), Person("ben")


def key_file(folder: Path, person: Person, name: str) -> str:
    """The person's public key in a file, in binary form."""
    path = folder / name
    path.write_bytes(base64.b64decode(person.public))
    return str(path)


def told(line: CommandLine, *words: str, stdin: str = "") -> dict[str, Any]:
    """The answer of a command that must succeed, as JSON."""
    answer: dict[str, Any] = json.loads(line.value(*words, "-format=json", stdin=stdin))
    return answer


def founded(line: CommandLine, *more: str) -> list[str]:
    """A new vault of one share, unsealed, whose root token the command line has."""
    made = told(line, "operator", "init", "-n=1", "-t=1", *more)
    line.value("operator", "unseal", "-", stdin=made["unseal_keys_b64"][0])
    line.environ["VAULT_TOKEN"] = made["root_token"]
    return list(made["unseal_keys_b64"])


def opens_with(line: CommandLine, *shares: str) -> bool:
    """Whether a sealed vault opens with these shares."""
    line.value("operator", "seal")
    done = [line("operator", "unseal", "-", stdin=share) for share in shares]
    is_open = line("status").exit_code == 0
    if not is_open:
        line("operator", "unseal", "-reset")
    return is_open and all(one.exit_code == 0 for one in done)


def test_shares_and_root_token_leave_the_initialization_for_their_keepers_alone(
    line: CommandLine, tmp_path: Path, people: tuple[Person, Person]
) -> None:
    ada, ben = people
    files = f"{key_file(tmp_path, ada, 'ada.pgp')},{key_file(tmp_path, ben, 'ben.pgp')}"
    words = ("operator", "init", "-n=2", "-t=2", f"-pgp-keys={files}", f"-root-token-pgp-key={tmp_path}/ben.pgp")
    made = told(line, *words)
    shares = [
        person.read(base64.b64decode(message)).decode()
        for person, message in zip(people, made["unseal_keys_b64"], strict=True)
    ]
    for share in shares:
        line.value("operator", "unseal", "-", stdin=share)
    line.environ["VAULT_TOKEN"] = ben.read(base64.b64decode(made["root_token"])).decode()
    assert told(line, "token", "lookup")["data"]["policies"] == ["root"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("missing.pgp", None, "no such file"),
        ("empty.pgp", b"", "empty"),
        ("noise.pgp", b"this is no key at all", "PGP key"),
    ],
)
def test_a_file_without_a_key_stops_the_ceremony_before_it_begins(
    line: CommandLine, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    done = line("operator", "init", "-n=1", "-t=1", f"-pgp-keys={tmp_path}/{name}")
    assert done.exit_code != 0
    assert said in done.err
    assert line("operator", "init", "-status").exit_code == 2


def test_new_shares_are_encrypted_kept_as_a_copy_and_tried_before_they_count(
    line: CommandLine, tmp_path: Path, people: tuple[Person, Person]
) -> None:
    [old] = founded(line)
    files = ",".join(key_file(tmp_path, person, f"{number}.pgp") for number, person in enumerate(people))
    begin = ("operator", "rekey", "-init", "-n=2", "-t=2", f"-pgp-keys={files}", "-backup", "-require-verification")
    begun = told(line, *begin)
    assert begun["pgp_fingerprints"] == [person.fingerprint.lower() for person in people]
    assert (begun["backup"], begun["verification_required"]) == (True, True)
    assert line(*begin).exit_code != 0
    done = told(line, "operator", "rekey", f"-nonce={begun['nonce']}", "-", stdin=old)
    messages = done["keys_base64"]
    shares = [person.read(base64.b64decode(message)).decode() for person, message in zip(people, messages, strict=True)]
    kept = told(line, "operator", "rekey", "-backup-retrieve")["keys_base64"]
    assert kept == {person.fingerprint.lower(): [message] for person, message in zip(people, messages, strict=True)}
    assert opens_with(line, old), "the old share counts until the new ones were tried"
    # A sealing ends the attempt: it begins again, and is verified this time.
    begun = told(line, *begin)
    done = told(line, "operator", "rekey", f"-nonce={begun['nonce']}", "-", stdin=old)
    shares = [
        person.read(base64.b64decode(message)).decode()
        for person, message in zip(people, done["keys_base64"], strict=True)
    ]
    nonce = done["verification_nonce"]
    verification = line.value("operator", "rekey", "-status", "-verify")
    assert nonce in verification
    assert "Required" not in verification
    line.value("operator", "rekey", "-verify", f"-nonce={nonce}", "-", stdin=shares[0])
    assert "were tried" in line.value("operator", "rekey", "-verify", f"-nonce={nonce}", "-", stdin=shares[1])
    line.value("operator", "rekey", "-backup-delete")
    assert line("operator", "rekey", "-backup-retrieve").exit_code == 2
    assert not opens_with(line, old)
    for share in shares:
        line.value("operator", "unseal", "-", stdin=share)
    assert line("status").exit_code == 0


def test_a_rekey_that_is_cancelled_leaves_the_shares_as_they_were(line: CommandLine) -> None:
    [old] = founded(line)
    begun = told(line, "operator", "rekey", "-init", "-n=3", "-t=2", "-require-verification")
    told(line, "operator", "rekey", f"-nonce={begun['nonce']}", "-", stdin=old)
    line.value("operator", "rekey", "-cancel", "-verify")
    line.value("operator", "rekey", "-cancel")
    assert told(line, "operator", "rekey", "-status")["started"] is False
    assert opens_with(line, old)


def test_another_root_key_changes_nothing_for_anybody(line: CommandLine) -> None:
    [share] = founded(line)
    line.value("secrets", "enable", "-path=kv", "kv")
    line.value("kv", "put", "-mount=kv", "a", "value=-", stdin="kept")
    assert "Rotated the root key" in line.value("operator", "rotate-root")
    assert line("operator", "rotate-root", "surplus").exit_code == 1
    assert opens_with(line, share)
    assert line.value("kv", "get", "-mount=kv", "-field=value", "a") == "kept"
    assert line("operator", "rotate-root", VAULT_TOKEN="srs.nobody").exit_code == 2


def test_a_new_root_token_leaves_for_its_keeper_alone(
    line: CommandLine, tmp_path: Path, people: tuple[Person, Person]
) -> None:
    [share] = founded(line)
    ada = people[0]
    file = key_file(tmp_path, ada, "ada.pgp")
    both = line("operator", "generate-root", "-init", f"-pgp-key={file}", "-otp=abc")
    assert "both -otp and -pgp-key" in both.err
    begun = told(line, "operator", "generate-root", "-init", f"-pgp-key=@{file}")
    assert begun["pgp_fingerprint"] == ada.fingerprint.lower()
    assert not begun["otp"]
    done = told(line, "operator", "generate-root", f"-nonce={begun['nonce']}", "-", stdin=share)
    line.environ["VAULT_TOKEN"] = ada.read(base64.b64decode(done["encoded_token"])).decode()
    assert told(line, "token", "lookup")["data"]["policies"] == ["root"]


class Host:
    """A server over a folder, whose configuration changes between its starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()

    @contextmanager
    def server(self, seal: str = "") -> Iterator[CommandLine]:
        config = self.folder / "server.hcl"
        config.write_text(
            f'storage "sqlite" {{ path = "{self.folder}/data" }}\n'
            f'listener "tcp" {{\n  address = "127.0.0.1:{self.port}"\n  tls_disable = true\n}}\n{seal}'
        )
        address = Server(f"http://127.0.0.1:{self.port}", "")
        with running([*PROGRAM, f"-config={config}"], ready=SEALED_IS_READY):
            yield InThisProcess(("strongroom",), environment(address, self.folder))


def test_a_vault_of_shares_learns_to_unseal_itself_and_unlearns_it(tmp_path: Path) -> None:
    key = tmp_path / "seal.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    static = f'seal "static" {{\n  current_key_id = "one"\n  current_key = "file://{key}"\n%s}}\n'
    host = Host(tmp_path)
    with host.server() as line:
        made = told(line, "operator", "init", "-n=2", "-t=2")
        first, second = made["unseal_keys_b64"]
    with host.server(static % "") as line:
        assert line("status").exit_code == 2
        assert "migrat" in line("operator", "unseal", "-", stdin=first).err
        line.value("operator", "unseal", "-migrate", "-", stdin=first)
        line.value("operator", "unseal", "-migrate", "-", stdin=second)
        assert line("status").exit_code == 0
    with host.server(static % "") as line:
        assert line("status").exit_code == 0
        line.environ["VAULT_TOKEN"] = made["root_token"]
        assert told(line, "token", "lookup")["data"]["policies"] == ["root"]
    with host.server(static % '  disabled = "true"\n') as line:
        assert line("status").exit_code == 2
        for share in (first, second):
            line.value("operator", "unseal", "-migrate", "-", stdin=share)
        assert line("status").exit_code == 0
    with host.server() as line:
        for share in (first, second):
            line.value("operator", "unseal", "-", stdin=share)
        assert line("status").exit_code == 0
