"""The short forms of the proofs in ``reliability/``: each is a program of its own, as `make reliability` runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.reliability

ROOT = Path(__file__).resolve().parents[2]


def prove(module: str, *options: str) -> dict[str, Any]:
    command = [sys.executable, "-m", f"reliability.{module}", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=280, check=False)
    assert done.stdout, done.stderr[-2000:]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert result["bad"] == 0, result
    assert result["findings"] == [], result
    return result


@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_acknowledged_is_lost_when_the_server_is_killed(workers: int) -> None:
    result = prove("kill_loop", "--cycles", "18", "--workers", str(workers), "--seed", str(workers))
    assert result["n"] == 18 + 5
    assert result["acknowledged"] > 100
    assert result["failpoints_reached"] >= 8


def test_the_vault_opens_the_old_or_the_new_way_wherever_a_change_of_its_keys_is_killed() -> None:
    result = prove("vault_keys", "--cycles", "16")
    assert result["n"] >= 16 + 8
    assert result["failpoints_reached"] >= 12


def test_promotion_rotation_and_import_that_are_killed_happen_as_a_whole_or_not_at_all() -> None:
    result = prove("environment_kills", "--kills", "10")
    assert result["n"] == 10
    assert result["commands_killed"] == 2
    assert result["had_happened"] >= 2


def test_nothing_acknowledged_is_lost_with_the_power() -> None:
    assert prove("power_loss", "--points", "1500")["n"] >= 1500


def test_errors_of_the_disk_are_told_as_what_they_are() -> None:
    result = prove("io_faults", "--runs", "150")
    assert result["answered_unknown"] > 10
    assert result["answered_unrecorded"] > 10


def test_a_commit_of_unknown_outcome_ends_the_server() -> None:
    assert prove("unknown_outcome", "--rounds", "4")["ended_by_itself"] == 4


def test_damaged_files_are_never_read_as_something_else() -> None:
    assert prove("bit_rot", "--runs", "80")["refused_at_the_unsealing"] > 5


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a small file system")
def test_on_a_full_disk_reads_and_revocations_go_on() -> None:
    result = prove("full_disk")
    assert result["revoked_on_full_store"] == 90
    assert result["revoked_on_full_audit"] == 5


def test_nothing_leaves_and_nothing_changes_while_the_audit_device_is_broken() -> None:
    result = prove("broken_audit", "--percent", "10")
    assert result["ways"] == 9
    assert result["n"] > 150


def test_every_change_of_a_store_at_rest_is_noticed_for_what_it_is() -> None:
    assert prove("store_tampering")["classes_told"] >= 10


def test_every_change_of_an_audit_log_is_noticed_for_what_it_is() -> None:
    assert prove("log_tampering", "--places", "8")["classes_told"] >= 9


def test_values_are_found_nowhere_but_in_answers() -> None:
    assert prove("canaries")["n"] > 200


def test_what_is_expired_is_refused_although_nobody_sweeps() -> None:
    assert prove("expiry", "--rounds", "6")["kinds"] == 8


def test_a_sealed_vault_serves_nothing_that_was_asked_after_the_sealing() -> None:
    assert prove("seal_load", "--rounds", "6")["n"] == 6


def test_a_restart_loses_nothing_and_finishes_what_had_begun() -> None:
    assert prove("restart_load", "--rounds", "4")["n"] == 4


def test_at_twice_the_capacity_nothing_is_lost_and_who_is_refused_is_told_so() -> None:
    result = prove("overload", "--seconds", "4")
    assert result["n"] > 100
    assert result["goodput"] > 0


def test_hostile_clients_meet_refusals_and_bounds_while_a_normal_one_is_served() -> None:
    attacks = "1,000,000 keys;32 MiB of text;strange values;compressed bombs;header floods;noise"
    result = prove("hostile", "--only", attacks)
    assert result["attacks"] == 6
    assert result["n"] > 90
    assert result["memory_growth_mib"] < 64


def test_every_class_of_bad_backup_is_refused_before_anything_is_touched() -> None:
    result = prove("backup_classes", "--flips", "90")
    refused, tried = result["classes_refused_of_tried"].split("/")
    assert refused == tried
    assert int(tried) >= 30


def test_a_backup_and_a_restore_can_be_killed_at_any_moment() -> None:
    result = prove("backup_kills", "--cycles", "6")
    assert result["n"] == 6
