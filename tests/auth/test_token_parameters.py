from __future__ import annotations

from typing import Any

import pytest

from strongroom.auth.token_parameters import TokenFields, TokenParameters
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import Auth, TokenType


def written(before: TokenParameters | None = None, **fields: Any) -> TokenParameters:
    return (before or TokenParameters()).updated(TokenFields(**fields), {}, [])


def test_parameters_that_were_never_set_read_back_as_clients_know_them() -> None:
    assert TokenParameters().read_back({}) == {
        "token_bound_cidrs": [],
        "token_explicit_max_ttl": 0,
        "token_max_ttl": 0,
        "token_no_default_policy": False,
        "token_num_uses": 0,
        "token_period": 0,
        "token_policies": [],
        "token_strictly_bind_ip": False,
        "token_ttl": 0,
        "token_type": "default",
    }


def test_what_is_left_out_stays_as_it_is() -> None:
    before = written(token_ttl=60, token_policies=["a"])
    after = written(before, token_max_ttl=600)
    assert (after.ttl, after.max_ttl, after.policies) == (60, 600, ("a",))


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"token_ttl": 100, "token_max_ttl": 50}, "'token_ttl' cannot be greater than 'token_max_ttl'"),
        ({"token_ttl": -1}, "'token_ttl' cannot be negative"),
        ({"token_max_ttl": -1}, "'token_max_ttl' cannot be negative"),
        ({"token_period": -1}, "'token_period' cannot be negative"),
        ({"token_explicit_max_ttl": -1}, "'token_explicit_max_ttl' cannot be negative"),
        ({"token_num_uses": -1}, "'token_num_uses' cannot be negative"),
        ({"token_type": "weird"}, "invalid 'token_type' value"),
        ({"token_policies": ["root"]}, "root policy"),
        ({"token_bound_cidrs": ["x"]}, "field 'token_bound_cidrs' must hold"),
        ({"token_type": "batch", "token_num_uses": 3}, "limited use count"),
        ({"token_type": "batch", "token_period": 3}, "periodic tokens"),
        ({"token_type": "batch", "token_explicit_max_ttl": 3}, "explicit maximum"),
        ({"token_strictly_bind_ip": True, "token_bound_cidrs": ["::1"]}, "set only one"),
    ],
)
def test_parameters_that_make_no_sense_are_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(InvalidRequest, match=text):
        written(**fields)


def test_a_refusal_looks_at_what_was_set_before_too() -> None:
    with pytest.raises(InvalidRequest, match="cannot be greater"):
        written(written(token_max_ttl=50), token_ttl=100)


@pytest.mark.parametrize(("sent", "kept"), [("default-service", "service"), ("default-batch", "batch")])
def test_a_type_that_only_a_mount_can_have_is_adjusted_with_a_warning(sent: str, kept: str) -> None:
    warnings: list[str] = []
    parameters = TokenParameters().updated(TokenFields(token_type=sent), {}, warnings)
    assert parameters.type == kept
    assert warnings == [f"{sent} has no useful meaning; adjusting to {kept}"]


def test_an_empty_type_is_the_default() -> None:
    assert written(written(token_type="batch"), token_type="").type == "default"


def test_a_login_gets_what_the_parameters_say() -> None:
    parameters = written(
        token_ttl=60,
        token_max_ttl=600,
        token_policies=["p"],
        token_bound_cidrs=["10.0.0.0/8"],
        token_explicit_max_ttl=6000,
        token_no_default_policy=True,
        token_num_uses=3,
        token_period=30,
        token_type="service",
    )
    assert parameters.auth("10.0.0.1") == Auth(
        policies=("p",),
        ttl=60,
        max_ttl=600,
        bound_cidrs=("10.0.0.0/8",),
        explicit_max_ttl=6000,
        no_default_policy=True,
        num_uses=3,
        period=30,
        token_type=TokenType.SERVICE,
    )


def test_a_batch_token_cannot_be_renewed_and_the_mount_decides_about_the_default() -> None:
    assert not written(token_type="batch").auth("::1").renewable
    assert written(token_type="batch").auth("::1").token_type is TokenType.BATCH
    assert TokenParameters().auth("::1").token_type is None


def test_a_strictly_bound_token_is_good_only_where_the_login_came_from() -> None:
    assert written(token_strictly_bind_ip=True).auth("::ffff:10.0.0.7").bound_cidrs == ("10.0.0.7/32",)


def test_granted_policies_count_the_default_one_unless_it_is_left_out() -> None:
    assert written(token_policies=["b", "a"]).granted_policies() == ["a", "b", "default"]
    assert written(token_policies=["b"], token_no_default_policy=True).granted_policies() == ["b"]
