"""Variables as one document, for a program that reads a file: JSON, or the lines of a ``.env`` file."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from strongroom.delivery.environment import CannotDeliver, Variable


def as_json(variables: Sequence[Variable]) -> bytes:
    """An object of texts."""
    return (json.dumps({item.name: item.value.reveal() for item in variables}, indent=2) + "\n").encode()


def as_dotenv(variables: Sequence[Variable]) -> bytes:
    """``NAME='value'`` lines, as python-dotenv reads them. Raises CannotDeliver for a value that it would change."""
    lines = []
    for item in variables:
        value = item.value.reveal()
        if "${" in value:
            raise CannotDeliver(
                f"the value of {item.name} holds ${{, which a .env file replaces even in quotes: use -mount-format=json"
            )
        quoted = value.replace("\\", "\\\\").replace("'", "\\'")
        lines.append(f"{item.name}='{quoted}'\n")
    return "".join(lines).encode("utf-8", "surrogatepass")


FORMATS: dict[str, Callable[[Sequence[Variable]], bytes]] = {"dotenv": as_dotenv, "json": as_json}
"""The documents that there are, by their names."""
