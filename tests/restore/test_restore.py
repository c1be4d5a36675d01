"""A backup becomes the vault that it was, ahead of everything that is known, or nothing happens at all."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integrity.conftest import inspect
from tests.kit import Vault
from tests.restore.sites import Site, run_cli

OPEN_GENERATE_ROOT = """
listener "unix" {
  address = "SOCKET"
  disable_unauthed_generate_root_endpoints = false
}
"""


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path / "one")


@pytest.fixture
def empty(site: Site, tmp_path: Path) -> Site:
    """A second host, that has the shares and nothing else."""
    other = Site(tmp_path / "two", OPEN_GENERATE_ROOT.replace("SOCKET", str(tmp_path / "socket")))
    del site
    return other


def lost(site: Site, other: Site) -> tuple[Vault, Path]:
    """A vault with its backup, whose shares the other host gets."""
    vault = site.found()
    file = site.save(vault)
    other.shares, other.root = site.shares, site.root
    return vault, file


def test_an_empty_host_becomes_the_vault_that_it_was(site: Site, empty: Site) -> None:
    vault, file = lost(site, empty)
    vault.post("kv/a", {"value": "after the backup"})
    done = empty.restore(file)
    assert done.exit_code == 0, done
    assert "every token is invalid now" in done.out
    again = empty.unsealed()
    again.root = empty.new_root(again)
    assert again.get("kv/a").data == {"value": "first"}
    assert again.post("kv/b", {"value": "it can be written"}).status == 204
    assert inspect(again) == [("anchor-missing", "")]  # it was lost with the host
    assert again.failures == []
    assert again.node.require().cluster_id == vault.node.require().cluster_id
    assert sorted(path.name for path in empty.data.iterdir() if path.is_dir()) == []


def test_no_token_of_before_is_good_after_a_restore(site: Site, empty: Site) -> None:
    vault = site.found()
    vault.write_policy("reader", 'path "kv/*" { capabilities = ["read"] }')
    good, revoked = vault.token_for("reader"), vault.token_for("reader")
    batch = vault.token_for("reader", type="batch")
    wrapped = vault.post("sys/wrapping/wrap", {"value": "x"}, wrap_ttl="1h").body
    assert wrapped is not None
    vault.post("cubbyhole/mine", {"value": "x"}, token=good)
    file = site.save(vault)
    vault.post("auth/token/revoke", {"token": revoked})
    empty.shares, empty.root = site.shares, site.root
    assert empty.restore(file).exit_code == 0
    again = empty.unsealed()
    for token in (site.root, good, revoked, batch, wrapped["wrap_info"]["token"]):
        assert again.get("kv/a", token=token).status == 403
    assert again.post("sys/wrapping/unwrap", {"token": wrapped["wrap_info"]["token"]}, token=None).status == 400
    with again.node.require().barrier.transaction() as transaction:
        left = [key for key in transaction.scan("core/token/") if key != "core/token/keys"]
        drawers = [key for key in transaction.scan("logical/") if "mine" in key]
    assert (left, drawers) == ([], [])
    again.root = empty.new_root(again)
    assert again.get("kv/a").status == 200


def test_tokens_are_kept_where_the_operator_wants_it(site: Site, empty: Site) -> None:
    vault = site.found()
    kept, revoked = vault.token_for("default"), vault.token_for("default")
    file = site.save(vault)
    vault.post("auth/token/revoke", {"token": revoked})
    empty.shares, empty.root = site.shares, site.root
    done = empty.restore(file, "-keep-tokens")
    assert done.exit_code == 0
    assert "revoked since the backup are valid again" in done.out
    again = empty.unsealed()
    assert again.get("auth/token/lookup-self", token=kept).status == 200
    assert again.get("auth/token/lookup-self", token=revoked).status == 200


def test_kept_tokens_that_the_data_of_before_does_not_hold_stay_revoked(site: Site) -> None:
    vault = site.found()
    kept, revoked = vault.token_for("default"), vault.token_for("default")
    vault.post("cubbyhole/mine", {"value": "x"}, token=revoked)
    file = site.save(vault)
    vault.post("auth/token/revoke", {"token": revoked})
    vault.node.close()
    done = site.restore(file, "-keep-tokens", "-force")
    assert done.exit_code == 0, done
    assert "but for 1" in done.out
    again = site.unsealed()
    assert again.get("auth/token/lookup-self", token=kept).status == 200
    assert again.get("auth/token/lookup-self", token=revoked).status == 403
    assert again.get("kv/a").data == {"value": "first"}
    with again.node.require().barrier.transaction() as transaction:
        assert [key for key in transaction.scan("logical/") if "mine" in key] == []


def revoked_after_a_backup_and(site: Site, change: Callable[[Vault], None]) -> tuple[Path, str, str]:
    """A backup, a token that was revoked after it, and one that was not; ``change`` happened to the vault's keys meanwhile."""
    vault = site.found()
    kept, revoked = vault.token_for("default"), vault.token_for("default")
    file = site.save(vault)
    vault.post("auth/token/revoke", {"token": revoked})
    change(vault)
    for _ in range(5):
        vault.post("kv/a", {"value": "later"})
    vault.node.close()
    return file, kept, revoked


