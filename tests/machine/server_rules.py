"""What operators do, and what happens to a server: seals, crashes, new keys, broken audit devices, a store that fails, and time."""

from __future__ import annotations

import base64
import contextlib

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.machine.model import NEVER, Token
from tests.machine.stage import Stage
from tests.machine.store import ALL_FAULTS, Fault


class ServerRules(Stage):
    """Rules of the vault itself."""

    @rule(seconds=st.sampled_from([1, 59, 60, 600, 901, 7200]))
    def pass_time(self, seconds: int) -> None:
        self.clock.jump(seconds)

    # What takes an argument is not what Hypothesis tries first, over and over: a start is the dearest step of all.
    @rule(seconds=st.sampled_from([0, 1, 600]))
    def crash(self, seconds: int) -> None:
        """Whatever was not committed is gone, and so is everything that was in memory alone. The server is away for a while."""
        self.clock.jump(seconds)
        self.start_again()

    @rule(seconds=st.sampled_from([0, 60, 901]))
    def seal_and_unseal(self, seconds: int) -> None:
        """Meanwhile nobody is told anything, and time goes on."""
        self.ask("POST", "sys/seal", expected={204}, is_emergency=True, faults=())
        assert self.vault.node.unsealed is None
        self.is_sealed = True
        for method, path in (("GET", "one/a"), ("POST", "auth/token/create"), ("DELETE", "sys/mounts/one")):
            self.ask(method, path, {} if method == "POST" else None)
        self.clock.jump(seconds)
        if self.vault.device.is_broken:
            share = {"key": self.shares[0]}
            assert self.vault.call("PUT", "sys/unseal", share, token=None).status == 500
            self.vault.device.is_broken = False
        self.open()

    @rule(requests=st.integers(1, 4))
    def break_audit(self, requests: int) -> None:
        """No device takes a record until somebody repairs one, so many requests later."""
        self.break_audit_for(requests)

    # Keys

    @rule()
    def rotate(self) -> None:
        """What was written before stays readable, which every comparison shows."""
        # Of the keyring a store says that somebody was faster only where a sibling process did change it.
        self.ask("POST", "sys/rotate", expected={204}, faults=ALL_FAULTS - {Fault.CONFLICT})

    @precondition(lambda self: not self.vault.device.is_broken)
    @rule(fault=st.sampled_from([None, Fault.UNAVAILABLE, Fault.UNKNOWN_KEPT, Fault.UNKNOWN_LOST]))
    def rekey(self, fault: Fault | None) -> None:
        """Other shares open the vault from now on. Where the outcome is unknown, the old ones do, or the new ones, never neither."""
        started = self.ask("PUT", "sys/rotate/root/init", {"secret_shares": 2, "secret_threshold": 2}, faults=())
        assert started is not None
        nonce = started.data["nonce"]
        for share in self.shares[:-1]:
            self.ask("PUT", "sys/rotate/root/update", {"key": share, "nonce": nonce}, faults=())
        self.store.fault, self.store.hits = fault, 0
        done = self.vault.call("PUT", "sys/rotate/root/update", {"key": self.shares[-1], "nonce": nonce})
        was_hit, self.store.fault = self.store.hits > 0, None
        assert self.vault.failures == []
        new = done.data["keys"][:2] if done.status == 200 else self.shares
        if fault is None or not was_hit or fault is Fault.UNAVAILABLE:
            assert (done.status == 200) == (not was_hit), done
            self.shares = new
        else:
            self._open_with_either(new, self.shares)

    def _open_with_either(self, *candidates: list[str]) -> None:
        """Start again with the first of these shares that open the vault."""
        for shares in candidates:
            self.shares = shares
            with contextlib.suppress(AssertionError):
                self.start_again()
                return
        raise AssertionError("neither the old shares nor the new ones open the vault")

    @precondition(lambda self: not self.vault.device.is_broken and len(self.model.tokens) < 12)
    @rule()
    def generate_root(self) -> None:
        started = self.ask("PUT", "sys/generate-root-token/attempt", {}, expected={200}, faults=())
        assert started is not None
        answer = None
        for share in self.shares:
            body = {"key": share, "nonce": started.data["nonce"]}
            answer = self.ask("PUT", "sys/generate-root-token/update", body, faults=())
        assert answer is not None
        encoded, pad = answer.data["encoded_token"], started.data["otp"]
        mixed = base64.b64decode(encoded + "=" * (-len(encoded) % 4))
        text = bytes(left ^ right for left, right in zip(mixed, pad.encode(), strict=True)).decode()
        self.model.tokens[text] = Token(text, frozenset({"root"}), NEVER, self.clock.now_ns())
