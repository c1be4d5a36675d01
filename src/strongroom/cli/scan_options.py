"""The flags that every kind of scan has. Knows nothing of click, so that a scan can start at once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from strongroom.cli.errors import CommandFailed
from strongroom.cli.flags import Flag, Kind, switch, text, texts, whole

if TYPE_CHECKING:
    from strongroom.scanner.containers import Limits

FORMATS = ("text", "json", "jsonl", "sarif", "junit", "gitlab", "github", "csv", "html")
LEVELS = ("provider", "default", "all")
FAILED = 2
"""Exit code: something could not be scanned, or the scan could not be done."""

_SIZE = re.compile(r"([0-9]{1,15}) ?(?:([kmgt])(i?)b?|b)?", re.IGNORECASE)
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}


def scan_options() -> tuple[Flag, ...]:
    """The flags."""
    return (
        text("-format", help=f"{', '.join(FORMATS)}. (text)", default="text"),
        text("-output", help="File to write the report to, readable by its owner alone. (standard output)"),
        texts("-report", help="Also write a report to a file: FORMAT:FILE, such as sarif:scan.sarif. May be repeated."),
        text("-level", help="provider: only formats of providers; default; all: also what is doubtful. (default)"),
        text("-baseline", help="File of what is known already: those secrets are not reported."),
        text("-write-baseline", help="Write what was found to this file as a baseline, and exit with 0."),
        text(
            "-fingerprint-key-file",
            help="File with a key for fingerprints, so that nobody can guess secrets from them.",
        ),
        *_known_options(),
        switch("-reveal", help="Show secrets in full. Asks first where a person is at the terminal."),
        switch("-yes", help="Do not ask."),
        switch("-redact", help="Show not even the beginning of secrets."),
        whole("-exit-code", help="Exit code when secrets were found. (1)", default=1),
        text("-config", help="Configuration: .strongroom-scan.toml, or one of gitleaks. (that of the folder)"),
        texts("-rules", help="Use only rules with these ids; * and ? may stand in them. May be repeated."),
        whole("-jobs", help="How many processes scan. (one for each processor)"),
        whole("-max-depth", help="How many encodings are taken off, one after the other. (5)"),
        switch("-verify", help="Ask the issuers of the secrets, and nobody else, which of them live."),
        switch("-no-decode", help="Do not look into base64 and other encodings."),
        switch("-no-cache", help="Compile the rules anew, and keep nothing."),
    )


def _where(value: str, name: str) -> str:
    """Who knows our values: the server where the flag stands alone, else what it names."""
    del name
    return "server" if value == "true" else value


def known_option() -> Flag:
    """The flag that names who knows our values."""
    return Flag(
        ("-known",),
        Kind("where", _where, is_switch=True),
        "Find values that are ours: server (asked by prefixes of keyed digests), kv:PATH (all that your token may "
        "read there), env:FILE, filter:FILE. May be repeated. (server)",
        (),
        is_repeated=True,
        metavar="[=WHERE]",
    )


def key_file_option() -> Flag:
    """The flag that names the key of a sealed filter."""
    return text("-known-key-file", help="File with the key of a sealed filter. (STRONGROOM_KNOWN_KEY)")


def _known_options() -> tuple[Flag, ...]:
    return (
        known_option(),
        switch("-known-only", help="Find nothing but values that are ours."),
        key_file_option(),
    )


def choosing_options() -> tuple[Flag, ...]:
    """The flags of scans that list files."""
    return (
        texts("-include", help="Scan only paths that match this pattern. May be repeated."),
        texts("-exclude", help="Leave out paths that match this pattern. May be repeated."),
        text("-max-file-size", help="Leave out files that are larger, such as 20MB. (no limit)"),
    )


def limits_of(max_file_size: str) -> Limits:
    """The bounds of a scan that leaves out files larger than `max_file_size`; the usual ones where that is empty."""
    from dataclasses import replace

    from strongroom.scanner.containers import Limits

    limits = Limits()
    return replace(limits, file_bytes=size_of(max_file_size)) if max_file_size else limits


def size_of(text: str) -> int:
    """A number of bytes, written as `4096`, `20MB` (of 1000) or `20MiB` (of 1024)."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise CommandFailed("-max-file-size is a number of bytes, or one with a unit: 500kB, 20MB, 1GiB", FAILED)
    base: int = 1024 if found[3] else 1000
    return int(found[1]) * int(base ** _POWERS[(found[2] or "").lower()])
