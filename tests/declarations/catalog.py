"""Every endpoint of every plug, present and future, as the tests see it: enumerated from the registries, never listed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.kit import Vault

from strongroom.logical.backend import Backend, Declared, Router
from strongroom.logical.operation import Operation
from strongroom.logical.path import Specificity, parse_template
from strongroom.server.builtins import PLUGS

METHODS = {
    Operation.READ: "GET",
    Operation.UPDATE: "POST",
    Operation.PATCH: "PATCH",
    Operation.DELETE: "DELETE",
    Operation.LIST: "LIST",
}
BODY_METHODS = frozenset({"POST", "PATCH"})
BUILT_IN_MOUNTS = {"cubbyhole": "cubbyhole/"}
"""Engines that every vault has mounted from the first day, and that nobody can mount a second time."""


@dataclass(frozen=True)
class Case:
    """One endpoint below the mount on which the tests reach it."""

    mount: str
    declared: Declared = field(repr=False)

    @property
    def template(self) -> str:
        return self.mount + self.declared.path.template

    @property
    def method(self) -> str:
        return METHODS[self.declared.endpoint.operation]

    @property
    def id(self) -> str:
        """How the endpoint is called in the ids of tests and in the tables of examples."""
        return f"{self.method} {self.template}"

    @property
    def captures(self) -> dict[str, Specificity]:
        """The names in the template, with how many segments each may take."""
        segments = parse_template(self.declared.path.template)
        return {one.name: one.specificity for one in segments if one.specificity is not Specificity.LITERAL}

    def path(self, captures: dict[str, str]) -> str:
        """The path below ``/v1/`` that the template gives with these captures."""
        parts = [
            segment.name if segment.specificity is Specificity.LITERAL else captures[segment.name]
            for segment in parse_template(self.declared.path.template)
        ]
        return (self.mount + "/".join(part for part in parts if part)).removesuffix("/")


def mount_of_engine(name: str) -> str:
    """Where the tests mount the engine that the registry calls ``name``: ``kv/2`` at ``kv2/``."""
    return BUILT_IN_MOUNTS.get(name, name.replace("/", "") + "/")


def mount_of_method(name: str) -> str:
    """Where the tests mount an auth method."""
    return f"auth/{name}/"


def backends() -> Iterator[tuple[str, Backend]]:
    """Every backend of this server with the mount on which the tests reach it."""
    node = Vault(is_unsealed=False).node
    assert node.system_backend is not None
    assert node.token_backend is not None
    yield "sys/", node.system_backend
    yield "auth/token/", node.token_backend
    for name, make in PLUGS.engines.items():
        yield mount_of_engine(name), make()
    for name, make in PLUGS.auth_methods.items():
        yield mount_of_method(name), make()


ROUTERS = {mount: Router(backend) for mount, backend in backends()}
CASES = tuple(Case(mount, declared) for mount, router in ROUTERS.items() for declared in router.declared)
