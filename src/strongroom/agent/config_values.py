"""What the agent's configuration says, as values. Nothing here reads or checks; durations are whole seconds."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

from strongroom.agent.config_reader import Problem
from strongroom.client.settings import Tls

_PLAIN_TLS = Tls()


@dataclass(frozen=True, slots=True)
class VaultServer:
    """``vault``: which server, and how to reach it. Empty texts are not configured.

    ``num_retries`` counts how often in a row a template may fail to be read before ``exit_on_retry_failure`` ends the agent.
    """

    address: str = ""
    namespace: str = ""
    tls: Tls = _PLAIN_TLS
    num_retries: int = 12


@dataclass(frozen=True, slots=True)
class Approle:
    """``method "approle"``. ``wrapping_path``: where the wrapped secret ID in the file must have been made; "" for none wrapped."""

    role_id_file: str
    secret_id_file: str = ""
    remove_secret_id_file: bool = True
    wrapping_path: str = ""


@dataclass(frozen=True, slots=True)
class TokenFile:
    """``method "token_file"``: a token that somebody else made."""

    path: str


@dataclass(frozen=True, slots=True)
class Jwt:
    """``method "jwt"``. ``kubernetes`` uses it too: it differs in where its file is, and in that it stays."""

    path: str
    role: str
    remove_after_reading: bool = True


@dataclass(frozen=True, slots=True)
class Cert:
    """``method "cert"``. Empty files mean those of the ``vault`` block."""

    name: str = ""
    ca_cert: str = ""
    client_cert: str = ""
    client_key: str = ""


@dataclass(frozen=True, slots=True)
class Method:
    """How to log in. ``mount_path`` has ``auth/`` in front. With ``wrap_ttl`` the token stays wrapped, for the sinks alone."""

    kind: str
    mount_path: str
    settings: Approle | TokenFile | Jwt | Cert
    namespace: str = ""
    wrap_ttl: int = 0
    min_backoff: int = 1
    max_backoff: int = 300
    exit_on_err: bool = False


@dataclass(frozen=True, slots=True)
class FileSink:
    """``sink "file"``: a file that always holds the present token, or with ``wrap_ttl`` a wrapped one."""

    path: str
    mode: int = 0o600
    wrap_ttl: int = 0


@dataclass(frozen=True, slots=True)
class AutoAuth:
    """``auto_auth``."""

    method: Method
    sinks: tuple[FileSink, ...] = ()


@dataclass(frozen=True, slots=True)
class Source:
    """The text of a template. ``name`` is for messages; ``delimiters`` are what stands for ``{{`` and ``}}``."""

    name: str
    text: str
    delimiters: tuple[str, str] = ("{{", "}}")
    error_on_missing_key: bool = False
    denied: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Source({self.name})"


@dataclass(frozen=True, slots=True)
class After:
    """What runs after a file has changed: a program with its arguments, ended after ``timeout``."""

    command: tuple[str, ...]
    timeout: int = 30


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """``template``: a file to keep up to date. ``wait`` is how long to wait for more changes, least and most."""

    source: Source
    destination: str
    mode: int = 0o600
    backup: bool = False
    create_folders: bool = True
    after: After | None = None
    wait: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class EnvTemplate:
    """``env_template``: a variable of the program that ``exec`` starts."""

    variable: str
    source: Source


@dataclass(frozen=True, slots=True)
class TemplateRules:
    """``template_config``: what holds for all templates."""

    static_interval: int = 300
    exit_on_retry_failure: bool = False
    lease_renewal_threshold: float = 0.9


@dataclass(frozen=True, slots=True)
class Exec:
    """``exec``: a program to run with the variables of ``env_template``. ``redact`` is that of ``strongroom run``.

    ``kill_timeout``: seconds between the signal that asks it to end and the one that ends it.
    """

    command: tuple[str, ...]
    restart_on_changes: bool = True
    stop_signal: signal.Signals = signal.SIGTERM
    kill_timeout: int = 30
    redact: str = "auto"


@dataclass(frozen=True, slots=True)
class SystemdCredential:
    """A credential for systemd's ``LoadCredential=``, and the units that may have it."""

    name: str
    units: frozenset[str]
    source: Source


@dataclass(frozen=True, slots=True)
class SystemdCredentials:
    """``systemd_credentials``: a socket that systemd reads credentials from. ``peer_uids`` may connect."""

    address: str
    mode: int = 0o600
    peer_uids: frozenset[int] = frozenset({0})
    credentials: tuple[SystemdCredential, ...] = ()


@dataclass(frozen=True, slots=True)
class Cache:
    """``cache``: it is there, so answers with leases and tokens are kept."""

    use_auto_auth_token: bool | None = None
    """The older place of ``api_proxy``'s setting; None where it does not stand."""


@dataclass(frozen=True, slots=True)
class ApiProxy:
    """``api_proxy``. ``use_auto_auth_token`` gives requests without a token ours; ``force`` all requests."""

    use_auto_auth_token: bool = False
    force: bool = False


@dataclass(frozen=True, slots=True)
class Listener:
    """``listener "unix"`` or ``"tcp"``. ``address`` is a path or ``host:port``.

    ``peer_uids`` and ``peer_gids`` say who may connect; both empty means: whoever runs the agent. ``peer_gids`` are for a unix socket.
    """

    kind: str
    address: str
    line: int = 0
    tls_disable: bool = False
    tls_cert_file: str = ""
    tls_key_file: str = ""
    require_request_header: bool = False
    socket_mode: int = 0o600
    socket_user: str = ""
    socket_group: str = ""
    peer_uids: frozenset[int] = frozenset()
    peer_gids: frozenset[int] = frozenset()
    role: str = ""
    enable_quit: bool = False
    """Whether ``/agent/v1/quit`` ends the agent."""


@dataclass(frozen=True, slots=True)
class AgentConfig:
    """The whole configuration. ``warnings`` are settings without effect, for the log."""

    file: str
    vault: VaultServer = VaultServer()
    auto_auth: AutoAuth | None = None
    templates: tuple[TemplateFile, ...] = ()
    env_templates: tuple[EnvTemplate, ...] = ()
    rules: TemplateRules = TemplateRules()
    program: Exec | None = None
    systemd_credentials: SystemdCredentials | None = None
    cache: Cache | None = None
    api_proxy: ApiProxy | None = None
    listeners: tuple[Listener, ...] = ()
    allowed_folders: tuple[str, ...] = ()
    pid_file: str = ""
    exit_after_auth: bool = False
    log_level: str = ""
    warnings: tuple[Problem, ...] = field(default=())
