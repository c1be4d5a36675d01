"""``man``: the manual pages, for man(1)."""

from __future__ import annotations

import os

from strongroom.cli.errors import CommandFailed
from strongroom.cli.grammar import command
from strongroom.cli.options import text
from strongroom.cli.session import Session
from strongroom.cli.words import suggestion


@command(
    "man",
    "[COMMAND...]",
    text("-output", "-o", help="Folder to write all pages to, such as ~/.local/share/man/man1."),
    remote=False,
)
def man(session: Session, arguments: tuple[str, ...], output: str) -> None:
    """Prints the manual page of a command, or writes all of them.

    strongroom man kv get | man -l -
    strongroom man -output=$HOME/.local/share/man/man1
    """
    from strongroom.cli.manual import SECTION, pages

    found = pages()
    if not output:
        name = "-".join(("strongroom", *arguments))
        page = found.get(f"{name}.{SECTION}")
        if page is None:
            known = [file.removesuffix(f".{SECTION}").replace("-", " ") for file in found]
            raise CommandFailed(f"there is no page {name}{suggestion(name.replace('-', ' '), known)}")
        session.say(page, end="")
        return
    if arguments:
        raise CommandFailed("-output writes all pages: name no command")
    try:
        os.makedirs(output, exist_ok=True)  # noqa: PTH103 -- a name as the system has it
        for file, page in found.items():
            with open(os.path.join(output, file), "w", encoding="ascii") as opened:  # noqa: PTH118, PTH123 -- as above
                opened.write(page)
    except OSError as error:
        raise CommandFailed(f"{output}: {(error.strerror or 'cannot be written').lower()}") from None
    session.note(f"Wrote {len(found)} pages to {output}.")
