"""Every endpoint of both methods, with every JSON type in every field: an answer or a refusal, never anything else."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from strongroom.logical.errors import LogicalError
from strongroom.logical.operation import Operation

CANARY = "canary-7f3a"

VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 3),
    st.decimals(allow_nan=False, allow_infinity=False),
    st.just(Decimal("1e999999")),
    st.text(max_size=12).map(lambda text: CANARY + text),
    st.sampled_from(["", "a", "1h", "-1", "10.0.0.0/8", "batch", "root", "true", "a=b", '{"a":"b"}', "\0"]),
    st.lists(st.one_of(st.integers(), st.text(max_size=5), st.none()), max_size=3),
    st.dictionaries(st.text(max_size=3), st.one_of(st.text(max_size=5), st.integers(), st.none()), max_size=3),
)


NAME_CHARACTERS = st.characters(codec="utf-8", exclude_characters="/")


@settings(max_examples=200, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_in_any_field_of_approle_is_answered_or_refused(approle: Any, data: st.DataObject) -> None:
    approle.write("role/a")
    _drive(approle, data)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_value_in_any_field_of_userpass_is_answered_or_refused(userpass: Any, data: st.DataObject) -> None:
    userpass.write("users/a", password="pw")
    _drive(userpass, data)


def _drive(method: Any, data: st.DataObject) -> None:
    declared = data.draw(st.sampled_from(method.router.declared))
    name = data.draw(st.one_of(st.just("a"), st.text(NAME_CHARACTERS, min_size=1, max_size=5)))
    target = declared.path.template.replace("{role_name}", name).replace("{username}", name)
    names = [field.name for field in declared.request_type.fields]
    body = data.draw(st.dictionaries(st.sampled_from(names), VALUES)) if names else {}
    text = _refusal(method, declared.endpoint.operation, target, body)
    assert CANARY not in text


def _refusal(method: Any, operation: Operation, target: str, body: dict[str, Any]) -> str:
    try:
        method.call(operation, target, body)
    except LogicalError as error:
        return f"{error!r} {error.__cause__!r}"
    return ""
