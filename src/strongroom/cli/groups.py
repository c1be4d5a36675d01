"""The groups of commands: names, where each command is, and a line about it. Imports none of them."""

from __future__ import annotations

from strongroom.cli.lazy import LazyGroup

kv_metadata = LazyGroup(
    "metadata",
    "What is kept about a secret beside its values.",
    {
        "delete": ("kv_metadata:delete", "Delete a secret with all its versions"),
        "get": ("kv_metadata:get", "Show settings and versions"),
        "patch": ("kv_metadata:patch", "Change some settings and notes"),
        "put": ("kv_metadata:put", "Set settings and notes"),
    },
)

env_override = LazyGroup(
    "override",
    "Values of your own over those of an environment; nobody else gets them.",
    {
        "list": ("env_override:list_overrides", "List your overrides"),
        "set": ("env_override:set_override", "Put values over those of a secret"),
        "unset": ("env_override:unset_override", "Take them away again"),
    },
)

env = LazyGroup(
    "env",
    "Compare environments, promote, and rotate their keys, without showing a value.",
    {
        "diff": ("env_compare:diff", "Show what differs between two environments"),
        "matrix": ("env_compare:matrix", "Show keys by environments"),
        "missing": ("env_compare:missing", "Show keys that some environment lacks"),
        "override": ("groups:env_override", "Put values of your own over those of an environment"),
        "promote": ("env_promote:promote", "Bring values to a more sensitive environment"),
        "reuse": ("env_compare:reuse", "Show values that several environments use"),
        "rotate": ("env_rotate:rotate", "Begin a new encryption key for an environment"),
    },
)

kv = LazyGroup(
    "kv",
    "Work with key-value secrets.",
    {
        "copy": ("kv_organise:copy", "Copy secrets with their versions"),
        "critical": ("kv_organise:critical", "List secrets by how critical they are"),
        "delete": ("kv_versions:delete", "Delete versions of a secret"),
        "destroy": ("kv_versions:destroy", "Destroy versions of a secret for ever"),
        "enable-versioning": ("kv_versions:enable_versioning", "Upgrade a store to version 2"),
        "expiring": ("kv_organise:expiring", "List secrets that expire"),
        "get": ("kv:get", "Read a secret"),
        "list": ("kv:list_keys", "List secrets and folders"),
        "metadata": ("groups:kv_metadata", "Work with what is kept beside the values"),
        "move": ("kv_organise:move", "Move secrets with their versions"),
        "patch": ("kv:patch", "Change some keys of a secret"),
        "put": ("kv:put", "Write a secret"),
        "rename": ("kv_organise:rename", "Give a secret another name"),
        "rollback": ("kv_versions:rollback", "Write an old version as the newest"),
        "search": ("kv_organise:search", "Find secrets by their names"),
        "undelete": ("kv_versions:undelete", "Bring deleted versions back"),
    },
)

secrets = LazyGroup(
    "secrets",
    "Manage secrets engines.",
    {
        "disable": ("secrets_engines:disable", "Unmount an engine and delete its data"),
        "enable": ("secrets_engines:enable", "Mount an engine"),
        "list": ("secrets_engines:list_engines", "List what is mounted"),
        "move": ("secrets_engines:move_engine", "Move an engine to another path"),
        "tune": ("secrets_engines:tune", "Change how an engine behaves"),
    },
)

auth = LazyGroup(
    "auth",
    "Manage auth methods.",
    {
        "disable": ("auth_methods:disable", "Disable a method and delete its data"),
        "enable": ("auth_methods:enable", "Enable a method"),
        "help": ("auth_methods:auth_help", "Show how to log in with a method"),
        "list": ("auth_methods:list_methods", "List what is enabled"),
        "move": ("auth_methods:move_method", "Move a method to another path"),
        "tune": ("auth_methods:tune", "Change how a method behaves"),
    },
)

policy = LazyGroup(
    "policy",
    "Manage policies.",
    {
        "delete": ("policies:delete", "Delete a policy"),
        "fmt": ("policies:fmt", "Format a policy file"),
        "list": ("policies:list_policies", "List policies"),
        "read": ("policies:read", "Print a policy"),
        "write": ("policies:write", "Write a policy from a file"),
    },
)

