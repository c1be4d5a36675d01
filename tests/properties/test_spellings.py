"""One path, one name: whatever another spelling does, it never does it to what is denied (SECURITY INV-1, INV-2, rows 1-5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest
from tests.declarations.catalog import BODY_METHODS, CASES, Case
from tests.declarations.examples import EXAMPLES, Example, default_captures, example_of
from tests.declarations.world import NAME, World, lasting
from tests.kit import Vault, as_result
from tests.processes import Result

from strongroom.encoding import json
from strongroom.http.message import HttpRequest
from strongroom.logical.request import Connection
from strongroom.mounts.table import EPOCH_KEY

MOVED_BY_ALL = (EPOCH_KEY, "barrier/root")
"""Keys that every change of their kind moves, whatever it changes."""

Mutate = Callable[[str], str]

PATH_MUTATIONS: dict[str, Mutate] = {
    "dot segment": lambda path: before_last(path, "./"),
    "dot dot segment": lambda path: before_last(path, "x/../"),
    "climbing out": lambda path: f"{path}/..",
    "climbing over": lambda path: f"secret/../{path}",
    "final dot": lambda path: f"{path}/.",
    "encoded dot": lambda path: before_last(path, "%2e/"),
    "encoded dot dot": lambda path: before_last(path, "x/%2e%2e/"),
    "dot dot encoded twice": lambda path: before_last(path, "x/%252e%252e/"),
    "overlong dot": lambda path: before_last(path, "x/%c0%ae%c0%ae/"),
    "leading slash": lambda path: f"/{path}",
    "double slash": lambda path: path.replace("/", "//", 1),
    "double slash at the end": lambda path: f"{path}//",
    "slash at the end": lambda path: f"{path}/",
    "encoded slash": lambda path: path.replace("/", "%2f", 1),
    "encoded slash in capitals": lambda path: "%2F".join(path.rsplit("/", 1)),
    "encoded slash at the end": lambda path: f"{path}%2f",
    "slash encoded twice": lambda path: path.replace("/", "%252f", 1),
    "backslash": lambda path: "%5c".join(path.rsplit("/", 1)),
    "bare backslash": lambda path: "\\".join(path.rsplit("/", 1)),
    "nul": lambda path: f"{path}%00",
    "line break": lambda path: f"{path}%0a",
    "tab": lambda path: f"{path}%09",
    "space at the end": lambda path: f"{path}%20",
    "no-break space at the end": lambda path: f"{path}%c2%a0",
    "zero width space": lambda path: f"{path}%e2%80%8b",
    "right to left mark": lambda path: f"{path}%e2%80%8f",
    "capitals": str.upper,
    "capitals at the end": lambda path: path[:-1] + path[-1].upper(),
    "not composed": lambda path: f"{path}e%cc%81",
    "full width": lambda path: path[:-1] + quote(chr(ord(path[-1]) + 0xFEE0)),
    "letter encoded": lambda path: f"%{ord(path[0]):02x}{path[1:]}",
    "letter encoded twice": lambda path: f"%25{ord(path[0]):02x}{path[1:]}",
    "not encoded": lambda path: f"{path}%zz",
    "half encoded": lambda path: f"{path}%4",
    "matrix parameter": lambda path: f"{path};a=b",
    "fragment": lambda path: f"{path}#a",
}

NAME_SPELLINGS = {
    "capitals": NAME.upper(),
    "a capital": NAME.capitalize(),
    "space before": f" {NAME}",
    "space after": f"{NAME} ",
    "no-break space after": f"{NAME}\u00a0",
    "ideographic space before": f"\u3000{NAME}",
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in NAME),
    "full width capital": "\uff25xample",
    "not composed": "e\u0301xample",
    "composed": "\u00e9xample",
    "cyrillic letter": "ex\u0430mple",
    "zero width space": f"{NAME}\u200b",
    "zero width joiner": "exam\u200dple",
    "soft hyphen": "exam\u00adple",
    "right to left override": f"\u202e{NAME}",
    "dot after": f"{NAME}.",
    "line break after": f"{NAME}\n",
    "mathematical": "\U0001d41e\U0001d431ample",
}

WRITES = [
    case
    for case in CASES
    if case.method not in {"GET", "LIST"}
    and not case.declared.endpoint.unauthenticated
    and not case.declared.endpoint.any_access
]


def before_last(path: str, inserted: str) -> str:
    head, _, last = path.rpartition("/")
    return f"{head}/{inserted}{last}"


@pytest.fixture(scope="module")
def world() -> World:
    return World()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_another_spelling_of_a_path_is_refused_or_is_judged_as_what_it_means(world: World, case: Case) -> None:
    vault = world.vault_for(case)
    example = example_for(case, vault)
    path = case.path(example.captures)
    if case.declared.endpoint.unauthenticated:
        token, before = "root", lasting(vault)
    else:
        token = token_with(vault, f'path "{path}" {{ capabilities = {EVERYTHING} }}')
        before = lasting(vault)
    for name, mutate in PATH_MUTATIONS.items():
        vault.device.written.clear()
        result = send_raw(vault, case, mutate(quote(path)), example, token)
        assert result.status < 500 or result.status == 503, f"{name}: {result}"
        assert vault.failures == [], name
        if result.status >= 400:
            assert lasting(vault) == before, f"{name} is refused, but changed something"
        else:
            # Where any token may ask, no policy judges the path.
            assert case.declared.endpoint.any_access or vault.device.records[0]["request"]["path"] == path, (
                f"{name} reached another path than it was allowed"
            )
            vault = world.vault_for(case)
            token = "root" if token == "root" else token_with(vault, f'path "{path}" {{ capabilities = {EVERYTHING} }}')
            before = lasting(vault)


@pytest.mark.parametrize("case", WRITES, ids=lambda case: case.id)
def test_another_spelling_never_touches_what_is_denied(world: World, case: Case) -> None:
    spelled = {f"path: {name}": mutate for name, mutate in PATH_MUTATIONS.items()}
    for name, spelling in NAME_SPELLINGS.items():
        spelled |= {f"{capture}: {name}": in_capture(case, capture, spelling) for capture in case.captures}
    vault = world.vault_for(case)
    example = example_for(case, vault)
    path = case.path(example.captures)
    rules = f'path "*" {{ capabilities = {EVERYTHING} }} path "{path}" {{ capabilities = ["deny"] }}'
    token = token_with(vault, rules)
    before = lasting(vault)
    for name, mutate in spelled.items():
        result = send_raw(vault, case, mutate(quote(path)), example, token)
        assert vault.failures == [], name
        if result.status >= 400:
            assert lasting(vault) == before, f"{name} is refused, but changed something"
            continue
        after = lasting(vault)
        touched = [key for key, record in before.items() if after.get(key) != record and not key.endswith(MOVED_BY_ALL)]
        assert touched == [], f"{name} touched what was there"
        vault = world.vault_for(case)
        token = token_with(vault, rules)
        before = lasting(vault)


def in_capture(case: Case, capture: str, spelling: str) -> Mutate:
    captures = default_captures(case) | {capture: spelling}
    return lambda _: quote(case.path(captures))


EVERYTHING = '["create", "read", "update", "patch", "delete", "list", "sudo"]'


def example_for(case: Case, vault: Vault) -> Example:
    """The example of ``case``; without what must be begun first, where that is kept in memory alone."""
    if case.mount == "sys/" and case.declared.endpoint.slow:
        known = EXAMPLES.get(case.id)
        return Example(known.body if isinstance(known, Example) else {}, default_captures(case))
    return example_of(case, vault)


def send_raw(vault: Vault, case: Case, target: str, example: Example, token: str) -> Result:
    """The request with its target as it is, byte for byte."""
    body: dict[str, Any] | None = example.body if case.method in BODY_METHODS else None
    headers = {"host": "vault.test", "x-vault-token": vault.root if token == "root" else token}
    if case.method == "PATCH":
        headers["content-type"] = "application/merge-patch+json"
    if example.wrap_ttl:
        headers["x-vault-wrap-ttl"] = example.wrap_ttl
    content = b"" if body is None else json.encode(body)
    return as_result(vault.answer(HttpRequest(case.method, f"/v1/{target}", headers, content, Connection())))


def token_with(vault: Vault, rules: str) -> str:
    vault.write_policy("under-test", rules)
    return vault.token_for("under-test", no_default_policy=True)
