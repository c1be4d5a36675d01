"""Flags for notes that mean something to the server: refused here where they would mean nothing there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from strongroom.cli.errors import CommandFailed
from strongroom.cli.options import text
from strongroom.logical.secret_notes import (
    CRITICALITY,
    DESCRIPTION,
    EXPIRES_AT,
    MAX_AGE,
    OWNER,
    REMIND_BEFORE,
    unreadable,
)

_NAMES = (OWNER, DESCRIPTION, CRITICALITY, EXPIRES_AT, REMIND_BEFORE, MAX_AGE)


def note_options() -> tuple[click.Option, ...]:
    """The flags."""
    return (
        text("-owner", help="Note: whose it is."),
        text("-description", help="Note: what it is for."),
        text("-criticality", help="Note: how bad its loss would be: low, medium, high or critical."),
        text("-expires-at", help="Note: from when it must not be used, as 2027-01-31 or 2027-01-31T12:00:00Z."),
        text("-remind-before", help="Note: how long before that somebody is told, as 30d,7d."),
        text("-max-age", help="Note: how old one of its values may get, as 90d."),
    )


def given_notes(settings: Mapping[str, Any]) -> dict[str, str]:
    """The notes that were given as flags, by name. Raises CommandFailed where one means nothing."""
    notes = {name: settings[name] for name in _NAMES if settings.get(name)}
    wrong = unreadable(notes)
    if wrong:
        raise CommandFailed("; ".join(text.replace("was stored, but means", "means") for text in wrong))
    return notes
