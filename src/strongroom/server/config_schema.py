"""Every setting of the server's configuration file: its name, kind, default and meaning.

The reader and the page that documents the settings are both made from these tables, so that neither can know one that the
other does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from strongroom.http.parser import BODY_BYTES_MAX
from strongroom.http.tls import TlsVersion
from strongroom.server import config_kinds as kinds
from strongroom.server.config_kinds import Kind


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. ``shown`` is the default as a person writes it; ``default`` is what the program gets."""

    name: str
    kind: Kind
    default: Any
    shown: str
    meaning: str


@dataclass(frozen=True, slots=True)
class Section:
    """The settings that stand together in one block.

    ``ignored`` names belong to Vault and are accepted without effect, with what happens instead; ``quiet`` ones do not even
    cause a warning. ``refused`` names are known and would be dangerous to ignore, with what to do instead.
    """

    title: str
    settings: tuple[Setting, ...]
    ignored: Mapping[str, str] = field(default_factory=dict)
    quiet: frozenset[str] = frozenset()
    refused: Mapping[str, str] = field(default_factory=dict)


_HIGHEST = "the highest version and the best suite that both sides speak are used"
_ONE_NODE = "this server runs as one node"
_AUDIT_REQUIRED = (
    "Which audit devices of this file must keep a record before it counts: any one, or all that are named here."
)

