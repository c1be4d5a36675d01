"""The blocks of the configuration: listeners, storage, seal and audit devices, each with what its settings mean together."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from strongroom.encoding.hcl import Block, HclError
from strongroom.http.tls import ClientCertificates, TlsSettings
from strongroom.server import config_schema as schema
from strongroom.server.config_reader import Findings, read_section, require, with_defaults
from strongroom.server.config_values import (
    AuditDeviceConfig,
    BackupConfig,
    ListenerRules,
    SealConfig,
    SealType,
    StorageConfig,
    StorageType,
    TcpListener,
    UnixListener,
)

# Names under which Vault keeps data in a folder: whoever brings such a file means the same thing.
_FOLDER_STORAGES = frozenset({"file", "raft"})
_RULE_NAMES = tuple(item.name for item in fields(ListenerRules))
_DEVICE_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}(?:/[A-Za-z0-9._-]{1,128})*/?")


def read_listener(block: Block, findings: Findings, defaults: Mapping[str, int]) -> TcpListener | UnixListener | None:
    """One listener; None where its problems leave nothing to build. ``defaults`` are limits from the top level."""
    kind = block.labels[0]
    if kind == "tcp":
        return _tcp_listener(block, findings, defaults)
    if kind == "unix":
        values, lines = read_section(block.body, schema.UNIX_LISTENER, findings, elsewhere=("telemetry",))
        require(lines, ("address",), block.line, 'listener "unix"', findings)
        if "address" not in values:
            return None
        settings = with_defaults(values, schema.UNIX_LISTENER) | _telemetry(block, findings)
        return UnixListener(path=settings["address"], mode=settings["socket_mode"], rules=_rules(settings, defaults))
    findings.wrong(block.line, 'a listener is "tcp" or "unix"')
    return None


def read_storage(block: Block, findings: Findings) -> StorageConfig | None:
    """The storage; None where its problems leave nothing to build."""
    kind = block.labels[0]
    if kind == StorageType.MEMORY.value:
        read_section(block.body, schema.MEMORY_STORAGE, findings)
        return StorageConfig(type=StorageType.MEMORY)
    if kind != StorageType.SQLITE.value and kind not in _FOLDER_STORAGES:
        findings.wrong(block.line, 'a storage is "sqlite" (durable, in a folder) or "inmem" (lost at the end)')
        return None
    if kind in _FOLDER_STORAGES:
        findings.odd(
            block.line, f'storage "{kind}" is kept as "sqlite" in that folder; data that Vault wrote there is not read'
        )
    values, lines = read_section(block.body, schema.SQLITE_STORAGE, findings)
    require(lines, ("path",), block.line, f'storage "{kind}"', findings)
    return StorageConfig(type=StorageType.SQLITE, path=values["path"]) if "path" in values else None


def read_seal(block: Block, findings: Findings) -> SealConfig:
    """The seal."""
    kind = block.labels[0]
    if kind == SealType.SHAMIR.value:
        read_section(block.body, schema.SHAMIR_SEAL, findings)
    elif kind == SealType.STATIC.value:
        values, lines = read_section(block.body, schema.STATIC_SEAL, findings)
        require(lines, ("current_key_id", "current_key"), block.line, 'seal "static"', findings)
        if ("previous_key_id" in lines) != ("previous_key" in lines):
            line = lines.get("previous_key_id", lines.get("previous_key", block.line))
            findings.wrong(line, "previous_key_id and previous_key belong together: set both or none")
        if "previous_key_id" in values and values["previous_key_id"] == values.get("current_key_id"):
            findings.wrong(
                lines["previous_key_id"], "previous_key_id is that of the current key; give each key a name of its own"
            )
        return SealConfig(type=SealType.STATIC, **with_defaults(values, schema.STATIC_SEAL))
    else:
        findings.wrong(
            block.line, 'a seal is "shamir" (by hand, with key shares) or "static" (with a key from outside)'
        )
    return SealConfig()


def read_audit_device(block: Block, findings: Findings) -> AuditDeviceConfig:
    """An audit device. Its options are checked by its type when it is opened."""
    kind, name = block.labels
    if not _DEVICE_NAME.fullmatch(name):
        findings.wrong(
            block.line, "the name of an audit device is letters, digits, '.', '_', '-', and '/' between them"
        )
    values, _ = read_section(block.body, schema.AUDIT_DEVICE, findings, elsewhere=("options",))
    settings = with_defaults(values, schema.AUDIT_DEVICE)
    return AuditDeviceConfig(
        type=kind, path=name.removesuffix("/") + "/", options=_audit_options(block, findings), **settings
    )


def read_backup(block: Block, findings: Findings) -> BackupConfig | None:
    """The schedule of backups; None where its problems leave nothing to build."""
    values, lines = read_section(block.body, schema.BACKUP, findings)
    require(lines, ("path",), block.line, "backup", findings)
    return BackupConfig(**with_defaults(values, schema.BACKUP)) if "path" in values else None


def _audit_options(block: Block, findings: Findings) -> dict[str, str]:
    options: dict[str, str] = {}
    try:
        for section in block.body.sections("options", 0):
            for name, value in section.body.table().items():
                if isinstance(value, bool):
                    options[name] = "true" if value else "false"
                elif isinstance(value, (str, int, Decimal)):
                    options[name] = str(value)
                else:
                    findings.wrong(
                        section.body.table().positions[name][0], f"{name} must be a text, a number, true or false"
                    )
    except HclError as error:
        findings.wrong(error.line, error.message)
    return options


def _tcp_listener(block: Block, findings: Findings, defaults: Mapping[str, int]) -> TcpListener:
    values, lines = read_section(block.body, schema.TCP_LISTENER, findings, elsewhere=("telemetry",))
    settings = with_defaults(values, schema.TCP_LISTENER) | _telemetry(block, findings)
    tls = None
    if settings["tls_disable"]:
        if not (is_loopback(settings["address"].host) or settings["unsafe_allow_plaintext"]):
            findings.wrong(
                lines["tls_disable"],
                "tls_disable is only allowed on a loopback address: give tls_cert_file and tls_key_file instead,"
                " or set unsafe_allow_plaintext = true if nobody else can read this network",
            )
    elif "tls_disable" in values or "tls_disable" not in lines:
        tls = _tls(settings, lines, block.line, findings)
    return TcpListener(address=settings["address"], tls=tls, rules=_rules(settings, defaults))


def _tls(settings: Mapping[str, Any], lines: Mapping[str, int], line: int, findings: Findings) -> TlsSettings:
    for name in ("tls_cert_file", "tls_key_file"):
        if name not in lines:
            findings.wrong(line, f'listener "tcp" needs {name}; on a loopback address tls_disable = true does without')
    clients = ClientCertificates.REQUESTED
    if settings["tls_require_and_verify_client_cert"]:
        clients = ClientCertificates.REQUIRED
        at = lines["tls_require_and_verify_client_cert"]
        if not settings["tls_client_ca_file"]:
            findings.wrong(at, "tls_require_and_verify_client_cert needs tls_client_ca_file")
        if settings["tls_disable_client_certs"]:
            findings.wrong(at, "tls_require_and_verify_client_cert and tls_disable_client_certs exclude each other")
    elif settings["tls_disable_client_certs"]:
        clients = ClientCertificates.IGNORED
    return TlsSettings(
        certificate_file=settings["tls_cert_file"],
        key_file=settings["tls_key_file"],
        min_version=settings["tls_min_version"],
        client_certificates=clients,
        client_ca_file=settings["tls_client_ca_file"],
    )


def _telemetry(block: Block, findings: Findings) -> dict[str, Any]:
    """What the listener's inner block ``telemetry`` says."""
    values: dict[str, Any] = {}
    try:
        for section in block.body.sections("telemetry", 0):
            values |= read_section(section.body, schema.LISTENER_TELEMETRY, findings)[0]
    except HclError as error:
        findings.wrong(error.line, error.message)
    return with_defaults(values, schema.LISTENER_TELEMETRY)


def _rules(settings: Mapping[str, Any], defaults: Mapping[str, int]) -> ListenerRules:
    rules: dict[str, Any] = {name: defaults[name] if settings[name] is None else settings[name] for name in _RULE_NAMES}
    return ListenerRules(**rules)


def is_loopback(host: str) -> bool:
    """Whether only programs on this machine reach what listens on ``host``."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
