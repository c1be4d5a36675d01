"""``audit verify|anchor``: whether an audit log is whole, checked without the server; and what shows a cut end later."""

from __future__ import annotations

import json
from pathlib import Path

from strongroom.cli.errors import CommandFailed, reporting
from strongroom.cli.grammar import Output, command, expect
from strongroom.cli.options import text
from strongroom.cli.session import Session

CANNOT_TELL = 2
"""Exit code: nothing wrong was found, but it is not proven that nothing is."""


@command(
    "verify",
    "FILE...",
    text("-public-key", help="File with the vault's public key (from sys/audit-key), kept outside of the server."),
    text("-anchor", help="File with an anchor (from 'audit anchor'): shows whether the end was cut off."),
    output=Output.FORMAT,
    remote=False,
)
def verify(session: Session, arguments: tuple[str, ...], public_key: str, anchor: str) -> int:
    """Verifies audit log files, without the server.

    Name the files with the oldest first. Says which kind of tampering happened and where: edited, inserted, deleted, reordered or
    duplicated lines, cut ends, exchanged or missing files, foreign chains, bad signatures. Exit code: 0 intact, 1 broken, 2 cannot tell.

        strongroom read -field=public_key sys/audit-key > audit-key.pem
        strongroom audit verify -public-key=audit-key.pem audit.log.1 audit.log
    """
    from strongroom.evidence.anchor import BadAnchor, read_anchor
    from strongroom.evidence.signature import CannotVerify, PublicKey
    from strongroom.evidence.verify import verify as verify_files

    expect(arguments, 1, len(arguments))
    try:
        key = PublicKey.read(_content(public_key)) if public_key else None
        known = read_anchor(_content(anchor)) if anchor else None
        report = verify_files([Path(argument) for argument in arguments], key=key, anchor=known)
    except (BadAnchor, CannotVerify) as error:
        raise CommandFailed(str(error), CANNOT_TELL) from None
    except OSError as error:
        raise CommandFailed(f"cannot read {error.filename}: {error.strerror}", CANNOT_TELL) from None
    if session.printer.is_table:
        for finding in report.findings:
            place = f"{finding.file}:{finding.line}" if finding.line else finding.file
            number = f" (line {finding.sequence} of its chain)" if finding.sequence else ""
            session.say(f"{finding.kind.value.upper()}  {place}{number}: {finding.text}")
        if report.suppressed:
            session.say(f"... and {report.suppressed} more")
        for note in (*report.notes, *report.doubts):
            session.say(f"note: {note}")
        session.say(f"{report.verdict}: {report.lines} lines, {report.signatures} signatures checked")
    else:
        session.printer.data(
            {
                "verdict": report.verdict,
                "lines": report.lines,
                "signatures": report.signatures,
                "unsigned": report.unsigned,
                "findings": [
                    {
                        "kind": finding.kind.value,
                        "file": finding.file,
                        "line": finding.line,
                        "sequence": finding.sequence,
                        "text": finding.text,
                    }
                    for finding in report.findings
                ],
                "suppressed": report.suppressed,
                "notes": report.notes,
                "doubts": report.doubts,
            }
        )
    return {"intact": 0, "broken": 1}.get(report.verdict, CANNOT_TELL)


@command("anchor", "")
def anchor(session: Session, arguments: tuple[str, ...]) -> None:
    """Prints a signed anchor: how long the log of every device is now.

    Keep it where whoever could change the log cannot, and give it to 'audit verify'.

        strongroom audit anchor > anchor-2027-01-31.json
    """
    expect(arguments, 0)
    with reporting("Error reading the anchor"):
        answer = session.client.read("sys/audit-anchor")
    session.say(json.dumps((answer or {}).get("data") or {}, indent=2))


def _content(path: str) -> str:
    return Path(path).read_text(encoding="utf-8", errors="replace")
