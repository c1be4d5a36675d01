"""What clients do with tokens: make them, log in, use them up, renew and revoke them, and hand answers over wrapped."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule
from tests.machine.model import LOCKOUT_NS, NEVER, Model, Token, User, Wrapped, policy_text
from tests.machine.stage import MAKES, ROLE, Stage
from tests.machine.store import ALL_FAULTS, Fault
from tests.processes import Result

POLICIES = st.sampled_from(["red", "green"])
CAPABILITIES = st.sets(st.sampled_from(["read", "delete", "deny"]), max_size=2)
USERS = st.sampled_from(["mia", "tom"])
PASSWORDS = st.sampled_from(["right", "other"])
TTLS = st.sampled_from([60, 600, 7200])
TOKENS_MAX = 12


class TokenRules(Stage):
    """Rules of policies, tokens, logins and wrapping."""

    @rule(
        name=POLICIES,
        rules=st.dictionaries(st.sampled_from(["one", "two", "three/deep"]), CAPABILITIES, min_size=1, max_size=2),
    )
    def write_policy(self, name: str, rules: dict[str, set[str]]) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.policies[name] = {path: frozenset(given) for path, given in rules.items()}

        text = policy_text({path: frozenset(given) for path, given in rules.items()})
        self.ask("POST", f"sys/policies/acl/{name}", {"policy": text}, effect=effect, expected={204})

    @rule(name=POLICIES)
    def delete_policy(self, name: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.policies.pop(name, None)

        self.ask("DELETE", f"sys/policies/acl/{name}", effect=effect, expected={204})

    # Making tokens

    @precondition(lambda self: len(self.model.tokens) < TOKENS_MAX)
    @rule(
        policies=st.sets(POLICIES),
        ttl=TTLS,
        explicit_max=st.sampled_from([0, 0, 900]),
        uses=st.sampled_from([0, 0, 1, 2]),
        is_batch=st.booleans(),
    )
    def create_token(self, policies: set[str], ttl: int, explicit_max: int, uses: int, *, is_batch: bool) -> None:
        """A child of the root token."""
        self.new_token(policies, ttl, explicit_max, uses, is_batch=is_batch)

    def new_token(self, policies: set[str], ttl: int, explicit_max: int, uses: int, *, is_batch: bool) -> Token:
        """The same, and the token."""
        body = {"policies": [MAKES, *sorted(policies)], "ttl": ttl}
        more = {"type": "batch"} if is_batch else {"explicit_max_ttl": explicit_max, "num_uses": uses}
        token = Token("", frozenset({MAKES, *policies}), is_batch=is_batch)
        if not is_batch:
            token.explicit_max, token.uses = explicit_max, uses or None
        self._make({**body, **more}, token)
        return token

    @precondition(lambda self: len(self.model.tokens) < TOKENS_MAX and self.model.alive(self.clock.now_ns()))
    @rule(data=st.data(), ttl=TTLS, is_batch=st.booleans())
    def create_child(self, data: st.DataObject, ttl: int, *, is_batch: bool) -> None:
        parent = self._draw_alive(data)
        if parent.uses is None and parent.expiry_ns != NEVER:
            self.child_of(parent, ttl, is_batch=is_batch)

    def child_of(self, parent: Token, ttl: int, *, is_batch: bool) -> None:
        """A child with the policies of its parent. Batch tokens have none."""
        token = Token("", parent.policies, parent=parent.text, is_batch=is_batch)
        body = {"ttl": ttl, **({"type": "batch"} if is_batch else {})}
        self._make(body, token, expected=400 if parent.is_batch else 200, shown=parent.text)

    def _make(self, body: dict[str, Any], token: Token, *, expected: int = 200, shown: str = "root") -> None:
        def effect(model: Model, result: Result | None) -> None:
            if result is None:
                return
            token.text = result.auth["client_token"]
            token.created_ns = self.clock.now_ns()
            token.expiry_ns = token.created_ns + result.auth["lease_duration"] * 10**9
            assert set(result.auth["policies"]) - {"default"} == token.policies
            longest = min(body.get("ttl", 10**9), token.explicit_max or 10**9)
            assert 0 < result.auth["lease_duration"] <= longest
            model.tokens[token.text] = token

        self.ask("POST", "auth/token/create", body, effect=effect, expected={expected}, token=shown)

    # Using them

    @precondition(lambda self: any(token.uses for token in self.model.alive(self.clock.now_ns())))
    @rule(data=st.data())
    def spend_a_use(self, data: st.DataObject) -> None:
        """Every request spends one, also where the answer is no."""
        text = data.draw(
            st.sampled_from([token.text for token in self.model.alive(self.clock.now_ns()) if token.uses is not None])
        )

        def effect(model: Model, result: Result | None) -> None:
            del result
            token = model.tokens[text]
            assert token.uses
            token.uses -= 1
            token.is_revoked = token.uses == 0

        self.ask("GET", "auth/token/lookup-self", effect=effect, expected={200}, token=text)

    @precondition(lambda self: self.model.alive(self.clock.now_ns()))
    @rule(data=st.data(), increment=st.sampled_from([0, 30, 3600]))
    def renew(self, data: st.DataObject, increment: int) -> None:
        text = self._draw_alive(data).text
        now = self.clock.now_ns()

        def effect(model: Model, result: Result | None) -> None:
            token = model.tokens[text]
            token.expiry_ns = None if result is None else now + result.auth["lease_duration"] * 10**9

        self.ask(
            "POST",
            "auth/token/renew",
            {"token": text, "increment": increment},
            effect=effect,
            expected=self._renewal_statuses(self.model.tokens[text]),
        )
        self.learn_expiries()
        token = self.model.tokens[text]
        assert token.expiry_ns is not None
        assert not token.explicit_max or token.expiry_ns <= token.created_ns + token.explicit_max * 10**9

    def _renewal_statuses(self, token: Token) -> set[int]:
        if token.is_batch or token.expiry_ns == NEVER:
            return {400}
        if token.user is None:
            return {200}
        name, incarnation = token.user
        user = self.model.users.get(name)
        if user is None or user.incarnation != incarnation or user.policies != token.policies:
            return {400}
        is_locked = self.model.is_locked(user, self.clock.now_ns())
        return {200, 400} if is_locked is None else {400 if is_locked else 200}

    # Taking them away

    @precondition(lambda self: self.model.tokens)
    @rule(data=st.data())
    def revoke(self, data: st.DataObject) -> None:
        text = data.draw(st.sampled_from(sorted(self.model.tokens)))
        is_batch = self.model.tokens[text].is_batch and self.model.is_alive(text, self.clock.now_ns())

        def effect(model: Model, result: Result | None) -> None:
            del result
            if not model.tokens[text].is_batch:
                model.tokens[text].is_revoked = True

        self.ask(
            "POST",
            "auth/token/revoke",
            {"token": text},
            effect=effect,
            expected={400 if is_batch else 204},
            is_emergency=True,
        )

    @precondition(lambda self: any(not token.is_batch for token in self.model.alive(self.clock.now_ns())))
    @rule(data=st.data())
    def revoke_alone(self, data: st.DataObject) -> None:
        text = data.draw(
            st.sampled_from([token.text for token in self.model.alive(self.clock.now_ns()) if not token.is_batch])
        )

        def effect(model: Model, result: Result | None) -> None:
            del result
            model.orphan_children(text)

        self.ask("POST", "auth/token/revoke-orphan", {"token": text}, effect=effect, expected={204}, is_emergency=True)

    @rule()
    def tidy(self) -> None:
        """What has expired is removed: nothing that anybody could see."""
        self.ask("POST", "auth/token/tidy", expected={204})

    # Users

    @rule(name=USERS, password=PASSWORDS, policies=st.sets(POLICIES))
    def write_user(self, name: str, password: str, policies: set[str]) -> None:
        """Another password makes another user of it; the same one leaves even the wrong passwords counted."""
        given, known, drawn = frozenset({MAKES, *policies}), self.model.users.get(name), self._next()

        def effect(model: Model, result: Result | None) -> None:
            del result
            user = model.users.get(name)
            if user is None or user.password != password:
                model.users[name] = User(password, given, drawn)
            else:
                user.policies = given

        # A password cannot be read back: only where something else changes, too, is it seen afterwards what happened.
        is_seen = known is None or known.policies != given
        self.ask(
            "POST",
            f"auth/userpass/users/{name}",
            {"password": password, "token_policies": [MAKES, *sorted(policies)]},
            effect=effect,
            expected={204 if self.model.has_userpass else 404},
            faults=ALL_FAULTS if is_seen else {Fault.CONFLICT, Fault.UNAVAILABLE},
        )

    @rule(name=USERS)
    def delete_user(self, name: str) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.users.pop(name, None)

        expected = 204 if self.model.has_userpass else 404
        self.ask("DELETE", f"auth/userpass/users/{name}", effect=effect, expected={expected})

    @precondition(lambda self: len(self.model.tokens) < TOKENS_MAX)
    @rule(name=USERS, password=PASSWORDS, spelling=st.sampled_from([str.lower, str.upper]))
    def log_in(self, name: str, password: str, spelling: Any) -> None:
        user = self.model.users.get(name)
        if user is None:
            status = 400 if self.model.has_userpass else 403
            self.ask("POST", f"auth/userpass/login/{name}", {"password": password}, expected={status}, token=None)
            return
        now = self.clock.now_ns()
        if now >= user.last_failure_ns + LOCKOUT_NS:
            user.failures_least = user.failures_most = 0
        if password != user.password:
            self._fail_login(name, password)
            return
        is_locked = self.model.is_locked(user, now)

        def effect(model: Model, result: Result | None) -> None:
            if result is None:  # whether the count was forgotten is not known either
                model.users[name].failures_least = 0
                return
            token = Token(
                result.auth["client_token"],
                user.policies,
                expiry_ns=now + result.auth["lease_duration"] * 10**9,
                created_ns=now,
                source="userpass",
                user=(name, user.incarnation),
            )
            model.tokens[token.text] = token
            model.users[name].failures_least = model.users[name].failures_most = 0

        expected = {200, 400} if is_locked is None else {400 if is_locked else 200}
        path = f"auth/userpass/login/{spelling(name)}"
        self.ask("POST", path, {"password": password}, effect=effect, expected=expected, token=None)

    @precondition(lambda self: len(self.model.tokens) < TOKENS_MAX)
    @rule(name=USERS, times=st.sampled_from([4, 5, 6]))
    def guess(self, name: str, times: int) -> None:
        """Somebody tries passwords, and then the right one is shown."""
        user = self.model.users.get(name)
        for number in range(times if user else 0):
            self.log_in(name, f"guess {number}", str.lower)
        if user:
            self.log_in(name, user.password, str.lower)

    def _fail_login(self, name: str, password: str) -> None:
        result = self.ask("POST", f"auth/userpass/login/{name}", {"password": password}, expected={400}, token=None)
        # What had no answer may have been counted all the same: in the process, or in the store.
        user = self.model.users[name]
        user.failures_least += result is not None
        user.failures_most += 1
        user.last_failure_ns = self.clock.now_ns()

    @rule()
    def switch_userpass(self) -> None:
        def effect(model: Model, result: Result | None) -> None:
            del result
            model.has_userpass = not model.has_userpass
            model.users.clear()
            for token in model.tokens.values():
                token.is_revoked = token.is_revoked or token.source == "userpass"

        if self.model.has_userpass:
            self.ask("DELETE", "sys/auth/userpass", effect=effect, expected={204})
        else:
            self.ask("POST", "sys/auth/userpass", {"type": "userpass"}, effect=effect, expected={204})

    # Machines

    @precondition(lambda self: len(self.model.secret_ids) < 3)
    @rule()
    def new_secret_id(self) -> None:
        def effect(model: Model, result: Result | None) -> None:
            if result is not None:
                model.secret_ids[result.data["secret_id"]] = (2, self.clock.now_ns() + 600 * 10**9)

        self.ask("POST", f"auth/approle/role/{ROLE}/secret-id", {}, effect=effect, expected={200})

    @precondition(lambda self: self.model.secret_ids and len(self.model.tokens) < TOKENS_MAX)
    @rule(data=st.data())
    def log_in_by_role(self, data: st.DataObject) -> None:
        secret_id = data.draw(st.sampled_from(sorted(self.model.secret_ids)))
        uses, expiry_ns = self.model.secret_ids[secret_id]
        now = self.clock.now_ns()

        def effect(model: Model, result: Result | None) -> None:
            if result is None:  # it may have cost a use
                model.secret_ids.pop(secret_id)
                return
            model.secret_ids[secret_id] = (uses - 1, expiry_ns)
            lifetime = result.auth["lease_duration"] * 10**9
            token = Token(result.auth["client_token"], frozenset({MAKES}), now + lifetime, now, source="approle")
            model.tokens[token.text] = token

        shown = {"role_id": ROLE, "secret_id": secret_id}
        expected = 200 if uses and now < expiry_ns else 400
        answer = self.ask("POST", "auth/approle/login", shown, effect=effect, expected={expected}, token=None)
        if answer is not None and answer.status == 400:
            self.model.secret_ids.pop(secret_id)

    # Wrapping

    @precondition(lambda self: len(self.model.wrapped) < 3)
    @rule(body=st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), min_size=1), ttl=TTLS)
    def wrap(self, body: dict[str, int], ttl: int) -> None:
        def effect(model: Model, result: Result | None) -> None:
            if result is None or result.body is None:
                return
            token = result.body["wrap_info"]["token"]
            model.wrapped[token] = Wrapped(token, body, self.clock.now_ns() + ttl * 10**9)

        self.ask("POST", "sys/wrapping/wrap", body, effect=effect, expected={200}, wrap_ttl=str(ttl))

    @precondition(lambda self: self.model.wrapped)
    @rule(data=st.data())
    def unwrap(self, data: st.DataObject) -> None:
        wrapped = self.model.wrapped[data.draw(st.sampled_from(sorted(self.model.wrapped)))]

        def effect(model: Model, result: Result | None) -> None:
            assert result is None or result.data == wrapped.body
            model.wrapped.pop(wrapped.token)

        is_there = self.clock.now_ns() < wrapped.expiry_ns
        answer = self.ask(
            "POST",
            "sys/wrapping/unwrap",
            {"token": wrapped.token},
            effect=effect,
            expected={200 if is_there else 400},
            token=None,
        )
        if answer is not None and answer.status == 400:
            self.model.wrapped.pop(wrapped.token)

    def _draw_alive(self, data: st.DataObject) -> Token:
        texts = [token.text for token in self.model.alive(self.clock.now_ns())]
        return self.model.tokens[data.draw(st.sampled_from(texts))]

    def _next(self) -> int:
        self.model.drawn += 1
        return self.model.drawn
