r"""Manual pages (``man``), made from the tree of commands: ``strongroom.1``, and ``strongroom-kv-get.1`` for ``strongroom kv get``.

The pages are man(7) in ASCII. They hold no date, so that the same source makes the same pages.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator

import click

from strongroom import __version__
from strongroom.cli.command_tree import below, everything, option_records, with_context
from strongroom.cli.main import root

SECTION = "1"
_PROGRAM = "strongroom"
_EXIT_STATUS = (
    ("0", "It is done."),
    ("1", "Wrong usage, or something on this machine."),
    ("2", "The server said no, gave no answer, or has nothing there. For status: sealed."),
    ("125, 126, 127", "Of run: Strongroom failed, the program cannot be executed, the program is not found."),
    ("127", "There is no such command."),
)
_ENVIRONMENT = (
    ("STRONGROOM_ADDR", "Address of the server."),
    ("STRONGROOM_TOKEN", "Token to use; without it the one that strongroom login kept."),
    ("STRONGROOM_CACERT", "PEM file of the authority that signed the server's certificate."),
    ("STRONGROOM_NAMESPACE", "Namespace to work in."),
    ("STRONGROOM_FORMAT", "Form of the output: table, json or yaml."),
)
_SPECIAL = {"\\": "\\e", "-": "\\-", "'": "\\(aq", "`": "\\(ga", "^": "\\(ha", "~": "\\(ti", '"': "\\(dq"}


def pages() -> dict[str, str]:
    """Every page, by the name of its file."""
    program = root()
    found = {}
    for command, context in everything(program, with_context(program, _PROGRAM)):
        found[f"{_name(context)}.{SECTION}"] = page(command, context)
    return found


def page(command: click.Command, context: click.Context) -> str:
    """The page of one command."""
    name = _name(context)
    summary, *rest = (command.help or "").strip().split("\n\n")
    lines = [
        rf'.TH "{_text(name.upper())}" "{SECTION}" "" "Strongroom {__version__}" "Strongroom"',
        ".nh",
        ".ad l",
        ".SH NAME",
        rf"{_text(name)} \- {_text(_one_line(summary).rstrip('.'))}",
        ".SH SYNOPSIS",
        *_synopsis(command, context),
        ".SH DESCRIPTION",
        *_line(_one_line(summary)),
    ]
    for part in rest:
        lines += _example(part) if _is_example(part) else [".PP", *_line(_one_line(part))]
    lines += _list(
        "COMMANDS", [(_name(inner), found.get_short_help_str(200)) for found, inner in below(command, context)]
    )
    lines += _list("OPTIONS", option_records(command, context))
    if context.parent is None:
        lines += [*_list("ENVIRONMENT", _ENVIRONMENT), *_list("EXIT STATUS", _EXIT_STATUS)]
    else:
        lines += [".SH SEE ALSO", f".BR {_text(_name(context.parent))} ({SECTION})"]
    return "\n".join(lines) + "\n"


def _name(context: click.Context) -> str:
    return context.command_path.replace(" ", "-")


def _synopsis(command: click.Command, context: click.Context) -> Iterator[str]:
    yield f".B {_text(context.command_path)}"
    yield from _line(" ".join(command.collect_usage_pieces(context)))


def _list(title: str, items: list[tuple[str, str]] | tuple[tuple[str, str], ...]) -> Iterator[str]:
    if not items:
        return
    yield f".SH {title}"
    for term, meaning in items:
        yield ".TP"
        yield f".B {_text(term)}"
        yield from _line(_one_line(meaning))


def _is_example(part: str) -> bool:
    return part.startswith(("\b", f"{_PROGRAM} "))


def _example(part: str) -> Iterator[str]:
    yield from (".PP", ".RS 4", ".nf")
    for line in textwrap.dedent(part.removeprefix("\b").strip("\n")).splitlines():
        yield from _line(line)
    yield from (".fi", ".RE")


def _one_line(text: str) -> str:
    return " ".join(text.removeprefix("\b").split())


def _line(text: str) -> Iterator[str]:
    """``text`` as a line of input that is no request, whatever it starts with."""
    shown = _text(text)
    yield f"\\&{shown}" if shown.startswith((".", "\\(aq")) else shown


def _text(text: str) -> str:
    """``text`` with everything that troff would take for something else written as an escape, in ASCII."""
    escaped = "".join(_SPECIAL.get(letter, letter) for letter in text)
    return re.sub(r"[^\x20-\x7e]", lambda match: f"\\[u{ord(match[0]):04X}]", escaped)
