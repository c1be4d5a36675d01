"""``inject``: a file with references becomes a file with values, for programs that read nothing but files."""

from __future__ import annotations

import sys

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command, expect
from strongroom.cli.options import text
from strongroom.cli.prompts import standard_input
from strongroom.cli.reference_view import resolver_of
from strongroom.cli.references import as_text
from strongroom.cli.run_sources import read_text
from strongroom.cli.session import Session
from strongroom.delivery.private_file import CannotWrite, write_private
from strongroom.delivery.template import BadTemplate, Hole, fill, pieces


@command(
    "inject",
    "FILE",
    text("-env", help="Environment that references without one mean."),
    text("-output", "-o", help="File to write, with mode 0600; standard output without it."),
)
def inject(session: Session, arguments: tuple[str, ...], env: str, output: str) -> None:
    """Fills the references in a file with their values. FILE - is standard input.

    A reference stands in double braces, or is a whole value by itself. After | it can say how to write the value: json, base64 or
    shell. Nothing is written unless every reference could be filled.

        strongroom inject -output=app.yaml app.yaml.tpl
        echo 'DB_PASSWORD={{ sr:///app#DB_PASSWORD | shell }}' | strongroom inject -env production -
    """
    expect(arguments, 1)
    name = "standard input" if arguments[0] == "-" else arguments[0]
    source = standard_input() if arguments[0] == "-" else read_text(arguments[0])
    try:
        parts = pieces(source)
    except BadTemplate as error:
        raise CommandFailed(f"{name}: {error}") from None
    resolver = resolver_of(session, env)

    def value_of(hole: Hole) -> str:
        try:
            return as_text(resolver.value(hole.reference))
        except CommandFailed as failure:
            raise CommandFailed(f"{name}: line {hole.line}: {failure.text}", failure.exit_code) from None

    content = fill(parts, value_of).encode("utf-8", "surrogatepass")
    if not output:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    try:
        write_private(output, content)
    except CannotWrite as error:
        raise CommandFailed(str(error)) from None
    session.note(f"Wrote {output}, readable by you alone. Do not commit it.")
