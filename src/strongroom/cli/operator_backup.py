"""``operator backup``: everything that a server stores, to a file here."""

from __future__ import annotations

import contextlib
import hashlib
import time
from pathlib import Path
from typing import Any

from strongroom.backup.file import NewFile
from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.session import Session
from strongroom.client.errors import ClientError

_PATH = "sys/storage/backup"
_POLL_SECONDS = 0.5


@command("backup", "FILE", output=Output.FORMAT)
def backup(session: Session, arguments: tuple[str, ...]) -> None:
    """Saves everything that the server stores to FILE, while it goes on serving.

    The file is encrypted: it opens with the unseal keys, or the seal, that the vault has now. Keep those apart from it. FILE must not exist;
    it is there whole or not at all, and only you can read it.

        strongroom operator backup strongroom-monday.backup

        strongroom operator verify-backup strongroom-monday.backup
    """
    expect(arguments, 1)
    target = Path(arguments[0])
    try:
        with NewFile(target) as file:
            made = _made(session)
            try:
                _fetch(session, made, file)
            finally:
                # The server forgets it by itself, a little later.
                with contextlib.suppress(ClientError):
                    session.client.delete(f"{_PATH}/{made['number']}")
            file.keep()
    except FileExistsError:
        raise CommandFailed(f"{target} exists, or is being written; choose another name") from None
    except OSError as error:
        raise CommandFailed(f"cannot write {target}: {(error.strerror or 'unknown reason').lower()}") from None
    told = {name: made[name] for name in ("id", "vault", "time", "records", "bytes", "checksum")}
    if session.printer.is_table:
        session.say(f"Success! {told['records']} records, {told['bytes']} bytes: {target}")
        session.say(f"SHA-256: {told['checksum']}")
    else:
        session.printer.data({"file": str(target), **told})


def _made(session: Session) -> dict[str, Any]:
    """The backup on the server, once it is ready."""
    made = _data(session.client.write(_PATH))
    while made.get("stage") == "running":
        time.sleep(_POLL_SECONDS)
        made = _data(session.client.read(f"{_PATH}/{made['number']}"))
    if made.get("stage") != "complete":
        raise CommandFailed("the server did not make a backup")
    return made


def _fetch(session: Session, made: dict[str, Any], file: NewFile) -> None:
    size, whole = 0, hashlib.sha256()
    for part in range(int(made["parts"])):
        content = session.client.request("GET", f"{_PATH}/{made['number']}/{part}").body
        size += len(content)
        whole.update(content)
        file.write(content)
    if size != made["bytes"] or whole.hexdigest() != made["checksum"]:
        raise CommandFailed("the backup did not arrive as the server made it; try again")


def _data(answer: dict[str, Any] | None) -> dict[str, Any]:
    data = (answer or {}).get("data")
    if not isinstance(data, dict):
        raise CommandFailed("the server does not answer as one that makes backups")
    return data
