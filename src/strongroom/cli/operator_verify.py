"""``operator verify``: whether a store is what its vault left behind. The server's rooms are loaded only now, and only by name."""

from __future__ import annotations

from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.offline_keys import KEY_HELP, server_room, shares
from strongroom.cli.options import switch, text, texts
from strongroom.cli.session import Session

_VERIFY = "strongroom.server.verify"


@command(
    "verify",
    "",
    texts("-config", help="Configuration file or folder of the server. May be repeated."),
    text("-key", help=KEY_HELP),
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
    report = server_room(_VERIFY).run(
        list(flags["config"]),
        shares(session, flags["key"], "verify"),
        anchor=flags["anchor"] or "",
        audit_logs=list(flags["audit_log"]),
        accept=flags["accept"],
    )
    _show(session, report)
    return int(report.exit_code)


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
