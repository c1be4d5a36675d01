from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import pytest

from strongroom.logical.backend import Context, Endpoint, Path, Router
from strongroom.logical.errors import UnsupportedOperation, UnsupportedPath
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response

READ, UPDATE, LIST = Operation.READ, Operation.UPDATE, Operation.LIST


@dataclass
class Nothing:
    """No fields."""


@dataclass
class Named:
    name: Annotated[str, Doc("The name.")]


def nothing(context: Context, request: Nothing) -> Response | None:
    raise NotImplementedError


def named(context: Context, request: Named) -> Response | None:
    raise NotImplementedError


class Plug:
    help = "A plug for tests."

    def __init__(self, *paths: Path) -> None:
        self._paths = paths

    def paths(self) -> tuple[Path, ...]:
        return self._paths


def path(template: str, *operations: Operation, handler: Any = named) -> Path:
    return Path(template, "A path.", tuple(Endpoint(operation, handler, "Do it.") for operation in operations))


ROUTER = Router(
    Plug(
        path("keys", LIST, handler=nothing),
        path("keys/{name}", READ, UPDATE),
        path("keys/special", READ, handler=nothing),
        path("{name...}", LIST),
    )
)


def found(at: str, operation: Operation) -> str:
    return ROUTER.find(at, operation)[0].path.template


def test_the_most_specific_template_that_has_the_operation_answers() -> None:
    assert found("keys/a", READ) == "keys/{name}"
    assert found("keys/special", READ) == "keys/special"
    assert found("keys/special", UPDATE) == "keys/{name}"
    assert found("keys/special", LIST) == "{name...}"
    assert found("keys", LIST) == "keys"


def test_captures_come_with_the_endpoint() -> None:
    assert ROUTER.find("keys/a", READ)[1] == {"name": "a"}
    assert ROUTER.find("some/where/else", LIST)[1] == {"name": "some/where/else"}


def test_a_path_without_the_operation_and_no_path_at_all_are_told_apart() -> None:
    with pytest.raises(UnsupportedOperation):
        ROUTER.find("keys/a", Operation.DELETE)
    with pytest.raises(UnsupportedPath):
        ROUTER.find("", READ)


def test_everything_that_matches_is_listed_for_the_help_most_specific_first() -> None:
    templates = [declared.path.template for declared in ROUTER.matching("keys/special")]
    assert templates == ["keys/special", "keys/{name}", "keys/{name}", "{name...}"]
    assert ROUTER.matching("") == []


def test_one_operation_twice_on_one_path_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="twice"):
        Router(Plug(path("a", READ, READ, handler=nothing)))


def test_a_handler_takes_a_context_and_a_typed_request() -> None:
    with pytest.raises(TypeError, match="must take a context"):
        Router(Plug(path("a", READ, handler=lambda: None)))


def test_a_capture_that_no_field_takes_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="lacks the captured"):
        Router(Plug(path("keys/{other}", READ)))
