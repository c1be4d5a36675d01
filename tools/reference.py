"""Writes the pages of the documentation that are derived from the code: command line and API. Run by `make docs`."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from strongroom.cli.main import root
from strongroom.logical.ambient import SystemClock, SystemEntropy
from strongroom.logical.backend import Declared, Router
from strongroom.server.assemble import assemble
from strongroom.server.config import parse_config

DOCS = Path(__file__).resolve().parent.parent / "docs"
BEGIN, END = "<!-- generated: make docs -->\n", "<!-- end -->\n"


@dataclass(frozen=True)
class Page:
    """A page with a generated part between two marks; the rest of it is written by hand."""

    path: Path
    generate: Callable[[], str]

    def rendered(self) -> str:
        """The whole page as it should be."""
        text = self.path.read_text()
        before, mark, rest = text.partition(BEGIN)
        _, end, after = rest.partition(END)
        if not mark or not end:
            raise ValueError(f"{self.path.name} has no place marked for its generated part")
        return f"{before}{BEGIN}\n{self.generate().strip()}\n\n{END}{after}"


def command_line() -> str:
    """Every command with its options; those that most commands have stand once, in front."""
    top = click.Context(root(), info_name="strongroom")
    commands = list(all_commands(root(), top))
    counts = Counter(record for command, context in commands for record in option_records(command, context))
    common = [record for record, count in counts.items() if count > len(commands) / 2]
    parts = ["## Options of every command that asks the server\n", option_table(common)]
    for command, context in commands:
        usage = click.unstyle(command.get_usage(context)).removeprefix("Usage: ")
        parts += [f"## {context.command_path}\n\n```\n{usage}\n```\n", f"{click.unstyle(command.help or '').strip()}\n"]
        own = [record for record in option_records(command, context) if record not in common]
        if own:
            parts.append(option_table(own))
    return "\n".join(parts)


def all_commands(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The command, or all those below it, in order."""
    if not isinstance(command, click.Group):
        yield command, context
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield from all_commands(
                found, click.Context(found, parent=context, info_name=name, **found.context_settings)
            )


def option_records(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    """Each option of a command as its help shows it: how it is written, and what it means."""
    records = (one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option))
    return [record for record in records if record]


def option_table(records: list[tuple[str, str]]) -> str:
    """Options as a table."""
    lines = [f"| `{escaped(name)}` | {escaped(meaning)} |" for name, meaning in records]
    return "\n".join(["| option | meaning |", "|---|---|", *lines, ""])


def escaped(text: str) -> str:
    """The text as it can stand in a table's cell."""
    return re.sub(r"\s+", " ", text).replace("|", "\\|").strip()


def api() -> str:
    """Every path of every plug with its operations."""
    config = parse_config([("reference", 'storage "inmem" {}\nlistener "tcp" { tls_disable = true }')])
    node = assemble(config, SystemClock(), SystemEntropy())
    backends = {"System: sys/": node.system_backend, "Tokens: auth/token/": node.token_backend}
    for kind, registry in (("Secrets engine", node.plugs.engines), ("Auth method", node.plugs.auth_methods)):
        backends |= {f"{kind}: {name}": make() for name, make in sorted(registry.items())}
    return "\n".join(f"## {title}\n\n{backend_text(Router(made))}" for title, made in backends.items() if made)


def backend_text(router: Router) -> str:
    """The help of a backend, and a table for each of its paths."""
    lines = [router.backend.help.strip(), ""]
    by_template: dict[str, list[Declared]] = {}
    for declared in router.declared:
        by_template.setdefault(declared.path.template, []).append(declared)
    for template, endpoints in by_template.items():
        lines += [f"### `{template or '(the mount itself)'}`", "", endpoints[0].path.help.strip(), ""]
        lines += ["| operation | what it does | fields |", "|---|---|---|"]
        lines += [
            f"| {one.endpoint.operation.value} | {escaped(one.endpoint.summary)}{marks(one)} | {fields(one)} |"
            for one in endpoints
        ]
        lines.append("")
    return "\n".join(lines)


def marks(declared: Declared) -> str:
    """What is special about an endpoint."""
    endpoint = declared.endpoint
    words = {
        "needs sudo": endpoint.sudo,
        "without a token": endpoint.unauthenticated,
        "sealed too": endpoint.answers_sealed,
    }
    special = ", ".join(word for word, holds in words.items() if holds)
    return f" *({special})*" if special else ""


def fields(declared: Declared) -> str:
    """The fields that come in the body, by name."""
    return ", ".join(f"`{field.name}`" for field in declared.request_type.fields if not field.in_path)


PAGES = (
    Page(DOCS / "reference" / "command-line.md", command_line),
    Page(DOCS / "reference" / "api.md", api),
)


def main() -> None:
    """Bring every page up to date, and say which ones changed."""
    for page in PAGES:
        rendered = page.rendered()
        if rendered != page.path.read_text():
            page.path.write_text(rendered)
            print(f"written: {page.path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