TOP = Section(
    "Top level",
    (
        Setting(
            "api_addr",
            kinds.TEXT,
            "",
            "empty",
            "The URL under which clients reach this server, as `sys/leader` shows it.",
        ),
        Setting(
            "cluster_addr", kinds.TEXT, "", "empty", "Shown by `sys/leader`; otherwise without effect on one node."
        ),
        Setting(
            "cluster_name", kinds.TEXT, "", "a random name", "The name that `sys/health` and `sys/seal-status` show."
        ),
        Setting(
            "default_lease_ttl",
            kinds.DURATION,
            768 * 3600,
            '"768h"',
            "How long tokens and leases live where nothing else says so.",
        ),
        Setting(
            "max_lease_ttl",
            kinds.DURATION,
            768 * 3600,
            '"768h"',
            "How long tokens and leases can live at most where no mount says otherwise.",
        ),
        Setting(
            "log_level",
            kinds.choice(
                trace="trace", debug="debug", info="info", warn="warn", warning="warn", error="error", err="error"
            ),
            "info",
            '"info"',
            "The least severity that the server's log shows.",
        ),
        Setting(
            "log_format",
            kinds.choice(standard="standard", json="json"),
            "standard",
            '"standard"',
            "How the server's log is written.",
        ),
        Setting(
            "pid_file", kinds.FILE, "", "none", "A file that holds the number of the server's process while it runs."
        ),
        Setting("ui", kinds.BOOLEAN, False, "false", "Without effect until there is a web interface."),
        Setting("disable_mlock", kinds.BOOLEAN, False, "false", "Vault's switch. See `lock_memory`."),
        Setting("lock_memory", kinds.BOOLEAN, False, "false", "Keep all memory out of the swap, or refuse to start."),
        Setting(
            "max_request_size",
            kinds.SIZE,
            BODY_BYTES_MAX,
            '"32MiB"',
            "How large a request's body may be on listeners that do not say.",
        ),
        Setting(
            "default_max_request_duration",
            kinds.DURATION,
            90,
            '"90s"',
            "How long a request may wait for its turn on listeners that do not say.",
        ),
        Setting("max_connections", kinds.WHOLE, 4096, "4096", "How many connections may be open at once."),
        Setting(
            "max_connections_per_address",
            kinds.WHOLE,
            1024,
            "1024",
            "How many of them one IPv4 address or IPv6 /64 may have.",
        ),
        Setting(
            "workers",
            kinds.WORKERS,
            1,
            "1",
            "How many processes serve. More than one needs the sqlite store; one per processor is as fast as it gets.",
        ),
        Setting(
            "unsafe_allow_api_audit_creation",
            kinds.BOOLEAN,
            False,
            "false",
            "Allow audit devices to be enabled and disabled through the API.",
        ),
        Setting("audit_required", kinds.AUDIT_RULE, (), '"any"', _AUDIT_REQUIRED),
        Setting(
            "on_tamper",
            kinds.choice(alarm="alarm", refuse="refuse", seal="seal"),
            "refuse",
            '"refuse"',
            "What happens when the store is not what the vault left behind: `alarm` only says so; `refuse` does not open a store that"
            " was rolled back; `seal` also seals the vault when an inspection finds something.",
        ),
        Setting(
            "integrity_anchor",
            kinds.FILE,
            "",
            "none",
            "A small file outside of the store's folder, best on another disk, that says how far the store was. It shows a rollback.",
        ),
        Setting(
            "audit_paths_allowed",
            kinds.FOLDERS,
            (),
            "none",
            "The folders in which the files of audit devices enabled through the API must lie.",
        ),
    ),
    ignored=MappingProxyType(
        {
            "administrative_namespace_path": "there are no namespaces",
            "allow_audit_log_prefixing": "a prefix can only be set for audit devices in this file",
            "cache_size": "caches are bounded by themselves",
            "detect_deadlocks": "there are no such locks",
            "disable_cache": "no cache outlives the change of what it holds",
            "disable_clustering": _ONE_NODE,
            "disable_indexing": "there is no such index",
            "disable_performance_standby": _ONE_NODE,
            "disable_printable_check": "paths are always checked",
            "disable_sealwrap": "there is no seal wrapping",
            "disable_sentinel_trace": "there is no Sentinel",
            "enable_response_header_hostname": "the header is not sent",
            "enable_response_header_raft_node_id": "the header is not sent",
            "entropy": "random numbers come from the kernel",
            "experiments": "there are none",
            "imprecise_lease_role_tracking": "leases are always tracked exactly",
            "introspection_endpoint": "there is no such endpoint",
            "kms_library": "keys in hardware are not supported",
            "license_path": "no licence is needed",
            "log_file": "the log goes to the standard error output",
            "log_requests_level": "requests are recorded by audit devices",
            "log_rotate_bytes": "the log goes to the standard error output",
            "log_rotate_duration": "the log goes to the standard error output",
            "log_rotate_max_files": "the log goes to the standard error output",
            "plugin_auto_download": "no plugin is ever run",
            "plugin_directory": "no plugin is ever run",
            "plugin_download_behavior": "no plugin is ever run",
            "plugin_file_permissions": "no plugin is ever run",
            "plugin_file_uid": "no plugin is ever run",
            "plugin_tmpdir": "no plugin is ever run",
            "raw_storage_endpoint": "storage cannot be read or written raw",
            "replication": _ONE_NODE,
            "sentinel": "there is no Sentinel",
            "service_registration": "the server registers nowhere",
            "telemetry": "no metrics are sent anywhere",
            "user_lockout": "failed logins always lock a name for a while",
        }
    ),
    quiet=frozenset({"allow_audit_log_prefixing", "disable_cache", "disable_clustering", "detect_deadlocks"}),
    refused=MappingProxyType(
        {
            "enable_multiseal": "there is one seal",
            "ha_backend": _ONE_NODE,
            "ha_storage": _ONE_NODE,
            "initialize": "initialize with `operator init`",
        }
    ),
)

_LIMITS = (
    Setting("max_request_size", kinds.SIZE, None, "that of the top level", "How large a request's body may be."),
    Setting(
        "max_request_duration",
        kinds.DURATION,
        None,
        "`default_max_request_duration`",
        "How long a request may wait for its turn; then it is answered with 503 and was not run.",
    ),
    Setting("http_read_header_timeout", kinds.DURATION, 10, '"10s"', "How long a client may take to send a request's headers."),
    Setting("http_read_timeout", kinds.DURATION, 30, '"30s"', "How long a client may take to send a body, plus one second per 16 KiB of it."),
    Setting("http_write_timeout", kinds.DURATION, 30, '"30s"', "How long a client may take nothing of an answer."),
    Setting("http_idle_timeout", kinds.DURATION, 120, '"120s"', "How long a connection stays open without a request."),
)  # fmt: skip

_UNAUTHENTICATED = (
    Setting("disable_unauthed_rekey_endpoints", kinds.BOOLEAN, True, "true", "Refuse `sys/rekey/*` without a token. Only old clients need the other form."),
    Setting("disable_unauthed_generate_root_endpoints", kinds.BOOLEAN, True, "true", "Refuse `sys/generate-root/*` without a token. Only old clients need the other form."),
)  # fmt: skip

