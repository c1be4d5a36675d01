"""Two requests that cross: whichever commits second sees what the first one did."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.core.conftest import Scene

from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.secret import Secret


def request(scene: Scene, path: str, body: dict[str, str], *, token: str | None = "root") -> Request:
    """An update of ``path``."""
    made = scene.request("read", token=token)
    made.path, made.body = path, body
    return made


def cross(scene: Scene, slower: Request, faster: Callable[[], None]) -> None:
    """Answer ``slower``, and let ``faster`` happen between its reads and its commit."""

    def between() -> None:
        scene.faults.before_commit = lambda: None
        faster()

    scene.faults.before_commit = between
    answer = scene.alone(slower)
    assert answer.error is None, answer.error
    assert scene.faults.before_commit is not between, "nothing was crossed"


def is_good(scene: Scene, token: str) -> bool:
    return scene.get("auth/token/lookup-self", token=token).status == 200


@pytest.mark.parametrize("policy", ["parent", "root"], ids=["expires", "never expires"])
def test_a_child_that_is_born_while_its_parent_is_revoked_does_not_survive(scene: Scene, policy: str) -> None:
    scene.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    parent = scene.token_for(policy)
    born: list[str] = []

    def create() -> None:
        born.append(scene.post("auth/token/create", {}, token=parent).auth["client_token"])

    cross(scene, request(scene, "auth/token/revoke", {"token": parent}), create)
    assert born
    assert not is_good(scene, born[0])


def test_a_child_is_not_born_of_a_parent_that_was_revoked_meanwhile(scene: Scene) -> None:
    scene.write_policy("parent", 'path "auth/token/create" { capabilities = ["update"] }')
    parent = scene.token_for("parent")

    def revoke() -> None:
        scene.faults.before_commit = lambda: None
        assert scene.post("auth/token/revoke", {"token": parent}).status == 204

    scene.faults.before_commit = revoke
    accessors = len(scene.list("auth/token/accessors").data["keys"])
    answer = scene.alone(request(scene, "auth/token/create", {}, token=parent))
    assert answer.error is not None
    assert len(scene.list("auth/token/accessors").data["keys"]) == accessors - 1


def test_a_login_that_crosses_the_end_of_its_method_leaves_no_token(scene: Scene) -> None:
    born: list[Secret[str] | None] = []

    def login() -> None:
        answer = scene.alone(scene.request("login", mount="auth/probe", token=None))
        assert answer.response is not None
        assert answer.response.auth is not None
        born.append(answer.response.auth.client_token)

    made = request(scene, "sys/auth/probe", {})
    made.operation = Operation.DELETE
    cross(scene, made, login)
    (token,) = born
    assert token is not None
    assert not is_good(scene, token.reveal())


@pytest.mark.parametrize("what", ["policy", "mount"])
def test_a_write_does_not_commit_after_the_policy_that_allowed_it_is_gone(scene: Scene, what: str) -> None:
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    token = scene.token_for("p")

    def change() -> None:
        scene.faults.before_commit = lambda: None
        if what == "policy":
            scene.write_policy("p", 'path "other" { capabilities = ["read"] }')
        else:
            assert scene.delete("sys/mounts/probe").status == 204

    scene.faults.before_commit = change
    answer = scene.alone(scene.request("append", token=token))
    assert answer.error is not None


def test_of_two_last_uses_that_cross_one_is_refused(scene: Scene) -> None:
    scene.write_policy("p", 'path "probe/*" { capabilities = ["update"] }')
    token = scene.token_for("p", num_uses=1)

    def use() -> None:
        scene.faults.before_commit = lambda: None
        assert scene.alone(scene.request("append", value="first", token=token)).error is None

    scene.faults.before_commit = use
    assert scene.alone(scene.request("append", value="second", token=token)).error is not None
    assert scene.value() == "first"


def test_of_two_unwrappings_that_cross_one_is_refused(scene: Scene) -> None:
    scene.mount("kv")
    scene.post("kv/a", {"k": "v"})
    wrapped = scene.get("kv/a", wrap_ttl="60").body
    assert wrapped is not None
    body = {"token": wrapped["wrap_info"]["token"]}

    def take() -> None:
        scene.faults.before_commit = lambda: None
        assert scene.post("sys/wrapping/unwrap", body, token=None).status == 200

    scene.faults.before_commit = take
    assert scene.alone(request(scene, "sys/wrapping/unwrap", body, token=None)).error is not None
