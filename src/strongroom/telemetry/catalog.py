"""Every metric of the server. What is counted is declared here and nowhere else."""

from __future__ import annotations

from strongroom.logical.operation import Operation
from strongroom.telemetry.declaration import Declaration, Kind, Label
from strongroom.telemetry.labels import (
    BackupOutcome,
    CommitOutcome,
    DeviceState,
    LoginOutcome,
    Outcome,
    QuotaScope,
    Way,
)

MOUNT_TYPES = "mount types"
VERSIONS = "versions"
"""Names of vocabularies."""

NO_MOUNT_TYPE = "none"
"""The word for the type of a mount where none answered."""

_SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0)

_MOUNT_TYPE = Label("mount_type", MOUNT_TYPES)

REQUESTS = Declaration(
    "strongroom_requests_total",
    Kind.COUNTER,
    "Requests that were answered, by what they asked for and what came of it.",
    (Label("operation", Operation), Label("outcome", Outcome), _MOUNT_TYPE),
)
MALFORMED = Declaration(
    "strongroom_malformed_requests_total",
    Kind.COUNTER,
    "Requests that were refused before they reached a mount: their path, body or headers could not be read.",
)
REQUEST_SECONDS = Declaration(
    "strongroom_request_duration_seconds",
    Kind.HISTOGRAM,
    "Seconds from a request's arrival in the application until its answer was ready.",
    (Label("way", Way),),
    _SECONDS,
)
BATCH_REQUESTS = Declaration(
    "strongroom_batch_requests", Kind.HISTOGRAM, "How many requests were answered together.", (), _SIZES
)
COMMITS = Declaration(
    "strongroom_commits_total",
    Kind.COUNTER,
    "Commits to the store; a conflict is run again.",
    (Label("outcome", CommitOutcome),),
)
COMMIT_SECONDS = Declaration(
    "strongroom_commit_duration_seconds", Kind.HISTOGRAM, "Seconds that a commit took.", (), _SECONDS
)
AUDIT_DEVICES = Declaration(
    "strongroom_audit_devices",
    Kind.GAUGE,
    "Enabled audit devices, by whether the last write was kept.",
    (Label("state", DeviceState),),
)
AUDIT_FAILURES = Declaration(
    "strongroom_audit_device_failures_total",
    Kind.COUNTER,
    "Writes that an audit device did not keep, of all devices that are enabled now.",
    is_summed=True,
)
POOL_BUSY = Declaration(
    "strongroom_pool_threads_busy",
    Kind.GAUGE,
    "Threads of the pool for slow requests that are at work.",
    is_summed=True,
)
POOL_WAITING = Declaration(
    "strongroom_pool_requests_waiting",
    Kind.GAUGE,
    "Slow requests that wait for a thread of the pool.",
    is_summed=True,
)
POOL_REFUSED = Declaration(
    "strongroom_pool_requests_refused_total",
    Kind.COUNTER,
    "Slow requests that were refused because too many waited.",
    is_summed=True,
)
CONNECTIONS = Declaration("strongroom_connections_open", Kind.GAUGE, "Client connections that are open.")
CONNECTIONS_REFUSED = Declaration(
    "strongroom_connections_refused_total", Kind.COUNTER, "Connections that were closed at once: too many were open."
)
RATE_LIMITED = Declaration(
    "strongroom_rate_limited_requests_total",
    Kind.COUNTER,
    "Requests that a rate limit quota refused, by what the quota is about.",
    (Label("scope", QuotaScope),),
)
TOKENS_CREATED = Declaration("strongroom_tokens_created_total", Kind.COUNTER, "Tokens that were stored.")
TOKENS_REMOVED = Declaration(
    "strongroom_tokens_removed_total", Kind.COUNTER, "Tokens that were revoked, or removed after they had expired."
)
LOGINS = Declaration(
    "strongroom_logins_total",
    Kind.COUNTER,
    "Logins, by the type of auth method and whether they gave a token.",
    (_MOUNT_TYPE, Label("outcome", LoginOutcome)),
)
SWEPT = Declaration(
    "strongroom_sweeper_removed_tokens_total",
    Kind.COUNTER,
    "Expired tokens that the sweeper removed; what hung below them is not counted.",
)
UNSEALED = Declaration("strongroom_unsealed", Kind.GAUGE, "1 while the vault is unsealed, else 0.")
INITIALIZED = Declaration("strongroom_initialized", Kind.GAUGE, "1 if the vault is initialized, else 0.")
TAMPERING = Declaration(
    "strongroom_store_tampering_findings_total",
    Kind.COUNTER,
    "Places in which the store was found not to be what the vault left behind.",
)
BACKUPS = Declaration(
    "strongroom_scheduled_backups_total",
    Kind.COUNTER,
    "Backups of the schedule, by whether they were written and read back.",
    (Label("outcome", BackupOutcome),),
)
BACKUP_TIME = Declaration(
    "strongroom_newest_backup_timestamp_seconds",
    Kind.GAUGE,
    "When the newest backup of the schedule was made, in seconds since the Unix epoch; 0 for never.",
)
TERM = Declaration("strongroom_barrier_term", Kind.GAUGE, "The number of the encryption key that is in use.")
ENCRYPTIONS = Declaration(
    "strongroom_barrier_term_encryptions", Kind.GAUGE, "At most how often the encryption key in use has encrypted."
)
STORE_BYTES = Declaration(
    "strongroom_store_size_bytes", Kind.GAUGE, "Bytes that the store's files take; 0 for a store in memory."
)
MEMORY_BYTES = Declaration("strongroom_process_resident_memory_bytes", Kind.GAUGE, "Memory of the process, in bytes.")
CPU_SECONDS = Declaration(
    "strongroom_process_cpu_seconds_total", Kind.COUNTER, "Processor time of the process, user and system, in seconds."
)
OPEN_FDS = Declaration(
    "strongroom_process_open_fds", Kind.GAUGE, "File descriptors that the processes have open.", is_summed=True
)
MAX_FDS = Declaration(
    "strongroom_process_max_fds", Kind.GAUGE, "File descriptors that the processes may have open.", is_summed=True
)
SHED = Declaration(
    "strongroom_overload_refused_requests_total",
    Kind.COUNTER,
    "Requests that were answered with 503 before they were read, because more came than could be answered in time.",
    is_summed=True,
)
START_SECONDS = Declaration(
    "strongroom_process_start_time_seconds", Kind.GAUGE, "When the server started, in seconds since the Unix epoch."
)
BUILD = Declaration(
    "strongroom_build_info", Kind.GAUGE, "Always 1; the label says which version runs.", (Label("version", VERSIONS),)
)

CATALOG = (
    BUILD,
    INITIALIZED,
    UNSEALED,
    REQUESTS,
    MALFORMED,
    REQUEST_SECONDS,
    BATCH_REQUESTS,
    RATE_LIMITED,
    POOL_BUSY,
    POOL_WAITING,
    POOL_REFUSED,
    CONNECTIONS,
    CONNECTIONS_REFUSED,
    SHED,
    LOGINS,
    TOKENS_CREATED,
    TOKENS_REMOVED,
    SWEPT,
    AUDIT_DEVICES,
    AUDIT_FAILURES,
    COMMITS,
    COMMIT_SECONDS,
    STORE_BYTES,
    TAMPERING,
    BACKUPS,
    BACKUP_TIME,
    TERM,
    ENCRYPTIONS,
    MEMORY_BYTES,
    CPU_SECONDS,
    OPEN_FDS,
    MAX_FDS,
    START_SECONDS,
)
"""In the order in which they are shown."""
