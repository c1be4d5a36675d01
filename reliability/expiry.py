"""INV-13: what is expired is refused at its use, although nobody sweeps. ``python -m reliability.expiry --rounds 40``.

Credentials of every kind with times to live drawn by chance, in a vault whose clock is ours and in which no sweeper runs: each must work in the last second
of its life, and be refused from its end on. Afterwards no renewal may bring one back.
"""

from __future__ import annotations

import argparse
import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.kit import Vault

from reliability.result import Figure, Result, run

Use = Callable[[], bool]
LONGEST_SECONDS = 5000


@dataclass(frozen=True)
class Credential:
    """Something that ends at ``ends`` (seconds of the vault's clock). ``use`` says whether it is still good; ``is_spent_by_use``, that it is good once."""

    kind: str
    ends: float
    use: Use
    is_spent_by_use: bool = False


class Issuer:
    """Hands out credentials of one vault."""

    def __init__(self, vault: Vault, chance: random.Random) -> None:
        self._vault = vault
        self._chance = chance
        self.passed = 0.0
        for path, body in (
            ("sys/policies/acl/reader", {"policy": 'path "kv/*" { capabilities = ["read"] }'}),
            ("sys/mounts/kv", {"type": "kv"}),
            ("kv/a", {"value": "x"}),
            ("sys/auth/approle", {"type": "approle"}),
            ("auth/approle/role/app", {"token_policies": ["reader"], "token_ttl": "1h"}),
        ):
            vault.post(path, body)
        self._role_id = str(vault.get("auth/approle/role/app/role-id").data["role_id"])

    def jump(self, seconds: float) -> None:
        """Let time pass."""
        self._vault.clock.jump(seconds)
        self.passed += seconds

    def issue(self) -> list[Credential]:
        """One of each kind."""
        makers = (
            self._service,
            self._batch,
            self._periodic,
            self._capped,
            self._child,
            self._wrapped,
            self._secret_id,
            self._login,
        )
        return [make(self._chance.randrange(2, LONGEST_SECONDS)) for make in makers]

    def _token(self, kind: str, seconds: float, **options: object) -> Credential:
        token = self._vault.token_for("reader", **options)
        return Credential(kind, self.passed + seconds, lambda: self._vault.get("kv/a", token=token).status == 200)

    def _service(self, seconds: int) -> Credential:
        return self._token("service token", seconds, ttl=f"{seconds}s")

    def _batch(self, seconds: int) -> Credential:
        return self._token("batch token", seconds, ttl=f"{seconds}s", type="batch")

    def _periodic(self, seconds: int) -> Credential:
        return self._token("periodic token", seconds, period=f"{seconds}s")

    def _capped(self, seconds: int) -> Credential:
        return self._token("token with a maximum", seconds, ttl="10h", explicit_max_ttl=f"{seconds}s")

    def _child(self, seconds: int) -> Credential:
        parent = self._vault.token_for("root", ttl=f"{seconds}s")
        made = self._vault.post("auth/token/create", {"policies": ["reader"], "ttl": "10h"}, token=parent)
        token = str(made.auth["client_token"])
        return Credential("child", self.passed + seconds, lambda: self._vault.get("kv/a", token=token).status == 200)

    def _wrapped(self, seconds: int) -> Credential:
        wrapped = self._vault.post("sys/wrapping/wrap", {"a": "x"}, wrap_ttl=f"{seconds}s").body or {}
        token = str(wrapped["wrap_info"]["token"])
        unwrap = lambda: self._vault.post("sys/wrapping/unwrap", {}, token=token).status == 200  # noqa: E731 -- as its neighbours
        return Credential("wrapped answer", self.passed + seconds, unwrap, is_spent_by_use=True)

    def _secret_id(self, seconds: int) -> Credential:
        made = self._vault.post("auth/approle/role/app/secret-id", {"ttl": f"{seconds}s"}).data
        login = {"role_id": self._role_id, "secret_id": made["secret_id"]}
        return Credential(
            "secret ID",
            self.passed + seconds,
            lambda: self._vault.post("auth/approle/login", login, token=None).status == 200,
        )

    def _login(self, seconds: int) -> Credential:
        self._vault.post("auth/approle/role/app", {"token_max_ttl": f"{seconds}s", "token_ttl": f"{seconds}s"})
        made = self._vault.post("auth/approle/role/app/secret-id", {}).data
        login = {"role_id": self._role_id, "secret_id": made["secret_id"]}
        token = str(self._vault.post("auth/approle/login", login, token=None).auth["client_token"])
        return Credential(
            "token of a login", self.passed + seconds, lambda: self._vault.get("kv/a", token=token).status == 200
        )


def prove(arguments: argparse.Namespace) -> Result:
    """Hand out, and step through the ends."""
    issuer = Issuer(Vault(), random.Random(arguments.seed))
    credentials = [one for _ in range(arguments.rounds) for one in issuer.issue()]
    early = late = 0
    findings: list[str] = []
    for number, one in enumerate(sorted(credentials, key=lambda one: one.ends)):
        if one.ends - 1 > issuer.passed:
            issuer.jump(one.ends - 1 - issuer.passed)
        # What is good for one use alone is tried at one of the two moments.
        if issuer.passed < one.ends and not (one.is_spent_by_use and number % 2) and not one.use():
            early += 1
            findings.append(f"{one.kind}: refused before its end")
        if one.ends > issuer.passed:
            issuer.jump(one.ends - issuer.passed)
        if one.use():
            late += 1
            findings.append(f"{one.kind}: good after its end")
    used_again = sum(one.use() for one in credentials)
    figures: dict[str, Figure] = {
        "n": len(credentials),
        "kinds": len({one.kind for one in credentials}),
        "refused_before_the_end": early,
        "good_after_the_end": late + used_again,
    }
    return Result("INV-13 expiry", figures, ("refused_before_the_end", "good_after_the_end"), {}, findings)


if __name__ == "__main__":
    run(prove, rounds=100)
