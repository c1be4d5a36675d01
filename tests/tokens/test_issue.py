from __future__ import annotations

from typing import Any

import pytest
from tests.tokens.conftest import Scene

from strongroom.logical.backend import Mount
from strongroom.logical.errors import InvalidRequest
from strongroom.logical.request import Auth, TokenType
from strongroom.tokens.entry import TokenEntry
from strongroom.tokens.issue import issue_for_login, token_policies

MOUNT = Mount(
    path="auth/team/userpass/",
    accessor="auth_userpass_1",
    uuid="uuid-of-mount",
    type="userpass",
    options={},
    default_lease_ttl=3600,
    max_lease_ttl=7200,
    is_auth=True,
)


@pytest.fixture(autouse=True)
def mounted(scene: Scene) -> None:
    scene.mount(MOUNT.uuid)


def issued(scene: Scene, auth: Auth, mount_token_type: str = "") -> TokenEntry:
    """The entry of the token that a login got."""
    issue_for_login(
        scene.tokens,
        scene.storage,
        scene.clock,
        MOUNT,
        "auth/team/userpass/login/alice",
        auth,
        mount_token_type=mount_token_type,
    )
    assert auth.client_token is not None
    entry = scene.tokens.find(scene.storage, auth.client_token)
    assert entry is not None
    return entry


def test_a_login_becomes_an_orphan_with_the_default_policy_and_the_mounts_lifetime(scene: Scene) -> None:
    auth = Auth(policies=("team",), display_name="alice", metadata={"username": "alice"}, alias="alice")
    entry = issued(scene, auth)
    assert entry.policies == ("default", "team")
    assert entry.orphan
    assert entry.auth_mount == "uuid-of-mount"
    assert entry.display_name == "team-userpass-alice"
    assert entry.path == "auth/team/userpass/login/alice"
    assert entry.creation_ttl == 3600
    assert entry.renewable
    assert (auth.accessor, auth.lease_duration, auth.orphan) == (entry.accessor, 3600, True)
    assert auth.token_type is TokenType.SERVICE


def test_what_is_longer_than_the_mount_allows_is_cut_and_said(scene: Scene) -> None:
    auth = Auth(ttl=9000)
    warnings = issue_for_login(scene.tokens, scene.storage, scene.clock, MOUNT, "p", auth, mount_token_type="")
    assert auth.lease_duration == 7200
    assert len(warnings) == 1


@pytest.mark.parametrize(
    ("mount_type", "asked", "given"),
    [
        ("", None, TokenType.SERVICE),
        ("default-service", None, TokenType.SERVICE),
        ("default-batch", None, TokenType.BATCH),
        ("default-batch", TokenType.SERVICE, TokenType.SERVICE),
        ("default-service", TokenType.BATCH, TokenType.BATCH),
        ("service", TokenType.BATCH, TokenType.SERVICE),
        ("batch", TokenType.SERVICE, TokenType.BATCH),
        ("", TokenType.BATCH, TokenType.BATCH),
    ],
)
def test_an_absolute_type_of_the_mount_wins_over_the_role_and_a_default_does_not(
    scene: Scene, mount_type: str, asked: TokenType | None, given: TokenType
) -> None:
    auth = Auth(token_type=asked)
    assert issued(scene, auth, mount_type).type is given
    assert auth.token_type is given
    assert auth.renewable is (given is TokenType.SERVICE)


@pytest.mark.parametrize("members", [{"period": 60}, {"num_uses": 1}, {"explicit_max_ttl": 60}], ids=str)
def test_a_batch_login_cannot_have_what_needs_a_store(scene: Scene, members: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match="batch"):
        issued(scene, Auth(token_type=TokenType.BATCH, **members))


@pytest.mark.parametrize("name", ["root", "ROOT", "Root", " root ", "ｒｏｏｔ", "r\u200boot"])
def test_no_login_gets_root_in_whatever_spelling(scene: Scene, name: str) -> None:
    with pytest.raises(InvalidRequest):
        issued(scene, Auth(policies=(name,)))


def test_policies_are_one_spelling_sorted_and_without_doubles() -> None:
    assert token_policies(("B", "a", " b "), no_default=False) == ("a", "b", "default")
    assert token_policies(("B", "a", ""), no_default=True) == ("a", "b")


def test_what_the_method_found_is_kept_with_the_token(scene: Scene) -> None:
    auth = Auth(num_uses=3, period=60, max_ttl=600, bound_cidrs=("10.0.0.0/8",), internal={"role": "r"})
    entry = issued(scene, auth)
    assert (entry.num_uses, entry.use_limited, entry.period, entry.max_ttl) == (3, True, 60, 600)
    assert entry.bound_cidrs == ("10.0.0.0/8",)
    assert entry.internal == {"role": "r"}
