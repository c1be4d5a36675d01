"""``watch``: find leaked secrets in public places, as they appear. Needs no server, only the scanner's packages."""

from __future__ import annotations

from typing import Any

from strongroom.cli.grammar import command, expect
from strongroom.cli.options import switch, text, whole
from strongroom.cli.scan_options import FORMATS, key_file_option, known_option
from strongroom.cli.session import Session


@command(
    "watch",
    "",
    text("-config", help="The configuration: which feeds are watched, and for what."),
    switch("-once", help="One round over all feeds, then a report. For cron."),
    switch("-check", help="Read the configuration, show what would be watched, and ask nobody."),
    text("-state", help="File that remembers where each feed was. (that of the configuration, or CONFIG.state)"),
    text(
        "-format",
        help=f"text or jsonl; with -once also {', '.join(one for one in FORMATS if one not in {'text', 'jsonl'})}. (text)",
    ),
    text("-output", help="File that findings are appended to, as JSON lines, readable by its owner alone."),
    text("-baseline", help="File of what is known already: those secrets are not reported."),
    text("-fingerprint-key-file", help="File with a key for fingerprints, so that nobody can guess secrets from them."),
    known_option(),
    switch("-known-only", help="Find nothing but values that are ours."),
    key_file_option(),
    switch("-reveal", help="Show secrets in full. Asks first where a person is at the terminal."),
    switch("-yes", help="Do not ask."),
    switch("-redact", help="Show not even the beginning of secrets."),
    switch("-verify", help="Ask the issuers of the secrets, and nobody else, which of them live."),
    whole("-exit-code", help="Exit code of -once when secrets were found. (1)", default=1),
    switch("-no-cache", help="Compile the rules anew, and keep nothing."),
    remote=False,
)
def watch(session: Session, arguments: tuple[str, ...], **flags: Any) -> int:
    """Asks public places what is new (GitHub, GitLab, paste sites, RSS), scans it, and reports secrets.

    It goes on until it is ended by SIGTERM or SIGINT, after the item in hand. What was reported is not reported again. Exit code of -once: 0
    clean, 1 secrets found, 2 something could not be scanned.

        strongroom watch -config=watch.toml -output=found.jsonl
        strongroom watch -config=watch.toml -once -format=sarif
    """
    expect(arguments, 0, 0)
    from strongroom.cli.watch_run import perform_watch

    return perform_watch(session, flags)
