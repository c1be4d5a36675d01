"""Which variables come from where, as a table or as data: names and sources, never values."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from strongroom.cli import tables
from strongroom.delivery.environment import Inheritance, Variable, is_preserved

if TYPE_CHECKING:
    from strongroom.cli.session import Session


def show(session: Session, variables: list[Variable], inheritance: Inheritance) -> None:
    """Print what a program would get."""
    kept = {item.name for item in variables if item.name in os.environ and is_preserved(item.name, inheritance)}
    if not session.printer.is_table:
        session.printer.data(
            [
                {
                    "name": item.name,
                    "source": "environment" if item.name in kept else item.source,
                    "instead_of": list(item.replaced),
                }
                for item in variables
            ]
        )
        return
    if not variables:
        session.say("No variables.")
        return
    rows = [(item.name, *_origin(item, kept)) for item in variables]
    session.say(tables.headed(("Variable", "Source", "Instead of"), rows))


def _origin(item: Variable, kept: set[str]) -> tuple[str, str]:
    if item.name in kept:
        return "environment", ", ".join((*item.replaced, item.source))
    return item.source, ", ".join(item.replaced)