_LISTENER_IGNORED = MappingProxyType(
    {
        "chroot_namespace": "there are no namespaces",
        "cluster_address": _ONE_NODE,
        "custom_response_headers": "no headers are added",
        "disable_replication_status_endpoints": _ONE_NODE,
        "inflight_requests_logging": "requests are recorded by audit devices",
        "max_request_json_array_element_count": "JSON is bounded: 10,000 values in all",
        "max_request_json_depth": "JSON is bounded: 64 levels",
        "max_request_json_memory": "JSON is bounded: 10,000 values in all",
        "max_request_json_object_entry_count": "JSON is bounded: 10,000 values in all",
        "max_request_json_string_value_length": "JSON is bounded: 10,000 values in all",
        "max_request_json_strings": "JSON is bounded: 10,000 values in all",
        "profiling": "there is no profiling over the network",
        "redact_addresses": "nothing is redacted",
        "redact_cluster_name": "nothing is redacted",
        "redact_version": "nothing is redacted",
        "tls_cipher_suites": _HIGHEST,
        "tls_max_version": _HIGHEST,
        "tls_prefer_server_cipher_suites": _HIGHEST,
    }
)

LISTENER_TELEMETRY = Section(
    "Block `telemetry` in a listener",
    (
        Setting("unauthenticated_metrics_access", kinds.BOOLEAN, False, "false", "Answer `sys/metrics` on this listener without a token, also while the vault is sealed."),
    ),
    ignored=MappingProxyType(
        {
            "disallow_metrics": "metrics need a token unless unauthenticated_metrics_access says otherwise",
            "unauthenticated_in_flight_request_access": "sys/in-flight-req always needs a token",
            "unauthenticated_pprof_access": "there is no profiling over the network",
        }
    ),
)  # fmt: skip

_PROXY = "put clients and server on one network path: addresses are taken from the connection only"
_ACME = "have a certificate issued by another program, and name its files in tls_cert_file and tls_key_file"

TCP_LISTENER = Section(
    'Block `listener "tcp"`',
    (
        Setting("address", kinds.ADDRESS, kinds.Address("127.0.0.1", 8200), '"127.0.0.1:8200"', "Where to listen."),
        Setting("tls_disable", kinds.BOOLEAN, False, "false", "Speak plain HTTP. Only on a loopback address, unless `unsafe_allow_plaintext` says otherwise."),
        Setting("unsafe_allow_plaintext", kinds.BOOLEAN, False, "false", "Allow plain HTTP on an address that others can reach. Whoever sees the network then sees every secret."),
        Setting("tls_cert_file", kinds.FILE, "", "none; needed for TLS", "The certificate in PEM, followed by those of its issuers. Read again on SIGHUP."),
        Setting("tls_key_file", kinds.FILE, "", "none; needed for TLS", "Its private key in PEM, without a passphrase. Read again on SIGHUP."),
        Setting("tls_min_version", kinds.choice(tls12=TlsVersion.TLS_1_2, tls13=TlsVersion.TLS_1_3), TlsVersion.TLS_1_2, '"tls12"', "The least version of TLS. 1.3 is used wherever the client speaks it."),
        Setting("tls_client_ca_file", kinds.FILE, "", "none", "The authorities in PEM that issue client certificates, for `tls_require_and_verify_client_cert`."),
        Setting("tls_require_and_verify_client_cert", kinds.BOOLEAN, False, "false", "Refuse clients without a certificate of `tls_client_ca_file`."),
        Setting("tls_disable_client_certs", kinds.BOOLEAN, False, "false", "Do not ask for client certificates."),
        *_UNAUTHENTICATED,
        *_LIMITS,
    ),
    ignored=_LISTENER_IGNORED,
    quiet=frozenset({"tls_prefer_server_cipher_suites", "cluster_address"}),
    refused=MappingProxyType(
        {
            "proxy_protocol_authorized_addrs": _PROXY,
            "proxy_protocol_behavior": _PROXY,
            "tls_acme_ca_directory": _ACME,
            "tls_acme_domains": _ACME,
            "tls_acme_email": _ACME,
            "x_forwarded_for_authorized_addrs": _PROXY,
            "x_forwarded_for_client_cert_header": _PROXY,
            "x_forwarded_for_hop_skips": _PROXY,
            "x_forwarded_for_reject_not_authorized": _PROXY,
            "x_forwarded_for_reject_not_present": _PROXY,
        }
    ),
)  # fmt: skip

