"""The groups of commands: names, where each command is, and a line about it. Imports none of them."""

from __future__ import annotations

from strongroom.cli.lazy import LazyGroup

kv = LazyGroup(
    "kv",
    "Work with key-value secrets.",
    {
        "get": ("kv:get", "Read a secret"),
        "list": ("kv:list_keys", "List secrets and folders"),
        "patch": ("kv:patch", "Change some keys of a secret"),
        "put": ("kv:put", "Write a secret"),
    },
)

operator = LazyGroup(
    "operator",
    "Initialize, unseal, rekey and rotate.",
    {
        "init": ("operator_start:init", "Initialize a server"),
        "unseal": ("operator_start:unseal", "Give a key share to unseal a server"),
        "seal": ("operator_start:seal", "Seal a server"),
    },
)
