"""Checks of audit devices, dangerous switches, the store's format; and with a token, of what only the vault knows."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

from strongroom.server.config_values import StorageType
from strongroom.server.doctor.check import (
    Ask,
    Check,
    Scene,
    Unanswered,
    Verdict,
    fail,
    ok,
    skipped,
    unknown,
    warn,
    worst,
)
from strongroom.server.doctor.database import Facts, read_facts
from strongroom.telemetry.catalog import AUDIT_DEVICES
from strongroom.telemetry.labels import DeviceState

_NO_TOKEN = skipped("log in to have the vault asked (strongroom login)")
_TOKENS_MOST = 1000
_DAY_NS = 86_400 * 10**9
_STANDING_DAYS = 1


def _audit_devices(scene: Scene) -> Verdict:
    count, source = len(scene.config.audit_devices), "declared"
    if scene.ask is not None and scene.processes:
        count, source = len(scene.ask("GET", "sys/audit", None).get("data") or {}), "enabled"
    if count == 0:
        return fail("no audit device is declared")
    return (
        ok(f"{count} are {source}") if count > 1 else warn(f"one alone is {source}: if it fails, nothing is answered")
    )


def _unsafe(scene: Scene) -> Verdict:
    config = scene.config
    verdicts = []
    if config.unsafe_allow_api_audit_creation:
        verdicts.append(fail("unsafe_allow_api_audit_creation lets a token choose which files the server writes"))
    if config.on_tamper == "alarm":
        verdicts.append(warn('on_tamper = "alarm" opens a store that was rolled back'))
    if config.storage.type is StorageType.MEMORY:
        verdicts.append(fail("the store is in memory: all is lost when the server stops"))
    if config.log_level == "trace":
        verdicts.append(warn('log_level = "trace" is meant for finding faults'))
    return worst(verdicts, otherwise=ok("none is set"))


def _sqlite(scene: Scene) -> Verdict:
    facts = _facts(scene)
    if isinstance(facts, Verdict):
        return facts
    if not facts.is_safe_library:
        return fail(f"SQLite {facts.library} can lose acknowledged writes")
    if facts.journal_mode != "wal":
        return fail("the database does not use a write-ahead log")
    return ok(f"SQLite {facts.library}, write-ahead log")


def _format(scene: Scene) -> Verdict:
    facts = _facts(scene)
    if isinstance(facts, Verdict):
        return facts
    if facts.format is None:
        return fail("the database is not one of Strongroom's")
    if facts.format > facts.known_format:
        return fail("a newer server wrote the data: this one refuses it")
    if facts.format < facts.known_format:
        return warn(
            "an older server wrote the data: it is brought up to date at the next start, so make a backup before"
        )
    return ok(f"format {facts.format}")


def _facts(scene: Scene) -> Facts | Verdict:
    if scene.config.storage.type is StorageType.MEMORY:
        return skipped("nothing is stored on a disk")
    facts = read_facts(Path(scene.config.storage.path))
    return skipped("there is no database yet; the server makes it") if facts is None else facts


def _seal(scene: Scene) -> Verdict:
    if scene.ask is None:
        return _NO_TOKEN
    status = scene.ask("GET", "sys/seal-status", None)
    if not status.get("initialized"):
        return warn("the vault is not initialized")
    if status.get("sealed"):
        return warn("the vault is sealed: nobody can have a secret")
    shares, threshold = status.get("n", 0), status.get("t", 0)
    if status.get("recovery_seal"):
        if threshold == 1:
            return warn("a single recovery share makes a root token: one person can")
        return ok(f"unsealed by its key; {threshold} of {shares} recovery shares make a root token")
    if threshold == 1:
        return warn("a single share opens the vault: one person can, and one loss is the loss of all")
    return ok(f"unsealed; {threshold} of {shares} shares open it")


def _root_tokens(scene: Scene) -> Verdict:
    if scene.ask is None:
        return _NO_TOKEN
    accessors = _keys(scene.ask("LIST", "auth/token/accessors", None))
    if len(accessors) > _TOKENS_MOST:
        return unknown(
            f"there are {len(accessors)} tokens, too many to look at each; look for those with the policy root"
        )
    found = [entry for entry in (_token(scene.ask, accessor) for accessor in accessors) if _is_root(entry)]
    if not found:
        return ok("there is none")
    oldest = min(int(entry.get("creation_time") or 0) for entry in found)
    days = (scene.clock.now_ns() - oldest * 10**9) // _DAY_NS
    text = f"{len(found)} root token{'s' if len(found) > 1 else ''} without an end; the oldest was made {days} days ago"
    return fail(text) if days >= _STANDING_DAYS else warn(text)


def _audit_health(scene: Scene) -> Verdict:
    if scene.ask is None:
        return _NO_TOKEN
    gauges = scene.ask("GET", "sys/metrics", None).get("Gauges") or []
    counts = {
        gauge.get("Labels", {}).get("state"): int(gauge.get("Value") or 0)
        for gauge in gauges
        if gauge.get("Name") == AUDIT_DEVICES.name
    }
    if not counts:
        return unknown("the server does not say how its audit devices are")
    broken = counts.get(DeviceState.FAILED, 0)
    return fail(f"{broken} of {sum(counts.values())} fail") if broken else ok(f"all {sum(counts.values())} do")


def _token(ask: Ask, accessor: str) -> dict[str, Any]:
    try:
        return dict(ask("POST", "auth/token/lookup-accessor", {"accessor": accessor}).get("data") or {})
    except Unanswered:
        return {}  # it ended since the list was made


def _is_root(entry: dict[str, Any]) -> bool:
    return "root" in (entry.get("policies") or ()) and not entry.get("ttl")


def _keys(answer: dict[str, Any]) -> list[str]:
    keys = (answer.get("data") or {}).get("keys") or []
    return [str(key) for key in itertools.islice(keys, _TOKENS_MOST + 1)]


CHECKS = (
    Check(
        "audit-devices",
        "There are two audit devices at least",
        "Without one nothing is recorded; with a single one, nothing is answered once it fails.",
        'Declare another `audit "file" "NAME"` in the configuration, on another disk.',
        _audit_devices,
    ),
    Check(
        "audit-health",
        "Every audit device keeps what it is given",
        "A device that fails is a gap in what can be proven later.",
        "Look into the server's log for the reason: a full disk, a folder that is gone, a changed owner.",
        _audit_health,
    ),
    Check(
        "switches",
        "No switch is set that weakens the server",
        "They exist for trying things and for moving over from another server.",
        "Remove them from the configuration.",
        _unsafe,
    ),
    Check(
        "sqlite",
        "SQLite cannot lose what was acknowledged",
        "Some versions of it could, and so could another kind of journal.",
        "Install the pinned `apsw`; restore the database from a backup if its journal was changed.",
        _sqlite,
    ),
    Check(
        "format",
        "The data has the format of this version",
        "A newer format is refused at the start.",
        "Start the version that wrote it, or restore a backup of this one.",
        _format,
    ),
    Check(
        "seal",
        "The vault is open, and no single person can open it",
        "Shares in several hands mean that no one alone can take all, and that no one alone can lose all.",
        "Unseal it; make new shares with `strongroom operator rekey`.",
        _seal,
    ),
    Check(
        "root-tokens",
        "No root token is left over",
        "A root token may do everything, for ever, and whoever finds it is not asked for more.",
        "Revoke it: `strongroom token revoke -accessor ACCESSOR`. `operator generate-root` makes another when one is needed.",
        _root_tokens,
    ),
)
