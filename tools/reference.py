"""Writes the pages of the documentation that are derived from the code: command line, configuration, API. Run by `make docs`."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from strongroom.cli.command_tree import everything, option_records, with_context
from strongroom.cli.main import root
from strongroom.describe.openapi import Part
from strongroom.describe.reference import escaped, plug_text
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.backend import Router
from strongroom.server import config_reference
from strongroom.server.assemble import assemble
from strongroom.server.config import parse_config
from strongroom.server.doctor import examine
from strongroom.telemetry.page import metrics_table
from tools import scanner_rules

DOCS = Path(__file__).resolve().parent.parent / "docs"
REFERENCE = DOCS / "reference"
ENGINES = {"kv": ("kv-v1", "kv, version 1", "kv"), "kv/2": ("kv-v2", "kv, version 2", "secret")}
"""The page, the title and the mount of engines for which these are not simply their name."""
EXAMPLE = ("\b", "strongroom ")
"""How a paragraph of a help text starts that is an example."""
BEGIN, END = "<!-- generated: make docs -->\n", "<!-- end -->\n"


@dataclass(frozen=True)
class Page:
    """A page with a generated part between two marks; the rest of it is written by hand."""

    path: Path
    title: str
    generate: Callable[[], str]

    def current(self) -> str:
        """The whole page as it is; of a new page its title and the marks."""
        return self.path.read_text() if self.path.exists() else f"# {self.title}\n\n{BEGIN}{END}"

    def rendered(self) -> str:
        """The whole page as it should be."""
        text = self.current()
        before, mark, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not mark or not end:
            raise ValueError(f"{self.path.name} has no place marked for its generated part")
        return f"{before}{BEGIN}\n{self.generate().strip()}\n\n{END}{after}"


def command_line() -> str:
    """Every command with its options; those that most commands have stand once, in front."""
    program = root()
    commands = list(all_commands(program, with_context(program, "strongroom")))
    counts = Counter(record for command, context in commands for record in option_records(command, context))
    common = [record for record, count in counts.items() if count > len(commands) / 2]
    parts = ["## Options of every command that asks the server\n", option_table(common)]
    for command, context in commands:
        usage = click.unstyle(command.get_usage(context)).removeprefix("Usage: ")
        parts += [f"## {context.command_path}\n\n```\n{usage}\n```\n", help_text(command)]
        own = [record for record in option_records(command, context) if record not in common]
        if own:
            parts.append(option_table(own))
    return "\n".join(parts)


def help_text(command: click.Command) -> str:
    """The help of a command, its examples as code."""
    parts = (command.help or "").strip().split("\n\n")
    return "\n\n".join(as_code(part) if part.startswith(EXAMPLE) else part for part in parts) + "\n"


def as_code(example: str) -> str:
    """An example as a block of code, without the mark that keeps its lines apart in the help."""
    return "\n".join(["```", textwrap.dedent(example.removeprefix("\b")).strip(), "```"])


def all_commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The command, or all those below it, in order."""
    return ((found, inner) for found, inner in everything(command, context) if not isinstance(found, click.Group))


def option_table(records: list[tuple[str, str]]) -> str:
    """Options as a table."""
    lines = [f"| `{escaped(name)}` | {escaped(meaning)} |" for name, meaning in records]
    return "\n".join(["| option | meaning |", "|---|---|", *lines, ""])


def plugs() -> dict[str, tuple[str, Part]]:
    """Every plug that answers below a mount: by the name of its page, its title and where it is mounted in the examples."""
    config = parse_config([("reference", 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }')])
    node = assemble(config, SystemClock(), SystemEntropy())
    if node.system_backend is None or node.token_backend is None:
        raise RuntimeError("the node is not assembled")
    found = {
        "sys": ("System", Part("sys/", Router(node.system_backend))),
        "token": ("Auth method: token", Part("auth/token/", Router(node.token_backend))),
    }
    for name, make in sorted(node.plugs.engines.items()):
        page, title, mount = ENGINES.get(name, (name, name, name))
        found[page] = (f"Secrets engine: {title}", Part(f"{mount}/", Router(make())))
    for name, make in sorted(node.plugs.auth_methods.items()):
        found[name] = (f"Auth method: {name}", Part(f"auth/{name}/", Router(make())))
    return found


def index(named: dict[str, tuple[str, Part]]) -> str:
    """The table of all plugs."""
    lines = ["| plug | mounted at, in its page | what it is for |", "|---|---|---|"]
    for name, (title, part) in named.items():
        about = escaped(part.router.backend.help).partition(". ")[0].rstrip(".")
        lines.append(f"| [{title}](api/{name}.md) | `{part.mount_path}` | {about}. |")
    return "\n".join(lines)


def pages() -> tuple[Page, ...]:
    """Every page with a generated part."""
    named = plugs()
    return (
        Page(REFERENCE / "command-line.md", "Command line", command_line),
        Page(REFERENCE / "configuration.md", "Configuration", config_reference.reference),
        Page(DOCS / "how-to" / "monitor.md", "Monitor the server", metrics_table),
        Page(DOCS / "how-to" / "harden.md", "Harden the server", examine.table),
        Page(REFERENCE / "scanner-rules.md", "Scanner rules", scanner_rules.page),
        Page(REFERENCE / "api.md", "API", lambda: index(named)),
        *(
            Page(REFERENCE / "api" / f"{name}.md", title, partial(plug_text, part))
            for name, (title, part) in named.items()
        ),
    )


def main() -> None:
    """Bring every page up to date, and say which ones changed."""
    for page in pages():
        rendered = page.rendered()
        if rendered != page.current():
            page.path.parent.mkdir(exist_ok=True)
            page.path.write_text(rendered)
            print(f"written: {page.path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
