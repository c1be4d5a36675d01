"""A vault with a plug that does whatever a test needs, on a store that fails when told to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any

import pytest
from tests.kit import Vault

from strongroom.core.batch import Alarms, answer_alone, answer_batch
from strongroom.core.pipeline import Answer
from strongroom.logical.backend import Backend, Context, Endpoint, Path
from strongroom.logical.errors import InvalidRequest, LoginFailed
from strongroom.logical.field import Doc
from strongroom.logical.operation import Operation
from strongroom.logical.request import Auth, Request, Response
from strongroom.logical.secret import Secret
from strongroom.physical.memory import MemoryStore
from strongroom.physical.store import Record, Witness
from strongroom.server.builtins import PLUGS

CANARY = "canary-hunter2"


class FaultyStore(MemoryStore):
    """A memory store that calls ``before_commit`` before each commit."""

    def __init__(self) -> None:
        super().__init__()
        self.before_commit: Callable[[], None] = lambda: None
        self.commits = 0

    def commit(
        self,
        expected: Mapping[str, int | None],
        puts: Mapping[str, Record],
        deletes: Collection[str],
        witness: Witness | None = None,
        *,
        is_urgent: bool = False,
    ) -> None:
        self.before_commit()
        super().commit(expected, puts, deletes, witness, is_urgent=is_urgent)
        self.commits += 1

    def fail_once(self, failure: Exception) -> None:
        """Let the next commit raise ``failure``, and those after it work again."""

        def fail() -> None:
            self.before_commit = lambda: None
            raise failure

        self.before_commit = fail


@dataclass
class Text:
    key: Annotated[str, Doc("A key.")] = "key"
    value: Annotated[str, Doc("A value.")] = "value"


@dataclass
class Probe:
    """A plug whose endpoints do one thing each. ``hook`` is called by ``hook`` and ``slow-hook``."""

    help: str = "A plug for tests."
    hook: Callable[[Context], None] = field(default=lambda _: None)
    calls: int = 0

    def paths(self) -> tuple[Path, ...]:
        handlers: dict[str, Callable[[Context, Text], Response | None]] = {
            "write": self.write,
            "read": self.read,
            "append": self.append,
            "refuse": self.refuse,
            "explode": self.explode,
            "warn": self.warn,
            "hook": self.call,
            "slow-hook": self.call,
            "slow-append": self.append,
            "login": self.login,
            "fail-login": self.fail_login,
            "list": self.list,
        }
        return tuple(
            Path(
                name,
                "A path for tests.",
                (
                    Endpoint(
                        Operation.LIST if name == "list" else Operation.UPDATE,
                        handler,
                        "Do it.",
                        slow=name.startswith("slow"),
                        unauthenticated="login" in name,
                    ),
                ),
            )
            for name, handler in handlers.items()
        )

    def write(self, context: Context, request: Text) -> None:
        context.storage.put(request.key, request.value.encode())

    def read(self, context: Context, request: Text) -> Response:
        stored = context.storage.get(request.key)
        return Response(data={"value": stored.decode() if stored else None})

    def append(self, context: Context, request: Text) -> Response:
        self.calls += 1
        value = (context.storage.get(request.key) or b"").decode() + request.value
        context.storage.put(request.key, value.encode())
        return Response(data={"value": value})

    def refuse(self, context: Context, request: Text) -> None:
        self.write(context, request)
        raise InvalidRequest("no")

    def explode(self, context: Context, request: Text) -> None:
        self.write(context, request)
        raise ValueError(CANARY, request)

    def warn(self, context: Context, _: Text) -> None:
        context.warnings.append("mind the gap")

    def call(self, context: Context, request: Text) -> Response:
        self.hook(context)
        return self.append(context, request)

    def login(self, _: Context, request: Text) -> Response:
        return Response(auth=Auth(policies=("default",), display_name=request.value))

    def fail_login(self, context: Context, request: Text) -> None:
        self.append(context, request)
        raise LoginFailed("wrong")

    def list(self, _: Context, __: Text) -> Response:
        keys = [f"k{number}" for number in range(20)]
        return Response(data={"keys": keys, "key_info": {key: {} for key in keys}})


class Scene(Vault):
    """A vault with the probe mounted at ``probe/`` and ``auth/probe/``."""

    def __init__(self) -> None:
        self.probe = Probe()
        self.faults = FaultyStore()

        def make() -> Backend:
            return self.probe

        plugs = replace(
            PLUGS,
            engines={**PLUGS.engines, "probe": make},
            auth_methods={**PLUGS.auth_methods, "probe": make},
        )
        self.refusals: list[str] = []
        super().__init__(store=self.faults, plugs=plugs)
        self.mount("probe", "probe")
        assert self.post("sys/auth/probe", {"type": "probe"}).status == 204
        self.device.written.clear()

    @property
    def alarms(self) -> Alarms:
        return Alarms(self.failures.append, self._count_unknown, self.refusals.append)

    def request(self, name: str, *, token: str | None = "root", mount: str = "probe", **body: Any) -> Request:
        """A request to the probe."""
        self._number += 1
        shown = self.root if token == "root" else token
        return Request(
            id=f"request-{self._number}",
            operation=Operation.LIST if name == "list" else Operation.UPDATE,
            path=f"{mount}/{name}",
            body=body,
            token=Secret(shown) if shown else None,
        )

    def batch(self, *requests: Request) -> list[Answer | None]:
        return answer_batch(self.node.require(), requests, self.alarms)

    def alone(self, request: Request) -> Answer:
        return answer_alone(self.node.require(), request, self.alarms)

    def value(self, key: str = "key") -> str | None:
        """What the probe stored."""
        answer = self.alone(self.request("read", key=key))
        assert answer.response is not None
        assert answer.response.data is not None
        value: str | None = answer.response.data["value"]
        return value

    def kinds(self) -> list[str]:
        """The kinds and paths of the audit records so far."""
        return [f"{record['type']} {record['request']['path']}" for record in self.device.records]


@pytest.fixture
def scene() -> Scene:
    return Scene()
