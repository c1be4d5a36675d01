from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import TokenType


@pytest.fixture
def ready(approle: Any) -> Any:
    approle.write("role/r", role_id="rid", token_policies="p", token_ttl=600)
    approle.write("role/r/custom-secret-id", secret_id="sid", metadata={"a": "b", "role_name": "forged"})
    return approle


def test_a_machine_with_a_role_id_and_a_secret_id_gets_what_the_role_says(ready: Any) -> None:
    auth = ready.log_in("login", role_id="rid", secret_id="sid")
    assert auth.policies == ("p",)
    assert auth.ttl == 600
    assert auth.alias == "rid"
    assert auth.renewable
    assert auth.token_type is None
    assert auth.client_token is None


def test_the_metadata_of_the_secret_id_goes_along_and_cannot_forge_the_role(ready: Any) -> None:
    assert ready.log_in("login", role_id="rid", secret_id="sid").metadata == {"a": "b", "role_name": "r"}


def test_every_wrong_pair_gets_the_same_answer_and_changes_nothing(ready: Any) -> None:
    ready.write("role/other", role_id="other")
    ready.write("role/other/custom-secret-id", secret_id="theirs")
    before = ready.snapshot()
    answers = set()
    for role_id, secret_id in (
        ("rid", "wrong"),
        ("wrong", "sid"),
        ("rid", "theirs"),
        ("x" * 9999, "y" * 9999),
        ("\ud800", "\ud800"),
    ):
        with pytest.raises(InvalidRequest) as caught:
            ready.log_in("login", role_id=role_id, secret_id=secret_id)
        answers.add((type(caught.value), caught.value.messages))
    assert answers == {(InvalidRequest, ("invalid role or secret ID",))}
    assert ready.snapshot() == before


def test_what_is_missing_is_told_whether_or_not_the_role_exists(ready: Any) -> None:
    with pytest.raises(InvalidRequest, match="missing role_id"):
        ready.log_in("login", secret_id="sid")
    for role_id in ("rid", "wrong"):
        with pytest.raises(InvalidRequest, match="missing secret_id"):
            ready.log_in("login", role_id=role_id)


def test_a_login_before_anything_was_written_fails_like_any_other(approle: Any) -> None:
    with pytest.raises(InvalidRequest, match="invalid role or secret ID"):
        approle.log_in("login", role_id="rid", secret_id="sid")


def test_an_expired_secret_id_is_refused_without_any_tidying(ready: Any) -> None:
    ready.write("role/r/custom-secret-id", secret_id="short", ttl=1)
    ready.clock.jump(1.1)
    with pytest.raises(InvalidRequest, match="invalid role or secret ID"):
        ready.log_in("login", role_id="rid", secret_id="short")


def test_each_login_spends_one_use_and_the_last_one_ends_the_secret_id(ready: Any) -> None:
    made = ready.write("role/r/custom-secret-id", secret_id="two", num_uses=2)
    ready.clock.jump(5)
    ready.log_in("login", role_id="rid", secret_id="two")
    entry = ready.write("role/r/secret-id/lookup", secret_id="two")
    assert entry["secret_id_num_uses"] == 1
    assert entry["last_updated_time"] > entry["creation_time"]
    ready.log_in("login", role_id="rid", secret_id="two")
    with pytest.raises(InvalidRequest, match="invalid role or secret ID"):
        ready.log_in("login", role_id="rid", secret_id="two")
    assert made["secret_id_accessor"] not in ready.keys("role/r/secret-id")


def test_many_logins_at_once_never_get_more_than_the_uses_there_are(ready: Any) -> None:
    ready.write("role/r/custom-secret-id", secret_id="five", num_uses=5)

    def attempt(_: int) -> bool:
        try:
            ready.log_in("login", role_id="rid", secret_id="five")
        except InvalidRequest:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(32))) == 5


