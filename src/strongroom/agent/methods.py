"""The ways to log in: each reads what it needs from files, and asks the server for a token."""

from __future__ import annotations

import contextlib
from typing import Any, NamedTuple, Protocol

from strongroom.agent.config_values import Approle, Cert, Jwt, Method, TokenFile
from strongroom.agent.context import Context
from strongroom.agent.input_file import CannotRead, CannotRemove, read_input, remove_input
from strongroom.agent.token_source import same_token
from strongroom.client.errors import ApiError, BadAnswer
from strongroom.client.settings import Settings

LIFETIME_SECONDS_MAX = 100 * 365 * 86400
"""What is longer is as good as without an end, and no reason to reckon with numbers of any size."""


class Granted(NamedTuple):
    """What a login gave: a token with its lifetime (0: without end), or, where it was asked for, a wrapped one.

    ``wrapped`` is the server's account of the wrapping, as sinks write it; ``token`` is empty then.
    """

    token: str
    ttl_seconds: int
    renewable: bool
    wrapped: dict[str, Any] | None = None

    def __repr__(self) -> str:
        return f"Granted(ttl_seconds={self.ttl_seconds}, renewable={self.renewable})"


class LoginFailed(Exception):
    """What was found instead of something to log in with. The text says what to do, and shows nothing secret."""


class LoginMethod(Protocol):
    """One way to log in. Owned by the thread that logs in."""

    @property
    def sent(self) -> tuple[str, ...]:
        """What was shown to the server last and must not be in any text."""
        ...

    def log_in(self) -> Granted:
        """Log in. Raises LoginFailed, CannotRead or ClientError."""
        ...


def method_of(context: Context, method: Method) -> LoginMethod:
    """The way that the configuration names."""
    settings = method.settings
    if isinstance(settings, Approle):
        return ApproleLogin(context, method, settings)
    if isinstance(settings, Jwt):
        return JwtLogin(context, method, settings)
    if isinstance(settings, Cert):
        return CertLogin(context, method, settings)
    return TokenFileLogin(context, method, settings)


class ApproleLogin:
    """``approle``. What was read is kept, since the files may be removed; newer files count again."""

    def __init__(self, context: Context, method: Method, settings: Approle) -> None:
        self._context = context
        self._method = method
        self._settings = settings
        self._role_id = ""
        self._secret_id = ""
        self._wrapping_token = ""

    @property
    def sent(self) -> tuple[str, ...]:
        """See LoginMethod."""
        return (self._secret_id, self._wrapping_token)

    def log_in(self) -> Granted:
        """See LoginMethod."""
        try:
            self._role_id = read_input(self._settings.role_id_file)
        except CannotRead:
            if not self._role_id:
                raise
        body = {"role_id": self._role_id}
        if self._settings.secret_id_file:
            body["secret_id"] = self._present_secret_id()
        return _login(self._context, self._method, body)

    def _present_secret_id(self) -> str:
        try:
            found = read_input(self._settings.secret_id_file)
        except CannotRead:
            if self._secret_id:
                return self._secret_id
            raise
        self._secret_id = self._unwrapped(found) if self._settings.wrapping_path else found
        if self._settings.remove_secret_id_file:
            _remove(self._context, self._settings.secret_id_file)
        return self._secret_id

    def _unwrapped(self, token: str) -> str:
        if self._secret_id and same_token(token, self._wrapping_token):
            return self._secret_id
        settings = _within(self._context.settings, self._method.namespace)
        with (
            contextlib.closing(self._context.client(settings=settings)) as stranger,
            contextlib.closing(self._context.client(token, settings)) as client,
        ):
            try:
                about = stranger.write("sys/wrapping/lookup", {"token": token})
                made_at = str(_data(about).get("creation_path", "")).strip("/")
                if made_at != self._settings.wrapping_path:
                    raise LoginFailed(
                        "the wrapped secret ID was made elsewhere than secret_id_response_wrapping_path says: "
                        "somebody may have put it there"
                    )
                answer = client.write("sys/wrapping/unwrap")
            except ApiError as error:
                if error.status in {400, 403, 404}:
                    raise LoginFailed(
                        "the wrapped secret ID cannot be opened: it has expired, or somebody else has opened it. "
                        "Make another, and find out who did"
                    ) from None
                raise
        self._wrapping_token = token
        return _text(_data(answer), "secret_id")


