from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from strongroom.delivery.environment import (
    CannotDeliver,
    Inheritance,
    Selection,
    Source,
    Variable,
    collect,
    environment,
)
from strongroom.logical.secret import Secret


def collected(*sources: Source, selection: Selection | None = None) -> dict[str, str]:
    variables = collect(sources, selection or Selection(), json.dumps)
    return {variable.name: variable.value.reveal() for variable in variables}


def test_keys_become_variables_and_other_values_json() -> None:
    values = {"TEXT": "a b", "NUMBER": 5, "YES": True, "NOTHING": None, "NESTED": {"a": [1]}}
    assert collected(Source("s", values)) == {
        "TEXT": "a b",
        "NUMBER": "5",
        "YES": "true",
        "NOTHING": "null",
        "NESTED": '{"a": [1]}',
    }


def test_the_later_source_wins_and_says_so() -> None:
    first, second = Source("secret/base", {"A": "1", "B": "1"}), Source("secret/app", {"B": "2"})
    variables = collect([first, second], Selection(), json.dumps)
    assert [(item.name, item.source, item.replaced) for item in variables] == [
        ("A", "secret/base", ()),
        ("B", "secret/app", ("secret/base",)),
    ]
    assert variables[1].value == Secret("2")


def test_keys_can_be_chosen_left_out_and_renamed() -> None:
    source = Source("s", {"A": "1", "B": "2", "C": "3"})
    selection = Selection(only=frozenset({"A", "B"}), exclude=frozenset({"B"}), prefix="APP_")
    assert collected(source, selection=selection) == {"APP_A": "1"}


def test_a_name_that_no_secret_holds_is_an_error() -> None:
    with pytest.raises(CannotDeliver, match="MISSING"):
        collected(Source("s", {"A": "1"}), selection=Selection(only=frozenset({"A", "MISSING"})))


@pytest.mark.parametrize("key", ["db-password", "1A", "", "A=B", "A B", "É", "A\n"])
def test_a_key_that_cannot_be_a_name_is_an_error_that_says_what_to_do(key: str) -> None:
    with pytest.raises(CannotDeliver, match="-exclude") as caught:
        collected(Source("secret/app", {key: "CANARY"}))
    assert "CANARY" not in str(caught.value)
    assert collected(Source("s", {key: "x", "A": "1"}), selection=Selection(exclude=frozenset({key}))) == {"A": "1"}


def test_a_prefix_can_make_a_name_of_a_key() -> None:
    assert collected(Source("s", {"1": "x"}), selection=Selection(prefix="N")) == {"N1": "x"}


@pytest.mark.parametrize("key", ["PATH", "LD_PRELOAD", "PYTHONPATH", "BASH_ENV", "NODE_OPTIONS"])
def test_a_key_that_steers_code_must_be_named(key: str) -> None:
    with pytest.raises(CannotDeliver, match="which code"):
        collected(Source("s", {key: "x"}))
    assert collected(Source("s", {key: "x"}), selection=Selection(only=frozenset({key}))) == {key: "x"}
    assert collected(Source("s", {key: "x"}), selection=Selection(prefix="APP_")) == {f"APP_{key}": "x"}


@pytest.mark.parametrize("value", ["CANARY\0", "CANARY\ud800"], ids=["zero", "surrogate"])
def test_a_value_that_no_environment_can_carry_is_an_error_without_the_value(value: str) -> None:
    with pytest.raises(CannotDeliver) as caught:
        collected(Source("s", {"A": value}))
    assert "CANARY" not in str(caught.value)


def test_values_are_in_no_repr() -> None:
    variable = Variable("A", "s", Secret("CANARY"))
    assert "CANARY" not in repr([variable, Source("s", {"A": "CANARY"})])


CALLER = {
    "PATH": "/bin",
    "HOME": "/h",
    "LC_ALL": "C",
    "DEBUG": "1",
    "A": "caller",
    "VAULT_TOKEN": "t",
    "BAO_TOKEN": "t",
    "STRONGROOM_TOKEN": "t",
}
SECRETS = [Variable("A", "s", Secret("secret")), Variable("B", "s", Secret("secret"))]


def test_the_program_gets_the_callers_environment_without_its_token() -> None:
    got = environment(SECRETS, CALLER, Inheritance())
    assert got == {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "DEBUG": "1", "A": "secret", "B": "secret"}


def test_the_token_is_passed_on_when_asked_for() -> None:
    assert environment([], CALLER, Inheritance(token=True)) == CALLER


def test_a_token_that_is_itself_a_secret_is_delivered() -> None:
    got = environment([Variable("VAULT_TOKEN", "s", Secret("child"))], CALLER, Inheritance())
    assert got["VAULT_TOKEN"] == "child"


def test_a_clean_environment_keeps_only_what_a_program_needs() -> None:
    got = environment(SECRETS, CALLER, Inheritance(clean=True))
    assert got == {"PATH": "/bin", "HOME": "/h", "LC_ALL": "C", "A": "secret", "B": "secret"}


@pytest.mark.parametrize(
    ("preserve", "expected"), [(None, "caller"), (frozenset({"A"}), "caller"), (frozenset({"B"}), "secret")]
)
def test_what_is_set_already_can_win(preserve: frozenset[str] | None, expected: str) -> None:
    got = environment(SECRETS, CALLER, Inheritance(preserve=preserve))
    assert (got["A"], got["B"]) == (expected, "secret")


@given(
    values=st.dictionaries(
        st.from_regex(r"K_[A-Z0-9_]{0,8}", fullmatch=True),
        st.text(st.characters(exclude_categories=["Cs"])).filter(lambda v: "\0" not in v),
    )
)
def test_every_text_arrives_unchanged(values: dict[str, Any]) -> None:
    got = environment(collect([Source("s", values)], Selection(), json.dumps), {}, Inheritance())
    assert got == values
