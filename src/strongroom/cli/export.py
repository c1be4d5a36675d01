"""``export``: secrets as one document that another program reads, whole or not at all."""

from __future__ import annotations

import sys
from typing import Any

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import switch, text
from strongroom.cli.prompts import agreed
from strongroom.cli.run_sources import Gatherer
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session
from strongroom.cli.source_options import (
    fallback_options,
    fallback_reader,
    report_offline_reads,
    selection,
    source_options,
    tell_conflicts,
    wanted,
)
from strongroom.client import exact_json
from strongroom.delivery.environment import CannotDeliver, Variable, collect
from strongroom.delivery.export.document import Export
from strongroom.delivery.export.formats import FORMATS, Format
from strongroom.delivery.private_file import CannotWrite, write_private

_DEFAULT = "dotenv"


@command(
    "export",
    "",
    text("-format", help=f"{', '.join(FORMATS)}. ({_DEFAULT})", default=_DEFAULT),
    text("-output", "-o", help="File to write, with mode 0600; standard output without it."),
    text("-name", help="With -format=k8s-secret: NAME or NAMESPACE/NAME of the Secret."),
    *source_options(),
    *fallback_options(),
    switch("-yes", help="Do not ask before values are shown on a terminal."),
)
def export(session: Session, arguments: tuple[str, ...], **flags: Any) -> None:
    """Writes secrets in a form that another program reads.

    What the reader would not give back unchanged is refused, with the key and the reason; then nothing is written at all. Values
    that are not text are given as JSON. Without -path and -env-file the project file .strongroom.toml says what to write. Prefer
    strongroom run where you can: what was written to a file has to be protected, and removed.

        strongroom export -path secret/app -output=.env
        eval "$(strongroom export -path secret/app -format=shell)"
        strongroom export -path secret/app -format=k8s-secret -name=production/app | kubectl apply -f -
        strongroom export -path secret/app -format=github-env >> "$GITHUB_ENV"
    """
    expect(arguments, 0)
    form = FORMATS.get(flags["format"])
    if form is None:
        raise CommandFailed(f"-format is one of {', '.join(FORMATS)}")
    if flags["name"] and flags["format"] != "k8s-secret":
        raise CommandFailed("-name is for -format=k8s-secret")
    try:
        variables = _read(session, form, flags)
        content = form.write(Export(variables, flags["name"]))
    except CannotDeliver as error:
        raise CommandFailed(str(error)) from None
    tell_conflicts(session, variables)
    if flags["output"]:
        _save(session, flags["output"], content)
    else:
        _print(session, content, is_agreed=flags["yes"])


def _read(session: Session, form: Format, flags: dict[str, Any]) -> list[Variable]:
    chosen = selection(flags)
    with session.client_with(session.settings._replace(wrap_ttl="")) as client:
        reader = fallback_reader(session, client, flags)
        source = SecretReader(client) if reader is None else reader
        gathered = Gatherer(source, wanted(flags), session.environ, keeps=reader is not None).gather()
        if reader is None or not reader.is_away:
            report_offline_reads(session, client)
    return collect(gathered.sources, chosen, exact_json.encode, form.check)


def _save(session: Session, file: str, content: bytes) -> None:
    try:
        write_private(file, content)
    except CannotWrite as error:
        raise CommandFailed(str(error)) from None
    session.note(f"Wrote {file}, readable by you alone. Do not commit it.")


def _print(session: Session, content: bytes, *, is_agreed: bool) -> None:
    if sys.stdout.isatty() and not is_agreed and not agreed(session, "Values will be shown on this terminal. Go on?"):
        raise CommandFailed("Nothing was written. Name a file with -output, or send the output to a program.")
    sys.stdout.flush()
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()
