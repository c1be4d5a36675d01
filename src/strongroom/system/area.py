"""Small request types and parts that several areas of ``sys/`` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Protocol

from strongroom.logical.backend import Path
from strongroom.logical.errors import NotFound
from strongroom.logical.field import Doc
from strongroom.logical.request import Response


class Area(Protocol):
    """One part of the system's API."""

    def paths(self) -> tuple[Path, ...]:
        """Its declarations."""
        ...


@dataclass(slots=True)
class Nothing:
    """A request without fields."""


@dataclass(slots=True)
class Named:
    """A request whose only field is the name in its path."""

    name: Annotated[str, Doc("The name.", public=True)]


@dataclass(slots=True)
class AtPath:
    """A request whose only field is the mount path in its path."""

    path: Annotated[str, Doc("The path of the mount.", public=True)]


def listed(keys: list[str]) -> Response:
    """The answer to a list. An empty list is "nothing there", as Vault's clients expect."""
    if not keys:
        raise NotFound
    return Response(data={"keys": keys})