class JwtLogin:
    """``jwt`` and ``kubernetes``. Where the file is removed after reading, the last one is kept."""

    def __init__(self, context: Context, method: Method, settings: Jwt) -> None:
        self._context = context
        self._method = method
        self._settings = settings
        self._jwt = ""

    @property
    def sent(self) -> tuple[str, ...]:
        """See LoginMethod."""
        return (self._jwt,)

    def log_in(self) -> Granted:
        """See LoginMethod."""
        try:
            self._jwt = read_input(self._settings.path)
        except CannotRead:
            if not (self._jwt and self._settings.remove_after_reading):
                raise
        else:
            if self._settings.remove_after_reading:
                _remove(self._context, self._settings.path)
        return _login(self._context, self._method, {"role": self._settings.role, "jwt": self._jwt})


class CertLogin:
    """``cert``: the certificate of the connection says who we are. It is read anew at every login."""

    sent: tuple[str, ...] = ()

    def __init__(self, context: Context, method: Method, settings: Cert) -> None:
        self._context = context
        self._method = method
        self._settings = settings

    def log_in(self) -> Granted:
        """See LoginMethod."""
        body = {"name": self._settings.name} if self._settings.name else {}
        tls = self._context.settings.tls
        if self._settings.client_cert:
            tls = tls._replace(client_cert=self._settings.client_cert, client_key=self._settings.client_key)
        if self._settings.ca_cert:
            tls = tls._replace(ca_cert=self._settings.ca_cert, ca_cert_bytes="", ca_path="")
        if not tls.client_cert:
            raise LoginFailed("cert needs client_cert and client_key, in its config or in the vault block")
        return _login(self._context, self._method, body, self._context.settings._replace(tls=tls))


class TokenFileLogin:
    """``token_file``: somebody else has logged in. What the token is worth is asked of the server."""

    def __init__(self, context: Context, method: Method, settings: TokenFile) -> None:
        self._context = context
        self._namespace = method.namespace
        self._settings = settings
        self._token = ""

    @property
    def sent(self) -> tuple[str, ...]:
        """See LoginMethod."""
        return (self._token,)

    def log_in(self) -> Granted:
        """See LoginMethod."""
        self._token = read_input(self._settings.path)
        settings = _within(self._context.settings, self._namespace)
        with contextlib.closing(self._context.client(self._token, settings)) as client:
            data = _data(client.ask("auth/token/lookup-self"))
        ttl = data.get("ttl", 0)
        return Granted(self._token, _seconds(ttl), renewable=data.get("renewable") is True)


def _remove(context: Context, path: str) -> None:
    try:
        remove_input(path)
    except CannotRemove as error:
        # Not a reason to be without a token: what was to be used once was used.
        context.journal.warn("login", str(error))


def _login(context: Context, method: Method, body: dict[str, str], settings: Settings | None = None) -> Granted:
    chosen = _within(settings or context.settings, method.namespace)
    if method.wrap_ttl:
        chosen = chosen._replace(wrap_ttl=f"{method.wrap_ttl}s")
    with contextlib.closing(context.client(settings=chosen)) as client:
        answer = client.write(f"{method.mount_path}/login", body)
    if method.wrap_ttl:
        return _wrapped(answer)
    return granted_by(answer)


def granted_by(answer: dict[str, Any] | None) -> Granted:
    """The token in the answer to a login or a renewal. Raises BadAnswer."""
    auth = (answer or {}).get("auth")
    if not isinstance(auth, dict):
        raise BadAnswer("the server's answer to the login holds no token")
    return Granted(_text(auth, "client_token"), _seconds(auth.get("lease_duration")), auth.get("renewable") is True)


def _wrapped(answer: dict[str, Any] | None) -> Granted:
    about = (answer or {}).get("wrap_info")
    if not isinstance(about, dict):
        raise BadAnswer("the server did not wrap the token")
    return Granted("", _seconds(about.get("ttl")), renewable=False, wrapped=about)


def _within(settings: Settings, namespace: str) -> Settings:
    return settings._replace(namespace=namespace) if namespace else settings


def _data(answer: dict[str, Any] | None) -> dict[str, Any]:
    data = (answer or {}).get("data")
    if not isinstance(data, dict):
        raise BadAnswer("the server's answer holds no data")
    return data


def _text(found: dict[str, Any], name: str) -> str:
    value = found.get(name)
    if not isinstance(value, str) or not value or not value.isprintable() or not value.isascii():
        raise BadAnswer(f"the server's answer holds no usable {name}")
    return value


def _seconds(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise BadAnswer("the server's answer holds no usable lifetime")
    return min(value, LIFETIME_SECONDS_MAX)
