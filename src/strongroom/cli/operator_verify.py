"""``operator verify``: whether a store is what its vault left behind. The server's rooms are loaded only now, and only by name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import switch, text, texts
from strongroom.cli.prompts import hidden
from strongroom.cli.session import Session

_VERIFY = "strongroom.server.verify"
_INPUT_CHARACTERS_MAX = 65536


@command(
    "verify",
    "",
    texts("-config", help="Configuration file or folder of the server. May be repeated."),
    text("-key", help="- reads the key shares from standard input, one a line; without it they are asked for."),
    text("-anchor", help="The anchor file, where it is another than the configuration names."),
    texts(
        "-audit-log", help="A file of the audit log, where it is another than the configuration names. May be repeated."
    ),
    switch(
        "-accept", help="Take the records for right as they are, once you know what happened: write a new root record."
    ),
    output=Output.FORMAT,
    remote=False,
)
def verify(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Verifies a store without its server, which must be stopped.

    Says which kind of tampering happened and where: edited, moved, replayed, deleted or foreign records, a store that was rolled back,
    a root record, keyring, counter or seal that was changed. Exit code: 0 intact, 1 tampered with, 2 cannot tell.

    strongroom operator verify -config=/etc/strongroom/strongroom.hcl
    """
    expect(arguments, 0)
    if not flags["config"]:
        raise CommandFailed("Must specify at least one config path using -config")
    if flags["key"] not in {"", "-", None}:
        raise CommandFailed("A key on the command line can be seen by others: use -key=- and pipe it in")
    report = _load().run(
        list(flags["config"]),
        _from_input() if flags["key"] else lambda number, of: hidden(session, f"Unseal Key {number} of {of}", _INSTEAD),
        anchor=flags["anchor"] or "",
        audit_logs=list(flags["audit_log"]),
        accept=flags["accept"],
    )
    _show(session, report)
    return int(report.exit_code)


_INSTEAD = "Pipe the shares in: strongroom operator verify -key=- <shares.txt"


def _from_input() -> Callable[[int, int], str]:
    lines = iter(sys.stdin.read(_INPUT_CHARACTERS_MAX).split())

    def share(number: int, of: int) -> str:
        try:
            return next(lines)
        except StopIteration:
            raise CommandFailed(f"{of} key shares are needed; standard input holds {number - 1}", 2) from None

    return share


def _show(session: Session, report: Any) -> None:
    if not session.printer.is_table:
        session.printer.data(
            {
                "verdict": report.verdict,
                "records": report.records,
                "counter": report.counter,
                "findings": [
                    {"class": one.kind.value, "meaning": one.sentence, "place": one.place, "detail": one.detail}
                    for one in report.findings
                ],
                "doubts": report.doubts,
                "notes": report.notes,
            }
        )
        return
    for one in report.findings:
        place = f"  {one.place}" if one.place else ""
        detail = f" ({one.detail})" if one.detail else ""
        session.say(f"{one.kind.value.upper()}{place}: {one.sentence}{detail}")
    for note in (*report.notes, *report.doubts):
        session.say(f"note: {note}")
    session.say(f"{report.verdict}: {report.records} records opened, transaction {report.counter}")


def _load() -> Any:
    try:
        return importlib.import_module(_VERIFY)
    except ModuleNotFoundError as error:
        raise CommandFailed(
            f"The server is not installed here (no module {error.name}): pip install 'strongroom[server]'", 2
        ) from None
