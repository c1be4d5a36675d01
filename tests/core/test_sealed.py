"""The way of a request while the vault is sealed, or not even initialized."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.kit import Vault

from strongroom.core.batch import Alarms
from strongroom.core.sealed import NoFingerprints, NoStorage, handle_sealed
from strongroom.logical.backend import Endpoint, Path, Router, Shape
from strongroom.logical.errors import InternalFailure, OutcomeUnknown, Sealed, UpstreamFailed
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.physical.store import Unavailable, Unknown
from strongroom.system.area import Nothing

ANSWERED = [
    ("GET", "sys/init", None, 200),
    ("GET", "sys/seal-status", None, 200),
    ("GET", "sys/health", None, 503),
    ("HEAD", "sys/health", None, 503),
    ("PUT", "sys/unseal", {"reset": True}, 200),
    ("PUT", "sys/unseal", {"Reset": True}, 200),
    ("PUT", "sys/unseal", {"reset": True, "RESET": True}, 400),
    ("PUT", "sys/seal", None, 204),
    ("POST", "sys/seal", {}, 204),
]


@pytest.fixture
def sealed() -> Vault:
    """A vault that was unsealed and is sealed again."""
    vault = Vault(shares=3, threshold=2)
    vault.mount("kv")
    vault.post("kv/a", {"k": "hunter2"})
    assert vault.post("sys/seal").status == 204
    vault.device.written.clear()
    return vault


@pytest.mark.parametrize(("method", "path", "body", "status"), ANSWERED)
def test_what_opens_the_vault_answers_while_it_is_sealed(
    sealed: Vault, method: str, path: str, body: dict[str, bool] | None, status: int
) -> None:
    assert sealed.call(method, path, body, token=None).status == status


@pytest.mark.parametrize("is_initialized", [True, False], ids=["sealed", "new"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "kv/a"),
        ("POST", "kv/a"),
        ("LIST", "kv/"),
        ("GET", "nosuch/a"),
        ("GET", "sys/mounts"),
        ("GET", "sys/nosuch"),
        ("GET", "sys/leader"),
        ("GET", "sys/seal"),
        ("DELETE", "sys/init"),
        ("POST", "auth/token/create"),
        ("POST", "auth/userpass/login/alice"),
        ("PUT", "sys/wrapping/unwrap"),
        ("GET", "sys/internal/ui/mounts"),
        ("GET", "sys/rekey/init"),
        ("PUT", "sys/generate-root/attempt"),
        ("GET", "sys/mounts?help=1"),
        ("GET", "sys/init?help=1"),
    ],
)
def test_nothing_else_exists_while_it_is_sealed(sealed: Vault, method: str, path: str, *, is_initialized: bool) -> None:
    vault = sealed if is_initialized else Vault(is_unsealed=False)
    for token in ("root", None):
        result = vault.call(method, path, {} if method in ("POST", "PUT") else None, token=token)
        assert (result.status, result.errors) == (503, ["Vault is sealed"])


def test_every_attempt_to_change_something_is_written_down_without_any_value(sealed: Vault) -> None:
    share = sealed.shares[0]
    for body in ({"key": share}, {"key": "not hex"}, {"key": ""}, {"reset": True}, {"key": [share]}):
        sealed.call("PUT", "sys/unseal", body, token=None)
    sealed.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None)
    lines = sealed.device.records
    assert [record["type"] for record in lines] == ["request", "response"] * 6
    assert share not in sealed.device.text
    assert [bool(record.get("error")) for record in lines if record["type"] == "response"] == [
        False, True, True, False, True, True,
    ]  # fmt: skip


def test_questions_are_not_written_down(sealed: Vault) -> None:
    sealed.get("sys/seal-status", token=None)
    sealed.get("sys/health", token=None)
    assert sealed.device.written == []


def test_without_a_record_no_share_is_taken(sealed: Vault) -> None:
    sealed.device.is_broken = True
    for share in sealed.shares[:2]:
        assert sealed.call("PUT", "sys/unseal", {"key": share}, token=None).status == 500
    sealed.device.is_broken = False
    assert sealed.get("sys/seal-status", token=None).body == {
        **(sealed.get("sys/seal-status", token=None).body or {}),
        "sealed": True,
        "progress": 0,
    }


def test_without_a_record_a_vault_is_not_initialized() -> None:
    vault = Vault(is_unsealed=False)
    vault.device.is_broken = True
    assert vault.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1}, token=None).status == 500
    vault.device.is_broken = False
    assert vault.get("sys/init", token=None).body == {"initialized": False}


def ask(vault: Vault, failure: Callable[[], Exception]) -> tuple[object, list[Exception], int]:
    """The answer's error of an endpoint that raises ``failure()``, what was told to the log, and how often the alarm rang."""

    class Plug:
        help = "A plug for tests."

        def paths(self) -> tuple[Path, ...]:
            def handler(_: object, __: Nothing) -> None:
                raise failure()

            endpoint = Endpoint(Operation.UPDATE, handler, "Fail.", answers_sealed=True, shape=Shape.BARE)
            return (Path("fail", "Fails.", (endpoint,)),)

    told: list[Exception] = []
    rang: list[int] = []
    request = Request(id="r", operation=Operation.UPDATE, path="sys/fail")
    answer = handle_sealed(vault.node, Router(Plug()), replace(request), Alarms(told.append, lambda: rang.append(1)))
    return answer.error, told, len(rang)


def test_a_mistake_of_ours_is_answered_and_written_down_without_its_text(sealed: Vault) -> None:
    error, told, _ = ask(sealed, lambda: ValueError("canary-hunter2"))
    assert isinstance(error, InternalFailure)
    assert [type(failure) for failure in told] == [ValueError]
    assert [record["type"] for record in sealed.device.records] == ["request", "response"]
    assert "canary" not in sealed.device.text


@pytest.mark.parametrize(
    ("failure", "kind", "alarmed"), [(Unavailable("x"), UpstreamFailed, 0), (Unknown("x"), OutcomeUnknown, 1)], ids=str
)
def test_a_store_that_fails_is_said_and_alarms_where_nobody_knows(
    sealed: Vault, failure: Exception, kind: type[Exception], alarmed: int
) -> None:
    error, _, rang = ask(sealed, lambda: failure)
    assert isinstance(error, kind)
    assert rang == alarmed


def test_there_is_no_storage_and_no_index_while_it_is_sealed() -> None:
    storage, fingerprints = NoStorage(), NoFingerprints()
    for touch in (
        lambda: storage.get("a"),
        lambda: storage.put("a", b""),
        lambda: storage.delete("a"),
        lambda: storage.children("a/"),
        lambda: storage.scan("a/"),
        lambda: storage.view("a/"),
        lambda: fingerprints.record("a", 1, {}),
        lambda: fingerprints.forget("a", {}),
        lambda: fingerprints.of_mount("a"),
    ):
        with pytest.raises(Sealed):
            touch()