def test_a_destroyed_secret_id_is_refused(ready: Any) -> None:
    ready.write("role/r/secret-id/destroy", secret_id="sid")
    with pytest.raises(InvalidRequest, match="invalid role or secret ID"):
        ready.log_in("login", role_id="rid", secret_id="sid")


def test_a_new_role_of_the_same_name_knows_no_secret_id_of_the_old_one(ready: Any) -> None:
    forgotten = {key: value for key, value in ready.snapshot().items() if key.startswith(("secret_id/", "accessor/"))}
    ready.delete("role/r")
    ready.store.records.update(forgotten)
    ready.write("role/r", role_id="rid")
    with pytest.raises(InvalidRequest, match="invalid role or secret ID"):
        ready.log_in("login", role_id="rid", secret_id="sid")


@pytest.mark.parametrize(
    ("role", "secret", "text"),
    [
        ({"secret_id_bound_cidrs": "10.0.0.0/8"}, {}, "restrictions on the role"),
        ({}, {"cidr_list": "10.0.0.0/8"}, "restrictions on the secret ID"),
    ],
)
def test_a_login_from_elsewhere_is_refused_and_spends_no_use(
    ready: Any, role: dict[str, Any], secret: dict[str, Any], text: str
) -> None:
    ready.write("role/r", **role)
    ready.write("role/r/custom-secret-id", secret_id="bound", num_uses=1, **secret)
    for address in ("127.0.0.1", "::1", ""):
        ready.address = address
        with pytest.raises(InvalidRequest, match=text) as caught:
            ready.log_in("login", role_id="rid", secret_id="bound")
        assert "127" not in str(caught.value)
    ready.address = "::ffff:10.0.0.9"
    ready.log_in("login", role_id="rid", secret_id="bound")


def test_a_role_that_asks_for_no_secret_id_looks_at_the_address_alone(approle: Any) -> None:
    approle.write("role/r", role_id="rid", bind_secret_id=False, secret_id_bound_cidrs="10.0.0.0/8", token_type="batch")
    with pytest.raises(InvalidRequest, match="restrictions on the role"):
        approle.log_in("login", role_id="rid")
    approle.address = "10.0.0.1"
    auth = approle.log_in("login", role_id="rid")
    assert approle.log_in("login", role_id="rid", secret_id="ignored").metadata == {"role_name": "r"}
    assert auth.token_type is TokenType.BATCH
    assert not auth.renewable


def test_tokens_are_bound_to_the_blocks_of_the_role_or_the_narrower_ones_of_the_secret_id(ready: Any) -> None:
    ready.write("role/r", token_bound_cidrs="10.0.0.0/8")
    ready.write("role/r/custom-secret-id", secret_id="narrow", token_bound_cidrs="10.1.0.0/16")
    assert ready.log_in("login", role_id="rid", secret_id="sid").bound_cidrs == ("10.0.0.0/8",)
    assert ready.log_in("login", role_id="rid", secret_id="narrow").bound_cidrs == ("10.1.0.0/16",)


def test_a_strictly_bound_token_stays_bound_to_the_address_of_the_login(approle: Any) -> None:
    approle.write("role/r", role_id="rid", token_strictly_bind_ip=True)
    approle.write("role/r/custom-secret-id", secret_id="s", token_bound_cidrs="0.0.0.0/0")
    assert approle.log_in("login", role_id="rid", secret_id="s").bound_cidrs == ("127.0.0.1/32",)


def test_a_renewal_gets_the_durations_of_today(ready: Any) -> None:
    auth = ready.log_in("login", role_id="rid", secret_id="sid")
    ready.write("role/r", token_ttl=60, token_max_ttl=120, token_period=30)
    renewed = ready.renew(auth)
    assert (renewed.ttl, renewed.max_ttl, renewed.period) == (60, 120, 30)
    assert (renewed.policies, renewed.metadata, renewed.internal) == (auth.policies, auth.metadata, auth.internal)


