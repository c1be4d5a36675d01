"""``read REF``: the value that a reference means, for a person or a script."""

from __future__ import annotations

from strongroom.cli.go_text import plain
from strongroom.cli.project_use import environment_in_use, project_in_use
from strongroom.cli.references import Resolver, reference
from strongroom.cli.secret_reader import SecretReader
from strongroom.cli.session import Session


def resolver_of(session: Session, environment: str = "") -> Resolver:
    """What resolves references for this command, with the project file as it stands here."""
    project = project_in_use(session.environ)
    in_use = environment_in_use(project, session.environ, environment)
    return Resolver(SecretReader(session.client), project, in_use)


def show_value(session: Session, text: str) -> None:
    """Print the value bare (without a newline unless a person looks), or in the machine-readable format that was asked for.

    A reference without a key shows the whole secret.
    """
    resolver, asked = resolver_of(session), reference(text)
    if not asked.key:
        session.printer.mapping({**resolver.secret(asked).values, **resolver.overrides(asked)})
        return
    value = resolver.effective(asked)
    if session.printer.is_table:
        session.printer.bare(plain(value))
    else:
        session.printer.data(value)
