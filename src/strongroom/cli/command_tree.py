"""The tree of commands, walked: what the reference page and the manual pages are made of."""

from __future__ import annotations

from collections.abc import Iterator

import click


def with_context(command: click.Command, name: str, parent: click.Context | None = None) -> click.Context:
    """A context for ``command``, called ``name`` below ``parent``."""
    return click.Context(command, parent=parent, info_name=name, **command.context_settings)


def below(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The commands directly below a group, in order, each with its context; nothing for a command that is no group."""
    if not isinstance(command, click.Group):
        return
    for name in command.list_commands(context):
        found = command.get_command(context, name)
        if found is not None and not found.hidden:
            yield found, with_context(found, name, context)


def everything(command: click.Command, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """The command itself and all below it, groups too, in order."""
    yield command, context
    for found, inner in below(command, context):
        yield from everything(found, inner)


def option_records(command: click.Command, context: click.Context) -> list[tuple[str, str]]:
    """Each option of a command as its help shows it: how it is written, and what it means."""
    records = (one.get_help_record(context) for one in command.get_params(context) if isinstance(one, click.Option))
    return [record for record in records if record]