token = LazyGroup(
    "token",
    "Work with tokens.",
    {
        "capabilities": ("tokens:capabilities", "Show what a token may do at a path"),
        "create": ("tokens:create", "Create a token"),
        "lookup": ("tokens:lookup", "Show a token"),
        "renew": ("tokens:renew", "Let a token live on"),
        "revoke": ("tokens:revoke", "Revoke a token and what came from it"),
    },
)

audit = LazyGroup(
    "audit",
    "Manage audit devices, and verify their logs.",
    {
        "anchor": ("audit_evidence:anchor", "Print a signed anchor of the logs' ends"),
        "disable": ("audit_devices:disable", "Disable a device"),
        "enable": ("audit_devices:enable", "Enable a device"),
        "list": ("audit_devices:list_devices", "List devices"),
        "verify": ("audit_evidence:verify", "Verify log files without the server"),
    },
)

lease = LazyGroup(
    "lease",
    "Work with leases.",
    {
        "list": ("leases:list_leases", "List leases below a path"),
        "lookup": ("leases:lookup", "Show a lease"),
        "renew": ("leases:renew", "Let a lease live on"),
        "revoke": ("leases:revoke", "Revoke a lease"),
    },
)

consumer = LazyGroup(
    "consumer",
    "See which programs run which versions of secrets.",
    {
        "delete": ("consumers:delete", "Forget the consumers of a name"),
        "list": ("consumers:list_consumers", "List consumers, or those of one secret"),
        "read": ("consumers:read", "Show what the consumers of a name run"),
    },
)

operator = LazyGroup(
    "operator",
    "Initialize, unseal, rekey, rotate, back up and restore.",
    {
        "backup": ("operator_backup:backup", "Save everything that is stored to a file"),
        "generate-root": ("operator_root:generate_root", "Make a new root token by quorum"),
        "init": ("operator_start:init", "Initialize a server"),
        "key-status": ("operator_keys:key_status", "Show the encryption key's state"),
        "members": ("operator_keys:members", "List the nodes of the cluster"),
        "rekey": ("operator_rekey:rekey", "Make new key shares by quorum"),
        "restore": ("operator_restore:restore", "Restore a backup to a server that is stopped"),
        "rotate": ("operator_keys:rotate", "Begin a new encryption key"),
        "rotate-root": ("operator_keys:rotate_root", "Put a new root key above it"),
        "seal": ("operator_start:seal", "Seal a server"),
        "step-down": ("operator_keys:step_down", "Make the active node give up its place"),
        "unseal": ("operator_start:unseal", "Give a key share to unseal a server"),
        "verify": ("operator_verify:verify", "Verify a store without its server"),
        "verify-backup": ("operator_restore:verify_backup", "Verify a backup without a server"),
    },
)

hook = LazyGroup(
    "hook",
    "Hooks of git that refuse secrets before a commit, before a push, and where a push arrives.",
    {
        "install": ("hook:install_hook", "Install a hook, keeping the one that is there"),
        "run": ("hook_run:run_hook", "What an installed hook calls"),
        "status": ("hook:hook_status", "Show which hooks of a repository scan"),
        "uninstall": ("hook:uninstall_hook", "Take hooks out, and put back what was there"),
    },
)

scan = LazyGroup(
    "scan",
    "Find leaked secrets in files, histories, archives and images. Needs no server.",
    {
        "dir": ("scan:scan_dir", "Scan files and folders"),
        "git": ("scan:scan_git", "Scan a git repository with all its history"),
        "stdin": ("scan_streams:scan_stdin", "Scan what comes in over standard input"),
        "staged": ("scan_changes:scan_staged", "Scan what the next commit adds"),
        "image": ("scan_streams:scan_image", "Scan a container image with all its layers"),
        "archive": ("scan_streams:scan_archive", "Scan an archive, a package or a document"),
        "url": ("scan_streams:scan_url", "Scan what an address answers with"),
        "known-filter": ("scan_filter:scan_known_filter", "Write a filter of known values for scans without a server"),
    },
)

print_group = LazyGroup("print", "Print what this program uses.", {"token": ("login:print_token", "Print the token")})
