from __future__ import annotations

import io
import threading

import pytest
from tests.backup.origins import backup_of, examine, filled_vault, frames_of, root_key_of
from tests.kit import Vault

from strongroom.backup.damage import BadBackup, Damage
from strongroom.backup.examination import Examination
from strongroom.backup.reading import KeyedReader
from strongroom.backup.writing import write_backup
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.errors import Sealed
from strongroom.system.backups import task_of


@pytest.fixture(scope="module")
def vault() -> Vault:
    return filled_vault()


def test_a_backup_holds_every_row_of_the_store(vault: Vault) -> None:
    content, written = backup_of(vault)
    with vault.store.snapshot() as snapshot:
        rows = list(snapshot.entries())
    root_key = root_key_of(vault)
    reader = KeyedReader(io.BytesIO(content), root_key)
    assert list(reader.rows()) == rows
    assert reader.manifest == written.manifest
    assert written.manifest.records == len(rows)
    assert written.manifest.chunks > 2
    assert written.size == len(content)
    assert reader.checksum == written.checksum


def test_nothing_of_the_vault_stands_in_clear_but_who_it_is(vault: Vault) -> None:
    content, written = backup_of(vault)
    for hidden in (b"kv/", b"core/", b"logical/", b"root/", b"secret", vault.root.encode(), bytes(root_key_of(vault))):
        assert hidden not in content
    assert written.header.vault.encode() in content


def test_a_genuine_backup_is_consistent_and_shows_what_is_asked_for(vault: Vault) -> None:
    content, written = backup_of(vault)
    examined = examine(content, vault, "core/policy/", "core/vault")
    assert examined.checksum == written.checksum
    assert "core/policy/default" in examined.kept
    assert all(key.startswith(("core/policy/", "core/vault")) for key in examined.kept)
    assert examine(content, vault).kept == {}


def test_two_backups_have_nothing_in_common(vault: Vault) -> None:
    one, other = frames_of(backup_of(vault)[0]), frames_of(backup_of(vault)[0])
    assert one[0].salt != other[0].salt
    assert one[1][0].content[:32] != other[1][0].content[:32]


@pytest.mark.parametrize("key", [bytes(32), b"\1" * 32])
def test_another_key_opens_nothing(vault: Vault, key: bytes) -> None:
    with pytest.raises(BadBackup) as caught:
        Examination(bytearray(key), SystemClock(), SystemEntropy()).run(io.BytesIO(backup_of(vault)[0]))
    assert caught.value.damage is Damage.FORGED


def test_a_backup_under_four_writers_is_one_committed_state() -> None:
    vault = filled_vault(secrets=20)
    stopping, begun, acknowledged, failures = threading.Event(), [0] * 4, [0] * 4, []

    def write(writer: int) -> None:
        number = 0
        barrier = vault.node.require().barrier
        while not stopping.is_set():
            number += 1
            begun[writer] = number
            try:
                with barrier.transaction() as transaction:
                    # Two keys in one commit: a state in which they differ was never committed.
                    transaction.put(f"test/{writer}/one", b"%d" % number)
                    transaction.put(f"test/{writer}/two", b"%d" % number)
                    barrier.commit(transaction)
            except Exception as failure:  # noqa: BLE001 -- the test fails with it
                failures.append(failure)
                return
            acknowledged[writer] = number

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(8):
            before = list(acknowledged)
            content, _ = backup_of(vault)
            after = list(begun)
            kept = examine(content, vault, "test/").kept
            for writer in range(4):
                if not before[writer] and f"test/{writer}/one" not in kept:
                    continue
                one = kept[f"test/{writer}/one"]
                assert one == kept[f"test/{writer}/two"]
                assert before[writer] <= int(one) <= after[writer]
    finally:
        stopping.set()
        for thread in threads:
            thread.join()
    assert failures == []
    assert min(acknowledged) > 0


def test_a_sealed_vault_is_not_backed_up() -> None:
    vault = filled_vault(secrets=1)
    task = task_of(vault.node.require(), vault.node.lifecycle.surroundings, lambda: None)
    vault.node.seal()
    with pytest.raises(Sealed):
        write_backup(task, lambda _content: None)


def test_no_more_than_a_chunk_and_a_row_is_held(vault: Vault) -> None:
    sizes: list[int] = []
    task = task_of(vault.node.require(), vault.node.lifecycle.surroundings, lambda: None)
    write_backup(task, lambda content: sizes.append(len(content)))
    assert max(sizes) < 262_144 + 100
