"""``operator rekey``: new shares of the key, by a quorum of the holders of the old ones."""

from __future__ import annotations

from typing import Any

from strongroom.cli import tables
from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text, whole
from strongroom.cli.pgp_files import read_pgp_keys
from strongroom.cli.quorum import ask_for_share, contents, first_known, nonce_for
from strongroom.cli.session import Session

_LOSS = (
    "WARNING! If you lose the keys after they are returned, there is no recovery.\n"
    "Give -verify its due: the old keys stay valid until the new ones have been tried\n"
    "where the rekey was started with verification.\n"
)
_NO_PGP = (
    "WARNING! The new shares will be shown in clear, to whoever gives the last key. With -pgp-keys\n"
    "each of them is encrypted to its keeper.\n"
)
_NO_BACKUP = (
    "WARNING! With -backup a copy of the encrypted shares stays in the vault, in case that the\n"
    "answer with them is lost.\n"
)
_STATUS_MEMBERS: tuple[tuple[str, Any], ...] = (
    ("nonce", ""),
    ("started", False),
    ("t", 0),
    ("n", 0),
    ("progress", 0),
    ("required", 0),
    ("pgp_fingerprints", None),
    ("backup", False),
    ("verification_required", False),
    ("verification_nonce", ""),
)


@command(
    "rekey",
    "[KEY]",
    switch("-init", help="Begin, with -key-shares and -key-threshold."),
    switch("-status", help="Show how far it is."),
    switch("-cancel", help="End it and forget the shares that were given."),
    switch("-verify", help="With -status, -cancel or KEY: about trying out the new shares."),
    switch("-require-verification", help="With -init: the new shares count only when a quorum of them was tried."),
    whole("-key-shares", "-n", help="Number of new shares.", default=5),
    whole("-key-threshold", "-t", help="Number of new shares that unseal.", default=3),
    text("-nonce", help="The attempt that the share is meant for."),
    text("-pgp-keys", help="With -init: files with public PGP keys, with commas between them, one for each new share."),
    switch("-backup", help="With -init and -pgp-keys: keep a copy of the encrypted shares in the vault."),
    switch("-backup-retrieve", help="Show that copy."),
    switch("-backup-delete", help="Delete it."),
    text("-target", help='"barrier", or "recovery" where the server unseals itself.', default="barrier"),
    output=Output.FORMAT,
)
def rekey(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Makes new shares of the unseal key (or the recovery key). Every holder gives a share in turn; KEY - reads stdin.

    strongroom operator rekey -init -key-shares=5 -key-threshold=3
    strongroom operator rekey -init -key-shares=2 -key-threshold=2 -pgp-keys=ada.asc,ben.asc -backup
    strongroom operator rekey
    strongroom operator rekey -backup-retrieve
    """
    expect(arguments, 0, 1)
    if flags["target"] not in {"barrier", "unseal", "recovery"}:
        raise CommandFailed('-target must be "barrier" or "recovery"')
    if flags["backup_retrieve"]:
        _retrieve(session, flags)
    elif flags["backup_delete"]:
        with reporting("Error deleting rekey backed up keys"):
            first_known(session.client, "DELETE", _backup_paths(flags))
        session.success("Deleted backed up keys (if they existed)")
    elif flags["init"]:
        _begin(session, flags)
    elif flags["cancel"]:
        with reporting("Error canceling rekey"):
            first_known(session.client, "DELETE", _paths(flags))
        session.success("Canceled rekeying (if it was started)")
    elif flags["status"]:
        with reporting("Error reading rekey status"):
            _, status = first_known(session.client, "GET", _paths(flags))
        _show_status(session, status)
    else:
        _give(session, arguments[0] if arguments else None, flags)


def _paths(flags: dict[str, Any]) -> list[str]:
    recovery, step = flags["target"] == "recovery", "verify" if flags["verify"] else "init"
    older = "sys/rekey-recovery-key" if recovery else "sys/rekey"
    newer = "sys/rotate/recovery" if recovery else "sys/rotate/root"
    return [f"{older}/{step}", f"{newer}/{step}"]


def _backup_paths(flags: dict[str, Any]) -> list[str]:
    if flags["target"] == "recovery":
        return ["sys/rotate/recovery/backup", "sys/rekey/recovery-key-backup"]
    return ["sys/rotate/root/backup", "sys/rekey/backup"]


def _retrieve(session: Session, flags: dict[str, Any]) -> None:
    with reporting("Error retrieving rekey backed up keys"):
        _, backup = first_known(session.client, "GET", _backup_paths(flags))
    if not session.printer.is_table:
        session.printer.data(backup)
        return
    messages: dict[str, list[str]] = backup.get("keys_base64") or {}
    rows = [("Operation Nonce", str(backup.get("nonce", "")))]
    rows += [(f"PGP Key {fingerprint}", message) for fingerprint, all_ in messages.items() for message in all_]
    session.say(tables.key_values(rows))


def _begin(session: Session, flags: dict[str, Any]) -> None:
    pgp_keys = read_pgp_keys(flags["pgp_keys"])
    body = {
        "secret_shares": flags["key_shares"],
        "secret_threshold": flags["key_threshold"],
        "require_verification": flags["require_verification"],
        "backup": flags["backup"],
    }
    if pgp_keys:
        body["pgp_keys"] = pgp_keys
    with reporting("Error initializing rekey"):
        _, status = first_known(session.client, "PUT", _paths({**flags, "verify": False}), body)
    if session.printer.is_table:
        session.note(_LOSS)
        if not pgp_keys:
            session.note(_NO_PGP)
        elif not flags["backup"]:
            session.note(_NO_BACKUP)
    _show_status(session, status)


def _give(session: Session, argument: str | None, flags: dict[str, Any]) -> None:
    with reporting("Error getting rekey status"):
        path, status = first_known(session.client, "GET", _paths(flags))
    if not status.get("started"):
        raise CommandFailed('No rekey is in progress. Start one with "strongroom operator rekey -init".')
    nonce = nonce_for(flags["nonce"], status, argument)
    share = ask_for_share(session, argument, nonce)
    target = path if flags["verify"] else path.removesuffix("init") + "update"
    with reporting("Error posting unseal key"):
        answer = contents(session.client.write(target, {"key": share, "nonce": nonce}))
    if not answer.get("complete"):
        _show_status(session, answer)
    elif not session.printer.is_table:
        session.printer.data(answer)
    elif flags["verify"]:
        session.say("Success! The new key shares were tried, and count from now on.")
    else:
        session.say(_new_keys(answer, status))


def _show_status(session: Session, status: dict[str, Any]) -> None:
    if not session.printer.is_table:
        session.printer.data({name: status.get(name, absent) for name, absent in _STATUS_MEMBERS})
        return
    rows = [("Nonce", status.get("nonce", "")), ("Started", status.get("started", False))]
    if status.get("started"):
        required = status.get("required") or status.get("t", 0)
        rows += [("Progress", f"{status.get('progress', 0)}/{required}")]
        rows += [("New Shares", status.get("n", 0)), ("New Threshold", status.get("t", 0))]
        # The status of the verification itself does not say it.
        if "verification_required" in status:
            rows += [("Verification Required", status["verification_required"])]
        if status.get("pgp_fingerprints"):
            rows += [("PGP Fingerprints", "[" + " ".join(status["pgp_fingerprints"]) + "]")]
            rows += [("Backup", status.get("backup", False))]
        if status.get("verification_nonce"):
            rows += [("Verification Nonce", status["verification_nonce"])]
    session.say(tables.key_values(rows))


def _new_keys(answer: dict[str, Any], status: dict[str, Any]) -> str:
    keys = answer.get("keys_base64") or []
    readers = answer.get("pgp_fingerprints") or []
    lines = [""]
    for number, key in enumerate(keys, 1):
        lines.append(
            f"Key {number} fingerprint: {readers[number - 1]}; value: {key}" if readers else f"Key {number}: {key}"
        )
    lines.append("")
    lines += [f"Operation nonce: {answer.get('nonce', '')}", ""]
    if readers:
        lines += ["Each value is a PGP message in base64. Its keeper reads it with: base64 -d | gpg -d"]
    if answer.get("backup"):
        lines += [
            "A copy of them is kept in the vault: see -backup-retrieve, and -backup-delete once all",
            "keepers have theirs.",
        ]
    if readers:
        lines.append("")
    if answer.get("verification_required"):
        lines += [
            f"Verification nonce: {answer.get('verification_nonce', '')}",
            "",
            "The old shares stay valid until enough of the shares above were tried with",
            '"strongroom operator rekey -verify".',
        ]
        return "\n".join(lines)
    shares, threshold = len(keys), status.get("t", 0)
    lines += [
        f"Unseal keys rekeyed to {shares} key shares and a key threshold of {threshold}. Please securely",
        "distribute the key shares printed above. When the vault is sealed again, restarted",
        f"or stopped, at least {threshold} of these keys must be given to unseal it.",
    ]
    return "\n".join(lines)
