"""What each check has to say: the check, the verdict, and what was done to a server that is set up well."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import apsw
import pytest
from tests.server.doctor.stage import DAY, NOW, STRANGER, Edit, Stage

from strongroom.physical.sqlite import connection

UNSEALED = {"initialized": True, "sealed": False}


def nothing(stage: Stage) -> None:
    """Leave it as it is."""


def set_to(**values: object) -> Edit:
    def edit(stage: Stage) -> None:
        for name, value in values.items():
            assert hasattr(stage, name)
            setattr(stage, name, value)

    return edit


def adding(text: str) -> Edit:
    return lambda stage: setattr(stage, "text", stage.text + text)


def listening(line: str) -> Edit:
    return lambda stage: stage.in_listener(line)


def without(*parts: str) -> Edit:
    return lambda stage: stage.without(*parts)


def with_process(**changes: object) -> Edit:
    return lambda stage: stage.process(**changes)


def hidden(stage: Stage) -> None:
    """It runs where it cannot be seen."""
    stage.processes, stage.doubt = (), "its processes cannot be seen from here"


def mode(path: str, bits: int, *, as_stranger: bool = False) -> Edit:
    def edit(stage: Stage) -> None:
        (stage.folder / path).chmod(bits)
        if as_stranger:
            stage.as_stranger()

    return edit


def answering(path: str, answer: dict[str, Any]) -> Edit:
    return lambda stage: stage.answers.update({path: answer})


def jumped(days: float) -> Edit:
    return lambda stage: stage.clock.jump(days * DAY)


def plain(address: str, *, unsafe: bool = False) -> Edit:
    def edit(stage: Stage) -> None:
        stage.without("tls_", "address")
        stage.in_listener(f'address = "{address}"\n  tls_disable = true')
        if unsafe:
            stage.in_listener("unsafe_allow_plaintext = true")

    return edit


def seal_key(path: str, bits: int = 0o600) -> Edit:
    return lambda stage: stage.seal_key(stage.folder / path, bits)


def linked_key(stage: Stage, bits: int = 0o600) -> None:
    """As clients of ACME leave it: the name is a link, and everybody may have the link."""
    name = stage.folder / "dev-key.pem"
    name.rename(stage.folder / "dev-key-7.pem").chmod(bits)
    name.symlink_to("dev-key-7.pem")


def seal_key_on_another_disk(stage: Stage) -> None:
    shared = Path("/dev/shm")
    if not os.access(shared, os.W_OK) or shared.stat().st_dev == stage.folder.stat().st_dev:
        pytest.skip("there is no second file system here")
    path = shared / f"strongroom-test-{os.getpid()}"
    try:
        stage.seal_key(path)
        stage.found = stage.finding("seal-key-apart")  # before it is taken away
    finally:
        path.unlink()


def free(count: int) -> Edit:
    def edit(stage: Stage) -> None:
        full = SimpleNamespace(f_bavail=count, f_frsize=1 << 20)
        stage.patch.setattr("os.statvfs", lambda _: full)

    return edit


def file_format(number: int | None) -> Edit:
    def edit(stage: Stage) -> None:
        database = apsw.Connection(str(stage.folder / "data" / "strongroom.db"))
        if number is None:
            database.execute("DROP TABLE meta")
        else:
            database.execute("UPDATE meta SET value = ?", (number,))
        database.close()

    return edit


def journal(stage: Stage) -> None:
    database = apsw.Connection(str(stage.folder / "data" / "strongroom.db"))
    database.execute("PRAGMA journal_mode=DELETE")
    database.close()


def damaged(stage: Stage) -> None:
    (stage.folder / "data" / "strongroom.db").write_bytes(b"no database" * 1000)


def old_library(stage: Stage) -> None:
    stage.patch.setattr("strongroom.server.doctor.database.is_safe_version", lambda _: False)


def on_one_disk(stage: Stage) -> None:
    """They are in one folder already."""


ROOT = {"data": {"policies": ["root"], "ttl": 0, "creation_time": NOW - 3 * DAY}}
YOUNG = {"data": {"policies": ["root"], "ttl": 0, "creation_time": NOW - 60}}
ENDING = {"data": {"policies": ["root"], "ttl": 600, "creation_time": NOW - 3 * DAY}}
FAILED = {"Name": "strongroom_audit_devices", "Value": 1, "Labels": {"state": "failed"}}


def backups(*, age_hours: float | None = 1, bits: int = 0o700, where: str = "") -> Edit:
    """A schedule, with a newest backup of that age; none where it is None."""

    def edit(stage: Stage) -> None:
        folder = Path(where) if where else stage.folder / "backups"
        stage.text += f'backup {{ path = "{folder}" }}\n'
        if age_hours is None:
            return
        folder.mkdir(mode=0o700)
        made = folder / "strongroom-20260101T000000Z-00000000-00000000.backup"
        made.write_bytes(b"")
        os.utime(made, (NOW - age_hours * 3600,) * 2)
        folder.chmod(bits)

    return edit


def backups_on_another_disk(stage: Stage) -> None:
    seal_key_on_another_disk(stage)
    backups(age_hours=None, where="/dev/shm/strongroom-backups-of-a-test")(stage)


def backups_with_the_key(stage: Stage) -> None:
    backups()(stage)
    stage.seal_key(stage.folder / "backups" / "seal.key")


CASES: list[tuple[str, str, Edit]] = [
    ("not-root", "ok", nothing),
    ("not-root", "fail", with_process(uid=0)),
    ("not-root", "fail", set_to(processes=(), server_uid=0)),
    ("not-root", "ok", set_to(processes=(), server_uid=STRANGER)),
    ("memory", "ok", nothing),
    ("memory", "ok", with_process(can_swap=True, locked_bytes=100)),
    ("memory", "fail", with_process(can_swap=True)),
    ("memory", "fail", with_process(swapped_bytes=1)),
    ("memory", "skipped", set_to(processes=())),
    *((name, "unknown", hidden) for name in ("core-dumps", "tracing", "memory", "isolated")),
    ("core-dumps", "ok", nothing),
    ("core-dumps", "fail", with_process(core_bytes=None)),
    ("core-dumps", "fail", with_process(core_bytes=4096)),
    ("tracing", "ok", nothing),
    ("tracing", "fail", with_process(is_traceable=True)),
    ("tracing", "skipped", with_process(is_traceable=None)),
    ("isolated", "ok", nothing),
    ("isolated", "warn", with_process(is_isolated=False)),
    ("clock", "ok", nothing),
    ("clock", "warn", set_to(is_synchronised=False)),
    ("clock", "unknown", set_to(is_synchronised=None)),
    ("clock", "fail", jumped(-20 * 365)),
    ("clock", "fail", jumped(100 * 365)),
    ("clock", "fail", jumped((NOW - 1_780_000_000) / -DAY)),
    ("code", "ok", set_to(server_uid=STRANGER)),
    ("code", "fail", mode("code/module.py", 0o646, as_stranger=True)),
    ("code", "fail", mode("code", 0o757, as_stranger=True)),
    ("code", "ok", mode("code", 0o1757, as_stranger=True)),
    ("code", "fail" if os.getuid() else "skipped", set_to(server_uid=os.getuid())),
    ("configuration", "ok", set_to(server_uid=STRANGER)),
    ("configuration", "fail", mode("config/server.hcl", 0o646, as_stranger=True)),
    ("configuration", "fail", mode("", 0o757, as_stranger=True)),
    ("data-files", "ok", nothing),
    ("data-files", "fail", mode("data", 0o750)),
    ("data-files", "fail", mode("data/strongroom.db", 0o640)),
    ("data-files", "fail", set_to(server_uid=STRANGER)),
    ("audit-files", "ok", nothing),
    ("audit-files", "ok", mode("one.log", 0o640)),
    ("audit-files", "fail", mode("one.log", 0o644)),
    ("key-files", "ok", nothing),
    ("key-files", "fail", mode("dev-key.pem", 0o644)),
    ("key-files", "ok", linked_key),
    ("key-files", "fail", lambda stage: linked_key(stage, 0o644)),
    ("key-files", "fail", seal_key("seal.key", 0o640)),
    ("seal-key-apart", "skipped", nothing),
    ("seal-key-apart", "ok", seal_key_on_another_disk),
    ("seal-key-apart", "fail", seal_key("data/seal.key")),
    ("seal-key-apart", "warn", seal_key("seal.key")),
    ("data-space", "ok", free(5000)),
    ("data-space", "warn", free(900)),
    ("data-space", "fail", free(100)),
    ("audit-space", "fail", free(100)),
    ("audit-space", "warn", on_one_disk),
    ("tls", "ok", nothing),
    ("tls", "warn", plain("127.0.0.1:8200")),
    ("tls", "fail", plain("0.0.0.0:8200", unsafe=True)),
    ("tls-version", "ok", nothing),
    ("tls-version", "warn", without("tls_min_version")),
    ("certificates", "ok", lambda stage: stage.clock.jump(-60)),
    ("certificates", "warn", jumped(10)),
    ("certificates", "fail", jumped(31)),
    ("certificates", "fail", jumped(-1)),
    ("api-address", "ok", nothing),
    ("api-address", "warn", without("api_addr")),
    ("unauthenticated", "ok", nothing),
    ("unauthenticated", "fail", listening("disable_unauthed_rekey_endpoints = false")),
    ("unauthenticated", "fail", listening("disable_unauthed_generate_root_endpoints = false")),
    ("unauthenticated", "warn", listening("telemetry { unauthenticated_metrics_access = true }")),
    ("audit-devices", "ok", nothing),
    ("audit-devices", "warn", answering("sys/audit", {"data": {"one/": {}}})),
    ("audit-devices", "fail", answering("sys/audit", {"data": {}})),
    ("audit-devices", "unknown", lambda stage: stage.refuse("sys/audit")),
    ("audit-health", "ok", nothing),
    ("audit-health", "fail", answering("sys/metrics", {"Gauges": [FAILED]})),
    ("audit-health", "skipped", set_to(is_logged_in=False)),
    ("audit-health", "unknown", answering("sys/metrics", {"Gauges": []})),
    ("switches", "ok", nothing),
    ("switches", "fail", adding("unsafe_allow_api_audit_creation = true\n")),
    ("switches", "warn", adding('on_tamper = "alarm"\n')),
    ("sqlite", "ok", nothing),
    ("sqlite", "fail", journal),
    ("sqlite", "fail", old_library),
    ("sqlite", "unknown", damaged),
    ("format", "ok", nothing),
    ("format", "fail", file_format(connection.FORMAT_VERSION + 1)),
    ("format", "warn", file_format(connection.FORMAT_VERSION - 1)),
    ("format", "fail", file_format(None)),
    ("seal", "ok", nothing),
    ("seal", "warn", answering("sys/seal-status", {"initialized": True, "sealed": True})),
    ("seal", "warn", answering("sys/seal-status", {"initialized": False, "sealed": True})),
    ("seal", "warn", answering("sys/seal-status", {"initialized": True, "sealed": False, "n": 1, "t": 1})),
    ("seal", "warn", answering("sys/seal-status", UNSEALED | {"n": 1, "t": 1, "recovery_seal": True})),
    ("seal", "ok", answering("sys/seal-status", UNSEALED | {"n": 3, "t": 2, "recovery_seal": True})),
    ("seal", "skipped", set_to(is_logged_in=False)),
    ("root-tokens", "ok", nothing),
    ("root-tokens", "fail", answering("auth/token/lookup-accessor", ROOT)),
    ("root-tokens", "warn", answering("auth/token/lookup-accessor", YOUNG)),
    ("root-tokens", "ok", answering("auth/token/lookup-accessor", ENDING)),
    ("root-tokens", "ok", lambda stage: stage.refuse("auth/token/lookup-accessor")),
    ("root-tokens", "unknown", answering("auth/token/accessors", {"data": {"keys": ["1"] * 1001}})),
    ("root-tokens", "skipped", set_to(is_logged_in=False)),
    ("backups", "warn", nothing),
    ("backups", "warn", backups(age_hours=None)),
    ("backups", "ok", backups()),
    ("backups", "ok", backups(age_hours=47)),
    ("backups", "fail", backups(age_hours=50)),
    ("backups", "fail", backups(bits=0o750)),
    ("backups-apart", "skipped", nothing),
    ("backups-apart", "warn", backups()),
    ("backups-apart", "fail", backups_with_the_key),
    ("backups-apart", "ok", backups_on_another_disk),
]
