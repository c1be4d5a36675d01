"""The reference pages are derived from declarations alone."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Annotated

import pytest

from strongroom.describe.openapi import Part
from strongroom.describe.reference import plug_text
from strongroom.logical.backend import Context, Endpoint, Path, Router, Shape
from strongroom.logical.field import Doc, Duration, WholeBody
from strongroom.logical.operation import Operation
from strongroom.logical.request import Response


class Kind(Enum):
    SMALL = "small"
    LARGE = "large"


@dataclass
class Order:
    item: Annotated[str, Doc("What to order.")]
    note: Annotated[str, Doc("Anything | else.")]
    kind: Annotated[Kind, Doc("How much of it.")] = Kind.SMALL
    wait: Annotated[Duration, Doc("How long to wait.")] = 60
    patience: Annotated[Duration, Doc("And then.")] = 0
    gift: Annotated[bool, Doc("Whether to wrap it.")] = False


@dataclass
class Anything:
    body: Annotated[WholeBody, Doc("Whatever it is.")]


@dataclass
class Nothing:
    pass


def order(context: Context, request: Order) -> Response | None:
    del context, request
    return None


def take(context: Context, request: Anything) -> Response | None:
    del context, request
    return None


def ask(context: Context, request: Nothing) -> Response | None:
    del context, request
    return None


def ordered(context: Context, request: Order) -> bool:
    del context, request
    return True


class Shop:
    help = "Sells things."

    def paths(self) -> tuple[Path, ...]:
        return (
            Path(
                "orders/{item...}/now",
                "Orders of things.",
                (
                    Endpoint(Operation.UPDATE, order, "Order a thing.", exists=ordered, sudo=True),
                    Endpoint(Operation.DELETE, order, "Take it back.", deprecated=True),
                ),
            ),
            Path(
                "door",
                "The door.",
                (Endpoint(Operation.READ, ask, "Knock.", unauthenticated=True, answers_sealed=True),),
            ),
            Path("box", "A box.", (Endpoint(Operation.PATCH, take, "Put things in."),)),
            Path(
                "hours", "When it is open.", (Endpoint(Operation.LIST, ask, "Ask.", any_access=True, shape=Shape.BARE),)
            ),
        )


@pytest.fixture(scope="module")
def text() -> str:
    return plug_text(Part("shop/", Router(Shop())))


def test_a_page_begins_with_what_the_plug_is_for(text: str) -> None:
    assert text.startswith("Sells things.\n\n| operation | needs | what it does |\n")


@pytest.mark.parametrize(
    "row",
    [
        "| `POST /v1/shop/orders/{item...}/now` | `create` or `update`, `sudo` | Order a thing. |",
        "| `DELETE /v1/shop/orders/{item...}/now` | `delete` | Take it back. |",
        "| `GET /v1/shop/door` | no token | Knock. |",
        "| `PATCH /v1/shop/box` | `patch` | Put things in. |",
        "| `LIST /v1/shop/hours` | any token | Ask. |",
    ],
)
def test_every_operation_has_its_row_with_what_it_needs(text: str, row: str) -> None:
    assert row in text.splitlines()


@pytest.mark.parametrize(
    "row",
    [
        "| `item` | a string, in the path | required | What to order. |",
        "| `note` | a string | required | Anything \\| else. |",
        "| `kind` | one of 'small', 'large' | `small` | How much of it. |",
        "| `wait` | a duration | `60s` | How long to wait. |",
        "| `patience` | a duration |  | And then. |",
        "| `gift` | true or false | `false` | Whether to wrap it. |",
    ],
)
def test_every_field_has_its_row_with_form_default_and_meaning(text: str, row: str) -> None:
    assert row in text.splitlines()


@pytest.mark.parametrize(
    "sentence",
    [
        "Order a thing. Needs `create` or `update` and `sudo`.",
        "Take it back. Needs `delete`. **Deprecated.**",
        "Knock. Needs no token. Answered while the vault is sealed, too.",
        "Put things in. Needs `patch`. Every member of the body is taken as it is.",
        "Ask. Any valid token may ask. The answer has no envelope.",
    ],
)
def test_what_is_special_about_an_operation_is_said_in_words(text: str, sentence: str) -> None:
    assert sentence in text.splitlines()