UNIX_LISTENER = Section(
    'Block `listener "unix"`',
    (
        Setting("address", kinds.NONEMPTY, None, "none; needed", "The path of the socket."),
        Setting("socket_mode", kinds.MODE, 0o600, '"0600"', "The mode of its file: who may connect."),
        *_UNAUTHENTICATED,
        *_LIMITS,
    ),
    ignored=MappingProxyType({**_LISTENER_IGNORED, "tls_disable": "a unix socket never has TLS"}),
    quiet=frozenset({"tls_disable"}),
    refused=MappingProxyType(
        {
            "socket_group": "run the server in that group",
            "socket_user": "run the server as that user",
        }
    ),
)

SQLITE_STORAGE = Section(
    'Block `storage "sqlite"` (also `"file"` and `"raft"`, with a warning)',
    (Setting("path", kinds.FOLDER, None, "none; needed", "The folder that holds the database. It is made if it is not there."),),
    ignored=MappingProxyType(
        {
            "autopilot_reconcile_interval": _ONE_NODE,
            "max_entry_size": "entries are bounded by the size of a request",
            "node_id": _ONE_NODE,
            "performance_multiplier": _ONE_NODE,
            "retry_join": _ONE_NODE,
            "snapshot_threshold": "the database needs no such snapshots",
            "trailing_logs": "the database needs no such logs",
        }
    ),
)  # fmt: skip

MEMORY_STORAGE = Section('Block `storage "inmem"`: everything is lost when the server stops', ())

STATIC_SEAL = Section(
    'Block `seal "static"`: unseal automatically with a key from outside',
    (
        Setting("current_key_id", kinds.KEY_ID, None, "none; needed", "The name of the key, which is stored with what it wraps."),
        Setting("current_key", kinds.KEY_SOURCE, None, "none; needed", "Where the key is, 32 bytes: `file:///PATH`, `credential://NAME` (systemd) or `descriptor://NUMBER` (inherited)."),
        Setting("previous_key_id", kinds.KEY_ID, "", "none", "The name of the key that was current before."),
        Setting("previous_key", kinds.KEY_SOURCE, None, "none", "Where that key is; it opens what is not yet wrapped again."),
        Setting("disabled", kinds.BOOLEAN, False, "false", "This seal is to be left: for the other block, or for key shares where there is none. `operator unseal -migrate` with the present shares does it."),
    ),
    ignored=MappingProxyType({"name": "there is one seal", "priority": "there is one seal"}),
)  # fmt: skip

SHAMIR_SEAL = Section('Block `seal "shamir"`: unseal by hand with key shares. This is the default', ())

AUDIT_DEVICE = Section(
    'Block `audit "TYPE" "NAME"`, with an inner block `options`',
    (
        Setting("description", kinds.TEXT, "", "empty", "What the device is for."),
        Setting("local", kinds.BOOLEAN, False, "false", "Shown by the API; without effect on one node."),
    ),
)

BACKUP = Section(
    "Block `backup`: a backup to a folder, again and again",
    (
        Setting("path", kinds.FOLDER, None, "none; needed", "The folder, best on another disk. It is made if it is not there, for the server's user alone."),
        Setting("interval", kinds.DURATION, 24 * 3600, '"24h"', "How long from one backup to the next, nearly."),
        Setting("keep", kinds.WHOLE, 7, "7", "How many backups stay in the folder. Older ones are removed once a newer one was written and read back."),
    ),
)  # fmt: skip

SECTIONS = (
    TOP,
    TCP_LISTENER,
    UNIX_LISTENER,
    LISTENER_TELEMETRY,
    SQLITE_STORAGE,
    MEMORY_STORAGE,
    SHAMIR_SEAL,
    STATIC_SEAL,
    AUDIT_DEVICE,
    BACKUP,
)
"""In the order in which the documentation shows them."""
