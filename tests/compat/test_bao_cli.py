"""The real OpenBao command line gives the same exit codes and the same fields on our server as on OpenBao."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from tests.compat.journey import JOURNEY, Step

from tools.servers import Product, Server, openbao_binary, openbao_in_memory, serving, strongroom

pytestmark = [pytest.mark.compat, pytest.mark.xdist_group("journey")]

# The command line's rekey and generate-root use the unauthenticated endpoints of older clients.
OLDER_CLIENTS = """
  disable_unauthed_rekey_endpoints         = false
  disable_unauthed_generate_root_endpoints = false
"""


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit code, its answer as JSON if it was that, and what it said on standard error."""

    exit_code: int
    answer: Any
    said: str


class Traveller:
    """Walks the journey on one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.kept = {"folder": str(server.folder)}

    def walk(self) -> list[Outcome]:
        """Every step in order."""
        return [self.take(step) for step in JOURNEY]

    def take(self, step: Step) -> Outcome:
        """One step: run the command, keep what later steps need."""
        words = [word.format(**self.kept) for word in shlex.split(step.command)]
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.server.folder),
            "BAO_ADDR": self.server.address,
            "BAO_CACERT": str(self.server.certificate),
            "BAO_MAX_RETRIES": "0",
            "BAO_TOKEN": self.kept.get(step.token, ""),
        }
        done = subprocess.run(
            [openbao_binary(), *words],
            input=step.stdin.replace("{root}", self.kept.get("root", "")),
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        answer = read_json(done.stdout)
        for name, path in step.keeps.items():
            self.kept[name] = str(member(answer, path))
        return Outcome(done.returncode, answer, done.stderr)


def read_json(text: str) -> Any:
    """The value, or None where a command printed something else than JSON."""
    try:
        return json.loads(text)
    except ValueError:
        return None


def member(answer: Any, path: str) -> Any:
    """What stands at a dotted path; empty where the answer has no such place, so that the journey goes on."""
    for key in path.split("."):
        try:
            answer = answer[int(key)] if isinstance(answer, list) else answer[key]
        except (KeyError, IndexError, TypeError):
            return ""
    return answer


def fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every field of an answer: its dotted path and the kind of its value. All elements of a list count as one."""
    if isinstance(value, dict):
        yield path, "object"
        for key, inner in value.items():
            yield from fields(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        yield path, "list"
        for inner in value:
            yield from fields(inner, f"{path}[]")
    else:
        yield path, {str: "text", bool: "boolean", int: "number", float: "number"}.get(type(value), "null")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Outcome]]:
    """The journey on both servers."""

    def travel(product: Product) -> list[Outcome]:
        with serving(product, tmp_path_factory.mktemp(product.name), listener=OLDER_CLIENTS) as server:
            return Traveller(server).walk()

    return {product.name: travel(product) for product in (strongroom(), openbao_in_memory())}


def differences(step: Step, ours: Outcome, theirs: Outcome) -> list[str]:
    """In what two outcomes of a step differ, in sentences."""
    found = []
    if ours.exit_code != theirs.exit_code:
        found.append(f"exit code {ours.exit_code}, not {theirs.exit_code}: {ours.said.strip()}")
    mine, expected = set(fields(ours.answer)), set(fields(theirs.answer))
    found += [f"lacks {path} ({kind})" for path, kind in sorted(expected - mine) if not excused(step, path)]
    found += [f"has {path} ({kind}) besides" for path, kind in sorted(mine - expected) if not excused(step, path)]
    return found


def excused(step: Step, path: str) -> bool:
    """Whether a field may differ in this step, by itself or with all that is above it; a star stands for any one key."""
    given = path.replace("[]", "").split(".")
    for pattern in step.but:
        wanted = pattern.split(".")
        if len(wanted) <= len(given) and all(w in ("*", g) for w, g in zip(wanted, given, strict=False)):
            return True
    return False


@pytest.mark.parametrize(
    "number", range(len(JOURNEY)), ids=[f"{n:03}-{step.command[:40]}" for n, step in enumerate(JOURNEY)]
)
def test_the_real_command_line_sees_no_difference(number: int, outcomes: dict[str, list[Outcome]]) -> None:
    ours, theirs = outcomes["Strongroom"][number], outcomes["OpenBao"][number]
    found = differences(JOURNEY[number], ours, theirs)
    if found:
        pytest.fail("\n".join([JOURNEY[number].command, *found]), pytrace=False)
