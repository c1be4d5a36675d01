"""What the proxy does with one request: checks where it comes from, chooses the token, asks the keeper, or answers for the agent itself."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable

from strongroom.agent.config_values import ApiProxy, Listener
from strongroom.agent.proxy import caching
from strongroom.agent.proxy.cache import Cache
from strongroom.agent.proxy.calls import Call, NotForwarded, check_origin, own_path, read_call
from strongroom.agent.proxy.keeper import Keeper, Served
from strongroom.agent.token_source import TokenSource
from strongroom.http.message import HttpRequest, HttpResponse
from strongroom.http.writer import JSON_HEADERS

_LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_MISSING_TOKEN = frozenset({400, 403})
_METRICS = "metrics_only"
_FIGURES = "metrics"


class Front:
    """Answers requests of one listener. From any thread."""

    def __init__(
        self,
        listener: Listener,
        proxy: ApiProxy,
        keeper: Keeper,
        cache: Cache,
        tokens: TokenSource,
        quit_: Callable[[], None],
    ) -> None:
        self._proxy = proxy
        self._keeper = keeper
        self._cache = cache
        self._tokens = tokens
        self._quit = quit_
        self._require_header = listener.require_request_header
        self._is_for_metrics = listener.role == _METRICS
        self._may_quit = listener.enable_quit
        self._hosts = None
        if listener.kind == "tcp":
            self._hosts = _LOOPBACK_NAMES | {listener.address.rpartition(":")[0].strip("[]").lower()}
        self._turn = threading.Lock()
        self._served = 0
        self._refused = 0
        self._shall_quit = False

    def note_refused(self) -> None:
        """A connection was closed because of who opened it."""
        self._refused += 1

    def answered(self) -> None:
        """An answer was sent: whoever asked for the end of the agent knows by now that it comes."""
        if self._shall_quit:
            self._quit()

    def answer(self, request: HttpRequest) -> HttpResponse:
        """The answer to ``request``. Never raises."""
        with self._turn:
            self._served += 1
        try:
            own = own_path(request)
            # Who collects figures sends no such header, and gets nothing that is worth one.
            check_origin(request, require_header=self._require_header and own != _FIGURES, hosts=self._hosts)
            if own is not None:
                return self._for_the_agent(request, own)
            return self._forwarded(request)
        except NotForwarded as refusal:
            return _error(refusal.status, refusal.text)

    def _forwarded(self, request: HttpRequest) -> HttpResponse:
        if self._is_for_metrics:
            raise NotForwarded(404, "this listener shows metrics alone, at /agent/v1/metrics")
        call = read_call(request)
        token = self._token_for(call)
        return self._shown(self._keeper.serve(call, token), has_token=bool(token))

    def _token_for(self, call: Call) -> str:
        if self._proxy.force:
            return self._tokens.current() or ""
        if call.token or not self._proxy.use_auto_auth_token:
            return call.token
        return self._tokens.current() or ""

    def _shown(self, served: Served, *, has_token: bool) -> HttpResponse:
        is_waiting = self._proxy.use_auto_auth_token and not has_token and self._tokens.current() is None
        if is_waiting and served.status in _MISSING_TOKEN:
            return _error(503, "the agent has not logged in yet; try again", ("Retry-After", "1"))
        headers = served.headers
        if self._keeper.is_caching:
            headers = (*headers, ("X-Cache", "MISS" if served.age is None else "HIT"))
        if served.age is not None:
            headers = (*headers, ("Age", str(served.age)))
        return HttpResponse(served.status, headers, served.body)

    def _for_the_agent(self, request: HttpRequest, path: str) -> HttpResponse:
        if path == _FIGURES and request.method == "GET":
            return self._metrics(request.target.partition("?")[2])
        if self._is_for_metrics:
            raise NotForwarded(404, "this listener shows metrics alone, at /agent/v1/metrics")
        if path == "cache-clear" and request.method in {"POST", "PUT"}:
            return self._clear(request.body)
        if path == "quit" and request.method in {"POST", "PUT"} and self._may_quit:
            self._shall_quit = True
            return HttpResponse(204, JSON_HEADERS)
        raise NotForwarded(404, "the agent answers to metrics and cache-clear, and to quit where it is enabled")

    def _clear(self, body: bytes) -> HttpResponse:
        try:
            asked = json.loads(body)
        except (ValueError, RecursionError):
            asked = None
        kind = asked.get("type") if isinstance(asked, dict) else None
        value = asked.get("value", "") if isinstance(asked, dict) else None
        if not self._keeper.is_caching:
            raise NotForwarded(400, "nothing is cached: there is no cache block in the agent's configuration")
        if not isinstance(kind, str) or not isinstance(value, str) or caching.clear(self._cache, kind, value) is None:
            text = "'type' must be all, or token, token_accessor, lease or request_path with a 'value'"
            raise NotForwarded(400, text)
        return HttpResponse(204, JSON_HEADERS)

    def _metrics(self, query: str) -> HttpResponse:
        figures = {
            "agent_proxy_requests": self._served,
            "agent_proxy_refused_connections": self._refused,
            "agent_cache_hits": self._keeper.hits,
            "agent_cache_misses": self._keeper.misses,
            "agent_cache_evictions": self._cache.evicted,
            "agent_cache_entries": len(self._cache),
            "agent_cache_bytes": self._cache.size,
            "agent_logged_in": int(self._tokens.current() is not None),
        }
        if "format=prometheus" in query.split("&"):
            lines = "".join(
                f"# TYPE strongroom_{name} gauge\nstrongroom_{name} {value}\n" for name, value in figures.items()
            )
            return HttpResponse(200, (("Content-Type", "text/plain; version=0.0.4"),), lines.encode())
        return HttpResponse(200, JSON_HEADERS, json.dumps(figures).encode())


def _error(status: int, text: str, *more: tuple[str, str]) -> HttpResponse:
    headers = (*JSON_HEADERS, *more) if more else JSON_HEADERS
    return HttpResponse(status, headers, json.dumps({"errors": [text]}).encode())
