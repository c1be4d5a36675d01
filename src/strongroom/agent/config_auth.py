"""``auto_auth``: how the agent logs in, and where it puts the token."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from strongroom.agent import config_kinds as kinds
from strongroom.agent.config_reader import Findings, Section, Setting, Values, blocks, read, single
from strongroom.agent.config_values import Approle, AutoAuth, Cert, FileSink, Jwt, Method, TokenFile
from strongroom.encoding.hcl import Block, Body

SERVICE_ACCOUNT_TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount/token"  # noqa: S105 -- where it is, not what it is

_ENCRYPTED = "the token is not encrypted in the file; use wrap_ttl, or a folder in memory"
_ELSEWHERE = "this method needs a cloud's own interfaces; use approle, jwt, kubernetes, cert or token_file"
_METHOD = Section(
    "a method",
    (
        Setting("type", kinds.NONEMPTY, ""),
        Setting("mount_path", kinds.NONEMPTY, ""),
        Setting("namespace", kinds.TEXT, ""),
        Setting("wrap_ttl", kinds.DURATION, 0),
        Setting("min_backoff", kinds.POSITIVE_DURATION, 1),
        Setting("max_backoff", kinds.POSITIVE_DURATION, 300),
        Setting("exit_on_err", kinds.BOOLEAN, default=False),
    ),
    blocks=("config",),
)
_SINK = Section(
    "a sink",
    (Setting("type", kinds.NONEMPTY, ""), Setting("wrap_ttl", kinds.DURATION, 0)),
    blocks=("config",),
    refused=dict.fromkeys(("dh_type", "dh_path", "dh_pub", "derive_key", "aad", "aad_env_var"), _ENCRYPTED),
)
_FILE_SINK = Section(
    "the config of a file sink",
    (Setting("path", kinds.OUTPUT, ""), Setting("mode", kinds.MODE, 0o600)),
    required=("path",),
    refused=dict.fromkeys(("owner", "group"), "run the agent as the user who reads the token"),
)
_APPROLE = Section(
    "the config of approle",
    (
        Setting("role_id_file_path", kinds.FILE, ""),
        Setting("secret_id_file_path", kinds.FILE, ""),
        Setting("remove_secret_id_file_after_reading", kinds.BOOLEAN, default=True),
        Setting("secret_id_response_wrapping_path", kinds.NONEMPTY, ""),
    ),
    required=("role_id_file_path",),
    refused=dict.fromkeys(
        ("role_id", "secret_id"), "it is read from a file, so that the configuration holds no secret"
    ),
)
_TOKEN_FILE = Section(
    "the config of token_file", (Setting("token_file_path", kinds.FILE, ""),), required=("token_file_path",)
)
_JWT = Section(
    "the config of jwt",
    (
        Setting("path", kinds.FILE, ""),
        Setting("role", kinds.NONEMPTY, ""),
        Setting("remove_jwt_after_reading", kinds.BOOLEAN, default=True),
    ),
    required=("path", "role"),
    ignored={
        "jwt_read_period": "the file is read at every login",
        "remove_jwt_follows_symlinks": "a link is removed, and what it points to stays",
    },
)
_KUBERNETES = Section(
    "the config of kubernetes",
    (Setting("role", kinds.NONEMPTY, ""), Setting("token_path", kinds.FILE, SERVICE_ACCOUNT_TOKEN)),
    required=("role",),
    ignored={"service_account": "Vault's agent does not read it either"},
)
_CERT = Section(
    "the config of cert",
    (
        Setting("name", kinds.TEXT, ""),
        Setting("ca_cert", kinds.FILE, ""),
        Setting("client_cert", kinds.FILE, ""),
        Setting("client_key", kinds.FILE, ""),
    ),
    ignored={"reload": "certificate and key are read at every login"},
)


def _approle(values: Values) -> Approle:
    return Approle(
        values["role_id_file_path"],
        values["secret_id_file_path"],
        values["remove_secret_id_file_after_reading"],
        values["secret_id_response_wrapping_path"].strip("/"),
    )


class _Kind(NamedTuple):
    section: Section
    make: Callable[[Values], Approle | TokenFile | Jwt | Cert]


_METHODS: Mapping[str, _Kind] = {
    "approle": _Kind(_APPROLE, _approle),
    "cert": _Kind(_CERT, lambda v: Cert(v["name"], v["ca_cert"], v["client_cert"], v["client_key"])),
    "jwt": _Kind(_JWT, lambda v: Jwt(v["path"], v["role"], v["remove_jwt_after_reading"])),
    "kubernetes": _Kind(_KUBERNETES, lambda v: Jwt(v["token_path"], v["role"], remove_after_reading=False)),
    "token_file": _Kind(_TOKEN_FILE, lambda v: TokenFile(v["token_file_path"])),
}
_UNSUPPORTED = ("alicloud", "aws", "azure", "cf", "gcp", "kerberos", "ldap", "oci")


def read_auto_auth(body: Body, findings: Findings) -> AutoAuth | None:
    """The block, if it is there and can be used."""
    block = single(body, "auto_auth", findings)
    if block is None:
        return None
    section = Section(
        "auto_auth",
        (),
        blocks=("method", "sink", "sinks"),
        ignored={"enable_reauth_on_new_credentials": "files are read at every login"},
    )
    read(block.body, section, findings, block.line)
    methods = _labelled(block.body, "method", findings)
    if len(methods) != 1:
        findings.wrong(block.line, "auto_auth needs exactly one method")
        return None
    method = _method(*methods[0], findings)
    sinks = [_sink(*found, findings) for found in _sinks(block.body, findings)]
    return None if method is None else AutoAuth(method, tuple(sink for sink in sinks if sink is not None))


def _labelled(body: Body, name: str, findings: Findings) -> list[tuple[str, Block]]:
    """Blocks of a name with the type as their label, or as a setting in them: Vault takes both."""
    found = [(block.labels[0], block) for block in body.blocks if block.type == name and len(block.labels) == 1]
    rest = Body(
        [item for item in body.attributes if item.name == name],
        [block for block in body.blocks if block.type == name and len(block.labels) != 1],
    )
    for block in blocks(rest, name, 0, findings):
        written = next((item.value for item in block.body.attributes if item.name == "type"), None)
        inner = [item for item in block.body.attributes if item.name != "type"]
        if isinstance(written, str):
            found.append((written, block))
        elif len(inner) == 1 and not block.body.blocks and isinstance(inner[0].value, dict | list):
            # The JSON form of a label.
            labelled = Body(rest.attributes, [])
            found += [(one.labels[0], one) for one in blocks(labelled, name, 1, findings)]
        else:
            findings.wrong(block.line, f'{name} needs a type, as in {name} "file" {{ ... }}')
    return found


def _sinks(body: Body, findings: Findings) -> list[tuple[str, Block]]:
    found = _labelled(body, "sink", findings)
    for block in blocks(body, "sinks", 0, findings):
        found += _labelled(block.body, "sink", findings)
    return found


def _inner(block: Block, section: Section, findings: Findings) -> Values:
    inner = single(block.body, "config", findings)
    return read(inner.body if inner else Body(), section, findings, inner.line if inner else block.line)


def _method(kind: str, block: Block, findings: Findings) -> Method | None:
    values = read(block.body, _METHOD, findings, block.line)
    if kind not in _METHODS:
        known = ", ".join(_METHODS)
        reason = _ELSEWHERE if kind in _UNSUPPORTED else f"known are {known}"
        findings.wrong(block.line, f"there is no such method here: {reason}")
        return None
    if values["max_backoff"] < values["min_backoff"]:
        findings.wrong(block.line, "max_backoff must not be shorter than min_backoff")
    settings = _METHODS[kind].make(_inner(block, _METHODS[kind].section, findings))
    mount = (values["mount_path"] or f"auth/{kind}").strip("/")
    if kind == "token_file":
        mount = "auth/token"
        if values["wrap_ttl"]:
            findings.wrong(block.line, "wrap_ttl needs a login, and token_file does not log in; set it at the sink")
    if isinstance(settings, Cert) and bool(settings.client_cert) != bool(settings.client_key):
        findings.wrong(block.line, "client_cert and client_key go together")
    return Method(
        kind,
        mount,
        settings,
        values["namespace"],
        values["wrap_ttl"],
        values["min_backoff"],
        values["max_backoff"],
        values["exit_on_err"],
    )


def _sink(kind: str, block: Block, findings: Findings) -> FileSink | None:
    values = read(block.body, _SINK, findings, block.line)
    if kind != "file":
        findings.wrong(block.line, 'the only kind of sink is "file"')
        return None
    inner = _inner(block, _FILE_SINK, findings)
    return FileSink(inner["path"], inner["mode"], values["wrap_ttl"]) if inner["path"] else None
