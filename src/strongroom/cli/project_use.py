"""The project file as commands use it: found, loaded, and the environment in use decided."""

from __future__ import annotations

import os
from collections.abc import Mapping

from strongroom.cli.errors import CommandFailed
from strongroom.client.settings import variable
from strongroom.delivery.project import BadProject, Project
from strongroom.delivery.project_file import find, load
from strongroom.delivery.reference import BadReference, checked_environment


def project_path(environ: Mapping[str, str]) -> str:
    """The project file: the one that STRONGROOM_PROJECT names, or the nearest one upwards; ``""`` where there is none."""
    named = variable(environ, "PROJECT")
    if named:
        return os.path.abspath(named)  # noqa: PTH100 -- pathlib would add to the start of ``run``
    try:
        return find(os.getcwd(), environ.get("HOME", ""))  # noqa: PTH109 -- as above
    except FileNotFoundError:
        raise CommandFailed("the folder in which this runs does not exist any more") from None


def project_in_use(environ: Mapping[str, str]) -> Project:
    """The project, empty where there is no file. Raises CommandFailed that says what is wrong with the file."""
    path = project_path(environ)
    if not path:
        return Project()
    try:
        return load(path, environ)
    except BadProject as error:
        raise CommandFailed(str(error)) from None


def environment_in_use(project: Project, environ: Mapping[str, str], chosen: str = "") -> str:
    """The environment that references without one mean: the flag's, the variable's, the personal file's, the project's.

    ``""`` where nobody named any.
    """
    personal = project.personal.environment if project.personal else ""
    name = chosen or variable(environ, "ENV") or personal or project.environment
    try:
        return checked_environment(name) if name else ""
    except BadReference as error:
        raise CommandFailed(str(error)) from None
