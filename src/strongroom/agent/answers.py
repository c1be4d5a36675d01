"""The secrets that templates use: asked for once, kept, and asked for again when they may have changed or are about to end.

Owned by the thread that renders. What was read last stays until something newer came: a server that is away, sealed, or says no
takes nothing away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from strongroom.agent.answer import Lifetime, lifetime_of, record_of, version_of
from strongroom.agent.config_values import TemplateRules
from strongroom.agent.consumers import Running
from strongroom.agent.context import Context
from strongroom.agent.kv_paths import KvPaths
from strongroom.agent.methods import LIFETIME_SECONDS_MAX
from strongroom.agent.template.values import Record
from strongroom.client.client import Client
from strongroom.client.errors import ApiError, BadAnswer, ClientError, ConnectionFailed

SECRETS_MAX = 1000
_RENEW_AT = 2 / 3
_SHRUNK = 0.5
_SPREAD = 0.1
_SOONEST_SECONDS = 1.0
_AGAIN_SECONDS = 5.0
_AGAIN_SECONDS_MAX = 300.0


class Key(NamedTuple):
    """What was asked: ``kind`` is ``secret``, ``certificate`` or ``names``."""

    kind: str
    path: str
    parameters: tuple[str, ...] = ()

    def __str__(self) -> str:
        return self.path


class CannotFetch(Exception):
    """There is no such secret. The text names the path."""


class _Held(NamedTuple):
    """One answer. ``due`` is when to ask again or to renew; ``first_ttl`` what its lease was given at first."""

    value: Any
    lifetime: Lifetime
    due: float
    first_ttl: int
    failures: int = 0


class Answers:
    """See the module. ``asked`` are the keys that were used since it was last emptied."""

    def __init__(self, context: Context, rules: TemplateRules, tell: Callable[[Key, Exception | None], None]) -> None:
        """``tell`` learns what could not be asked again and why, and with None that it could after all."""
        self._context = context
        self._rules = rules
        self._tell = tell
        self._held: dict[Key, _Held] = {}
        self._client: Client | None = None
        self._token = ""
        self._paths = KvPaths()
        self._resolved: dict[Key, str] = {}
        self.asked: set[Key] = set()

    def use(self, token: str) -> None:
        """Ask with ``token`` from now on. What came by another one ends with it, so everything is due."""
        self.close()
        self._token = token
        self._client = self._context.client(token)
        self._paths = KvPaths()
        self.expire()

    def expire(self) -> None:
        """Everything is due, but certificates: they do not end with the token that they were issued to."""
        self._held = {
            key: held if key.kind == "certificate" else held._replace(due=0.0, lifetime=Lifetime())
            for key, held in self._held.items()
        }

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def keep_only(self, keys: Iterable[Key]) -> None:
        """Forget what nobody uses any more."""
        wanted = set(keys)
        self._held = {key: held for key, held in self._held.items() if key in wanted}
        self._resolved = {key: path for key, path in self._resolved.items() if key in wanted}

    def running(self, keys: Iterable[Key]) -> list[Running]:
        """The secrets among ``keys`` that were read, by their path in the API and the version that is held."""
        found = ((self._resolved[key], self._held[key]) for key in keys if key in self._resolved and key in self._held)
        return [Running(path, version_of(held.value)) for path, held in found]

    def secret(self, path: str, parameters: Sequence[str]) -> Record:
        """See Secrets."""
        found: Record = self._value(Key("secret", path, tuple(parameters)))
        return found

    def certificate(self, path: str, parameters: Sequence[str]) -> Record:
        """See Secrets."""
        found: Record = self._value(Key("certificate", path, tuple(parameters)))
        return found

    def names(self, path: str) -> list[str]:
        """See Secrets."""
        return list(self._value(Key("names", path)))

    def next_due(self) -> float | None:
        """When something is due, on the monotonic clock."""
        return min((held.due for held in self._held.values()), default=None)

    def refresh(self) -> set[Key]:
        """Renew or ask again what is due; the keys whose value is another one now."""
        changed: set[Key] = set()
        is_away = False
        for key, held in list(self._held.items()):
            if held.due > self._context.clock.monotonic():
                continue
            if is_away:
                # Nobody waits for the same silence many times.
                self._postpone(key, held)
                continue
            try:
                renewed = self._renewed(held)
                newer = renewed or self._fetch(key)
            except (ClientError, CannotFetch) as error:
                self._postpone(key, held)
                self._tell(key, error)
                is_away = isinstance(error, ConnectionFailed)
                continue
            if held.failures:
                self._tell(key, None)
            self._held[key] = newer
            if not renewed and newer.value != held.value:
                changed.add(key)
        return changed

    def _value(self, key: Key) -> Any:
        self.asked.add(key)
        held = self._held.get(key)
        if held is None:
            if len(self._held) >= SECRETS_MAX:
                raise CannotFetch(f"the templates use more than {SECRETS_MAX:,} secrets")
            held = self._held[key] = self._fetch(key)
        return held.value

    def _postpone(self, key: Key, held: _Held) -> None:
        wait = min(_AGAIN_SECONDS * (1 << min(held.failures, 10)), _AGAIN_SECONDS_MAX)
        due = self._context.clock.monotonic() + wait * (1 - self._drawn() / 4)
        self._held[key] = held._replace(due=due, failures=held.failures + 1)

    def _fetch(self, key: Key) -> _Held:
        answer = self._asked(key)
        value = answer if key.kind == "names" else record_of(answer, as_certificate=key.kind == "certificate")
        lifetime = Lifetime() if key.kind == "names" else lifetime_of(answer, self._context.clock)
        return _Held(value, lifetime, self._due(lifetime), lifetime.ttl_seconds)

    def _asked(self, key: Key) -> Any:
        client = self._live()
        try:
            path, query = self._paths.resolve(client, key.path, listing=key.kind == "names")
            if key.kind == "names":
                about = (client.list(path) or {}).get("data")
                listed = about.get("keys") if isinstance(about, dict) else None
                return [str(name) for name in listed] if isinstance(listed, list) else []
            if key.parameters or key.kind == "certificate":
                body = dict(parameter.split("=", 1) for parameter in key.parameters)
                answer = client.write(path, body)
            else:
                answer = client.read(path, query)
                self._resolved[key] = path
        except ApiError as error:
            if error.status == 403:
                self._context.tokens.doubt(self._token)
            raise
        if answer is None or _is_deleted(answer):
            raise CannotFetch(f"there is no secret at {key.path}")
        return answer

    def _renewed(self, held: _Held) -> _Held | None:
        """The same with a longer lease, where that goes."""
        lifetime = held.lifetime
        if not (lifetime.lease_id and lifetime.renewable) or lifetime.ttl_seconds < held.first_ttl * _SHRUNK:
            return None
        try:
            answer = self._live().write(
                "sys/leases/renew", {"lease_id": lifetime.lease_id, "increment": held.first_ttl}
            )
        except ApiError as error:
            if error.status >= 500 or error.status in {412, 429}:
                raise
            return None
        ttl = (answer or {}).get("lease_duration")
        if not isinstance(ttl, int) or isinstance(ttl, bool) or ttl < 0:
            raise BadAnswer("the server's answer to a renewal holds no lifetime")
        longer = lifetime._replace(
            ttl_seconds=min(ttl, LIFETIME_SECONDS_MAX), renewable=(answer or {}).get("renewable") is True
        )
        return held._replace(lifetime=longer, due=self._due(longer, held.first_ttl), failures=0)

    def _due(self, lifetime: Lifetime, first_ttl: int = 0) -> float:
        """When to do something about it: renew early, replace late, look again regularly."""
        now = self._context.clock.monotonic()
        if lifetime.ttl_seconds:
            is_renewed = lifetime.renewable and lifetime.ttl_seconds >= first_ttl * _SHRUNK
            part = _RENEW_AT if is_renewed else self._rules.lease_renewal_threshold
            wait = lifetime.ttl_seconds * part * (1 - _SPREAD * self._drawn())
            if lifetime.may_change:
                wait = min(wait, self._rules.static_interval)
        else:
            wait = self._rules.static_interval * (1 - _SPREAD * self._drawn())
        return now + max(_SOONEST_SECONDS, wait)

    def _live(self) -> Client:
        if self._client is None:
            raise CannotFetch("nobody is logged in")
        return self._client

    def _drawn(self) -> float:
        return int.from_bytes(self._context.entropy.bytes(4), "big") / 2**32


def _is_deleted(answer: dict[str, Any]) -> bool:
    """Whether it is the answer for a version that was deleted or destroyed: notes about it, and no values."""
    data = answer.get("data")
    if not isinstance(data, dict) or "data" not in data or data["data"] is not None:
        return False
    # In a store without versions these are names that somebody chose.
    about = data.get("metadata")
    return isinstance(about, dict) and bool(about.get("version"))
