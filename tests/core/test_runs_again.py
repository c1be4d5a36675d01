"""A batch that is run again because somebody was faster says only what came of the last run."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from tests.kit import Vault

from strongroom.core.batch import Alarms, answer_batch
from strongroom.logical.operation import Operation
from strongroom.logical.request import Request
from strongroom.logical.secret import Secret
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Conflict, Record


class OvertakenStore(MemoryStore):
    """Before the next commit somebody else does ``meanwhile``, and the commit is a conflict."""

    meanwhile: Any = None

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        *args: Any,
        **kwargs: Any,
    ) -> None:
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
            raise Conflict("somebody was faster")
        super().commit(expected, puts, deletes, *args, **kwargs)


def request(path: str, token: str, **body: Any) -> Request:
    return Request(id=path, operation=Operation.UPDATE, path=path, body=body, token=Secret(token))


def test_what_must_run_on_the_pool_the_second_time_has_no_answer_of_the_first() -> None:
    store = OvertakenStore()
    vault = Vault(store=store)
    vault.mount("kv")
    limited = vault.post("auth/token/create", {"num_uses": 5}).auth["client_token"]
    # The second one spends a use of its token, so it changes something, too, and goes again.
    requests = [request("kv/a", vault.root, v="1"), request("auth/late/users/ada", limited, password="p")]

    def enable() -> None:
        assert vault.post("sys/auth/late", {"type": "userpass"}).status == 204

    # At first the second request leads nowhere, which is an answer; then its endpoint is there, and is declared slow.
    store.meanwhile = enable
    answers = answer_batch(vault.node.require(), requests, Alarms(vault.failures.append, lambda: None))

    assert answers[0] is not None
    assert answers[0].error is None
    assert answers[1] is None
