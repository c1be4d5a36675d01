"""In which order the parts of a project give a program its values: pure, over references.

From the weakest to the strongest: imports (whole secrets), base (``[variables]``), the environment's own variables, and the
personal file's. What is stronger replaces what is weaker.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from strongroom.delivery.project import Project
from strongroom.delivery.reference import Reference

IMPORT = "import"
BASE = "base"
ENVIRONMENT = "environment"
PERSONAL = "personal override"


class Wish(NamedTuple):
    """One variable, or with ``name`` None all keys of a secret; ``reference`` names its environment, if it is in one."""

    layer: str
    name: str | None
    reference: Reference


def wishes(project: Project, environments: Sequence[str]) -> list[Wish]:
    """Everything that ``project`` asks for in ``environments``, weakest first; of several the later is stronger."""
    found: list[Wish] = []
    for environment in environments or ("",):
        own = project.place(environment)
        found += _all(IMPORT, (*project.secrets, *own.secrets), {}, environment)
        found += _all(BASE, (), project.variables, environment)
        found += _all(ENVIRONMENT, (), own.variables, environment)
        if project.personal is not None:
            found += _all(PERSONAL, project.personal.secrets, project.personal.variables, environment)
    return found


def _all(
    layer: str, secrets: Sequence[Reference], variables: Mapping[str, Reference], environment: str
) -> Iterator[Wish]:
    for reference in secrets:
        yield Wish(layer, None, in_environment(reference, environment))
    for name, reference in variables.items():
        yield Wish(layer, name, in_environment(reference, environment))


def in_environment(reference: Reference, environment: str) -> Reference:
    """``reference`` with the environment that it means: its own, or ``environment`` where it names none."""
    return reference._replace(environment=environment) if reference.environment == "" else reference
