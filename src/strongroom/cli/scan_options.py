"""The flags that every kind of scan has."""

from __future__ import annotations

import click

from strongroom.cli.options import switch, text, texts, whole

FORMATS = ("text", "json", "jsonl", "sarif", "junit", "gitlab", "github", "csv", "html")
LEVELS = ("provider", "default", "all")


def scan_options() -> tuple[click.Option, ...]:
    """The flags, anew for each command."""
    return (
        text("-format", help=f"{', '.join(FORMATS)}. (text)", default="text"),
        text("-output", help="File to write the report to, readable by its owner alone. (standard output)"),
        text("-level", help="provider: only formats of providers; default; all: also what is doubtful. (default)"),
        text("-baseline", help="File of what is known already: those secrets are not reported."),
        text("-write-baseline", help="Write what was found to this file as a baseline, and exit with 0."),
        text(
            "-fingerprint-key-file",
            help="File with a key for fingerprints, so that nobody can guess secrets from them.",
        ),
        switch("-reveal", help="Show secrets in full."),
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


def choosing_options() -> tuple[click.Option, ...]:
    """The flags of scans that list files."""
    return (
        texts("-include", help="Scan only paths that match this pattern. May be repeated."),
        texts("-exclude", help="Leave out paths that match this pattern. May be repeated."),
        text("-max-file-size", help="Leave out files that are larger, such as 20MB. (no limit)"),
    )
