from __future__ import annotations

import copy
import json
import pickle
import traceback

import pytest

from strongroom.encoding import json as our_json
from strongroom.logical.secret import Secret

CANARY = "hunter2-canary"


@pytest.mark.parametrize("value", [CANARY, CANARY.encode()], ids=["text", "bytes"])
def test_a_secret_is_not_shown_by_any_way_of_showing(value: str) -> None:
    secret = Secret(value)
    shown = [
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret!r:>40}",
        "{}".format(secret),  # noqa: UP032 -- it is one of the ways
        repr([secret]),
        repr({"k": secret}),
    ]
    assert not any(CANARY in text for text in shown)


@pytest.mark.parametrize(
    "dump",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, our_json.encode],
    ids=["pickle", "copy", "deepcopy", "json", "our json"],
)
def test_a_secret_cannot_be_copied_out(dump: object) -> None:
    assert callable(dump)
    with pytest.raises(TypeError) as refused:
        dump(Secret(CANARY))
    assert CANARY not in str(refused.value)


def test_a_secret_has_no_dictionary_in_which_a_debugger_would_find_it() -> None:
    assert not hasattr(Secret(CANARY), "__dict__")


def test_a_traceback_with_locals_does_not_show_it() -> None:
    def fails(secret: Secret[str]) -> None:
        raise ValueError(secret)

    try:
        fails(Secret(CANARY))
    except ValueError as error:
        shown = traceback.TracebackException.from_exception(error, capture_locals=True)
    # The source line that made it is shown, the value that it holds is not.
    assert CANARY not in "".join(shown.format())


def test_revealing_it_needs_the_word() -> None:
    assert Secret(CANARY).reveal() == CANARY
    assert Secret(b"x").reveal() == b"x"


def test_secrets_are_equal_by_value_and_never_to_anything_else() -> None:
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert Secret("\ud800") == Secret("\ud800")


def test_an_empty_secret_is_false() -> None:
    assert not Secret("")
    assert Secret("0")


def test_a_secret_is_not_hashable_as_it_must_be_looked_up_by_a_keyed_hash() -> None:
    with pytest.raises(TypeError):
        hash(Secret("a"))


def test_a_secret_is_named_once_by_a_function_and_anew_by_another() -> None:
    calls: list[str] = []

    def first(value: str) -> str:
        calls.append(value)
        return f"1{len(value)}"

    def second(value: str) -> str:
        calls.append(value)
        return f"2{len(value)}"

    secret = Secret("abc")
    assert [secret.named_by(first) for _ in range(3)] == ["13"] * 3
    assert len(calls) == 1
    assert secret.named_by(second) == "23"
    assert secret.named_by(first) == "13"
    assert len(calls) == 3