def another_root_key(vault: Vault) -> None:
    assert vault.post("sys/rotate/root", {}).status in {200, 204}


def other_shares(vault: Vault) -> None:
    begun = vault.post("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1}).body or {}
    for share in vault.shares[:2]:
        assert vault.post("sys/rekey/update", {"key": share, "nonce": begun["nonce"]}).status == 200


def test_what_was_revoked_stays_revoked_where_the_root_key_was_exchanged_since(site: Site) -> None:
    file, kept, revoked = revoked_after_a_backup_and(site, another_root_key)
    done = site.restore(file, "-keep-tokens", "-force")
    assert done.exit_code == 0, done
    assert "but for 1" in done.out
    again = site.unsealed()
    assert again.get("auth/token/lookup-self", token=kept).status == 200
    assert again.get("auth/token/lookup-self", token=revoked).status == 403
    assert again.node.integrity.findings == ()
    again.node.close()


def test_tokens_are_not_kept_over_data_that_the_keys_of_the_backup_do_not_open(site: Site) -> None:
    file, kept, revoked = revoked_after_a_backup_and(site, other_shares)
    assert "-keep-tokens" in site.refusal(file, "-keep-tokens", "-force")
    done = site.restore(file, "-force")
    assert done.exit_code == 0, done
    again = site.unsealed()
    for token in (kept, revoked):
        assert again.get("auth/token/lookup-self", token=token).status == 403
    again.node.close()


def test_tokens_are_not_kept_over_data_that_is_damaged_or_another_vaults(site: Site, tmp_path: Path) -> None:
    file, _, _ = revoked_after_a_backup_and(site, lambda _: None)
    other = Site(tmp_path / "other")
    other.found().node.close()
    foreign = (other.data / "strongroom.db").read_bytes()
    for content in (bytes(8192), foreign):
        (site.data / "strongroom.db").write_bytes(content)
        assert "-keep-tokens" in site.refusal(file, "-keep-tokens", "-force")


def test_the_restore_stands_in_the_audit_log_once(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    assert empty.restore(file).exit_code == 0
    vault = empty.unsealed()
    vault.node.close()
    empty.unsealed().node.close()
    request, response = empty.records()
    assert (request["type"], response["type"]) == ("request", "response")
    told = request["request"]["data"]
    assert told["tokens"] == "invalidated"
    assert "uid" in told["by"]
    assert told["counter"] > told["counter_of_backup"] > 0
    assert told["backup"] in run_cli("operator", "verify-backup", str(file)).out
    checked = run_cli("audit", "verify", "-format=json", str(empty.audit))
    assert json.loads(checked.out)["findings"] == []


def test_a_restore_that_no_device_could_record_is_recorded_later(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    assert empty.restore(file).exit_code == 0
    empty.audit.mkdir()
    vault = empty.open()
    vault.device.is_broken = True
    vault.unseal()
    assert vault.node.unsealed is not None
    vault.device.is_broken = False
    vault.node.remember_audit()
    assert [record["request"]["path"] for record in vault.device.records].count("sys/storage/restore") == 2
    vault.node.remember_audit()
    assert [record["request"]["path"] for record in vault.device.records].count("sys/storage/restore") == 2
    vault.node.close()


def test_on_the_old_host_the_restore_is_ahead_of_the_anchor_and_the_audit_log(site: Site) -> None:
    vault = site.found()
    file = site.save(vault)
    for number in range(20):
        vault.post("kv/a", {"value": f"later {number}"})
    vault.node.move_anchor()
    before = vault.node.require().barrier.root_counter()
    vault.node.close()
    assert "-force" in site.refusal(file)
    done = site.restore(file, "-force")
    assert done.exit_code == 0, done
    again = site.unsealed()
    assert again.node.integrity.findings == ()
    assert not any(health.is_tampered for health in again.node.broker.health)
    assert again.node.require().barrier.root_counter() > before
    again.node.close()


def test_whoever_puts_the_data_of_before_back_is_found_out(site: Site) -> None:
    vault = site.found()
    file = site.save(vault)
    vault.post("kv/a", {"value": "later"})
    vault.node.close()
    before = (site.data / "strongroom.db").read_bytes()
    assert site.restore(file, "-force").exit_code == 0
    site.unsealed().node.close()
    (site.data / "strongroom.db").write_bytes(before)
    tampered = site.open()
    errors = tampered.post("sys/unseal", {"key": site.shares[0]}, token=None).errors
    errors += tampered.post("sys/unseal", {"key": site.shares[1]}, token=None).errors
    assert any("older than what was recorded" in error for error in errors)
    tampered.node.close()


def test_the_data_of_before_is_kept_aside_whole(site: Site) -> None:
    vault = site.found()
    file = site.save(vault)
    vault.post("kv/a", {"value": "later"})
    vault.node.close()
    before = (site.data / "strongroom.db").read_bytes()
    told = json.loads(site.restore(file, "-force", "-format=json").out)
    assert (Path(told["aside"]) / "strongroom.db").read_bytes() == before
    assert Path(told["aside"]).parent == site.data
    assert Path(told["aside"]).stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("content", [b"no database at all" * 1000, bytes(8192)])
def test_a_vault_that_is_broken_beyond_reading_is_replaced_and_kept_aside(site: Site, content: bytes) -> None:
    vault = site.found()
    file = site.save(vault)
    vault.node.close()
    (site.data / "strongroom.db").write_bytes(content)
    (site.data / "strongroom.db-wal").write_bytes(b"the end of it")
    assert "-force" in site.refusal(file)
    told = json.loads(site.restore(file, "-force", "-format=json").out)
    assert told["restored"] is True, told
    aside = Path(told["aside"])
    assert (aside / "strongroom.db").read_bytes() == content
    assert (aside / "strongroom.db-wal").read_bytes() == b"the end of it"
    assert any("could not be read" in note for note in told["notes"])
    again = site.unsealed()
    assert again.node.integrity.findings == ()
    again.node.close()


def test_no_record_of_the_way_that_was_given_up_opens_unseen_in_the_restored_store(site: Site, tmp_path: Path) -> None:
    vault = site.found()
    file = site.save(vault)
    for number in range(30):
        vault.post("kv/a", {"value": f"the other way {number}"})
    with vault.store.snapshot() as snapshot:
        lost_versions = {record.version for key, record in snapshot.entries() if key.startswith("root/")}
    vault.node.close()
    other = Site(tmp_path / "two")
    other.shares, other.root = site.shares, site.root
    assert other.restore(file, "-keep-tokens").exit_code == 0
    again = other.unsealed()
    for number in range(30):
        again.post("kv/a", {"value": f"this way {number}"})
    with again.store.snapshot() as snapshot:
        written = {record.version for key, record in snapshot.entries() if key.startswith("root/")}
    newest = max(lost_versions)
    assert all(version <= newest or version > newest + 2**30 for version in written)
    assert again.node.require().barrier.key_status().term > 1


def test_a_folder_in_which_a_server_was_only_started_counts_as_empty(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    empty.open().node.close()
    assert (empty.data / "strongroom.db").stat().st_size > 0
    assert empty.restore(file).exit_code == 0
    assert empty.unsealed().node.unsealed is not None


def test_a_server_that_runs_keeps_its_store(site: Site) -> None:
    vault = site.found()
    file = site.save(vault)
    done = site.restore(file, "-force")
    assert done.exit_code == 1
    assert "another server has the data folder open" in done.err
    assert vault.get("kv/a").status == 200


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        (["00" * 33, "01" * 33], "the keys are not the ones"),
        (["zz"], "'key' must be a valid hex or base64 string"),
        (["00" * 5], "shorter than minimum"),
    ],
)
def test_wrong_keys_change_nothing(site: Site, empty: Site, keys: list[str], said: str) -> None:
    _, file = lost(site, empty)
    assert said in empty.refusal(file, keys=keys)
    assert not empty.data.exists()


def test_damage_is_told_before_any_key_is_asked_for(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    file.write_bytes(file.read_bytes()[:-100])
    assert "the end of the backup is missing" in empty.refusal(file, keys=[])
    assert not empty.data.exists()


def test_another_seal_than_the_configuration_names_is_refused(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    key = empty.folder / "seal.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    empty.configure(f'seal "static" {{ current_key_id = "one"\n current_key = "file://{key}" }}')
    assert "shamir seal" in empty.refusal(file)


def test_a_backup_of_before_a_rekey_opens_with_the_shares_of_before(site: Site, empty: Site) -> None:
    vault, file = lost(site, empty)
    begun = vault.post("sys/rekey/init", {"secret_shares": 1, "secret_threshold": 1}).body
    assert begun is not None
    for share in site.shares[:2]:
        vault.post("sys/rekey/update", {"key": share, "nonce": begun["nonce"]})
    assert vault.post("sys/rotate", {}).status == 204
    assert vault.post("kv/a", {"value": "later"}).status == 204
    assert empty.restore(file).exit_code == 0
    assert empty.unsealed().node.unsealed is not None


def test_a_configuration_without_a_store_on_disk_is_refused(site: Site, empty: Site) -> None:
    _, file = lost(site, empty)
    empty.config.write_text('storage "inmem" {}\nlistener "tcp" { tls_disable = true }\n')
    assert "in memory" in empty.refusal(file)


def test_a_file_that_is_not_there_and_a_broken_configuration_are_told(site: Site, tmp_path: Path) -> None:
    assert "no such file" in site.refusal(tmp_path / "nowhere")
    site.config.write_text("storage")
    assert site.refusal(tmp_path / "nowhere")


def test_a_key_is_never_taken_from_the_command_line(site: Site) -> None:
    done = run_cli("operator", "restore", f"-config={site.config}", "-key=abc", "x")
    assert done.exit_code == 1
    assert "can be seen by others" in done.err


def test_a_static_seal_restores_without_a_question(tmp_path: Path) -> None:
    key = tmp_path / "seal.key"
    key.write_bytes(bytes(range(32)))
    key.chmod(0o600)
    seal = f'seal "static" {{ current_key_id = "one"\n current_key = "file://{key}" }}'
    one, two = Site(tmp_path / "one", seal), Site(tmp_path / "two", seal)
    vault = one.open()
    from strongroom.barrier.initialization import InitConfig

    _, root = vault.node.initialize(InitConfig(recovery_shares=1, recovery_threshold=1))
    vault.root = root.reveal()
    vault.mount("kv", "kv")
    file = one.save(vault)
    assert two.restore(file, "-keep-tokens", keys=[]).exit_code == 0
    again = two.open()
    again.node.unseal_automatically()
    assert again.get("sys/mounts", token=vault.root).status == 200
    key.write_bytes(bytes(32))
    three = Site(tmp_path / "three", seal)
    assert "the keys are not the ones" in three.refusal(file, keys=[])
