"""``operator restore`` and ``operator verify-backup``: without a server. Its rooms are loaded only now, and only by name."""

from __future__ import annotations

from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.offline_keys import KEY_HELP, server_room, shares
from strongroom.cli.options import switch, text, texts
from strongroom.cli.session import Session

_CONFIG_HELP = "Configuration file or folder of the server. May be repeated."


@command(
    "restore",
    "FILE",
    texts("-config", help=_CONFIG_HELP),
    text("-key", help=KEY_HELP),
    switch("-force", help="Replace the vault in the data folder. Its files are kept in a folder beside it."),
    switch(
        "-keep-tokens",
        help="Let tokens of the backup live on. Those that were revoked since are valid again, as far as nobody knows better.",
    ),
    text("-anchor", help="The anchor file, where it is another than the configuration names."),
    texts(
        "-audit-log", help="A file of the audit log, where it is another than the configuration names. May be repeated."
    ),
    output=Output.FORMAT,
    remote=False,
)
def restore(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Restores a backup to the data folder that the configuration names. The server must be stopped.

    The backup opens with the unseal keys, or the seal, that the vault had when it was made. All of it is examined before anything is
    written. Every token is invalid afterwards, because nobody knows which were revoked since: log in again, or make a new root token with
    'strongroom operator generate-root'. Exit code: 0 restored, 1 refused, and then nothing was changed.

        strongroom operator restore -config=/etc/strongroom/strongroom.hcl strongroom-monday.backup
    """
    expect(arguments, 1)
    _need_config(flags["config"])
    ask = shares(session, flags["key"], "restore")
    room = server_room("strongroom.server.restore")
    wishes = room.Wishes(
        force=flags["force"],
        keep_tokens=flags["keep_tokens"],
        anchor=flags["anchor"] or "",
        audit_logs=tuple(flags["audit_log"]),
    )
    done = room.run(arguments[0], list(flags["config"]), ask, wishes)
    if not session.printer.is_table:
        told = ("backup", "time", "vault", "records", "tokens", "aside", "notes", "refusal", "damage")
        session.printer.data({"restored": not done.refusal, **{name: getattr(done, name) for name in told}})
    elif done.refusal:
        raise CommandFailed(f"Not restored: {done.refusal}")
    else:
        session.say(f"Success! Restored {done.records} records of {done.time} (backup {done.backup}).")
        for line in (done.tokens, *done.notes, f"the data that was there lies in {done.aside}" if done.aside else ""):
            if line:
                session.say(f"note: {line}")
        session.say("note: start the server and unseal it; the restore is then put on record in the audit log")
    return int(done.exit_code)


@command(
    "verify-backup",
    "FILE",
    texts("-config", help=f"{_CONFIG_HELP} With it the vault's keys are used, and the backup is examined whole."),
    text("-key", help=KEY_HELP),
    output=Output.FORMAT,
    remote=False,
)
def verify_backup(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Verifies a backup, without a server.

    Without keys: whether it is whole, and the file that was made. With -config and the keys: whether it is genuine and consistent, and whether
    this configuration allows everything in it, as before a restore. Exit code: 0 good, 1 refused.

        strongroom operator verify-backup strongroom-monday.backup
    """
    expect(arguments, 1)
    ask = shares(session, flags["key"], "verify-backup")
    checked = server_room("strongroom.server.backup_check").run(arguments[0], list(flags["config"]), ask)
    looked = checked.looked
    told = {"verdict": "refused" if checked.refusal else "genuine" if checked.is_genuine else "whole"}
    if looked is not None:
        header, manifest = looked.header, looked.manifest
        told |= {
            "id": header.id,
            "vault": header.vault,
            "time": header.time,
            "product": header.product,
            "seal": header.seal.type,
            "counter": header.counter,
            "records": manifest.records,
            "bytes": looked.size,
            "checksum": looked.checksum,
        }
    if not session.printer.is_table:
        session.printer.data({**told, "refusal": checked.refusal, "damage": checked.damage})
    elif checked.refusal:
        raise CommandFailed(f"Refused: {checked.refusal}")
    else:
        for name, value in told.items():
            session.say(f"{name:<10}{value}")
        if not checked.is_genuine:
            session.say("note: only the vault's keys prove that it is genuine: use -config")
    return int(checked.exit_code)


def _need_config(paths: tuple[str, ...]) -> None:
    if not paths:
        raise CommandFailed("Must specify at least one config path using -config")
