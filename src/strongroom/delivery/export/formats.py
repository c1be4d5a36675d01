"""All formats by their names: one literal list."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from strongroom.delivery.credentials import check_file_name
from strongroom.delivery.environment import Check
from strongroom.delivery.export import (
    data_documents,
    docker_env,
    dotenv_lines,
    github,
    kubernetes,
    powershell,
    shells,
    systemd,
    terraform,
)
from strongroom.delivery.export.document import Export


class Format(NamedTuple):
    """A writer, what it writes in a line, and which names it holds: those of variables where ``check`` is None."""

    write: Callable[[Export], bytes]
    about: str
    check: Check | None = None


def any_name(name: str, where: str) -> None:
    """Every key fits: data holds any text as a name."""


FORMATS: dict[str, Format] = {
    "dotenv": Format(dotenv_lines.dotenv, "NAME=value lines, as python-dotenv reads them"),
    "dotenv-export": Format(dotenv_lines.dotenv_export, "lines that shells and python-dotenv read alike"),
    "shell": Format(shells.shell, "a script for sh, dash, bash and zsh"),
    "fish": Format(shells.fish, "a script for fish"),
    "powershell": Format(powershell.powershell, "a script for PowerShell"),
    "json": Format(data_documents.as_json, "an object of texts", any_name),
    "yaml": Format(data_documents.yaml, "a mapping of texts", any_name),
    "toml": Format(data_documents.toml, "a table of texts", any_name),
    "csv": Format(data_documents.csv, "rows of name and value", any_name),
    "tfvars": Format(terraform.tfvars, "values of Terraform's input variables", terraform.check_name),
    "k8s-secret": Format(
        kubernetes.secret, "the manifest of a Kubernetes Secret; -name says which", kubernetes.check_key
    ),
    "docker-env": Format(docker_env.docker_env, "lines for docker run --env-file"),
    "github-env": Format(github.github_env, "lines to append to $GITHUB_ENV"),
    "github-mask": Format(github.github_mask, "commands that mask the values in GitHub's log", any_name),
    "systemd-env": Format(systemd.environment_file, "lines for EnvironmentFile= of systemd"),
    "systemd-creds": Format(systemd.credentials, "a drop-in of a unit, sealed for this machine", check_file_name),
}

MOUNTED = tuple(name for name in FORMATS if name not in {"k8s-secret", "github-env", "github-mask", "systemd-creds"})
"""Those that a program may read from a pipe: what is about the program that reads, and not about another place."""
