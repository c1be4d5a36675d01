"""``status``: is the server there, initialized, unsealed, and who leads."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import LOCAL, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.session import Session
from strongroom.client.client import Client
from strongroom.client.errors import ApiError

SEALED = 2
_NEVER = "0001-01-01T00:00:00Z"


@command("status", "", output=Output.FIELD)
def status(session: Session, arguments: tuple[str, ...]) -> int:
    """Shows the seal and the leader. Exit code 0: unsealed; 2: sealed; 1: no answer."""
    expect(arguments, 0)
    _tell_offline_reads(session)
    with reporting("Error checking seal status", LOCAL):
        seal = session.client.request("GET", "sys/seal-status").json() or {}
        shown = with_leader(session.client, seal)
    show_seal(session, shown)
    return SEALED if shown.get("sealed") else 0


def _tell_offline_reads(session: Session) -> None:
    """Say that something was read without the server, as long as its audit log does not know."""
    from strongroom.cli.source_options import offline_folder
    from strongroom.delivery.offline_queue import OfflineQueue

    count = OfflineQueue(offline_folder(session.environ)).count()
    if count:
        session.note(f"{count} reads without the server wait to be reported to its audit log; the next run does it")


_MEMBERS = (
    ("type", ""),
    ("initialized", False),
    ("sealed", False),
    ("t", 0),
    ("n", 0),
    ("progress", 0),
    ("nonce", ""),
    ("version", ""),
    ("commit_date", ""),
    ("migration", False),
    ("cluster_name", None),
    ("cluster_id", None),
    ("recovery_seal", False),
    ("storage_type", None),
    ("build_date", ""),
    ("ha_enabled", False),
    ("is_self", None),
    ("active_time", None),
    ("leader_address", None),
    ("leader_cluster_address", None),
    ("raft_committed_index", None),
    ("raft_applied_index", None),
)


def with_leader(client: Client, seal: dict[str, Any]) -> dict[str, Any]:
    """``seal`` and what ``sys/leader`` adds, in the order in which Vault's command shows them. Raises ClientError."""
    leader: dict[str, Any] = {}
    if not seal.get("sealed"):
        try:
            leader = client.request("GET", "sys/leader").json() or {}
        except ApiError as error:
            # It may have been sealed between the two questions.
            if error.status != 503:
                raise
    found = {**seal, **leader}
    if found.get("active_time") == _NEVER:
        del found["active_time"]
    shown = {}
    for name, absent in _MEMBERS:
        value = found.get(name, absent)
        if value is not None and not (absent is None and not value):
            shown[name] = value
    return shown


def show_seal(session: Session, seal: dict[str, Any]) -> None:
    """Prints a seal status in the wanted form."""
    printer = session.printer
    if printer.field:
        printer.one_field(seal.get(printer.field), "map")
    elif printer.is_table:
        printer.text(tables.key_values(_rows(seal)))
    else:
        printer.data(seal)


def _rows(seal: dict[str, Any]) -> list[tuple[str, Any]]:
    # An auto-unsealed server splits its recovery key instead.
    kind = "Recovery Seal" if seal.get("recovery_seal") else ""
    rows: list[tuple[str, Any]] = [(f"{kind} Type" if kind else "Seal Type", seal.get("type", ""))]
    rows += [("Initialized", seal.get("initialized")), ("Sealed", seal.get("sealed"))]
    rows.append((f"Total {'Recovery ' if kind else ''}Shares", seal.get("n", 0)))
    rows.append(("Threshold", seal.get("t", 0)))
    if seal.get("sealed"):
        rows.append(("Unseal Progress", f"{seal.get('progress', 0)}/{seal.get('t', 0)}"))
        rows.append(("Unseal Nonce", seal.get("nonce", "")))
    if seal.get("migration"):
        rows.append(("Seal Migration in Progress", seal["migration"]))
    rows.append(("Version", seal.get("version", "")))
    rows += [(title, seal[name]) for title, name in _OPTIONAL_ROWS if seal.get(name)]
    rows.append(("HA Enabled", seal.get("ha_enabled", False)))
    if seal.get("ha_enabled"):
        rows += _ha_rows(seal)
    return rows


_OPTIONAL_ROWS = (
    ("Commit Date", "commit_date"),
    ("Build Date", "build_date"),
    ("Storage Type", "storage_type"),
    ("Cluster Name", "cluster_name"),
    ("Cluster ID", "cluster_id"),
)


def _ha_rows(seal: dict[str, Any]) -> list[tuple[str, Any]]:
    if seal.get("sealed"):
        return []
    rows: list[tuple[str, Any]] = [("HA Cluster", seal.get("leader_cluster_address", "n/a"))]
    rows.append(("HA Mode", "active" if seal.get("is_self") else "standby"))
    if seal.get("active_time"):
        rows.append(("Active Since", seal["active_time"]))
    if not seal.get("is_self"):
        rows.append(("Active Node Address", seal.get("leader_address", "n/a")))
    return rows