def test_a_renewal_after_the_secret_id_was_used_up_or_ran_out_is_allowed(ready: Any) -> None:
    ready.write("role/r/custom-secret-id", secret_id="once", num_uses=1, ttl=10)
    auth = ready.log_in("login", role_id="rid", secret_id="once")
    ready.renew(auth)
    ready.clock.jump(11)
    ready.renew(auth)


def _destroy_by_value(method: Any) -> None:
    method.write("role/r/secret-id/destroy", secret_id="sid")


def _destroy_by_accessor(method: Any) -> None:
    (accessor,) = method.keys("role/r/secret-id")
    method.write("role/r/secret-id-accessor/destroy", secret_id_accessor=accessor)


def _delete_role(method: Any) -> None:
    method.delete("role/r")


def _recreate_role(method: Any) -> None:
    method.delete("role/r")
    method.write("role/r", role_id="rid", token_policies="p", token_ttl=600)


def _change_policies(method: Any) -> None:
    method.write("role/r/policies", token_policies="p,q")


def _drop_default_policy(method: Any) -> None:
    method.write("role/r", token_no_default_policy=True)


def _move_away(method: Any) -> None:
    method.write("role/r", secret_id_bound_cidrs="10.0.0.0/8")


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (_destroy_by_value, "the secret ID was destroyed"),
        (_destroy_by_accessor, "the secret ID was destroyed"),
        (_delete_role, "the role no longer exists"),
        (_recreate_role, "the role no longer exists"),
        (_change_policies, "policies have changed, not renewing"),
        (_drop_default_policy, "policies have changed, not renewing"),
        (_move_away, "restrictions on the role"),
    ],
)
def test_a_renewal_is_refused_once_what_the_login_relied_on_is_gone(ready: Any, change: Any, text: str) -> None:
    auth = ready.log_in("login", role_id="rid", secret_id="sid")
    ready.renew(auth)
    ready.clock.jump(1)
    change(ready)
    with pytest.raises(InvalidRequest, match=text):
        ready.renew(auth)


def test_a_used_up_secret_id_can_still_be_destroyed_for_its_tokens(ready: Any) -> None:
    ready.write("role/r/custom-secret-id", secret_id="once", num_uses=1)
    auth = ready.log_in("login", role_id="rid", secret_id="once")
    ready.clock.jump(1)
    ready.write("role/r/secret-id/destroy", secret_id="once")
    with pytest.raises(InvalidRequest, match="the secret ID was destroyed"):
        ready.renew(auth)


def test_a_secret_id_that_was_registered_anew_renews_its_own_tokens_and_not_the_older_ones(ready: Any) -> None:
    older = ready.log_in("login", role_id="rid", secret_id="sid")
    ready.clock.jump(1)
    ready.write("role/r/secret-id/destroy", secret_id="sid")
    ready.clock.jump(1)
    ready.write("role/r/custom-secret-id", secret_id="sid")
    ready.renew(ready.log_in("login", role_id="rid", secret_id="sid"))
    with pytest.raises(InvalidRequest, match="the secret ID was destroyed"):
        ready.renew(older)


def test_a_token_from_a_bound_secret_id_is_renewed_only_from_there(ready: Any) -> None:
    ready.write("role/r/custom-secret-id", secret_id="bound", cidr_list="127.0.0.0/8", num_uses=1)
    auth = ready.log_in("login", role_id="rid", secret_id="bound")
    ready.renew(auth)
    ready.address = "10.0.0.1"
    with pytest.raises(InvalidRequest, match="restrictions on the secret ID"):
        ready.renew(auth)


def test_a_token_got_without_a_secret_id_is_not_renewed_once_the_role_asks_for_one(approle: Any) -> None:
    approle.write("role/r", role_id="rid", bind_secret_id=False, token_bound_cidrs="127.0.0.0/8")
    auth = approle.log_in("login", role_id="rid")
    approle.renew(auth)
    approle.write("role/r", bind_secret_id=True)
    with pytest.raises(InvalidRequest, match="asks for a secret ID now"):
        approle.renew(auth)
