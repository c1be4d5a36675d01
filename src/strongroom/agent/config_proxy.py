"""``cache``, ``api_proxy`` and ``listener``: programs that talk to the server through the agent."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import replace

from strongroom.agent import config_kinds as kinds
from strongroom.agent.config_reader import Findings, Kind, Section, Setting, Values, blocks, read, single
from strongroom.agent.config_values import ApiProxy, Cache, Listener
from strongroom.encoding.hcl import Block, Body

_ADDRESS = re.compile(r"(?:\[[0-9A-Fa-f:.]{2,45}\]|[0-9A-Za-z.-]{1,253}):([0-9]{1,5})")
_NO_PERSISTENCE = "what is cached is kept in memory alone"
_ONE_NODE = "there is one server, so every answer is consistent"


def _auto_auth_token(value: object) -> str:
    if value == "force":
        return "force"
    return "true" if kinds.BOOLEAN.decode(value) else "false"


def _socket_mode(value: object) -> int:
    # Who may write to a socket may use it; who may connect is asked of the kernel besides.
    if isinstance(value, str) and re.fullmatch(r"0?o?[0-7]{1,4}", value):
        value = int(value.replace("o", ""), 8)
    if isinstance(value, bool) or not isinstance(value, int) or value & ~0o660 or not value & 0o600:
        raise ValueError
    return value


_TOKEN = Kind('true, false or "force"', _auto_auth_token)
_SOCKET_MODE = Kind('a mode for a socket that others cannot use, like "0600" or "0660"', _socket_mode)
_CACHE = Section(
    "cache",
    (Setting("use_auto_auth_token", _TOKEN),),
    ignored={
        "enforce_consistency": _ONE_NODE,
        "when_inconsistent": _ONE_NODE,
        "disable_caching_dynamic_secrets": "leave the cache block out instead",
    },
    refused={"persist": _NO_PERSISTENCE, "cache_static_secrets": "static secrets are read anew each time"},
)
_API_PROXY = Section(
    "api_proxy",
    (Setting("use_auto_auth_token", _TOKEN, "false"),),
    ignored={
        "enforce_consistency": _ONE_NODE,
        "when_inconsistent": _ONE_NODE,
        "prepend_configured_namespace": "requests keep the namespace they name",
    },
)
_COMMON = (
    Setting("address", kinds.NONEMPTY, ""),
    Setting("require_request_header", kinds.BOOLEAN, default=False),
    Setting("role", kinds.choice("default", "metrics_only"), ""),
)
_UNIX = Section(
    'listener "unix"',
    (
        *_COMMON,
        Setting("tls_disable", kinds.BOOLEAN, default=True),
        Setting("socket_mode", _SOCKET_MODE, 0o600),
        Setting("socket_user", kinds.TEXT, ""),
        Setting("socket_group", kinds.TEXT, ""),
        Setting("peer_uids", kinds.NATURALS, ()),
        Setting("peer_gids", kinds.NATURALS, ()),
    ),
    required=("address",),
    blocks=("agent_api",),
)
_TCP = Section(
    'listener "tcp"',
    (
        *_COMMON,
        Setting("tls_disable", kinds.BOOLEAN, default=False),
        Setting("tls_cert_file", kinds.FILE, ""),
        Setting("tls_key_file", kinds.FILE, ""),
        Setting("peer_uids", kinds.NATURALS, ()),
    ),
    required=("address",),
    blocks=("agent_api",),
)


_AGENT_API = Section("agent_api", (Setting("enable_quit", kinds.BOOLEAN, default=False),))


def read_cache(body: Body, findings: Findings) -> Cache | None:
    """``cache``; an empty block is one, too."""
    block = single(body, "cache", findings)
    if block is None:
        return None
    written = read(block.body, _CACHE, findings, block.line)["use_auto_auth_token"]
    return Cache(None if written is None else written != "false")


def read_api_proxy(body: Body, findings: Findings) -> ApiProxy | None:
    """``api_proxy``."""
    block = single(body, "api_proxy", findings)
    if block is None:
        return None
    written = read(block.body, _API_PROXY, findings, block.line)["use_auto_auth_token"]
    return ApiProxy(use_auto_auth_token=written != "false", force=written == "force")


def read_listeners(body: Body, findings: Findings) -> tuple[Listener, ...]:
    """Every ``listener``. Two with one address are found."""
    found: list[Listener] = []
    for block in blocks(body, "listener", 1, findings):
        made = _listener(block, findings)
        if made is None:
            continue
        if any(other.address == made.address for other in found):
            findings.wrong(block.line, "there is another listener with this address")
        found.append(made)
    return tuple(found)


def _listener(block: Block, findings: Findings) -> Listener | None:
    kind = block.labels[0]
    if kind not in {"unix", "tcp"}:
        findings.wrong(block.line, 'a listener is "unix" or "tcp"')
        return None
    values = read(block.body, _UNIX if kind == "unix" else _TCP, findings, block.line)
    made = _unix(values, findings) if kind == "unix" else _tcp(values, findings)
    api = single(block.body, "agent_api", findings)
    enable_quit = api is not None and bool(read(api.body, _AGENT_API, findings, api.line)["enable_quit"])
    return None if made is None else replace(made, enable_quit=enable_quit)


def _unix(values: Values, findings: Findings) -> Listener | None:
    try:
        address = kinds.OUTPUT.decode(values["address"])
    except ValueError:
        if values["address"]:
            findings.wrong(values.line, f"the address of a unix listener must be {kinds.OUTPUT.expected}")
        return None
    if not values["tls_disable"]:
        findings.wrong(values.line, "a unix socket has no TLS here: set tls_disable = true")
    return Listener(
        "unix",
        address,
        values.line,
        tls_disable=True,
        require_request_header=values["require_request_header"],
        socket_mode=values["socket_mode"],
        socket_user=values["socket_user"],
        socket_group=values["socket_group"],
        peer_uids=frozenset(values["peer_uids"]),
        peer_gids=frozenset(values["peer_gids"]),
        role=values["role"],
    )


def _tcp(values: Values, findings: Findings) -> Listener | None:
    address = values["address"]
    match = _ADDRESS.fullmatch(address)
    if match is None or int(match[1]) > 65535:
        if address:
            findings.wrong(values.line, 'the address of a tcp listener must be like "127.0.0.1:8100"')
        return None
    if not _is_loopback(address.rpartition(":")[0]):
        findings.wrong(values.line, "a tcp listener must be on the loopback, like 127.0.0.1:8100")
    if not values["tls_disable"] and not (values["tls_cert_file"] and values["tls_key_file"]):
        findings.wrong(values.line, "a tcp listener needs tls_cert_file and tls_key_file, or tls_disable = true")
    return Listener(
        "tcp",
        address,
        values.line,
        tls_disable=values["tls_disable"],
        tls_cert_file=values["tls_cert_file"],
        tls_key_file=values["tls_key_file"],
        require_request_header=values["require_request_header"],
        peer_uids=frozenset(values["peer_uids"]),
        role=values["role"],
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
